"""Naive Bayes: the simplest Bayes nets."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import Facts, Shape
from tradespace.components._estimators import AbstractEstimatorFamily, Fitted, scores
from tradespace.components.export.builder import DOUBLE, FLOAT, GraphBuilder
from tradespace.components.export.tree_ensembles import floor32
from tradespace.components.sizes import size_reading
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Labels, Matrix, Scores, Settings
    from tradespace.core.readings import Reading

_FACTS = Facts(
    incremental=True,
    interpretable=True,
    good_at=("Trained in one pass.", "Can learn row by row.", "Works with few rows."),
    bad_at=("Counts what correlated inputs say twice.", "Scores too extreme."),
)


def _size(shape: Shape) -> tuple[Reading, ...]:
    if shape.n_columns is None:
        return (size_reading(shape=shape),)
    # Two tables of a double per class and column, and some rows of either.
    cells = (2 * shape.n_classes + 2) * (shape.n_columns + 4)
    return (size_reading(high=8.0 * cells + 3000, shape=shape),)


def _updated(model: Fitted, X: Any, y: npt.NDArray[Any]) -> Fitted:
    estimator = copy.deepcopy(model.estimator)
    return Fitted(estimator.partial_fit(X, y), model.n_classes, model.extra)


def _finish(graph: GraphBuilder, logits: str, model: Fitted, *, n_inputs: int, task: Task) -> Any:
    score = graph.add("Softmax", logits, axis=1)
    shape: list[Any] = ["N", model.n_classes]
    if task is Task.BINARY:
        score = graph.add("Gather", score, graph.constant(np.int64(1)), axis=1)
        shape = ["N"]
    return graph.model(
        inputs=[("X", FLOAT, ["N", n_inputs])], outputs=[(score, "score", DOUBLE, shape)]
    )


@final
class GaussianNaiveBayes(AbstractEstimatorFamily):
    """A Bayes net whose only parent is the class; inputs are normal within a class."""

    name: ClassVar[str] = "gaussian_naive_bayes"
    value_s: ClassVar[float] = 1e-8
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.naive_bayes",)
    known: ClassVar[Facts] = _FACTS

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return a bound on the size: two numbers per class and column."""
        del settings, task
        return _size(shape)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted model."""
        from sklearn.naive_bayes import GaussianNB

        del task, seed
        return Fitted(GaussianNB(**settings).fit(X.astype(np.float64), y), n_classes)

    def update(self, model: Fitted, X: Matrix, y: npt.NDArray[Any], *, task: Task) -> Fitted:
        """Return the model after more rows."""
        del task
        return _updated(model, X.astype(np.float64), y)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the model as a graph in double precision."""
        estimator = model.estimator
        graph = GraphBuilder("m")
        prior = np.full(model.n_classes, -1e300)
        mean = np.zeros((model.n_classes, n_inputs))
        variance = np.ones((model.n_classes, n_inputs))
        seen = estimator.classes_
        with np.errstate(divide="ignore"):
            constant = np.log(estimator.class_prior_)
        constant = constant - 0.5 * np.log(2.0 * np.pi * estimator.var_).sum(axis=1)
        prior[seen], mean[seen], variance[seen] = constant, estimator.theta_, estimator.var_
        wide = graph.add("Cast", "X", to=DOUBLE)
        rows = graph.add("Unsqueeze", wide, graph.constant(np.array([1])))
        gap = graph.add("Sub", rows, graph.constant(mean))
        scaled = graph.add("Div", graph.add("Mul", gap, gap), graph.constant(variance))
        total = graph.add("ReduceSum", scaled, graph.constant(np.array([2])), keepdims=0)
        half = graph.add("Mul", total, graph.constant(np.float64(-0.5)))
        logits = graph.add("Add", half, graph.constant(prior))
        return _finish(graph, logits, model, n_inputs=n_inputs, task=task)


@final
class BernoulliNaiveBayes(AbstractEstimatorFamily):
    """A Bayes net whose only parent is the class; every input is above or below its mean.

    The means are those of the first training rows; updating leaves them.
    """

    name: ClassVar[str] = "bernoulli_naive_bayes"
    value_s: ClassVar[float] = 1e-8
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.naive_bayes",)
    known: ClassVar[Facts] = _FACTS

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return a bound on the size: two numbers per class and column."""
        del settings, task
        return _size(shape)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted model."""
        from sklearn.naive_bayes import BernoulliNB

        del task, seed
        means = floor32(X.mean(axis=0, dtype=np.float64))
        estimator = BernoulliNB(binarize=None, **settings).fit(means < X, y)
        return Fitted(estimator, n_classes, {"means": means})

    def predict(self, model: Fitted, X: Matrix, *, task: Task) -> Scores:
        """Return probabilities by scikit-learn."""
        return scores(model, _means(model) < X, task=task)

    def update(self, model: Fitted, X: Matrix, y: npt.NDArray[Any], *, task: Task) -> Fitted:
        """Return the model after more rows."""
        del task
        return _updated(model, _means(model) < X, y)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the model as a graph in double precision."""
        estimator = model.estimator
        graph = GraphBuilder("m")
        absent = np.log(1.0 - np.exp(estimator.feature_log_prob_))
        weights = np.zeros((n_inputs, model.n_classes))
        offsets = np.full(model.n_classes, -1e300)
        weights[:, estimator.classes_] = (estimator.feature_log_prob_ - absent).T
        offsets[estimator.classes_] = estimator.class_log_prior_ + absent.sum(axis=1)
        above = graph.add("Greater", "X", graph.constant(_means(model)))
        wide = graph.add("Cast", above, to=DOUBLE)
        product = graph.add("MatMul", wide, graph.constant(weights))
        logits = graph.add("Add", product, graph.constant(offsets))
        return _finish(graph, logits, model, n_inputs=n_inputs, task=task)


def _means(model: Fitted) -> npt.NDArray[np.float32]:
    return np.asarray(model.extra["means"], dtype=np.float32)
