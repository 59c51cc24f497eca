"""The expected cost of mistakes: false alarms and misses have different prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.core.studies import MistakeSpec
from tradespace.qualities._classification import decided_classes
from tradespace.qualities._predictive import AbstractPredictiveQuality, mean_over_rows

if TYPE_CHECKING:
    from tradespace.qualities._base import Context, Predictions
    from tradespace.qualities._predictive import Statistic


def least_cost_threshold(false_positive_usd: float, false_negative_usd: float) -> float:
    """Return the score from which calling a row positive is cheaper, for calibrated scores.

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

    Examples
    --------
    >>> least_cost_threshold(1.0, 4.0)
    0.2

    """
    total = false_positive_usd + false_negative_usd
    return false_positive_usd / total if total > 0 else 0.5


@final
class ExpectedCost(AbstractPredictiveQuality):
    """Mean cost of wrong decisions per row, USD."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the mean cost."""
        mistakes = context.mistakes or MistakeSpec()
        y = predictions.y_true
        if predictions.y_score.ndim > 1:
            called = decided_classes(predictions, 0.5)
            costs = (called != y).astype(float)
            for code, row in enumerate(mistakes.per_class.values()):
                for other, price in enumerate(row.values()):
                    costs[(y == code) & (called == other)] = price
        else:
            alarm = settings.get("false_positive_usd")
            miss = settings.get("false_negative_usd")
            alarm = mistakes.false_positive_usd if alarm is None else alarm
            miss = mistakes.false_negative_usd if miss is None else miss
            threshold = settings.get("threshold")
            if threshold is None:
                threshold = least_cost_threshold(alarm, miss)
            called = decided_classes(predictions, threshold)
            costs = np.where(called > y, alarm, 0.0) + np.where(called < y, miss, 0.0)
        return mean_over_rows(predictions, costs)
