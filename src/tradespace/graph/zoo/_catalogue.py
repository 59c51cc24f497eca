"""The catalogue of the zoo: rows of networks in TOML; builders are imported when asked for."""

from __future__ import annotations

import functools
import importlib
import inspect
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.core.suggest import unknown
from tradespace.graph.network import Network

_CATALOGUE = Path(__file__).with_name("catalogue")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRow:
    """A network of the zoo.

    Parameters
    ----------
    name : str
        As asked for; it says the variant.
    path : str
        ``module:function`` of its builder under `tradespace.graph.zoo`. A builder takes
        ``batch`` and settings by keyword and returns a `Network`.
    settings : Mapping
        What the row hands to the builder.
    title : str
        For people.
    family : str
        For grouping.
    year : int
        Of its publication.
    task : str
        What it was published for.
    input : str
        Shape of an input without the batch, for people: ``"3x224x224"``.
    source : str
        The publication.
    facts : Mapping
        Published figures that are not counted here: ``top1``, ``top5`` in percent, others by
        name; each is quoted from `source` or says its own.
    aliases : tuple of str
        Other names.

    """

    name: str
    path: str
    title: str
    family: str
    year: int
    task: str
    input: str
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


#: Files of rows in `catalogue`, in the order in which networks are listed.
_FILES = (
    "small",
    "vision",
    "vision_scaled",
    "detection",
    "keras",
    "sequence",
    "language",
    "speech",
    "recurrent",
)


@functools.cache
def networks() -> dict[str, NetworkRow]:
    """Return the rows of all networks by name."""
    return {row.name: row for rows in sections().values() for row in rows}


@functools.cache
def sections() -> dict[str, tuple[NetworkRow, ...]]:
    """Return the heading and the rows of each part of the catalogue."""
    found = {}
    for file in _FILES:
        whole = tomllib.loads((_CATALOGUE / f"{file}.toml").read_text(encoding="utf-8"))
        heading = whole.pop("heading")
        found[heading] = tuple(_rows_of(whole))
    return found


def _rows_of(whole: dict[str, Any]) -> Iterator[NetworkRow]:
    """Yield the rows of a file.

    A network has what its family says, a family what the whole file says, unless it says
    otherwise; settings and facts of family and network are joined.
    """
    families = whole.pop("family")
    for family in families:
        rows = family.pop("networks")
        shared = {"family": family["path"].partition(":")[0], **whole, **family}
        for name, own in rows.items():
            joined = {
                part: _fixed(own.get(part, {}) | shared.get(part, {}) | own.get(part, {}))
                for part in ("settings", "facts")
            }
            aliases = tuple(own.get("aliases", ()))
            yield NetworkRow(**{**shared, **own, **joined, "name": name, "aliases": aliases})


def _fixed(value: Any) -> Any:
    """Return a value with tuples in place of lists, as builders take them."""
    if isinstance(value, list):
        return tuple(_fixed(item) for item in value)
    if isinstance(value, dict):
        return {key: _fixed(item) for key, item in value.items()}
    return value


@functools.cache
def _aliases() -> dict[str, str]:
    return {alias: row.name for row in networks().values() for alias in row.aliases}


def network_row(name: str) -> NetworkRow:
    """Return the row of a network.

    Raises
    ------
    GraphError
        If the zoo has no network of the name.

    """
    key = name.lower().replace("_", "-")
    key = _aliases().get(key, key)
    if key not in networks():
        raise unknown(GraphError, "network of the zoo", name, (*networks(), *_aliases()))
    return networks()[key]


def network(name: str, *, batch: int = 1, **settings: Any) -> Network:
    """Return a network of the zoo.

    Parameters
    ----------
    name : str
        For example ``"resnet50"``, ``"alexnet"``, ``"gpt-3"``.
    batch : int
        Samples in one pass.
    **settings
        What the builder takes, in place of the row's: sizes, lengths, widths.

    Raises
    ------
    GraphError
        If there is no such network or setting.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(network("mlp-784-300-100-10"))
    266610

    """
    row = network_row(name)
    module, _, function = row.path.partition(":")
    builder = getattr(importlib.import_module(f"tradespace.graph.zoo.{module}"), function)
    allowed = [p for p in inspect.signature(builder).parameters if p not in ("name", "batch")]
    for setting in settings:
        if setting not in allowed:
            raise unknown(GraphError, f"setting of {row.name!r}", setting, allowed)
    if batch < 1:
        msg = f"A pass needs at least one sample; got batch {batch}."
        raise GraphError(msg, remedy="Give a batch of 1 or more.")
    made: Network = builder(**{"name": row.name, "batch": batch, **row.settings, **settings})
    facts = {"year": row.year, "task": row.task, **row.facts, **made.facts}
    return replace(made, source=made.source or row.source, facts=facts)
