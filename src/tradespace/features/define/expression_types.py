"""Expressions against the columns they read: what fits is computed, the rest is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown_name
from tradespace.features.define.expressions import ARITHMETIC, CLOCK, LOGIC, Expression

if TYPE_CHECKING:
    import numpy.typing as npt

#: What a person may write instead, by what was found.
_REMEDIES = {
    "string": "Compare a column of strings with a string in quotes, like page == 'home'.",
    "time": "Take a part of a time, like hour(at) or weekday(at).",
}


def kind_of(expression: Expression, schema: Mapping[str, Any], *, owner: str) -> str:
    """Return what an expression gives: "number", "boolean", "string", "time" or "other".

    Parameters
    ----------
    expression : Expression
    schema : Mapping of str to polars type
        Of the columns.
    owner : str
        For messages; "row features", "conditions".

    Raises
    ------
    FeatureError
        If it reads a column that is not there, or its parts do not go together.

    Examples
    --------
    >>> from tradespace.features import column
    >>> kind_of(column("eur") > 1, {"eur": pl.Float64}, owner="Conditions")
    'boolean'

    """
    op = expression.op
    if op == "literal":
        return _kind_of_value(expression.args[0])
    if op == "column" or op in CLOCK:
        name = expression.args[0]
        if name not in schema:
            message, remedy = unknown_name("column", name, schema)
            msg = f"{owner} needs it. {message}"
            raise FeatureError(msg, remedy=remedy)
        kind = _kind_of_column(schema[name])
        if op == "column":
            return kind
        if kind != "time":
            msg = (
                f"{owner} do not fit their columns: {expression.text} reads {name!r}, which holds "
            )
            msg += f"{schema[name]}, no times."
            raise FeatureError(msg, remedy="weekday and hour read columns of times.")
        return "number"
    parts = [arg for arg in expression.args if isinstance(arg, Expression)]
    kinds = [kind_of(part, schema, owner=owner) for part in parts]
    if op == "in":
        kinds.append(_kind_of_value(expression.args[1][0]))
    if op in ARITHMETIC:
        fits, wanted, gives = set(kinds) <= {"number", "boolean"}, "numbers", "number"
    elif op in LOGIC:
        fits, wanted, gives = set(kinds) == {"boolean"}, "conditions", "boolean"
    else:
        alike = {"number" if kind == "boolean" else kind for kind in kinds}
        fits, wanted, gives = len(alike) == 1, "two of a kind", "boolean"
    if not fits:
        got = " and ".join(
            f"{part.text} ({kind})" for part, kind in zip(parts, kinds, strict=False)
        )
        if op == "in":
            got += f" and {kinds[-1]}s"
        sign = {"~": "not", "&": "&", "|": "|"}.get(op, op)
        msg = f"{owner} do not fit their columns: in {expression.text}, {sign!r} takes {wanted}; "
        msg += f"got {got}."
        odd = next((kind for kind in kinds if kind in _REMEDIES), "")
        remedy = _REMEDIES.get(odd, "Compare a number with a number, a string with a string.")
        if op in LOGIC:
            remedy = "Write a comparison, like price > 1."
        raise FeatureError(msg, remedy=remedy)
    return gives


def condition(
    expression: Expression, frame: pl.DataFrame, *, time_zone: str | None, owner: str
) -> pl.Series:
    """Return for each row whether a condition holds; where it is missing it does not.

    Raises
    ------
    FeatureError
        If it is no condition, or does not fit its columns.

    """
    kind = kind_of(expression, frame.schema, owner=owner)
    if kind != "boolean":
        msg = f"{owner}: {expression.text} is no condition, but a {kind}."
        raise FeatureError(msg, remedy=f"Compare it, like {expression.text} > 1.")
    chosen = values_of([expression.named("w")], frame, time_zone=time_zone, owner=owner)["w"]
    return chosen.fill_null(value=False)


def values_of(
    expressions: Iterable[Expression], frame: pl.DataFrame, *, time_zone: str | None, owner: str
) -> pl.DataFrame:
    """Return the values of named expressions, as columns; missing ones are null.

    Raises
    ------
    FeatureError
        If they do not fit their columns.

    """
    expressions = tuple(expressions)
    for expression in expressions:
        kind_of(expression, frame.schema, owner=owner)
    read = {name for expression in expressions for name in expression.columns}
    naive, numbers, texts = [], [], []
    for name in read:
        dtype: Any = frame.schema[name]
        if dtype.is_float():
            numbers.append(name)
        elif isinstance(dtype, pl.Categorical | pl.Enum):
            texts.append(name)
        elif isinstance(dtype, pl.Datetime) and dtype.time_zone is None and time_zone is not None:
            naive.append(name)
    frame = frame.with_columns(
        pl.col(numbers).cast(pl.Float64).fill_nan(None),
        pl.col(texts).cast(pl.String),
        pl.col(naive).dt.replace_time_zone(
            time_zone, ambiguous="earliest", non_existent="null"
        ),
    )  # fmt: skip
    height = frame.height
    try:
        return frame.select(
            pl.repeat(e.args[0], height).alias(e.name)
            if e.op == "literal"
            else e.to_polars(time_zone=time_zone).alias(e.name)
            for e in expressions
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        msg = f"{owner} do not fit their columns: {reason}."
        raise FeatureError(
            msg, remedy="weekday and hour read times; comparisons need like types."
        ) from error


def _kind_of_value(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def _kind_of_column(dtype: Any) -> str:
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "string"
    return "time" if dtype in (pl.Datetime, pl.Date) else "other"


def as_floats(series: pl.Series) -> npt.NDArray[Any]:
    """Return a column of numbers, booleans or times as float64, missing ones nan."""
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
