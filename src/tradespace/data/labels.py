"""The target: task, class codes, positive class; and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import DataError, Place
from tradespace.core.studies import Task
from tradespace.core.suggest import allowed_text
from tradespace.data.kinds import as_numbers, kind_of, null_spellings_removed

if TYPE_CHECKING:
    import numpy.typing as npt

#: Whole numbers of at most this many values are classes.
MOST_CLASSES = 20
_POSITIVE = ("true", "1", "1.0", "yes", "positive", "pos", "malignant", "fraud", "bad")


def guess_task(series: pl.Series) -> Task:
    """Return the task that the values of a target suggest.

    Examples
    --------
    >>> guess_task(pl.Series([0, 1, 1])).value, guess_task(pl.Series([0.1, 2.5, 3.7])).value
    ('binary', 'regression')

    """
    known = null_spellings_removed(series).drop_nulls()
    n_unique = known.n_unique()
    if n_unique <= 2:
        return Task.BINARY
    if kind_of(series) == "number":
        numbers = known.cast(pl.Float64, strict=False)
        whole = bool((numbers == numbers.round()).all())
        if not whole or n_unique > MOST_CLASSES:
            return Task.REGRESSION
    return Task.MULTICLASS


def label_text(value: Any) -> str:
    """Return a label as text; a whole float is the whole number.

    Examples
    --------
    >>> label_text(1.0), label_text(True), label_text("yes")
    ('1', 'true', 'yes')

    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def encode_target(
    series: pl.Series,
    *,
    task: Task | None,
    positive: Any,
    place: Place | None = None,
    positive_place: Place | None = None,
) -> tuple[npt.NDArray[Any], Task, tuple[str, ...]]:
    """Return the target as codes or numbers, the task, and the label of each code.

    Raises
    ------
    DataError
        If labels are missing, infinite, of one class only, or not those of the task.

    """
    series = null_spellings_removed(series)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if missing := series.null_count():
        rows = series.is_null().arg_true().head(3).to_list()
        msg = (
            f"The target {series.name!r} has no value in {missing:,} of {len(series):,} rows, "
            f"for example row {allowed_text(str(row + 1) for row in rows)}."
        )
        remedy = f'Exclude them: exclude: [{{where: "{series.name} IS NULL", why: ...}}].'
        raise DataError(msg, place=place, remedy=remedy)
    task = task or guess_task(series)
    if task is Task.REGRESSION:
        return _numbers(series, place), task, ()
    labels = series.cast(pl.String) if series.dtype == pl.Categorical else series
    values = sorted(labels.unique().to_list(), key=lambda v: (str(type(v)), v))
    if len(values) < 2:
        msg = f"The target {series.name!r} has one class only: {values[0]!r} in every row."
        remedy = "Check the file and the filters; nothing can be learned from one class."
        raise DataError(msg, place=place, remedy=remedy)
    if task is Task.BINARY:
        values = _positive_last(series, values, positive, place, positive_place)
    elif len(values) > 1000:
        msg = f"The target {series.name!r} has {len(values):,} different values."
        raise DataError(msg, place=place, remedy="Write 'task: regression' if it is a number.")
    codes = labels.replace_strict(values, list(range(len(values))), return_dtype=pl.Int64)
    return codes.to_numpy().astype(np.int64), task, tuple(label_text(v) for v in values)


def _numbers(series: pl.Series, place: Place | None) -> npt.NDArray[np.float64]:
    if kind_of(series) not in ("number", "boolean"):
        example = series[0]
        msg = f"The target {series.name!r} of a regression must be a number; got {example!r}."
        raise DataError(msg, place=place, remedy="Write 'task: multiclass' for classes.")
    values = as_numbers(series, "number")
    if infinite := int(np.isinf(values).sum()):
        msg = f"The target {series.name!r} is infinite in {infinite:,} rows."
        raise DataError(msg, place=place, remedy="Exclude these rows.")
    if (values == values[0]).all():
        msg = f"The target {series.name!r} is {values[0]:g} in every row."
        raise DataError(msg, place=place, remedy="Nothing can be learned from a constant.")
    return values


def _positive_last(
    series: pl.Series,
    values: list[Any],
    positive: Any,
    place: Place | None,
    positive_place: Place | None,
) -> list[Any]:
    if len(values) > 2:
        shown = allowed_text((label_text(v) for v in values), most=6)
        msg = f"The target {series.name!r} has {len(values)} values ({shown}), not two."
        remedy = "Write 'task: multiclass' or 'task: regression'."
        raise DataError(msg, place=place, remedy=remedy)
    texts = [label_text(value).lower() for value in values]
    if positive is not None:
        wanted = label_text(positive).lower()
        if wanted not in texts:
            shown = " and ".join(repr(label_text(value)) for value in values)
            msg = (
                f"The positive class {label_text(positive)!r} does not occur; classes are {shown}."
            )
            raise DataError(msg, place=positive_place, remedy="Write one of these.")
        found = texts.index(wanted)
    else:
        named = [texts.index(word) for word in _POSITIVE if word in texts]
        counts = [int((series == value).sum()) for value in values]
        found = named[0] if named else int(np.argmin(counts))
    return [values[1 - found], values[found]]
