"""A small contract beside a source: what its columns must look like."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown, unknown_name
from tradespace.features.define.rules import check_finite

_Kind = TypeVar("_Kind", "ColumnRule", "Contract")

#: What to do about a bound of what is not a number.
LEVELS_INSTEAD = "For strings use levels=['home', 'cart'], for times since and until."


class OnBreach(enum.Enum):
    """What to do with rows that break a contract."""

    REFUSE = "refuse"
    REPORT = "report"


_TYPES = ("number", "integer", "boolean", "string", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """What one column must look like.

    `type` is number, integer, boolean, string or time; `low` and `high` are inclusive bounds of
    numbers; `levels` are the only values allowed; `nulls` is the greatest share of missing
    values.
    """

    type: str | None = None
    low: float | None = None
    high: float | None = None
    levels: Sequence[Any] | None = None
    nulls: float = 1.0

    def __post_init__(self) -> None:
        if self.type is not None and self.type not in _TYPES:
            msg = f"Type of a column rule must be one of {', '.join(_TYPES)}; got {self.type!r}."
            raise FeatureError(msg, remedy="Leave it out to allow any type.")
        for name in ("low", "high", "nulls"):
            if getattr(self, name) is not None:
                check_finite(getattr(self, name), what=f"{name} of a column rule")
        if self.low is not None and self.high is not None and self.low > self.high:
            msg = f"low of a column rule is {self.low:g}, above high, {self.high:g}."
            raise FeatureError(msg, remedy="Exchange them: low is the smallest value allowed.")
        bounded = self.low is not None or self.high is not None
        if bounded and self.type not in (None, "number", "integer"):
            msg = f"low and high of a column rule are bounds of numbers; its type is {self.type!r}."
            raise FeatureError(msg, remedy=LEVELS_INSTEAD)
        levels: Any = self.levels
        if levels is not None and (isinstance(levels, str | Mapping) or not list(levels)):
            msg = f"levels of a column rule are a list of the values allowed; got {levels!r}."
            raise FeatureError(msg, remedy="Write them like levels=['home', 'cart'].")
        if not 0.0 <= self.nulls <= 1.0:
            msg = f"Nulls of a column rule is a share, 0 to 1; got {self.nulls!r}."
            raise FeatureError(msg, remedy="0 allows no missing value.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Rules of the columns, and the dates that events may have (ISO, UTC).

    Parameters
    ----------
    columns : Mapping of str to ColumnRule
        A rule may be given as a mapping of its settings.
    since, until : str
        First and last moment that is allowed, as ISO dates or times in UTC. A date alone is
        its midnight: ``until="2024-10-27"`` leaves out what happened that day after 00:00.
        `since` defaults to 1971 because a date of 1970 is nearly always a zero that was read
        as a time.
    ordered : bool
        Asks for a file in the order of time.
    unique : sequence of str
        Columns that must not repeat a value; one may be given by its name alone.
    on_breach : OnBreach or str
        "refuse" or "report".

    """

    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    since: str = "1971-01-01"
    until: str | None = None
    ordered: bool = False
    unique: Sequence[str] = ()
    on_breach: OnBreach = OnBreach.REFUSE

    def __post_init__(self) -> None:
        columns: Any = self.columns
        if not isinstance(columns, Mapping):
            msg = f"The columns of a contract are a mapping of names to rules; got {columns!r}."
            raise FeatureError(msg, remedy="Write columns={'eur': ColumnRule(low=0)}.")
        rules = {name: _made(ColumnRule, rule, f"{name!r}") for name, rule in columns.items()}
        object.__setattr__(self, "columns", rules)
        object.__setattr__(self, "since", _moment(self.since, "since"))
        if self.until is not None:
            object.__setattr__(self, "until", _moment(self.until, "until"))
        ordered: Any = self.ordered
        if not isinstance(ordered, bool):
            msg = f"ordered of a contract is true or false; got {ordered!r}."
            raise FeatureError(msg, remedy="Leave it out if the order does not matter.")
        unique: Any = (self.unique,) if isinstance(self.unique, str) else tuple(self.unique)
        object.__setattr__(self, "unique", unique)
        choice: Any = self.on_breach
        if not isinstance(choice, OnBreach):
            names = [one.value for one in OnBreach]
            if choice not in names:
                raise unknown(FeatureError, "choice of on_breach", str(choice), names)
            object.__setattr__(self, "on_breach", OnBreach(choice))


def contract_of(given: object, *, owner: str) -> Contract | None:
    """Return a contract from a contract or a mapping of its settings."""
    return None if given is None else _made(Contract, given, f"source {owner!r}")


def _made(kind: type[_Kind], given: object, owner: str) -> _Kind:
    if isinstance(given, kind):
        return given
    what = {"ColumnRule": "rule of column", "Contract": "contract of"}[kind.__name__]
    allowed = [one.name for one in fields(kind)]
    if not isinstance(given, Mapping):
        msg = f"The {what} {owner} must be a {kind.__name__}; got {given!r}."
        raise FeatureError(msg, remedy=f"Write {kind.__name__}({allowed[0]}=...).")
    for name in given:
        if name not in allowed:
            message, remedy = unknown_name("key", str(name), allowed)
            msg = f"In the {what} {owner}: {message}"
            raise FeatureError(msg, remedy=remedy)
    return kind(**given)


def _moment(given: object, what: str) -> str:
    """Return an ISO date or time as text, in UTC and without a zone."""
    if isinstance(given, dt.date):
        given = given.isoformat()
    try:
        found = dt.datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or not isinstance(given, str):
        msg = f"{what} of a contract is an ISO date or time; got {given!r}."
        raise FeatureError(msg, remedy="Write it like '2024-03-31' or '2024-03-31T12:00:00'.")
    if found.tzinfo is None:
        return given
    return found.astimezone(dt.UTC).replace(tzinfo=None).isoformat()


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
