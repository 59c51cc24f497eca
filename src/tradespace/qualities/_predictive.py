"""The base of the qualities of predictions: a statistic of drawn units, and its interval."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core import registry
from tradespace.core.readings import Reading, ReadingKind
from tradespace.core.studies import Task
from tradespace.qualities._base import AbstractQuality, Context, Predictions, Subject
from tradespace.qualities._bootstrap import (
    certain_margin,
    percentile_interval,
    resampled_counts,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.core.studies import QualityUse

    Floats = npt.NDArray[np.float64]

#: From how often each unit stands in each sample, shape (n_units, n_samples), to the values,
#: shape (n_samples,); nan where the value is not defined for a sample.
Statistic = Callable[["Floats"], "Floats"]


class AbstractPredictiveQuality(AbstractQuality):
    """A quality of labels and scores.

    A unit is what is drawn with replacement: a group if the rows have groups, else a row. An
    implementation sorts, selects and adds up by unit once in `statistic` and returns a function
    of counts of units, which is called for the value (each unit once) and for every block of
    resamples.
    """

    @abc.abstractmethod
    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the function from counts of units to values."""

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return how many independent units the value rests on; by default all.

        Recall rests on the positive rows only, precision on the rows called positive.
        """
        del settings
        return units_among(predictions, np.ones(len(predictions.y_true), dtype=bool))

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the value with its bootstrap interval."""
        return measure_together([(self, use)], subject.predictions, context)[0]


def n_units(predictions: Predictions) -> int:
    """Return how many units can be drawn."""
    groups = predictions.groups
    return len(predictions.y_true) if groups is None else int(groups.max()) + 1


def unit_of_rows(predictions: Predictions) -> npt.NDArray[np.int64]:
    """Return the unit of every row."""
    groups = predictions.groups
    return np.arange(len(predictions.y_true)) if groups is None else groups


def units_among(predictions: Predictions, rows: npt.NDArray[np.bool_]) -> int:
    """Return how many units stand among some rows."""
    if predictions.groups is None:
        return int(rows.sum())
    return int(np.count_nonzero(np.bincount(predictions.groups[rows])))


def unit_sums(predictions: Predictions, values: npt.NDArray[Any]) -> Floats:
    """Return the sum over the rows of every unit, shape (n_units,).

    ``unit_sums(predictions, values) @ counts`` is the sum over the rows of every resample.

    Examples
    --------
    >>> rows = Predictions(np.array([0, 1, 1]), np.zeros(3), groups=np.array([0, 0, 1]))
    >>> unit_sums(rows, rows.y_true)
    array([1., 1.])

    """
    if predictions.groups is None:
        return np.asarray(values, dtype=np.float64)
    sums = np.bincount(predictions.groups, weights=values, minlength=n_units(predictions))
    return np.asarray(sums, dtype=np.float64)


def mean_over_rows(predictions: Predictions, values: npt.NDArray[Any]) -> Statistic:
    """Return the statistic that is the mean of one number a row.

    Examples
    --------
    >>> rows = Predictions(np.array([0, 1, 1]), np.zeros(3), groups=np.array([0, 0, 1]))
    >>> mean_over_rows(rows, rows.y_true)(np.array([[1.0, 2.0], [1.0, 0.0]]))
    array([0.66666667, 0.5       ])

    """
    sums = unit_sums(predictions, values)
    sizes = unit_sums(predictions, np.ones(len(values)))
    return lambda counts: (sums @ counts) / (sizes @ counts)


def ratio_or(otherwise: float, part: Floats, whole: Floats) -> Floats:
    """Return part / whole; where the whole is not positive, another number.

    Examples
    --------
    >>> ratio_or(0.0, np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    array([0.5, 0. ])

    """
    ratio = np.full_like(part, otherwise)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def measure_together(
    qualities: Sequence[tuple[AbstractPredictiveQuality, QualityUse]],
    predictions: Predictions,
    context: Context,
) -> list[Reading]:
    """Return one reading a quality, all on the same resamples, which are drawn once."""
    statistics = [q.statistic(predictions, use.settings, context) for q, use in qualities]
    units = n_units(predictions)
    each_once = np.ones((units, 1))
    values = [float(statistic(each_once)[0]) for statistic in statistics]
    draws = np.empty((context.resampling.n, len(qualities)))
    done = 0
    for counts in resampled_counts(units, len(predictions.y_true), context.resampling):
        block = slice(done, done + counts.shape[1])
        for column, statistic in enumerate(statistics):
            draws[block, column] = statistic(counts)
        done = block.stop
    return [
        _reading(
            use,
            value,
            draws[:, column],
            predictions,
            context,
            limit=quality.limiting_units(predictions, use.settings),
        )
        for column, ((quality, use), value) in enumerate(zip(qualities, values, strict=True))
    ]


def _reading(
    use: QualityUse,
    value: float,
    draws: npt.NDArray[np.float64],
    predictions: Predictions,
    context: Context,
    *,
    limit: int,
) -> Reading:
    row = registry.quality(use.quality)
    n_rows = len(predictions.y_true)
    grouped = predictions.groups is not None
    defined = draws[np.isfinite(draws)]
    unit = "group" if grouped else "row"
    facts: dict[str, Any] = {"n_rows": n_rows, "n_units": n_units(predictions), "unit": unit}
    if context.task is Task.BINARY:
        facts["n_positive"] = int(predictions.y_true.sum())
    method = f"bootstrap over {unit}s, {len(draws)} resamples, percentiles"
    if not math.isfinite(value) or len(defined) < max(2, len(draws) // 2):
        return Reading(
            use.name,
            math.nan,
            row.low,
            row.high,
            use.unit,
            ReadingKind.MEASURED,
            "not defined on these rows (one class only?)",
            facts,
        )
    if len(defined) < len(draws):
        facts["undefined_resamples"] = len(draws) - len(defined)
    low, high = percentile_interval(defined, context.resampling.confidence)
    low, high = min(low, value), max(high, value)
    if low == high and math.isfinite(row.low) and math.isfinite(row.high):
        margin = certain_margin(limit, context.resampling.confidence) * (row.high - row.low)
        low, high = max(row.low, value - margin), min(row.high, value + margin)
        method += f"; all equal, so widened by what {limit} {unit}s cannot exclude"
    elif low == high:
        method += "; all equal, and the quality has no range to widen it by"
    # Where a resample has no value, another stands in, so that the spread stays what it is.
    filled = draws.copy()
    missing = ~np.isfinite(draws)
    filled[missing] = np.resize(defined, int(missing.sum()))
    return Reading(
        use.name,
        float(value),
        float(low),
        float(high),
        use.unit,
        ReadingKind.MEASURED,
        method,
        facts,
        tuple(float(f"{draw:.7g}") for draw in filled),
    )
