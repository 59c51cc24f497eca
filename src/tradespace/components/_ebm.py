"""Explainable boosting machines."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import AbstractFamily, Facts
from tradespace.components._boosting import boosting_graph
from tradespace.components._estimators import Fitted, need_two_classes, scores
from tradespace.components.export.tree_ensembles import Tree, floor32
from tradespace.core.errors import ExportError
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Labels, Matrix, Scores, Settings, Shape


@final
class ExplainableBoosting(AbstractFamily):
    """A sum of one curve per input (and a surface per chosen pair), learned by boosting.

    References
    ----------
    Y. Lou et al., Accurate intelligible models with pairwise interactions, KDD 2013.
    doi:10.1145/2487575.2487579

    """

    name: ClassVar[str] = "explainable_boosting"
    value_s: ClassVar[float] = 1e-9
    libraries: ClassVar[tuple[str, ...]] = ("interpret.glassbox",)
    known: ClassVar[Facts] = Facts(
        deterministic=False,
        interpretable=True,
        good_at=("Every curve can be looked at.", "Accurate on tables."),
        bad_at=("Slow to train.",),
    )

    def passes(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return the rounds."""
        del shape, task
        return float(settings.get("max_rounds") or 5000)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted machine; pairs are left out where there are several classes."""
        from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

        regression = task is Task.REGRESSION
        if not regression:
            need_two_classes(y, who="An explainable boosting machine")
        kind = ExplainableBoostingRegressor if regression else ExplainableBoostingClassifier
        arguments = dict(settings)
        if task is Task.MULTICLASS:
            arguments["interactions"] = 0
        estimator = kind(
            random_state=seed,
            n_jobs=1,
            feature_types=["continuous"] * X.shape[1],
            **arguments,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Fitted(estimator.fit(X.astype(np.float64), y), n_classes)

    def predict(self, model: Fitted, X: Matrix, *, task: Task) -> Scores:
        """Return scores by interpret."""
        return scores(model, X.astype(np.float64), task=task)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the curves as a graph: each is a balanced tree over its cuts."""
        estimator = model.estimator
        trees, targets = [], []
        base = np.ravel(estimator.intercept_)
        for features, table in zip(estimator.term_features_, estimator.term_scores_, strict=True):
            if len(features) > 2:
                msg = "Terms of more than two inputs cannot be exported."
                raise ExportError(msg)
            # A pair has cuts of its own, coarser than those of its curves, where there are any.
            levels = [estimator.bins_[f] for f in features]
            cuts = [bins[min(len(bins), len(features)) - 1] for bins in levels]
            # The first cell of an axis is for missing values and the last for unknown ones.
            inner = table[tuple(slice(1, len(cut) + 2) for cut in cuts)]
            outputs = inner[..., None] if inner.ndim == len(features) else inner
            for target in range(outputs.shape[-1]):
                trees.append(_grid_tree(features, cuts, outputs[..., target]))
                targets.append(target)
        return boosting_graph(
            trees,
            targets,
            base,
            task=task,
            n_inputs=n_inputs,
            n_classes=model.n_classes,
            seen=None if task is Task.REGRESSION else estimator.classes_,
            n_targets=len(base),
            strict=True,
        )

    def describe(self, model: Fitted, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the terms and the mean size of what each adds, largest first."""
        del task
        estimator = model.estimator
        sizes = estimator.term_importances()
        names = [" x ".join(input_names[f] for f in term) for term in estimator.term_features_]
        order = np.argsort(-sizes, kind="stable")
        return "\n".join(f"{sizes[i]:.4g}  {names[i]}" for i in order)


def _grid_tree(features: Any, cuts: Any, values: npt.NDArray[Any]) -> Tree:
    """Return a tree that finds the cell of a row among cuts: first by one input, then the next.

    A value that equals a cut belongs above it; so the test is ``x < cut``.
    """
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []

    def grow(axis: int, low: int, high: int, cell: tuple[int, ...]) -> int:
        if axis < len(cuts) and low == high:
            following = len(cuts[axis + 1]) if axis + 1 < len(cuts) else 0
            return grow(axis + 1, 0, following, (*cell, low))
        number = len(feature)
        leaf = axis == len(cuts)
        middle = (low + high) // 2
        feature.append(0 if leaf else int(features[axis]))
        threshold.append(0.0 if leaf else float(_ceil32(cuts[axis][middle])))
        value.append(float(values[cell]) if leaf else 0.0)
        left.append(-1)
        right.append(-1)
        if not leaf:
            left[number] = grow(axis, low, middle, cell)
            right[number] = grow(axis, middle + 1, high, cell)
        return number

    grow(0, 0, len(cuts[0]), ())
    return Tree(*(np.array(a) for a in (feature, threshold, left, right, value)))


def _ceil32(number: float) -> np.float32:
    """Return the smallest float32 that is not below a number."""
    return np.float32(-floor32(-number))
