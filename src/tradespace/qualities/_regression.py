"""Qualities of predicted numbers: RMSE, MAE, R2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.qualities._predictive import (
    AbstractPredictiveQuality,
    mean_over_rows,
    ratio_or,
    unit_of_rows,
    unit_sums,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.qualities._base import Context, Predictions
    from tradespace.qualities._predictive import Statistic

    Floats = npt.NDArray[np.float64]


@final
class RootMeanSquaredError(AbstractPredictiveQuality):
    """Square root of the mean squared difference."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the value."""
        del settings, context
        mean = mean_over_rows(predictions, (predictions.y_score - predictions.y_true) ** 2)
        return lambda counts: np.sqrt(mean(counts))


@final
class MeanAbsoluteError(AbstractPredictiveQuality):
    """Mean absolute difference."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the value."""
        del settings, context
        return mean_over_rows(predictions, np.abs(predictions.y_score - predictions.y_true))


@final
class R2(AbstractPredictiveQuality):
    """1 minus squared error over the variance around the mean."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the value; nan for a constant target."""
        del settings, context
        y = np.asarray(predictions.y_true, dtype=np.float64)
        # Around one of its own values a constant target is zero, and its spread exactly so.
        target = y - y[0]
        errors = unit_sums(predictions, (predictions.y_score - y) ** 2)
        sums = unit_sums(predictions, target)
        sizes = unit_sums(predictions, np.ones(len(y)))
        centers = sums / sizes
        within = unit_sums(predictions, (target - centers[unit_of_rows(predictions)]) ** 2)

        def value(counts: Floats) -> Floats:
            mean = (sums @ counts) / (sizes @ counts)
            # Within units and between them: no difference of large numbers, as a sum of squares
            # less a squared sum would be.
            between = sizes @ (counts * (centers[:, None] - mean) ** 2)
            spread = within @ counts + between
            return 1.0 - ratio_or(np.nan, errors @ counts, spread)

        return value
