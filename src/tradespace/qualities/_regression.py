"""Qualities of predicted numbers: RMSE, MAE, R2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.qualities._predictive import AbstractPredictiveQuality

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
        """Return the weighted value."""
        del settings, context
        squares = (predictions.y_score - predictions.y_true) ** 2
        return lambda weights: float(np.sqrt(weights @ squares / weights.sum()))


@final
class MeanAbsoluteError(AbstractPredictiveQuality):
    """Mean absolute difference."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the weighted value."""
        del settings, context
        sizes = np.abs(predictions.y_score - predictions.y_true)
        return lambda weights: float(weights @ sizes / weights.sum())


@final
class R2(AbstractPredictiveQuality):
    """1 minus squared error over the variance around the mean."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the weighted value; nan for a constant target."""
        del settings, context
        y = np.asarray(predictions.y_true, dtype=np.float64)
        squares = (predictions.y_score - y) ** 2

        def value(weights: Floats) -> float:
            mean = weights @ y / weights.sum()
            spread = float(weights @ (y - mean) ** 2)
            return 1.0 - float(weights @ squares) / spread if spread > 0 else float("nan")

        return value
