"""Expressions over the columns of one event: small trees that compile to Polars, SQL and Python.

They serve as filters of sources and windows and as row features. Comparisons with a missing
value are missing, and so is what is divided by 0; a filter takes missing as false.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown

if TYPE_CHECKING:
    import polars as pl

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda above, below: float(above) / float(below) if below else None,
    "&": operator.and_,
    "|": operator.or_,
}
CLOCK = ("weekday", "hour", "minute", "day", "month")
#: Parts of a time in UTC that repeat: microseconds of one, and how many there are.
_PERIODS = {"hour": (3_600_000_000, 24), "minute": (60_000_000, 60)}
#: Operators of numbers, and of the outcomes of comparisons.
ARITHMETIC, LOGIC = ("+", "-", "*", "/"), ("&", "|", "~")
_SQL = {"&": "AND", "|": "OR", "==": "=", "!=": "<>"}
_WORDS = {
    ">=": "ge",
    "<=": "le",
    ">": "gt",
    "<": "lt",
    "==": "eq",
    "!=": "ne",
    "&": "and",
    "|": "or",
}


def _operator(op: str, *, turned: bool = False) -> Callable[[Expression, object], Expression]:
    """Return a method that combines an expression with another thing; `turned`: that first."""

    def combine(self: Expression, other: object) -> Expression:
        parts = (self, self._other(other))
        return Expression(op, parts[::-1] if turned else parts)

    return combine


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A tree of operators over columns; build it with :func:`column`, :func:`hour`, ... .

    Examples
    --------
    >>> night = hour("at") <= 6
    >>> night.text, night.columns
    ('(hour(at) <= 6)', ('at',))

    """

    op: str
    args: tuple[Any, ...]
    name: str = ""
    description: str = ""

    def __hash__(self) -> int:
        return hash(self.text)

    def __bool__(self) -> bool:
        msg = f"The expression {self.text} has no truth value of its own."
        raise FeatureError(msg, remedy="Combine expressions with & and |, each in parentheses.")

    def named(self, name: str, *, description: str = "") -> Expression:
        """Return the same expression under a name of its own."""
        return Expression(self.op, self.args, name, description)

    def _other(self, other: object) -> Expression:
        if isinstance(other, Expression):
            return other
        if not isinstance(other, int | float | str):
            msg = f"Cannot combine {self.text} with {other!r}."
            remedy = "Use a number, a string or another expression."
            if other is None:
                remedy = "Ask whether a value is missing with column('...').is_null()."
            raise FeatureError(msg, remedy=remedy)
        return Expression("literal", (other,))

    __ge__ = _operator(">=")
    __le__ = _operator("<=")
    __gt__ = _operator(">")
    __lt__ = _operator("<")
    __eq__ = _operator("==")  # type: ignore[assignment]  # builds a tree
    __ne__ = _operator("!=")  # type: ignore[assignment]  # builds a tree
    __and__ = _operator("&")
    __or__ = _operator("|")
    __add__ = _operator("+")
    __sub__ = _operator("-")
    __mul__ = _operator("*")
    __truediv__ = _operator("/")
    __radd__ = _operator("+", turned=True)
    __rsub__ = _operator("-", turned=True)
    __rmul__ = _operator("*", turned=True)
    __rtruediv__ = _operator("/", turned=True)

    def __neg__(self) -> Expression:
        return 0 - self

    def __invert__(self) -> Expression:
        return Expression("~", (self,))

    def is_null(self) -> Expression:
        """Return whether the value is missing; ``~`` in front asks whether it is there."""
        return Expression("is_null", (self,))

    def is_in(self, values: Iterable[int | float | str]) -> Expression:
        """Return whether the value is one of some numbers or some strings.

        Examples
        --------
        >>> column("page").is_in(["home", "cart"]).text
        "(page in ['cart', 'home'])"

        """
        given = [] if isinstance(values, str | bytes) else list(values)
        kinds = {isinstance(value, str) for value in given}
        if len(kinds) != 1 or not all(isinstance(value, int | float | str) for value in given):
            msg = f"{self.text} can be one of some numbers or of some strings; got {values!r}."
            raise FeatureError(msg, remedy="Give a list, like column('page').is_in(['a', 'b']).")
        return Expression("in", (self, tuple(sorted(set(given)))))

    @property
    def text(self) -> str:
        """The expression in one canonical form, which is what gets hashed."""
        if self.op == "column":
            return str(self.args[0])
        if self.op == "literal":
            return repr(self.args[0])
        if self.op in CLOCK:
            return f"{self.op}({self.args[0]})"
        if self.op == "~":
            return f"~{self.args[0].text}"
        if self.op == "is_null":
            return f"is_null({self.args[0].text})"
        if self.op == "in":
            return f"({self.args[0].text} in {list(self.args[1])!r})"
        return f"({self.args[0].text} {self.op} {self.args[1].text})"

    @property
    def slug(self) -> str:
        """A name made of the text."""
        text = self.text
        for sign in (">=", "<=", "==", "!=", ">", "<", "&", "|"):
            text = text.replace(f" {sign} ", f"_{_WORDS[sign]}_")
        if any(new in text for new in (" / ", " in [", "is_null(")):
            words = "".join(c if c.isalnum() else "_" for c in text.replace(" / ", "_per_"))
            return re.sub("_+", "_", words).strip("_")
        return "".join(c if c.isalnum() else "_" for c in text).strip("_").replace("__", "_")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, sorted."""
        if self.op == "column" or self.op in CLOCK:
            return (str(self.args[0]),)
        found = {c for arg in self.args if isinstance(arg, Expression) for c in arg.columns}
        return tuple(sorted(found))

    def to_polars(self, *, time_zone: str | None = None) -> pl.Expr:
        """Return it as a Polars expression; clock parts are read in `time_zone`."""
        import polars as pl

        if self.op == "column":
            return pl.col(self.args[0])
        if self.op == "literal":
            return pl.lit(self.args[0])
        if self.op in CLOCK:
            return _clock_in_polars(self.op, pl.col(self.args[0]), time_zone)
        parts: list[pl.Expr] = [
            arg.to_polars(time_zone=time_zone) for arg in self.args if isinstance(arg, Expression)
        ]
        if self.op == "~":
            return ~parts[0]
        if self.op == "is_null":
            return parts[0].is_null()
        if self.op == "in":
            if isinstance(self.args[1][0], str):
                return parts[0].is_in(self.args[1])
            return pl.any_horizontal([parts[0] == value for value in self.args[1]])
        if self.op in ARITHMETIC:
            # Booleans count as 0 and 1, and few bits must not overflow.
            parts = [part * pl.lit(1, pl.Int64) for part in parts]
        if self.op == "/":
            above, below = (part.cast(pl.Float64) for part in parts)
            return pl.when(below != 0).then(above / below)
        result: pl.Expr = _BINARY[self.op](*parts)
        return result

    def to_sql(self, *, prefix: str = "") -> str:
        """Return it as DuckDB SQL over columns quoted by name; times are local timestamps.

        `prefix` stands before every column, like "e." for a table.
        """
        if self.op == "column":
            return f'{prefix}"{self.args[0]}"'
        if self.op == "literal":
            return _literal_in_sql(self.args[0])
        if self.op in CLOCK:
            part = "isodow" if self.op == "weekday" else self.op
            sql = f"date_part('{part}', {prefix}\"{self.args[0]}\")"
            return f"({sql} - 1)" if self.op == "weekday" else sql
        left = self.args[0].to_sql(prefix=prefix)
        if self.op == "~":
            return f"(NOT {left})"
        if self.op == "is_null":
            return f"({left} IS NULL)"
        if self.op == "in":
            return f"({left} IN ({', '.join(_literal_in_sql(v) for v in self.args[1])}))"
        right = self.args[1].to_sql(prefix=prefix)
        if self.op == "/":
            return f"({left}::DOUBLE / nullif({right}::DOUBLE, 0))"
        return f"({left} {_SQL.get(self.op, self.op)} {right})"

    def evaluate(self, event: Mapping[str, Any], *, time_zone: str | None = None) -> Any:
        """Return its value for one event; None if a needed value is missing.

        Times are microseconds since 1970 UTC. As in SQL, false & missing is false and
        true | missing is true.

        Raises
        ------
        FeatureError
            If the values of the event do not go together, as a number and a string.

        """
        if self.op == "literal":
            return self.args[0]
        if self.op == "column" or self.op in CLOCK:
            value = event.get(self.args[0])
            if value is None or value != value:
                return None
            return value if self.op == "column" else _clock_part(self.op, value, time_zone)
        values = [
            arg.evaluate(event, time_zone=time_zone)
            for arg in self.args
            if isinstance(arg, Expression)
        ]
        if self.op == "is_null":
            return values[0] is None
        if self.op == "~":
            return None if values[0] is None else not values[0]
        if None in values:
            decided = {"&": False, "|": True}.get(self.op)
            return decided if decided is not None and decided in values else None
        if self.op == "in":
            return values[0] in self.args[1]
        try:
            return _BINARY[self.op](*values)
        except TypeError as error:
            held = " and ".join(map(repr, values))
            msg = f"{self.text} cannot be told of an event that holds {held}."
            raise FeatureError(msg, remedy="Compare numbers with numbers, and so on.") from error


def _literal_in_sql(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _clock_in_polars(part: str, times: pl.Expr, time_zone: str | None) -> pl.Expr:
    import polars as pl

    if time_zone is None:
        since = times.dt.epoch("us")
        if part in _PERIODS:
            # Four times as fast as asking for the hour of each time.
            length, number = _PERIODS[part]
            return since // length % number
        times = pl.from_epoch(since, time_unit="us")
    else:
        times = times.dt.convert_time_zone(time_zone)
    found: pl.Expr = getattr(times.dt, part)().cast(pl.Int64)
    return found - 1 if part == "weekday" else found


def _clock_part(part: str, time_us: int, time_zone: str | None) -> int:
    zone = dt.UTC if time_zone is None else ZoneInfo(time_zone)
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    local = (start + dt.timedelta(microseconds=int(time_us))).astimezone(zone)
    return local.weekday() if part == "weekday" else int(getattr(local, part))


def column(name: str) -> Expression:
    """Return the value of a column."""
    return Expression("column", (name,))


def weekday(name: str) -> Expression:
    """Return the day of the week of a time, Monday 0 to Sunday 6, in the source's time zone."""
    return Expression("weekday", (name,))


def hour(name: str) -> Expression:
    """Return the hour of a time, 0 to 23, in the source's time zone."""
    return Expression("hour", (name,))


def clock_part(part: str, name: str) -> Expression:
    """Return weekday, hour, minute, day or month of a time, in the source's time zone."""
    if part not in CLOCK:
        raise unknown(FeatureError, "part of a time", part, CLOCK)
    return Expression(part, (name,))
