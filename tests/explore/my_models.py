"""Estimators that misbehave, for the tests of the workers."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Sleeper(ClassifierMixin, BaseEstimator):
    """Never finishes."""

    def fit(self, X: Any, y: Any) -> Sleeper:
        while True:
            time.sleep(1)

    def predict_proba(self, X: Any) -> Any:
        return np.zeros((len(X), 2))


class Eater(ClassifierMixin, BaseEstimator):
    """Takes memory until it is stopped."""

    def fit(self, X: Any, y: Any) -> Eater:
        kept = []
        while True:
            kept.append(np.ones(4_000_000))

    def predict_proba(self, X: Any) -> Any:
        return np.zeros((len(X), 2))


def sleeper() -> Sleeper:
    return Sleeper()


def eater() -> Eater:
    return Eater()
