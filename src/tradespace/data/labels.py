"""The target of a study as class codes or numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import DataError
from tradespace.core.studies import Study, Task
from tradespace.core.suggest import allowed_text
from tradespace.data._csv import NULL_SPELLINGS
from tradespace.data.places import column_place

if TYPE_CHECKING:
    import numpy.typing as npt

#: Whole-numbered targets with at most this many values are classes.
_MOST_CLASSES = 20
#: Labels that name the positive class of two.
POSITIVE_WORDS = ("true", "yes", "1", "positive")


def label_text(value: Any) -> str:
    """Return a label as text: true and false in lower case, whole numbers without a point."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def find_task(series: pl.Series) -> Task:
    """Return the task that a target's values suggest."""
    distinct = series.drop_nulls().n_unique()
    if distinct <= 2:
        return Task.BINARY
    if series.dtype.is_float():
        values = series.drop_nulls()
        whole = bool((values == values.round()).all())
        return Task.MULTICLASS if whole and distinct <= _MOST_CLASSES else Task.REGRESSION
    if series.dtype.is_integer():
        return Task.MULTICLASS if distinct <= _MOST_CLASSES else Task.REGRESSION
    return Task.MULTICLASS


def encode_target(
    series: pl.Series, study: Study
) -> tuple[Task, npt.NDArray[Any], tuple[str, ...]]:
    """Return task, codes or numbers, and the label of each code.

    Raises
    ------
    DataError
        If a label is missing or infinite, there is one class only, or the target does not fit
        the task.

    """
    place = column_place(study, "target")
    name = series.name
    if series.dtype == pl.String:
        series = series.set(series.str.strip_chars().is_in(list(NULL_SPELLINGS)), None)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if missing := series.null_count():
        rows = series.is_null().arg_true().head(3).to_list()
        msg = (
            f"The target {name!r} has no value in {missing:,} of {len(series):,} rows "
            f"(first at rows {rows}, counted from 0)."
        )
        remedy = f'Leave them out: exclude: [{{name: unlabeled, where: "{name} IS NULL"}}].'
        raise DataError(msg, place=place, remedy=remedy)
    task = study.task or find_task(series)
    if task is Task.REGRESSION:
        numbers = series.cast(pl.Float64, strict=False)
        if numbers.null_count() or bool(numbers.is_infinite().any()):
            ok = numbers.is_not_null() & ~numbers.is_infinite()
            bad = series.filter(~ok.fill_null(value=False))
            msg = (
                f"The target {name!r} must be finite numbers; {len(bad):,} values are not, "
                f"for instance {bad.head(3).to_list()}."
            )
            raise DataError(msg, place=place, remedy="Correct or exclude those rows.")
        return task, np.asarray(numbers.to_numpy(), dtype=np.float64), ()
    values = series.unique().sort()
    labels = {label_text(value): value for value in values.to_list()}
    if len(labels) < 2:
        msg = f"The target {name!r} has one class only: {next(iter(labels), 'none')!r}."
        raise DataError(msg, place=place, remedy="Choose another target, or data with both.")
    names = list(labels)
    if task is Task.BINARY:
        names = _ordered(names, series, study, labels)
    codes = {labels[label]: code for code, label in enumerate(names)}
    old = pl.Series(list(codes), dtype=series.dtype)
    coded = series.replace_strict(old, pl.Series(list(codes.values())), return_dtype=pl.Int64)
    return task, np.asarray(coded.to_numpy(), dtype=np.int64), tuple(names)


def _ordered(
    names: list[str], series: pl.Series, study: Study, labels: dict[str, Any]
) -> list[str]:
    if len(names) > 2:
        msg = (
            f"The target {series.name!r} has {len(names)} classes ({allowed_text(names)}), "
            "but the task is binary."
        )
        raise DataError(msg, place=study.place("task"), remedy="Write task: multiclass.")
    if study.positive is not None:
        positive = label_text(study.positive)
        same = {"true": "1", "1": "true", "false": "0", "0": "false"}
        positive = positive if positive in names else same.get(positive, positive)
        if positive not in names:
            msg = f"The positive class {positive!r} is not a label; labels are {names}."
            raise DataError(msg, place=study.place("positive"), remedy="Choose one of them.")
    else:
        words = [label for label in names if label.lower() in POSITIVE_WORDS]
        counts = {label: int((series == labels[label]).sum()) for label in names}
        positive = words[0] if len(words) == 1 else min(names, key=lambda n: (counts[n], n))
    return sorted(names, key=lambda label: label == positive)
