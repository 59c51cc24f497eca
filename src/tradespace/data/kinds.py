"""What the values of a column are: number, boolean, date, category or text.

The rules look at values, not at storage, so that CSV and Parquet of one table agree:

- numbers; strings that all read as numbers without leading zeros are numbers too;
- boolean: only 0 and 1, true and false, or yes and no;
- date: dates, times and strings that all read as one of the usual date forms;
- text: strings of three words or more on average, most of them different;
- category: other strings.

Whole numbers with few levels stay numbers; the study's `types` say otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tradespace.core.errors import DataError
from tradespace.data._csv import NULL_SPELLINGS
from tradespace.data.inputs import InputKind, StringColumn

if TYPE_CHECKING:
    import numpy.typing as npt

DATE_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y",
    "%d/%m/%Y %H:%M:%S", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y",
)  # fmt: skip
_BOOLEANS = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}
#: From this share of different values on, strings of several words are text.
_TEXT_SHARE = 0.2
_TEXT_WORDS = 3.0


def clean_strings(series: pl.Series) -> pl.Series:
    """Return a column of strings with the spellings of a missing value as null."""
    text = series.cast(pl.String).str.strip_chars()
    return text.set(text.is_in(list(NULL_SPELLINGS)), None)


def parse_dates(series: pl.Series) -> pl.Series | None:
    """Return strings as times in UTC if all of them read in one of the usual forms."""
    filled = series.drop_nulls()
    if filled.is_empty():
        return None
    head = filled.head(200)
    for form in DATE_FORMATS:
        kind = pl.Datetime("us") if "%H" in form else pl.Date
        if head.str.strptime(kind, form, strict=False).null_count() == 0:
            found = series.str.strptime(kind, form, strict=False)
            if found.null_count() == series.null_count():
                return found.cast(pl.Datetime("us"))
    return None


def seconds(series: pl.Series) -> npt.NDArray[np.float64]:
    """Return dates or times as float64 seconds since 1970-01-01 UTC, nan for missing."""
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("us"))
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    micro = series.dt.epoch("us").cast(pl.Float64).to_numpy()
    return np.asarray(micro / 1e6, dtype=np.float64)


def as_times(series: pl.Series) -> npt.NDArray[np.float64] | None:
    """Return a column as seconds since 1970, or None if it does not hold dates."""
    if series.dtype.is_temporal() and series.dtype not in (pl.Time, pl.Duration):
        return seconds(series)
    if series.dtype in (pl.String, pl.Categorical) or isinstance(series.dtype, pl.Enum):
        found = parse_dates(clean_strings(series))
        return None if found is None else seconds(found)
    return None


def convert(
    series: pl.Series, wanted: str | None = None
) -> tuple[InputKind, npt.NDArray[np.float64] | StringColumn]:
    """Return the kind of a column and its values as a component takes them.

    Parameters
    ----------
    series : Series
        The values.
    wanted : str, optional
        The kind that the study asks for.

    Raises
    ------
    DataError
        If the values cannot be used, or not as the kind wanted.

    Examples
    --------
    >>> convert(pl.Series(["1.5", "NA", "2"]))
    ('number', array([1.5, nan, 2. ]))

    """
    dtype = series.dtype
    if wanted in ("category", "text"):
        return wanted, _codes(series)  # type: ignore[return-value]  # checked in the line above
    if dtype == pl.Null:
        return "number", np.full(len(series), np.nan)
    if dtype == pl.Boolean:
        return "boolean", _floats(series)
    if dtype.is_numeric():
        if wanted == "date":
            msg = f"The column {series.name!r} holds numbers, not dates."
            raise DataError(msg, remedy="Give dates as text such as 2018-07-25.")
        values = _floats(series)
        _refuse_infinite(series, values)
        return ("boolean" if _is_binary(values) else "number"), values
    times = as_times(series)
    if times is not None:
        return "date", times
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Time, pl.Duration):
        msg = f"The column {series.name!r} holds {dtype}, which no component can take."
        raise DataError(msg, remedy=f"Name it under columns, never: [{series.name}].")
    return _of_strings(series, wanted)


def _of_strings(
    series: pl.Series, wanted: str | None
) -> tuple[InputKind, npt.NDArray[np.float64] | StringColumn]:
    text = clean_strings(series)
    filled = text.drop_nulls()
    if wanted == "date" or (wanted in ("number", "boolean") and filled.is_empty()):
        bad = filled.unique().sort().head(3).to_list()
        msg = f"The column {series.name!r} cannot be read as {wanted}; it holds {bad}."
        raise DataError(msg, remedy="Correct the values, or leave its type out.")
    lower = filled.str.to_lowercase()
    if wanted in (None, "boolean") and not filled.is_empty() and lower.is_in(_BOOLEANS).all():
        spelled = text.str.to_lowercase().replace_strict(_BOOLEANS, return_dtype=pl.Float64)
        return "boolean", _floats(spelled)
    numbers = text.cast(pl.Float64, strict=False)
    whole = not filled.is_empty() and numbers.null_count() == text.null_count()
    if wanted in ("number", "boolean") and not whole:
        _refuse_unread(text, numbers, wanted)
    if wanted == "number" or (whole and not filled.str.contains(r"^-?0[0-9]").any()):
        values = _floats(numbers)
        _refuse_infinite(text, values)
        return "number", values
    n_words = filled.str.count_matches(r"\S+").mean()
    words = float(n_words) if isinstance(n_words, int | float) else 0.0
    is_text = words >= _TEXT_WORDS and filled.n_unique() > _TEXT_SHARE * len(filled)
    return ("text" if is_text else "category"), _codes(series)


def _refuse_unread(text: pl.Series, numbers: pl.Series, wanted: str) -> None:
    """Refuse texts that are no numbers: read as numbers they would be gone without a word."""
    bad = text.filter(text.is_not_null() & numbers.is_null())
    shown = bad.unique(maintain_order=True).head(3).to_list()
    msg = (
        f"The column {text.name!r} cannot be read as {wanted}: {len(bad):,} of "
        f"{len(text.drop_nulls()):,} values are none, for instance {shown}."
    )
    raise DataError(msg, remedy="Correct the values, or leave its type out.")


def _refuse_infinite(series: pl.Series, values: npt.NDArray[np.float64]) -> None:
    rows = np.flatnonzero(np.isinf(values))
    if len(rows) == 0:
        return
    found, at = series.gather(rows[:3]).to_list(), rows[:3].tolist()
    msg = (
        f"The column {series.name!r} holds {len(rows):,} infinite "
        f"{'value' if len(rows) == 1 else 'values'}, for instance {found} (at rows {at} of those "
        "in use, counted from 0), with which no component can reckon."
    )
    remedy = f"Correct them, leave them empty, or name the column under never: [{series.name}]."
    raise DataError(msg, remedy=remedy)


def _floats(series: pl.Series) -> npt.NDArray[np.float64]:
    return np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _is_binary(values: npt.NDArray[np.float64]) -> bool:
    return bool(np.all((values == 0) | (values == 1) | np.isnan(values)))


def _codes(series: pl.Series) -> StringColumn:
    text = clean_strings(series)
    levels = text.drop_nulls().unique().sort()
    codes = text.replace_strict(levels, pl.Series(range(len(levels)), dtype=pl.Int32), default=None)
    return StringColumn(
        np.asarray(codes.fill_null(-1).to_numpy(), dtype=np.int32),
        np.asarray(levels.to_list(), dtype=object),
    )
