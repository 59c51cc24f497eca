"""Curves for the report: ROC, precision-recall and calibration, thinned and JSON-ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.qualities._base import Predictions

    Floats = npt.NDArray[np.float64]

MOST_POINTS = 200
CALIBRATION_BINS = 10


def _thin(x: Floats, y: Floats) -> dict[str, list[float]]:
    if len(x) > MOST_POINTS:
        keep = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(int))
        # Evenly along the curve's length, so that steep parts stay visible.
        length = np.cumsum(np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])))
        if length[-1] > 0:
            keep = np.unique(np.searchsorted(length, np.linspace(0, length[-1], MOST_POINTS)))
            keep = np.unique(np.clip(np.r_[0, keep, len(x) - 1], 0, len(x) - 1))
        x, y = x[keep], y[keep]
    return {"x": [round(float(v), 5) for v in x], "y": [round(float(v), 5) for v in y]}


def calibration(y_true: npt.NDArray[Any], y_score: Floats) -> dict[str, list[float]]:
    """Return mean score, observed share and rows of ten bins of equal counts.

    Examples
    --------
    >>> calibration(np.array([0, 1]), np.array([0.25, 0.75]))
    {'x': [0.25, 0.75], 'y': [0.0, 1.0], 'n': [1.0, 1.0]}

    """
    order = np.argsort(y_score, kind="stable")
    bins = [part for part in np.array_split(order, CALIBRATION_BINS) if len(part)]
    return {
        "x": [round(float(y_score[part].mean()), 6) for part in bins],
        "y": [round(float(y_true[part].mean()), 6) for part in bins],
        "n": [float(len(part)) for part in bins],
    }


def _counts(y_true: npt.NDArray[Any], y_score: Floats) -> tuple[Floats, Floats]:
    """Return true positives and rows called positive at every distinct score, highest first."""
    order = np.argsort(-y_score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(y_score[order])), len(order) - 1)
    return np.cumsum(y_true[order].astype(np.float64))[ends], ends + 1.0


def _binary(y_true: npt.NDArray[Any], y_score: Floats) -> dict[str, Any]:
    true, called = _counts(y_true, y_score)
    false = called - true
    if true[-1] <= 0 or false[-1] <= 0:
        return {}
    recall, alarm = true / true[-1], false / false[-1]
    return {
        "roc": _thin(np.r_[0.0, alarm], np.r_[0.0, recall]),
        "precision_recall": _thin(recall, true / called),
        "calibration": calibration(y_true, y_score),
    }


def curves(predictions: Predictions) -> dict[str, Any]:
    """Return the curves of one part of the data; several classes share micro-averaged ones.

    For regression: predicted against true at up to 200 evenly spaced ranks of the truth.
    """
    y, scores = predictions.y_true, np.asarray(predictions.y_score, dtype=np.float64)
    if predictions.n_classes == 0:
        order = np.argsort(y, kind="stable")
        keep = order[np.unique(np.linspace(0, len(y) - 1, MOST_POINTS).astype(int))]
        return {
            "predicted_true": {
                "x": [float(v) for v in y[keep]],
                "y": [float(v) for v in scores[keep]],
            }
        }
    if scores.ndim > 1:
        truth = (y[:, None] == np.arange(scores.shape[1])).astype(np.int64)
        return _binary(truth.ravel(), scores.ravel())
    return _binary(y, scores)
