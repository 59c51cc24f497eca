"""Expressions over the columns of one event: small trees that compile to Polars, SQL and Python.

They serve as filters of windows and as row features. Comparisons with a missing value are
missing; a filter takes missing as false.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown_name

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
    "&": operator.and_,
    "|": operator.or_,
}
_CLOCK = ("weekday", "hour", "minute", "day", "month")
#: Parts of a time in UTC that repeat: microseconds of one, and how many there are.
_PERIODS = {"hour": (3_600_000_000, 24), "minute": (60_000_000, 60)}
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

    def _with(self, op: str, other: object) -> Expression:
        if other is None or not isinstance(other, Expression | int | float | str):
            msg = f"Cannot combine {self.text} with {other!r}."
            raise FeatureError(msg, remedy="Use a number, a string or another expression.")
        right = other if isinstance(other, Expression) else Expression("literal", (other,))
        return Expression(op, (self, right))

    def __ge__(self, other: object) -> Expression:
        return self._with(">=", other)

    def __le__(self, other: object) -> Expression:
        return self._with("<=", other)

    def __gt__(self, other: object) -> Expression:
        return self._with(">", other)

    def __lt__(self, other: object) -> Expression:
        return self._with("<", other)

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]  # builds a tree
        return self._with("==", other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]  # builds a tree
        return self._with("!=", other)

    def __and__(self, other: object) -> Expression:
        return self._with("&", other)

    def __or__(self, other: object) -> Expression:
        return self._with("|", other)

    def __add__(self, other: object) -> Expression:
        return self._with("+", other)

    def __sub__(self, other: object) -> Expression:
        return self._with("-", other)

    def __mul__(self, other: object) -> Expression:
        return self._with("*", other)

    def __invert__(self) -> Expression:
        return Expression("~", (self,))

    @property
    def text(self) -> str:
        """The expression in one canonical form, which is what gets hashed."""
        if self.op == "column":
            return str(self.args[0])
        if self.op == "literal":
            return repr(self.args[0])
        if self.op in _CLOCK:
            return f"{self.op}({self.args[0]})"
        if self.op == "~":
            return f"~{self.args[0].text}"
        return f"({self.args[0].text} {self.op} {self.args[1].text})"

    @property
    def slug(self) -> str:
        """A name made of the text."""
        text = self.text
        for sign in (">=", "<=", "==", "!=", ">", "<", "&", "|"):
            text = text.replace(f" {sign} ", f"_{_WORDS[sign]}_")
        return "".join(c if c.isalnum() else "_" for c in text).strip("_").replace("__", "_")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, sorted."""
        if self.op == "column" or self.op in _CLOCK:
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
        if self.op in _CLOCK:
            return _clock_in_polars(self.op, pl.col(self.args[0]), time_zone)
        parts: list[pl.Expr] = [arg.to_polars(time_zone=time_zone) for arg in self.args]
        if self.op == "~":
            return ~parts[0]
        result: pl.Expr = _BINARY[self.op](*parts)
        return result

    def to_sql(self) -> str:
        """Return it as DuckDB SQL over columns quoted by name; times are local timestamps."""
        if self.op == "column":
            return f'"{self.args[0]}"'
        if self.op == "literal":
            value = self.args[0]
            if isinstance(value, bool):
                return str(value).upper()
            return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
        if self.op in _CLOCK:
            part = "isodow" if self.op == "weekday" else self.op
            sql = f"date_part('{part}', \"{self.args[0]}\")"
            return f"({sql} - 1)" if self.op == "weekday" else sql
        if self.op == "~":
            return f"(NOT {self.args[0].to_sql()})"
        left, right = (arg.to_sql() for arg in self.args)
        return f"({left} {_SQL.get(self.op, self.op)} {right})"

    def evaluate(self, event: Mapping[str, Any], *, time_zone: str | None = None) -> Any:
        """Return its value for one event; None if a needed value is missing.

        Times are microseconds since 1970 UTC. As in SQL, false & missing is false and
        true | missing is true.
        """
        if self.op == "literal":
            return self.args[0]
        if self.op == "column" or self.op in _CLOCK:
            value = event.get(self.args[0])
            if value is None or value != value:
                return None
            return value if self.op == "column" else _clock_part(self.op, value, time_zone)
        values = [arg.evaluate(event, time_zone=time_zone) for arg in self.args]
        if self.op == "~":
            return None if values[0] is None else not values[0]
        if None in values:
            decided = {"&": False, "|": True}.get(self.op)
            return decided if decided is not None and decided in values else None
        return _BINARY[self.op](*values)


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
    if part not in _CLOCK:
        message, remedy = unknown_name("part of a time", part, _CLOCK)
        raise FeatureError(message, remedy=remedy)
    return Expression(part, (name,))


def parse_expression(text: str) -> Expression:
    """Return the expression that a string of YAML says, like ``hour(at) <= 6``.

    Python's operators and parentheses, names of columns, numbers and strings; ``and``, ``or``
    and ``not`` stand for ``&``, ``|`` and ``~``. Nothing is ever evaluated.

    Examples
    --------
    >>> parse_expression("amount > 220 and not hour(at) <= 6").text
    '((amount > 220) & ~(hour(at) <= 6))'

    """
    import ast

    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        msg = f"Cannot read the expression {text!r}: {error.msg}."
        raise FeatureError(msg, remedy="Write it like 'hour(time) <= 6'.") from error
    return _from_tree(tree, text)


def _from_tree(node: Any, text: str) -> Expression:
    import ast

    signs = {
        ast.GtE: ">=", ast.LtE: "<=", ast.Gt: ">", ast.Lt: "<", ast.Eq: "==", ast.NotEq: "!=",
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.BitAnd: "&", ast.BitOr: "|",
        ast.And: "&", ast.Or: "|",
    }  # fmt: skip
    match node:
        case ast.Name(id=name):
            return column(name)
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return Expression("literal", (value,))
        case ast.Call(func=ast.Name(id=part), args=[ast.Name(id=name)], keywords=[]):
            return clock_part(part, name)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=inner):
            return ~_from_tree(inner, text)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return Expression("literal", (-value,))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in signs:
            return Expression(signs[type(sign)], (_from_tree(left, text), _from_tree(right, text)))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in signs:
            return Expression(signs[type(sign)], (_from_tree(left, text), _from_tree(right, text)))
        case ast.BoolOp(op=sign, values=values):
            parts = [_from_tree(value, text) for value in values]
            result = parts[0]
            for further in parts[1:]:
                result = Expression(signs[type(sign)], (result, further))
            return result
    msg = f"The expression {text!r} holds something that is not allowed."
    raise FeatureError(msg, remedy="Use columns, numbers, strings, + - * and comparisons.")
