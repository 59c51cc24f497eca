"""The registry: a row per plug-in, as strings and plain values, so that listing costs nothing.

A row names the module that implements it; nothing is imported until :func:`load` is called.
Rows of this distribution stand in the sibling modules; rows of others come in through the
entry-point group ``tradespace.plugins``, whose entries name a row or a sequence of rows.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from tradespace.core.errors import MissingExtraError, RegistryError
from tradespace.core.registry._rows import (
    FACTS,
    NEEDS,
    ExcludeRuleRow,
    FamilyRow,
    Plugin,
    QualityRow,
    ScenarioRow,
)

# At the top, because importing a submodule later would hide the function of the same name.
from tradespace.core.registry.families import FAMILIES
from tradespace.core.registry.qualities import QUALITIES
from tradespace.core.registry.scenarios import EXCLUDE_RULES, SCENARIOS
from tradespace.core.rendering import load_object
from tradespace.core.suggest import unknown

__all__ = [
    "ENTRY_POINT_GROUP",
    "FACTS",
    "NEEDS",
    "ExcludeRuleRow",
    "FamilyRow",
    "Plugin",
    "QualityRow",
    "ScenarioRow",
    "exclude_rules",
    "families",
    "family",
    "is_baseline",
    "load",
    "origin",
    "qualities",
    "quality",
    "scenarios",
]

ENTRY_POINT_GROUP = "tradespace.plugins"

Row = TypeVar("Row", bound=Plugin)


#: Path of a row of another distribution -> its name and version.
_ORIGINS: dict[str, str] = {}


def origin(row: Plugin) -> str:
    """Return which version of which other distribution brings a row; empty for our own."""
    _third_party()
    return _ORIGINS.get(row.path, "")


@cache
def _third_party() -> tuple[Plugin, ...]:
    from importlib.metadata import entry_points

    rows: list[Plugin] = []
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        found: Any = entry.load()
        for row in found if isinstance(found, list | tuple) else [found]:
            if not isinstance(row, Plugin):
                msg = (
                    f"Entry point {entry.name!r} of group {ENTRY_POINT_GROUP!r} must name a "
                    f"registry row or a sequence of them; got {type(row).__name__}."
                )
                raise RegistryError(msg)
            rows.append(row)
            _ORIGINS[row.path] = origin
    return tuple(rows)


def _merged(own: tuple[Row, ...], kind: type[Row]) -> dict[str, Row]:
    rows = {row.name: row for row in own}
    for row in _third_party():
        if isinstance(row, kind):
            rows.setdefault(row.name, row)
    return rows


def families() -> dict[str, FamilyRow]:
    """Return the rows of all families by name."""
    return _merged(FAMILIES, FamilyRow)


def qualities() -> dict[str, QualityRow]:
    """Return the rows of all qualities by name."""
    return _merged(QUALITIES, QualityRow)


def scenarios() -> dict[str, ScenarioRow]:
    """Return the rows of all scenarios by name."""
    return _merged(SCENARIOS, ScenarioRow)


def exclude_rules() -> dict[str, ExcludeRuleRow]:
    """Return the rows of all rules that exclude rows, by name."""
    return _merged(EXCLUDE_RULES, ExcludeRuleRow)


def _get(rows: dict[str, Row], name: str, what: str) -> Row:
    if name not in rows:
        raise unknown(RegistryError, what, name, rows)
    return rows[name]


def family(name: str) -> FamilyRow:
    """Return one family's row, or raise RegistryError with the nearest name.

    Examples
    --------
    >>> family("decision_tree").title
    'Decision tree'

    """
    return _get(families(), name, "family")


def is_baseline(name: str) -> bool:
    """Return whether a family predicts without looking at the inputs."""
    row = families().get(name)
    return row is not None and row.baseline


def quality(name: str) -> QualityRow:
    """Return one quality's row, or raise RegistryError with the nearest name.

    Examples
    --------
    >>> quality("average_precision").direction.value
    'maximize'

    """
    return _get(qualities(), name, "quality")


def load(row: Plugin) -> object:
    """Import and return what a row names.

    Raises
    ------
    MissingExtraError
        If its library is not installed.

    """
    if row.library:
        from importlib.util import find_spec

        if find_spec(row.library) is None:
            raise MissingExtraError(row.library, extra=row.extra, needed_for=row.title)
    return load_object(row.path)
