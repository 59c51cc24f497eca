"""The random forest."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, ClassVar, final

from tradespace.components._base import Facts, Shape, depth_share
from tradespace.components._estimators import AbstractEstimatorFamily, Fitted
from tradespace.components._trees import average_of_trees, most_leaves, tree_arguments
from tradespace.components.export.tree_ensembles import size_bound_bytes
from tradespace.components.sizes import size_reading
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from tradespace.components._base import Labels, Matrix, Settings
    from tradespace.core.readings import Reading


@final
class RandomForest(AbstractEstimatorFamily):
    """Average of trees grown on resampled rows and random subsets of inputs.

    References
    ----------
    L. Breiman, Random forests, Machine Learning 45, 2001. doi:10.1023/A:1010933404324

    """

    name: ClassVar[str] = "random_forest"
    value_s: ClassVar[float] = 1e-8
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.ensemble",)
    known: ClassVar[Facts] = Facts(
        deterministic=False,
        good_at=("Good without tuning.", "Needs no scaling.", "Hard to overfit."),
        bad_at=("Large.", "Cannot be read.", "Cannot extrapolate."),
    )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return a bound on the size from trees, depth, leaves and rows."""
        leaves, trees = most_leaves(settings, shape=shape), settings["n_estimators"]
        high = size_bound_bytes(n_trees=trees, n_leaves=leaves)
        if task is Task.MULTICLASS:
            high += 4.0 * trees * leaves * shape.n_classes + 10.0 * trees
        return (size_reading(high=high, shape=shape),)

    def passes(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return the levels of all trees, of which each looks at a part of the inputs."""
        del task
        tried = 1 / math.sqrt(max(1, shape.n_inputs))
        levels = math.log2(max(2, shape.n_rows)) * depth_share(
            settings.get("max_depth"), shape.n_rows
        )
        return tried * levels * float(settings.get("n_estimators") or 100)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted forest."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestRegressor if task is Task.REGRESSION else RandomForestClassifier
        estimator = kind(random_state=seed, n_jobs=1, **tree_arguments(settings, task=task))
        return Fitted(estimator.fit(X, y), n_classes)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the forest as a graph."""
        return average_of_trees(
            model.estimator.estimators_,
            task=task,
            n_classes=model.n_classes,
            classes=getattr(model.estimator, "classes_", None),
            n_inputs=n_inputs,
        )

    def sharing_key(self, settings: Settings) -> tuple[Any, ...]:
        """Return everything but the number of trees: each tree has its own seed, in order."""
        return tuple(sorted((k, repr(v)) for k, v in settings.items() if k != "n_estimators"))

    def size_of(self, settings: Settings) -> int:
        """Return the number of trees."""
        return int(settings["n_estimators"])

    def derive(self, model: Fitted, settings: Settings) -> Fitted:
        """Return the forest of the first trees."""
        estimator = copy.copy(model.estimator)
        estimator.n_estimators = settings["n_estimators"]
        estimator.estimators_ = model.estimator.estimators_[: settings["n_estimators"]]
        return Fitted(estimator, model.n_classes)
