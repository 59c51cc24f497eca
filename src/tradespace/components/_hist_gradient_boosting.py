"""Histogram gradient boosting of scikit-learn."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._boosting import AbstractBoosting, boosting_graph
from tradespace.components._estimators import Fitted, need_two_classes, scores
from tradespace.components.export.tree_ensembles import Tree
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from tradespace.components._base import Labels, Matrix, Scores, Settings


@final
class HistGradientBoosting(AbstractBoosting):
    """Trees on binned inputs, each correcting the sum of those before.

    There is no early stopping, so that the first rounds of a long run are the short run. Bins
    are always found with seed 0: the seed does not matter.

    References
    ----------
    G. Ke et al., LightGBM: a highly efficient gradient boosting decision tree, NIPS 2017

    """

    name: ClassVar[str] = "hist_gradient_boosting"
    rounds: ClassVar[str] = "max_iter"
    leaves: ClassVar[str] = "max_leaf_nodes"
    value_s: ClassVar[float] = 1.2e-8
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.ensemble",)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted model."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        del seed
        regression = task is Task.REGRESSION
        if not regression:
            need_two_classes(y, who="Histogram gradient boosting")
        kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
        estimator = kind(random_state=0, early_stopping=False, **settings)
        return Fitted(estimator.fit(X, y), n_classes)

    def predict(self, model: Fitted, X: Matrix, *, task: Task) -> Scores:
        """Return scores by scikit-learn."""
        return scores(model, X, task=task)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the rounds as a graph; scikit-learn's converter cannot write this family."""
        estimator = model.estimator
        n_targets = estimator.n_trees_per_iteration_
        trees = []
        targets = []
        for round_ in estimator._predictors:  # noqa: SLF001 - the fitted trees have no public name
            for target, predictor in enumerate(round_):
                nodes = predictor.nodes
                leaf = nodes["is_leaf"].astype(bool)
                left = np.where(leaf, -1, nodes["left"].astype(np.int64))
                right = np.where(leaf, -1, nodes["right"].astype(np.int64))
                feature = np.where(leaf, 0, nodes["feature_idx"])
                threshold = nodes["num_threshold"]
                trees.append(Tree(feature, threshold, left, right, nodes["value"]))
                targets.append(target)
        base = np.ravel(estimator._baseline_prediction)  # noqa: SLF001 - as above
        return boosting_graph(
            trees,
            targets,
            base,
            task=task,
            n_inputs=n_inputs,
            n_classes=model.n_classes,
            seen=None if task is Task.REGRESSION else estimator.classes_,
            n_targets=n_targets,
        )

    def derive(self, model: Fitted, settings: Settings) -> Fitted:
        """Return the model of the first rounds."""
        estimator = copy.copy(model.estimator)
        estimator.max_iter = settings["max_iter"]
        estimator._predictors = model.estimator._predictors[: settings["max_iter"]]  # noqa: SLF001 - the fitted trees have no public name
        return Fitted(estimator, model.n_classes)
