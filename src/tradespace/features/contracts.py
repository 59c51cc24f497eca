"""A small contract beside a source: what its columns must look like."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.errors import FeatureError


class OnBreach(enum.Enum):
    """What to do with rows that break a contract."""

    REFUSE = "refuse"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """What one column must look like.

    `type` is number, integer, boolean, string or time; `low` and `high` are inclusive; `levels`
    are the only values allowed; `nulls` is the greatest share of missing values.
    """

    type: str | None = None
    low: float | None = None
    high: float | None = None
    levels: Sequence[Any] | None = None
    nulls: float = 1.0

    def __post_init__(self) -> None:
        allowed = ("number", "integer", "boolean", "string", "time")
        if self.type is not None and self.type not in allowed:
            msg = f"Type of a column rule must be one of {', '.join(allowed)}; got {self.type!r}."
            raise FeatureError(msg, remedy="Leave it out to allow any type.")
        if not 0.0 <= self.nulls <= 1.0:
            msg = f"Nulls of a column rule is a share, 0 to 1; got {self.nulls!r}."
            raise FeatureError(msg, remedy="0 allows no missing value.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Rules of the columns, and the dates that events may have (ISO, UTC).

    `since` defaults to 1971 because a date of 1970 is nearly always a zero that was read as a
    time. `ordered` asks for a file in the order of time; the columns of `unique` must not
    repeat a value.
    """

    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    since: str = "1971-01-01"
    until: str | None = None
    ordered: bool = False
    unique: Sequence[str] = ()
    on_breach: OnBreach = OnBreach.REFUSE


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that rows break: how many, and the first few, as text."""

    rule: str
    column: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = f" (for example {', '.join(self.examples)})" if self.examples else ""
        return f"{self.column}: {self.rule}: {self.count} rows{shown}"
