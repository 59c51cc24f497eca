"""The base of the qualities of predictions: a statistic of weighted rows, and its interval."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core import registry
from tradespace.core.readings import Reading, ReadingKind
from tradespace.core.studies import Task
from tradespace.qualities._base import AbstractQuality, Context, Predictions
from tradespace.qualities._bootstrap import (
    certain_margin,
    percentile_interval,
    resampled_weights,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.core.studies import QualityUse

#: From row weights to the value; nan where the value is not defined for these weights.
Statistic = Callable[["npt.NDArray[np.float64]"], float]


class AbstractPredictiveQuality(AbstractQuality):
    """A quality of labels and scores.

    An implementation sorts and selects once in `statistic` and returns a function of the row
    weights, which is called for the value (all weights 1) and for every resample.
    """

    @abc.abstractmethod
    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the function from row weights to the value."""

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return how many independent units the value rests on; by default all.

        Recall rests on the positive rows only, precision on the rows called positive.
        """
        del settings
        return units_among(predictions, np.ones(len(predictions.y_true), dtype=bool))

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the value with its bootstrap interval."""
        return measure_together([(self, use)], subject, context)[0]


def units_among(predictions: Predictions, rows: npt.NDArray[np.bool_]) -> int:
    """Return how many units (groups, or rows) stand among some rows."""
    if predictions.groups is None:
        return int(rows.sum())
    return len(np.unique(predictions.groups[rows]))


def measure_together(
    qualities: Sequence[tuple[AbstractPredictiveQuality, QualityUse]],
    predictions: Predictions,
    context: Context,
) -> list[Reading]:
    """Return one reading a quality, all on the same resamples, which are drawn once."""
    n = len(predictions.y_true)
    statistics = [q.statistic(predictions, use.settings, context) for q, use in qualities]
    ones = np.ones(n)
    values = [statistic(ones) for statistic in statistics]
    draws = np.empty((context.resampling.n, len(qualities)))
    weights = resampled_weights(n, predictions.groups, context.resampling)
    for index, weight in enumerate(weights):
        draws[index] = [statistic(weight) for statistic in statistics]
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
    n_units = int(predictions.groups.max()) + 1 if predictions.groups is not None else n_rows
    defined = draws[np.isfinite(draws)]
    unit = "group" if grouped else "row"
    facts: dict[str, Any] = {"n_rows": n_rows, "n_units": n_units, "unit": unit}
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
