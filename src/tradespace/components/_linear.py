"""Linear and logistic regression with an elastic-net penalty."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import Facts, Shape, n_scores
from tradespace.components._estimators import (
    AbstractEstimatorFamily,
    Fitted,
    need_two_classes,
)
from tradespace.components.export.builder import DOUBLE, FLOAT, GraphBuilder
from tradespace.components.export.tree_ensembles import emit_probability, first_column
from tradespace.components.networks import perceptron
from tradespace.components.sizes import size_reading
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Labels, Matrix, Settings
    from tradespace.core.readings import Reading
    from tradespace.graph.network import Network

#: Matrices of more cells are fitted as float32: a float64 copy would take gigabytes.
_MOST_CELLS_AS_DOUBLE = 30_000_000


def _matrix(X: Matrix) -> npt.NDArray[Any]:
    return X.astype(np.float64) if X.size <= _MOST_CELLS_AS_DOUBLE else X


def _size(shape: Shape, n_outputs: int) -> tuple[Reading, ...]:
    if shape.n_columns is None:
        return (size_reading(shape=shape),)
    return (size_reading(high=8.0 * n_outputs * (shape.n_columns + 1) + 2000, shape=shape),)


def _network(n_inputs: int, n_outputs: int, task: Task) -> Network:
    return perceptron((n_inputs, n_outputs), task=task).with_format("fp64")


def _emit_linear(graph: GraphBuilder, coefficients: Any, intercepts: Any) -> str:
    """Add X W + b in double precision, so that large terms that cancel stay exact."""
    wide = graph.add("Cast", "X", to=DOUBLE)
    weights = np.ascontiguousarray(np.atleast_2d(coefficients).T, dtype=np.float64)
    product = graph.add("MatMul", wide, graph.constant(weights))
    offset = np.broadcast_to(np.asarray(intercepts, dtype=np.float64), (weights.shape[1],))
    return graph.add("Add", product, graph.constant(offset.copy()))


def _terms(coefficients: Any, intercept: float, names: tuple[str, ...]) -> str:
    order = np.argsort(-np.abs(coefficients), kind="stable")
    lines = [f"{intercept:+.4g}", *(f"{coefficients[i]:+.4g} x {names[i]}" for i in order)]
    return "\n".join(lines)


@final
class LogisticRegression(AbstractEstimatorFamily):
    """Linear scores through the logistic function (softmax for several classes).

    Without an L1 share the solver is L-BFGS, as by default in scikit-learn; with one it is
    SAGA, whose order of rows depends on the seed.
    """

    name: ClassVar[str] = "logistic_regression"
    value_s: ClassVar[float] = 3e-9
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.linear_model",)

    def facts(self, settings: Settings) -> Facts:
        """Return what is known before any training."""
        return Facts(
            deterministic=settings["l1_ratio"] == 0.0,
            interpretable=True,
            good_at=("Small and fast.", "Well calibrated.", "Works with few rows."),
            bad_at=("Sees no interplay of inputs.", "Needs scaled inputs."),
        )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return a bound on the size: a number per column and class."""
        del settings
        return _size(shape, shape.n_classes if task is Task.MULTICLASS else 1)

    def network(self, settings: Settings, *, n_inputs: int, n_outputs: int, task: Task) -> Network:
        """Return a single layer, in double precision."""
        del settings
        return _network(n_inputs, n_outputs, task)

    def passes(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return half of the iterations that are allowed, for each class."""
        return 0.5 * float(settings.get("max_iter") or 100) * n_scores(task, shape=shape)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted model; rows are float64 up to 30 million cells, float32 beyond."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression as Estimator

        need_two_classes(y, who="Logistic regression")
        arguments = {k: settings[k] for k in ("C", "max_iter", "class_weight")}
        if settings["l1_ratio"] > 0.0:
            arguments |= {"l1_ratio": settings["l1_ratio"], "solver": "saga"}
        del task
        estimator = Estimator(random_state=seed, **arguments)
        with warnings.catch_warnings():
            # Stopping at max_iter is a setting, and what it costs is measured.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return Fitted(estimator.fit(_matrix(X), y), n_classes)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the model as a graph in double precision."""
        graph = GraphBuilder("m")
        estimator = model.estimator
        coefficients, intercepts = estimator.coef_, estimator.intercept_
        shape: list[Any] = ["N"]
        if task is Task.MULTICLASS:
            shape = ["N", model.n_classes]
            if len(estimator.classes_) == 2:
                coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
                intercepts = np.append(0.0, intercepts)
            whole = np.zeros((model.n_classes, n_inputs))
            # Classes that the training rows lack get no weight in the softmax.
            offsets = np.full(model.n_classes, -1e300)
            whole[estimator.classes_], offsets[estimator.classes_] = coefficients, intercepts
            coefficients, intercepts = whole, offsets
        raw = _emit_linear(graph, coefficients, intercepts)
        score = emit_probability(graph, raw, n_targets=shape[-1] if len(shape) > 1 else 1)
        return graph.model(
            inputs=[("X", FLOAT, ["N", n_inputs])], outputs=[(score, "score", DOUBLE, shape)]
        )

    def describe(self, model: Fitted, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the terms, largest first; for several classes one list per class."""
        del task
        estimator = model.estimator
        pairs = zip(estimator.coef_, estimator.intercept_, strict=True)
        return "\n\n".join(_terms(row, float(offset), input_names) for row, offset in pairs)


@final
class LinearRegression(AbstractEstimatorFamily):
    """Least squares with an elastic-net penalty.

    It minimizes ``|y - Xw|^2 / 2n + alpha (l1_ratio |w|_1 + (1 - l1_ratio) |w|^2 / 2)``.
    """

    name: ClassVar[str] = "linear_regression"
    value_s: ClassVar[float] = 2e-8
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.linear_model",)
    known: ClassVar[Facts] = Facts(
        interpretable=True,
        good_at=("Small and fast.", "Extrapolates.", "Works with few rows."),
        bad_at=("Sees no interplay of inputs.", "One outlier can move it."),
    )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return a bound on the size: a number per column."""
        del settings, task
        return _size(shape, 1)

    def network(self, settings: Settings, *, n_inputs: int, n_outputs: int, task: Task) -> Network:
        """Return a single layer, in double precision."""
        del settings
        return _network(n_inputs, n_outputs, task)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted model."""
        from scipy.linalg import LinAlgWarning
        from sklearn import linear_model
        from sklearn.exceptions import ConvergenceWarning

        del task, seed
        alpha, l1_ratio = settings["alpha"], settings["l1_ratio"]
        if alpha == 0.0:
            estimator = linear_model.LinearRegression()
        elif l1_ratio == 0.0:
            estimator = linear_model.Ridge(alpha=alpha * len(X))
        else:
            estimator = linear_model.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, max_iter=10_000)
        with warnings.catch_warnings():
            # Duplicate columns are common in tables, and the penalty shares among them.
            warnings.simplefilter("ignore", LinAlgWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            return Fitted(estimator.fit(_matrix(X), y), n_classes)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the model as a graph in double precision."""
        del task
        graph = GraphBuilder("m")
        estimator = model.estimator
        score = first_column(graph, _emit_linear(graph, estimator.coef_, estimator.intercept_))
        return graph.model(
            inputs=[("X", FLOAT, ["N", n_inputs])], outputs=[(score, "score", DOUBLE, ["N"])]
        )

    def describe(self, model: Fitted, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the terms, largest first."""
        del task
        return _terms(model.estimator.coef_, float(model.estimator.intercept_), input_names)
