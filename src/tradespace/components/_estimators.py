"""What families built on scikit-learn share: the fitted estimator and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components._base import AbstractFamily
from tradespace.core.errors import TrialError
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Matrix, Scores

#: Rows scored at a time, so that wide intermediate results stay small.
CHUNK_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted estimator of scikit-learn's kind, and what it cannot say itself.

    Parameters
    ----------
    estimator : object
        Fitted.
    n_classes : int
        Classes of the study; the training rows may lack some.
    extra : Mapping
        What the family needs besides.

    """

    estimator: Any
    n_classes: int
    extra: Mapping[str, Any] = field(default_factory=dict)


class AbstractEstimatorFamily(AbstractFamily):
    """A family whose models are estimators of scikit-learn's kind, which predict themselves."""

    def predict(self, model: Fitted, X: Matrix, *, task: Task) -> Scores:
        """Return scores by the estimator."""
        return scores(model, X, task=task)


def scores(fitted: Fitted, X: npt.NDArray[Any], *, task: Task) -> npt.NDArray[np.float64]:
    """Return the estimator's scores in the form that every family gives."""
    parts = [
        _scores(fitted, X[start : start + CHUNK_ROWS], task)
        for start in range(0, len(X), CHUNK_ROWS)
    ]
    if not parts:
        shape = (0, fitted.n_classes) if task is Task.MULTICLASS else (0,)
        return np.empty(shape)
    return np.concatenate(parts)


def _scores(fitted: Fitted, X: npt.NDArray[Any], task: Task) -> npt.NDArray[np.float64]:
    if task is Task.REGRESSION:
        return np.asarray(fitted.estimator.predict(X), dtype=np.float64).reshape(len(X))
    found = np.asarray(fitted.estimator.predict_proba(X), dtype=np.float64)
    whole = spread_classes(found, fitted.estimator.classes_, n_classes=fitted.n_classes)
    return whole[:, 1] if task is Task.BINARY else whole


def spread_classes(
    values: npt.NDArray[Any], classes: npt.NDArray[Any], *, n_classes: int
) -> npt.NDArray[Any]:
    """Return columns for all classes, 0 for those that the training rows lack."""
    if values.shape[-1] == n_classes:
        return values
    whole = np.zeros((*values.shape[:-1], n_classes), dtype=values.dtype)
    whole[..., np.asarray(classes, dtype=np.int64)] = values
    return whole


def need_two_classes(y: npt.NDArray[Any], *, who: str) -> None:
    """Raise TrialError if the training rows hold a single class."""
    if len(np.unique(y)) < 2:
        msg = f"{who} needs training rows of at least two classes; all {len(y)} are of one."
        raise TrialError(msg)
