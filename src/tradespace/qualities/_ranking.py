"""Qualities of the order of scores: ROC AUC and average precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np
from scipy.sparse import csr_array

from tradespace.qualities._predictive import (
    AbstractPredictiveQuality,
    n_units,
    ratio_or,
    unit_of_rows,
    units_among,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.qualities._base import Context, Predictions
    from tradespace.qualities._predictive import Statistic

    Floats = npt.NDArray[np.float64]


def _steps(positive: npt.NDArray[np.bool_], y_score: Floats) -> npt.NDArray[np.int64]:
    """Return on which step down the scores each row stands, from 0 at the highest score.

    A step is a distinct score, except that neighboring scores without a positive row are one:
    the curves run straight there, so that no area changes. With few positive rows there are
    few steps, however many scores.
    """
    level = np.unique(-y_score, return_inverse=True)[1]
    rises = np.zeros(int(level.max()) + 1, dtype=bool)
    rises[level[positive]] = True
    begins = rises | np.append(True, rises[:-1])
    return (np.cumsum(begins) - 1)[level]


class _Ranking:
    """How many positive and negative rows each unit has on each step down the scores."""

    def __init__(
        self,
        positive: npt.NDArray[np.bool_],
        y_score: Floats,
        units: npt.NDArray[np.int64],
        n_units: int,
    ) -> None:
        steps = _steps(positive, y_score)
        shape = (int(steps.max()) + 1, n_units)

        def by_unit(rows: npt.NDArray[np.bool_]) -> csr_array:
            ones = np.ones(int(rows.sum()))
            return csr_array((ones, (steps[rows], units[rows])), shape=shape)

        self._positive, self._negative = by_unit(positive), by_unit(~positive)

    def gains(self, counts: Floats) -> tuple[Floats, Floats]:
        """Return positive and negative rows gained on each step, shape (n_steps, n_samples)."""
        return self._positive @ counts, self._negative @ counts


def _roc_auc(true_gains: Floats, false_gains: Floats) -> Floats:
    # Trapezoids over the curve give half a point to ties.
    heights = np.cumsum(true_gains, axis=0) - true_gains / 2
    area = (false_gains * heights).sum(axis=0)
    pairs = true_gains.sum(axis=0) * false_gains.sum(axis=0)
    return ratio_or(np.nan, area, pairs)


def _average_precision(true_gains: Floats, false_gains: Floats) -> Floats:
    true = np.cumsum(true_gains, axis=0)
    called = true + np.cumsum(false_gains, axis=0)
    total = (true_gains * ratio_or(0.0, true, called)).sum(axis=0)
    return ratio_or(np.nan, total, true[-1])


def _of_weighted_rows(
    value: Callable[[Floats, Floats], Floats],
    y_true: npt.NDArray[Any],
    y_score: Floats,
    weights: Floats | None,
) -> float:
    n = len(y_true)
    ranking = _Ranking(np.asarray(y_true) > 0, y_score, np.arange(n), n)
    ones = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    return float(value(*ranking.gains(ones[:, None]))[0])


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
    return _of_weighted_rows(_roc_auc, y_true, y_score, weights)


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
    return _of_weighted_rows(_average_precision, y_true, y_score, weights)


def _one_against_rest(
    predictions: Predictions, value: Callable[[Floats, Floats], Floats]
) -> Statistic:
    """Return a binary statistic, or its macro mean over classes that occur."""
    y, scores = predictions.y_true, predictions.y_score
    units, n = unit_of_rows(predictions), n_units(predictions)
    if scores.ndim == 1:
        rankings = [_Ranking(y > 0, scores, units, n)]
    else:
        rankings = [
            _Ranking(y == k, scores[:, k], units, n)
            for k in range(scores.shape[1])
            if (y == k).any()
        ]
    return lambda counts: np.asarray(
        np.mean([value(*ranking.gains(counts)) for ranking in rankings], axis=0)
    )


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
        """Return the area."""
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
        """Return average precision."""
        del settings, context
        return _one_against_rest(predictions, _average_precision)
