"""Qualities of the order of scores: ROC AUC and average precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.qualities._predictive import AbstractPredictiveQuality, units_among

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.qualities._base import Context, Predictions
    from tradespace.qualities._predictive import Statistic

    Floats = npt.NDArray[np.float64]


class _Ranked:
    """Rows in order of falling score, with the last row of each group of equal scores."""

    def __init__(self, y_true: npt.NDArray[Any], y_score: Floats) -> None:
        order = np.argsort(-y_score, kind="stable")
        sorted_scores = y_score[order]
        self.order = order
        self.positive = y_true[order].astype(np.float64)
        self.ends = np.append(np.flatnonzero(np.diff(sorted_scores)), len(order) - 1)

    def counts(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return true positives and rows called positive at every distinct score."""
        ordered = weights[self.order]
        true = np.cumsum(ordered * self.positive)[self.ends]
        called = np.cumsum(ordered)[self.ends]
        return true, called


def _roc_auc(ranked: _Ranked, weights: Floats) -> float:
    true, called = ranked.counts(weights)
    false = called - true
    if true[-1] <= 0 or false[-1] <= 0:
        return float("nan")
    # Trapezoids over the curve give half a point to ties.
    steps = np.diff(false, prepend=0.0)
    heights = true - np.diff(true, prepend=0.0) / 2
    return float(steps @ heights / (true[-1] * false[-1]))


def _average_precision(ranked: _Ranked, weights: Floats) -> float:
    true, called = ranked.counts(weights)
    if true[-1] <= 0:
        return float("nan")
    precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0)
    return float(np.diff(true, prepend=0.0) @ precision / true[-1])


def roc_auc(y_true: npt.NDArray[Any], y_score: Floats, weights: Floats | None = None) -> float:
    """Return the probability that a random positive row scores above a random negative one.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        1 for positive rows, else 0.
    y_score : ndarray of shape (n_samples,)
        Larger is more positive; ties count half.
    weights : ndarray of shape (n_samples,), optional
        Weight of each row.

    Returns
    -------
    float
        0 to 1, higher is better; nan if one class is missing.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.

    Examples
    --------
    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75

    """
    ones = np.ones(len(y_true)) if weights is None else weights
    return _roc_auc(_Ranked(y_true, y_score), ones)


def average_precision(
    y_true: npt.NDArray[Any], y_score: Floats, weights: Floats | None = None
) -> float:
    """Return the sum over thresholds of precision times gain in recall.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        1 for positive rows, else 0.
    y_score : ndarray of shape (n_samples,)
        Larger is more positive; equal scores are one threshold.
    weights : ndarray of shape (n_samples,), optional
        Weight of each row.

    Returns
    -------
    float
        0 to 1, higher is better; nan without a positive row.

    References
    ----------
    M. Zhu, "Recall, precision and average precision", University of Waterloo, 2004.

    Examples
    --------
    >>> round(average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333

    """
    ones = np.ones(len(y_true)) if weights is None else weights
    return _average_precision(_Ranked(y_true, y_score), ones)


def _one_against_rest(predictions: Predictions, value: Any) -> Statistic:
    """Return a binary statistic, or its macro mean over classes that occur."""
    y, scores = predictions.y_true, predictions.y_score
    if scores.ndim == 1:
        ranked = _Ranked(y, scores)
        return lambda weights: value(ranked, weights)
    each = [_Ranked(y == k, scores[:, k]) for k in range(scores.shape[1]) if (y == k).any()]
    return lambda weights: float(np.mean([value(ranked, weights) for ranked in each]))


def _rarest_class(predictions: Predictions) -> int:
    """Return the units of the class that has fewest: an order rests on both sides."""
    classes = np.unique(predictions.y_true)
    return min(units_among(predictions, predictions.y_true == k) for k in classes)


@final
class RocAuc(AbstractPredictiveQuality):
    """Area under the ROC curve; see :func:`roc_auc`."""

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return the units of the rarest class."""
        del settings
        return _rarest_class(predictions)

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the weighted area."""
        del settings, context
        return _one_against_rest(predictions, _roc_auc)


@final
class AveragePrecision(AbstractPredictiveQuality):
    """Average precision; see :func:`average_precision`."""

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return the units of the rarest class."""
        del settings
        return _rarest_class(predictions)

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the weighted average precision."""
        del settings, context
        return _one_against_rest(predictions, _average_precision)
