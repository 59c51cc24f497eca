"""LightGBM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._boosting import AbstractBoosting, boosting_graph
from tradespace.components._estimators import need_two_classes
from tradespace.components._xgboost import Boosted
from tradespace.components.export.tree_ensembles import Tree
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from tradespace.components._base import Labels, Matrix, Scores, Settings

_OBJECTIVES = {Task.BINARY: "binary", Task.MULTICLASS: "multiclass", Task.REGRESSION: "regression"}
_RENAMED = {"min_child_samples": "min_data_in_leaf", "reg_lambda": "lambda_l2"}


@final
class LightGBM(AbstractBoosting):
    """Gradient boosting of leaf-wise trees on binned inputs; the seed does not matter.

    References
    ----------
    G. Ke et al., LightGBM: a highly efficient gradient boosting decision tree, NIPS 2017

    """

    name: ClassVar[str] = "lightgbm"
    leaves: ClassVar[str] = "num_leaves"
    value_s: ClassVar[float] = 1.0e-8
    libraries: ClassVar[tuple[str, ...]] = ("lightgbm",)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Boosted:
        """Return the fitted booster."""
        import lightgbm

        del seed
        if task is not Task.REGRESSION:
            need_two_classes(y, who="LightGBM")
        left_out = {"n_estimators", "scale_pos_weight"}
        parameters = {_RENAMED.get(k, k): v for k, v in settings.items() if k not in left_out}
        parameters |= {
            "objective": _OBJECTIVES[task],
            "num_threads": 1,
            "seed": 0,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        if task is Task.BINARY:
            parameters["scale_pos_weight"] = settings["scale_pos_weight"]
        if task is Task.MULTICLASS:
            parameters["num_class"] = n_classes
        rows = lightgbm.Dataset(X, y, params={"verbosity": -1})
        rounds = settings["n_estimators"]
        return Boosted(lightgbm.train(parameters, rows, num_boost_round=rounds), n_classes)

    def predict(self, model: Boosted, X: Matrix, *, task: Task) -> Scores:
        """Return scores by LightGBM."""
        if not len(X):
            return np.empty((0, model.n_classes) if task is Task.MULTICLASS else (0,))
        found = model.booster.predict(X, num_threads=1)
        return np.asarray(found, dtype=np.float64)

    def to_onnx(self, model: Boosted, *, n_inputs: int, task: Task) -> Any:
        """Return the rounds as a graph."""
        n_targets = model.n_classes if task is Task.MULTICLASS else 1
        dumped = model.booster.dump_model()["tree_info"]
        trees = [_tree(tree["tree_structure"]) for tree in dumped]
        return boosting_graph(
            trees,
            [number % n_targets for number in range(len(trees))],
            np.zeros(n_targets),
            task=task,
            n_inputs=n_inputs,
            n_classes=model.n_classes,
            n_targets=n_targets,
        )

    def derive(self, model: Boosted, settings: Settings) -> Boosted:
        """Return the model of the first rounds."""
        import lightgbm

        text = model.booster.model_to_string(num_iteration=settings["n_estimators"])
        return Boosted(lightgbm.Booster(model_str=text), model.n_classes)


def _tree(root: Mapping[str, Any]) -> Tree:
    """Return one dumped tree as arrays, without recursion: trees may be deep."""
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []
    waiting: list[tuple[Mapping[str, Any], int, bool]] = [(root, -1, False)]
    while waiting:
        node, parent, is_right = waiting.pop()
        number = len(feature)
        if parent >= 0:
            (right if is_right else left)[parent] = number
        split = "split_feature" in node
        feature.append(node["split_feature"] if split else 0)
        threshold.append(node["threshold"] if split else 0.0)
        value.append(0.0 if split else node["leaf_value"])
        left.append(-1)
        right.append(-1)
        if split:
            waiting.append((node["right_child"], number, True))
            waiting.append((node["left_child"], number, False))
    return Tree(*(np.array(a) for a in (feature, threshold, left, right, value)))
