"""Qualities of probabilities: log loss and Brier score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.qualities._predictive import AbstractPredictiveQuality, mean_over_rows

if TYPE_CHECKING:
    from tradespace.qualities._base import Context, Predictions
    from tradespace.qualities._predictive import Statistic

#: Probabilities nearer to 0 and 1 than this count as this: float32 holds no finer ones near 1.
SMALLEST = float(np.finfo(np.float32).eps)


@final
class LogLoss(AbstractPredictiveQuality):
    """Mean negative natural logarithm of the probability given to the true class."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the mean; probabilities are kept off 0 and 1 by 1.2e-7."""
        del settings, context
        scores, y = predictions.y_score, predictions.y_true
        if scores.ndim == 1:
            given = np.where(y == 1, scores, 1 - scores)
        else:
            given = scores[np.arange(len(y)), y] / scores.sum(axis=1)
        return mean_over_rows(predictions, -np.log(np.clip(given, SMALLEST, 1 - SMALLEST)))


@final
class BrierScore(AbstractPredictiveQuality):
    """Mean squared difference of probability and outcome."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the mean."""
        del settings, context
        scores, y = predictions.y_score, predictions.y_true
        if scores.ndim == 1:
            return mean_over_rows(predictions, (scores - y) ** 2)
        outcome = np.zeros_like(scores)
        outcome[np.arange(len(y)), y] = 1.0
        return mean_over_rows(predictions, ((scores - outcome) ** 2).sum(axis=1))
