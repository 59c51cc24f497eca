"""The record of a decision, flat: versions, seeds, hashes, split sizes, machine, work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tradespace.core.decisions import Decision
from tradespace.core.quantities import format_number, format_quantity

_TITLES = {
    "study_file": "study file",
    "study_hash": "study hash",
    "data_hash": "data hash",
    "n_rows": "rows",
    "n_inputs": "inputs",
    "test_looks": "looks at the test split",
    "groups": "unit that repeats",
    "bootstrap": "bootstrap resamples",
    "folds": "rows by part",
}
_LEFT_OUT = ("notes", "inputs", "qualities")
_UNITS = {"_s": "s", "_bytes": "B", "_usd": "USD", "_j": "J"}


def record_items(decision: Decision) -> list[tuple[str, str]]:
    """Return the record as pairs of a title and a text, nested facts flattened.

    Parameters
    ----------
    decision : Decision
        Whose context is shown.

    """
    items: list[tuple[str, str]] = []
    for key, value in decision.context.items():
        if key not in _LEFT_OUT:
            _flatten(_TITLES.get(key, key.replace("_", " ")), key, value, items)
    inputs = decision.context.get("inputs")
    if isinstance(inputs, Sequence) and not isinstance(inputs, str) and inputs:
        items.append(("input columns", ", ".join(map(str, inputs))))
    return items


def _flatten(title: str, key: str, value: Any, items: list[tuple[str, str]]) -> None:
    if isinstance(value, Mapping):
        if value and all(not isinstance(v, Mapping | list | tuple) for v in value.values()):
            joined = ", ".join(f"{_plain(k)} {_shown(str(k), v)}" for k, v in value.items())
            items.append((title, joined))
            return
        for name, inner in value.items():
            _flatten(f"{title}, {_plain(name)}", str(name), inner, items)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if value:
            items.append((title, ", ".join(_shown(key, item) for item in value)))
    elif value not in (None, ""):
        items.append((title, _shown(key, value)))


def _plain(name: object) -> str:
    text = str(name)
    for ending in _UNITS:
        text = text.removesuffix(ending)
    return text.replace("_", " ")


def _shown(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    for ending, unit in _UNITS.items():
        if key.endswith(ending):
            return format_quantity(float(value), unit)
    if isinstance(value, int):
        return str(value) if key == "seeds" else f"{value:,}"
    return format_number(value)
