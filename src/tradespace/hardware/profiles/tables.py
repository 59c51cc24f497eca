"""Tables of published figures: CSV files whose columns are the fields of records."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

Row = Mapping[str, str]
_Record = TypeVar("_Record")
#: By the type of a field, how the text of a cell is read; an empty cell is None.
_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "str | None": lambda text: text or None,
    "float": float,
    "float | None": lambda text: float(text) if text else None,
    "int | None": lambda text: int(text) if text else None,
}


@functools.cache
def table_rows(place: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table by the column ``id``."""
    with place.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def number(row: Row, name: str) -> float | None:
    """Return the number in a cell, None if the cell is empty."""
    return float(row[name]) if row[name] else None


def span(row: Row, name: str, unit: str = "") -> tuple[float, float] | None:
    """Return the range of two columns, such as ``price_low_usd`` and ``price_high_usd``."""
    low, high = (number(row, f"{name}_{end}{unit}") for end in ("low", "high"))
    return None if low is None or high is None else (low, high)


def record_of(kind: Callable[..., _Record], row: Row, **given: Any) -> _Record:
    """Return the record whose fields are the columns of a row, but for those that are given."""
    read = {
        field.name: _READERS[str(field.type)](row[field.name])
        for field in fields(kind)  # type: ignore[arg-type] # a dataclass
        if field.name in row and field.name not in given
    }
    return kind(**read, **given)
