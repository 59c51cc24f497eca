"""XGBoost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import Facts, Shape
from tradespace.components._boosting import AbstractBoosting, boosting_graph
from tradespace.components._estimators import need_two_classes
from tradespace.components.export.tree_ensembles import Tree
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from tradespace.components._base import Labels, Matrix, Scores, Settings

_OBJECTIVES = {
    Task.BINARY: "binary:logistic",
    Task.MULTICLASS: "multi:softprob",
    Task.REGRESSION: "reg:squarederror",
}


@dataclass(frozen=True, slots=True)
class Boosted:
    """A booster of XGBoost or LightGBM and the number of classes of the study."""

    booster: Any
    n_classes: int


@final
class XGBoost(AbstractBoosting):
    """Regularized gradient boosting of trees.

    References
    ----------
    T. Chen and C. Guestrin, XGBoost: a scalable tree boosting system, KDD 2016.
    doi:10.1145/2939672.2939785

    """

    name: ClassVar[str] = "xgboost"
    value_s: ClassVar[float] = 1.2e-8
    libraries: ClassVar[tuple[str, ...]] = ("xgboost",)

    def facts(self, settings: Settings) -> Facts:
        """Return what is known before any training."""
        return Facts(
            deterministic=settings["subsample"] == 1.0 and settings["colsample_bytree"] == 1.0,
            good_at=("Accurate on tables.", "Small for its accuracy.", "Needs no scaling."),
            bad_at=("Cannot be read.", "Overfits few rows.", "Cannot extrapolate."),
        )

    def passes(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return the rounds, for each class; exact splits sort the rows instead of bins."""
        exact = 4.0 if settings.get("tree_method") == "exact" else 1.0
        return exact * super().passes(settings, shape=shape, task=task)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Boosted:
        """Return the fitted booster."""
        import xgboost

        if task is not Task.REGRESSION:
            need_two_classes(y, who="XGBoost")
        left_out = {"n_estimators", "base_score", "scale_pos_weight"}
        parameters = {k: v for k, v in settings.items() if k not in left_out}
        parameters |= {"objective": _OBJECTIVES[task], "nthread": 1, "seed": seed, "verbosity": 0}
        if settings["base_score"] is not None:
            parameters["base_score"] = settings["base_score"]
        if task is Task.BINARY:
            parameters["scale_pos_weight"] = settings["scale_pos_weight"]
        if task is Task.MULTICLASS:
            parameters["num_class"] = n_classes
        rows = xgboost.DMatrix(X, y, nthread=1)
        booster = xgboost.train(parameters, rows, num_boost_round=settings["n_estimators"])
        return Boosted(booster, n_classes)

    def predict(self, model: Boosted, X: Matrix, *, task: Task) -> Scores:
        """Return scores by XGBoost."""
        import xgboost

        if not len(X):
            return np.empty((0, model.n_classes) if task is Task.MULTICLASS else (0,))
        found = model.booster.predict(xgboost.DMatrix(X, nthread=1))
        return np.asarray(found, dtype=np.float64)

    def to_onnx(self, model: Boosted, *, n_inputs: int, task: Task) -> Any:
        """Return the rounds as a graph."""
        learner = json.loads(bytes(model.booster.save_raw("json")))["learner"]
        content = learner["gradient_booster"]["model"]
        trees = []
        for tree in content["trees"]:
            left = np.array(tree["left_children"])
            # A leaf keeps its number where a split keeps its threshold.
            numbers = np.array(tree["split_conditions"], dtype=np.float32)
            right = np.array(tree["right_children"])
            trees.append(Tree(np.array(tree["split_indices"]), numbers, left, right, numbers))
        n_targets = model.n_classes if task is Task.MULTICLASS else 1
        text = learner["learner_model_param"]["base_score"].strip("[]")
        base = np.array([float(part) for part in text.split(",")])
        if task is Task.BINARY:
            base = np.log(base / (1.0 - base))
        return boosting_graph(
            trees,
            [int(target) for target in content["tree_info"]],
            np.broadcast_to(base, (n_targets,)),
            task=task,
            n_inputs=n_inputs,
            n_classes=model.n_classes,
            n_targets=n_targets,
            strict=True,
        )

    def derive(self, model: Boosted, settings: Settings) -> Boosted:
        """Return the model of the first rounds."""
        return Boosted(model.booster[: settings["n_estimators"]], model.n_classes)
