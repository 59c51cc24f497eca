"""Qualities of decided classes: accuracy, precision, recall, F1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.qualities._predictive import (
    AbstractPredictiveQuality,
    mean_over_rows,
    ratio_or,
    unit_sums,
    units_among,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.qualities._base import Context, Predictions
    from tradespace.qualities._predictive import Statistic

    Floats = npt.NDArray[np.float64]


def decided_classes(predictions: Predictions, threshold: float) -> npt.NDArray[np.int64]:
    """Return the class decided for each row: by threshold if binary, else the likeliest.

    Examples
    --------
    >>> from tradespace.qualities._base import Predictions
    >>> decided_classes(Predictions(np.array([0, 1]), np.array([0.2, 0.5])), 0.5)
    array([0, 1])

    """
    scores = predictions.y_score
    if scores.ndim == 1:
        return (scores >= threshold).astype(np.int64)
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


@final
class Accuracy(AbstractPredictiveQuality):
    """Share of rows whose decided class is the true one."""

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the share."""
        del context
        threshold = float(settings.get("threshold", 0.5))
        right = decided_classes(predictions, threshold) == predictions.y_true
        return mean_over_rows(predictions, right)


class _PerClass(AbstractPredictiveQuality):
    """A ratio of counts of one class; the macro mean over classes if there are several."""

    def ratio(self, hit: Floats, called: Floats, actual: Floats) -> Floats:
        """Return the quality from true positives, rows called and rows of the class."""
        raise NotImplementedError

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the ratio of the positive class, or the mean over classes."""
        del context
        called = decided_classes(predictions, float(settings.get("threshold", 0.5)))
        y = predictions.y_true
        wanted = [1] if predictions.y_score.ndim == 1 else range(predictions.y_score.shape[1])
        sums = [
            tuple(
                unit_sums(predictions, rows)
                for rows in ((called == k) & (y == k), called == k, y == k)
            )
            for k in wanted
        ]

        def value(counts: Floats) -> Floats:
            ratios = [
                self.ratio(hit @ counts, called @ counts, actual @ counts)
                for hit, called, actual in sums
            ]
            return np.asarray(np.mean(ratios, axis=0))

        return value


def _rarest(predictions: Predictions, classes: npt.NDArray[Any]) -> int:
    wanted = [1] if predictions.y_score.ndim == 1 else range(predictions.y_score.shape[1])
    return min(units_among(predictions, classes == k) for k in wanted)


@final
class Precision(_PerClass):
    """Share of rows called positive that are; 0 if none is called."""

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return the units among the rows called positive."""
        return _rarest(
            predictions, decided_classes(predictions, float(settings.get("threshold", 0.5)))
        )

    def ratio(self, hit: Floats, called: Floats, actual: Floats) -> Floats:
        """Return hits among the called."""
        del actual
        return ratio_or(0.0, hit, called)


@final
class Recall(_PerClass):
    """Share of positive rows that are called; 0 if there is none."""

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return the units among the positive rows, or among those of the rarest class."""
        del settings
        return _rarest(predictions, predictions.y_true)

    def ratio(self, hit: Floats, called: Floats, actual: Floats) -> Floats:
        """Return hits among the actual."""
        del called
        return ratio_or(0.0, hit, actual)


@final
class F1(_PerClass):
    """Harmonic mean of precision and recall; 0 if neither is defined."""

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return the units among the positive rows, or among those of the rarest class."""
        del settings
        return _rarest(predictions, predictions.y_true)

    def ratio(self, hit: Floats, called: Floats, actual: Floats) -> Floats:
        """Return twice the hits among called and actual together."""
        return ratio_or(0.0, 2 * hit, called + actual)
