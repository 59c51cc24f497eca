"""What the values of a column are: number, boolean, date, category or text, and as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from tradespace.core.errors import DataError
from tradespace.data._csv import NULL_SPELLINGS
from tradespace.data.inputs import StringColumn

if TYPE_CHECKING:
    import numpy.typing as npt

Kind = Literal["number", "boolean", "date", "category", "text", "other"]

_TRUE = {"true", "yes", "t", "y"}
_FALSE = {"false", "no", "f", "n"}
#: A string column whose values have this many words on average is text.
TEXT_WORDS = 3.0
#: Rows on which a kind is decided; strings beyond are parsed the same way.
SAMPLE_ROWS = 10_000
_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$"
_DATE_SHARE = 0.98


def null_spellings_removed(series: pl.Series) -> pl.Series:
    """Return a column of strings with the spellings of "missing" as null."""
    if series.dtype != pl.String:
        return series
    stripped = series.str.strip_chars()
    return stripped.set(stripped.is_in(list(NULL_SPELLINGS)), None)


def kind_of(series: pl.Series) -> Kind:
    """Return what the values of a column are.

    Parameters
    ----------
    series : Series
        Any Polars column.

    Returns
    -------
    str
        "other" for what no family can take: lists, bytes, all null.

    Examples
    --------
    >>> kind_of(pl.Series(["red", "blue"])), kind_of(pl.Series([1.5, None]))
    ('category', 'number')

    """
    dtype = series.dtype
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "date" if dtype in (pl.Date, pl.Datetime) else "other"
    if dtype in (pl.Categorical, pl.Enum):
        return "category"
    if dtype != pl.String:
        return "other"
    known = null_spellings_removed(series.head(10 * SAMPLE_ROWS)).drop_nulls().head(SAMPLE_ROWS)
    if not len(known):
        return "other"
    words = set(known.str.to_lowercase().unique().head(10).to_list())
    if words <= (_TRUE | _FALSE) and len(words) <= 2:
        return "boolean"
    if int(known.str.contains(_DATE).sum()) >= _DATE_SHARE * len(known):
        return "date"
    numbers = known.cast(pl.Float64, strict=False)
    codes = bool(known.str.contains(r"^-?0[0-9]+$").any())
    if numbers.null_count() == 0 and not codes:
        return "number"
    spaces = known.str.count_matches(r"\s+").mean()
    if isinstance(spaces, float) and spaces + 1 >= TEXT_WORDS and known.n_unique() > len(known) / 2:
        return "text"
    return "category"


def as_numbers(series: pl.Series, kind: Kind) -> npt.NDArray[np.float64]:
    """Return numbers, booleans or dates as float64, nan for missing.

    Dates are seconds since 1970-01-01; a time without a zone counts as UTC.

    Raises
    ------
    DataError
        If a value cannot be read as the kind, with examples.

    """
    if kind == "date":
        return seconds_of(series)
    if kind == "boolean" and series.dtype == pl.String:
        lower = null_spellings_removed(series).str.to_lowercase()
        values = pl.Series(
            lower.replace_strict(
                {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0), "1": 1.0, "0": 0.0},
                default=None,
                return_dtype=pl.Float64,
            )
        )
        _check_lost(lower, values, "true or false")
    elif series.dtype == pl.String:
        cleaned = null_spellings_removed(series)
        values = cleaned.cast(pl.Float64, strict=False)
        _check_lost(cleaned, values, "numbers")
    else:
        values = series.cast(pl.Float64)
    return np.asarray(values.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _check_lost(before: pl.Series, after: pl.Series, what: str) -> None:
    lost = before.filter(before.is_not_null() & after.is_null())
    if len(lost):
        shown = ", ".join(repr(v) for v in lost.unique(maintain_order=True).head(3).to_list())
        msg = f"Column {before.name!r} holds {len(lost):,} values that are not {what}: {shown}."
        remedy = f"Clean them, or state its type: types: {{{before.name}: category}}."
        raise DataError(msg, remedy=remedy)


def seconds_of(series: pl.Series) -> npt.NDArray[np.float64]:
    """Return dates as seconds since 1970-01-01 UTC, nan for missing.

    Examples
    --------
    >>> seconds_of(pl.Series("t", ["1970-01-02", None]))
    array([86400.,    nan])

    """
    if series.dtype == pl.String:
        cleaned = null_spellings_removed(series)
        iso = cleaned.str.replace(" ", "T").str.replace("Z$", "")
        values = iso.str.to_datetime(strict=False, time_unit="us")
        if values.null_count() > cleaned.null_count():
            days = cleaned.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
            values = values.zip_with(values.is_not_null(), days)
        _check_lost(cleaned, values, "dates (ISO, such as 2026-01-31)")
    elif series.dtype == pl.Datetime:
        values = series.dt.convert_time_zone("UTC") if series.dtype.time_zone else series  # type: ignore[attr-defined]  # Datetime has it
        values = values.dt.cast_time_unit("us")
    elif series.dtype == pl.Date:
        values = series.cast(pl.Datetime("us"))
    elif series.dtype.is_numeric():
        return np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    else:
        msg = f"Column {series.name!r} of type {series.dtype} is not a time."
        raise DataError(msg, remedy="Name a column of dates, or seconds since 1970.")
    micros = values.cast(pl.Int64).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.asarray(micros, dtype=np.float64) / 1e6


def as_strings(series: pl.Series) -> StringColumn:
    """Return categories or texts as codes into their levels, -1 for missing.

    Examples
    --------
    >>> as_strings(pl.Series(["b", "a", None])).codes
    array([ 1,  0, -1], dtype=int32)

    """
    text = null_spellings_removed(series.cast(pl.String))
    levels = text.drop_nulls().unique().sort()
    codes = text.rank("dense") if len(levels) else None
    if codes is None:
        return StringColumn(np.full(len(series), -1, dtype=np.int32), np.empty(0, dtype=object))
    # Dense ranks of strings are positions in the sorted levels, from 1.
    values = codes.cast(pl.Int32).fill_null(0).to_numpy() - 1
    return StringColumn(
        np.asarray(values, dtype=np.int32), np.asarray(levels.to_list(), dtype=object)
    )
