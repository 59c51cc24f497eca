"""The decision tree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, final

from tradespace.components._base import Facts, Shape, depth_share
from tradespace.components._estimators import AbstractEstimatorFamily, Fitted
from tradespace.components._trees import average_of_trees, most_leaves, tree_arguments, tree_of
from tradespace.components.export.tree_ensembles import size_bound_bytes
from tradespace.components.sizes import size_reading
from tradespace.components.tree_pictures import tree_svg
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from tradespace.components._base import Labels, Matrix, Settings
    from tradespace.core.readings import Reading

#: A tree that a person still reads whole: five questions deep.
_READABLE_DEPTH = 5


@final
class DecisionTree(AbstractEstimatorFamily):
    """A sequence of questions about one input each.

    References
    ----------
    L. Breiman et al., Classification and Regression Trees, 1984

    """

    name: ClassVar[str] = "decision_tree"
    value_s: ClassVar[float] = 4e-8
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.tree",)

    def facts(self, settings: Settings) -> Facts:
        """Return what is known before any training."""
        depth, leaves = settings["max_depth"], settings["max_leaf_nodes"]
        small = (depth is not None and depth <= _READABLE_DEPTH) or (
            leaves is not None and leaves <= 2**_READABLE_DEPTH
        )
        return Facts(
            deterministic=False,
            interpretable=small,
            good_at=("Can be read, if small.", "Fast.", "Needs no scaling."),
            bad_at=("Changes much with few rows.", "Coarse scores.", "Overfits when deep."),
        )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return a bound on the size from depth, leaves and rows."""
        leaves = most_leaves(settings, shape=shape)
        high = size_bound_bytes(n_trees=1, n_leaves=leaves)
        if task is Task.MULTICLASS:
            high += 4.0 * leaves * shape.n_classes
        return (size_reading(high=high, shape=shape),)

    def passes(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return the levels of the tree: the rows are sorted at each."""
        del task
        return math.log2(max(2, shape.n_rows)) * depth_share(
            settings.get("max_depth"), shape.n_rows
        )

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted tree."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeRegressor if task is Task.REGRESSION else DecisionTreeClassifier
        estimator = kind(random_state=seed, **tree_arguments(settings, task=task))
        return Fitted(estimator.fit(X, y), n_classes)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the tree as a graph."""
        return average_of_trees(
            [model.estimator],
            task=task,
            n_classes=model.n_classes,
            classes=None,
            n_inputs=n_inputs,
        )

    def describe(self, model: Fitted, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the tree as indented text, cut below a depth of 10."""
        from sklearn.tree import export_text

        del task
        text: str = export_text(
            model.estimator, feature_names=list(input_names), max_depth=10, decimals=4
        )
        return text

    def picture(self, model: Fitted, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the tree as SVG, five questions deep; for several classes there is none."""
        if task is Task.MULTICLASS:
            return ""
        tree = tree_of(model.estimator, task=task, n_classes=model.n_classes)
        return tree_svg(tree, input_names=input_names)
