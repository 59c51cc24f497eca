"""The multilayer perceptron."""

from __future__ import annotations

import copy
import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import Facts, Shape
from tradespace.components._estimators import (
    AbstractEstimatorFamily,
    Fitted,
    need_two_classes,
)
from tradespace.components.export.builder import FLOAT, GraphBuilder
from tradespace.components.export.tree_ensembles import first_column
from tradespace.components.networks import TrainingRun, n_outputs_of, perceptron
from tradespace.components.sizes import size_reading
from tradespace.core.errors import TrialError
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Labels, Matrix, Settings
    from tradespace.core.readings import Reading
    from tradespace.graph.network import Network

#: Passes without progress after which training stops.
_PATIENCE = 10
#: Share of the rows that early stopping holds back.
_HELD_BACK = 0.1
#: Logit of a class that the training rows lack.
_NEVER = -1e30
_NODES = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}
#: Bytes of a layer's two nodes and of its names and shapes, and of the rest of the graph.
_LAYER_BYTES, _REST_BYTES = 400.0, 1_000.0


@final
class MultilayerPerceptron(AbstractEstimatorFamily):
    """Layers of neurons, trained by Adam in single precision.

    Targets of a regression are brought to mean 0 and deviation 1 for training; the last layer
    gives them back in their own unit.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by
    back-propagating errors", Nature 323, 1986. doi:10.1038/323533a0

    """

    name: ClassVar[str] = "multilayer_perceptron"
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.neural_network",)

    def facts(self, settings: Settings) -> Facts:
        """Return what is known before any training."""
        return Facts(
            incremental=not settings["early_stopping"],
            deterministic=False,
            good_at=("Learns smooth interplay of many inputs.", "Size and speed are set freely."),
            bad_at=(
                "Cannot be read.",
                "Needs scaled inputs and many rows.",
                "Another seed gives another model.",
            ),
        )

    def network(self, settings: Settings, *, n_inputs: int, n_outputs: int, task: Task) -> Network:
        """Return the layers."""
        widths = (n_inputs, *settings["hidden_layer_sizes"], n_outputs)
        return perceptron(widths, task=task, activation=settings["activation"])

    def training_run(self, settings: Settings, *, n_rows: int) -> TrainingRun:
        """Return how it is trained: it stops early only after passes without progress.

        The first pass is progress, so that there are at least two more than the patience.
        """
        rows = _rows_trained(settings, n_rows)
        size = 200 if settings["batch_size"] == "auto" else settings["batch_size"]
        return TrainingRun(
            optimizer="adam",
            batch=min(size, rows),
            rows=rows,
            least_epochs=min(settings["max_iter"], _PATIENCE + 2),
            most_epochs=settings["max_iter"],
        )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return bounds on the size: four bytes a parameter."""
        n_outputs = n_outputs_of(task, n_classes=shape.n_classes)

        def weights_bytes(n_inputs: int) -> float:
            net = self.network(settings, n_inputs=n_inputs, n_outputs=n_outputs, task=task)
            return float(sum(parameter.size_bytes for parameter in net.parameters))

        low = weights_bytes(max(1, shape.n_varying))
        high = math.inf
        if shape.n_columns is not None:
            layers = len(settings["hidden_layer_sizes"]) + 1
            high = weights_bytes(shape.n_columns) + layers * _LAYER_BYTES + _REST_BYTES
        return (size_reading(low=low, high=high, shape=shape),)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted model."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        _check_rows(y, task, settings)
        run = self.training_run(settings, n_rows=len(y))
        arguments = {
            **settings,
            "hidden_layer_sizes": tuple(settings["hidden_layer_sizes"]),
            "batch_size": run.batch,
            "n_iter_no_change": _PATIENCE,
            "validation_fraction": _HELD_BACK,
            "random_state": seed,
        }
        with warnings.catch_warnings():
            # Stopping at max_iter is a setting, and what it costs is measured.
            warnings.simplefilter("ignore", ConvergenceWarning)
            if task is not Task.REGRESSION:
                return Fitted(MLPClassifier(**arguments).fit(X, y), n_classes)
            center, scale = float(y.mean()), float(y.std()) or 1.0
            estimator = MLPRegressor(**arguments).fit(X, _scaled(y, center, scale))
        _rescale(estimator, by=scale, plus=center)
        return Fitted(estimator, n_classes, {"center": center, "scale": scale})

    def update(self, model: Fitted, X: Matrix, y: npt.NDArray[Any], *, task: Task) -> Fitted:
        """Return the model after one more pass of Adam, over new rows alone.

        Raises
        ------
        TrialError
            If it was trained with early stopping, or the rows hold a class that it does not know.

        """
        estimator = copy.deepcopy(model.estimator)
        if estimator.early_stopping:
            msg = "A network trained with early stopping cannot be updated; train it again."
            raise TrialError(msg)
        usual = estimator.batch_size
        estimator.batch_size = min(usual, len(y))
        if task is Task.REGRESSION:
            center, scale = (float(model.extra[name]) for name in ("center", "scale"))
            _rescale(estimator, by=1 / scale, plus=-center / scale)
            estimator.partial_fit(X, _scaled(y, center, scale))
            _rescale(estimator, by=scale, plus=center)
        else:
            unknown = np.setdiff1d(y, estimator.classes_)
            if len(unknown):
                msg = f"The network does not know the classes {unknown.tolist()} of the new rows."
                raise TrialError(msg)
            estimator.partial_fit(X, y)
        estimator.batch_size = usual
        return Fitted(estimator, model.n_classes, model.extra)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the layers as a graph in single precision, as they were trained."""
        graph = GraphBuilder("m")
        estimator = model.estimator
        layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
        if task is Task.MULTICLASS:
            layers[-1] = _all_classes(*layers[-1], estimator.classes_, model.n_classes)
        signal = "X"
        for number, (weights, offsets) in enumerate(layers, start=1):
            held = [graph.constant(np.asarray(w, dtype=np.float32)) for w in (weights, offsets)]
            signal = graph.add("Gemm", signal, *held)
            if number < len(layers):
                signal = graph.add(_NODES[estimator.activation], signal)
        shape: list[Any] = ["N"]
        if task is Task.MULTICLASS:
            signal, shape = graph.add("Softmax", signal, axis=1), ["N", model.n_classes]
        elif task is Task.BINARY:
            signal = first_column(graph, graph.add("Sigmoid", signal))
        else:
            signal = first_column(graph, signal)
        return graph.model(
            inputs=[("X", FLOAT, ["N", n_inputs])], outputs=[(signal, "score", FLOAT, shape)]
        )

    def describe(self, model: Fitted, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the widths of the layers and how the training ended."""
        del input_names, task
        estimator = model.estimator
        widths = [len(estimator.coefs_[0]), *(len(b) for b in estimator.intercepts_)]
        count = sum(w.size for w in (*estimator.coefs_, *estimator.intercepts_))
        return (
            f"{'-'.join(map(str, widths))}, {estimator.activation}: {count:,} parameters, "
            f"{estimator.n_iter_} passes over the rows, loss {estimator.loss_:.4g}"
        )


def _scaled(y: npt.NDArray[Any], center: float, scale: float) -> npt.NDArray[np.float32]:
    return ((y - center) / scale).astype(np.float32)


def _rescale(estimator: Any, *, by: float, plus: float) -> None:
    """Make the last layer give what it gave times `by`, plus `plus`."""
    estimator.coefs_[-1] = (estimator.coefs_[-1].astype(np.float64) * by).astype(np.float32)
    offsets = estimator.intercepts_[-1].astype(np.float64) * by + plus
    estimator.intercepts_[-1] = offsets.astype(np.float32)


def _rows_trained(settings: Settings, n_rows: int) -> int:
    held = math.ceil(_HELD_BACK * n_rows) if settings["early_stopping"] else 0
    return max(1, n_rows - held)


def _check_rows(y: npt.NDArray[Any], task: Task, settings: Settings) -> None:
    """Raise TrialError if there is nothing to learn from, or nothing to hold back."""
    if task is not Task.REGRESSION:
        need_two_classes(y, who="A multilayer perceptron")
    if settings["early_stopping"]:
        least = 20 if task is Task.REGRESSION else int(np.unique(y, return_counts=True)[1].min())
        held = math.ceil(_HELD_BACK * len(y))
        if least < 2 or held < 2:
            msg = (
                f"Early stopping holds back a tenth of the rows, of every class at least one; "
                f"there are {len(y)} rows, and the rarest class has {least}. Leave it out."
            )
            raise TrialError(msg)


def _all_classes(weights: Any, offsets: Any, classes: Any, n_classes: int) -> tuple[Any, Any]:
    """Return the last layer with a column for every class of the study."""
    if len(classes) == 2 and weights.shape[1] == 1:
        # Softmax over zero and a number is the logistic function of the number.
        weights = np.concatenate([np.zeros_like(weights), weights], axis=1)
        offsets = np.append(np.float32(0.0), offsets)
    whole = np.zeros((len(weights), n_classes), dtype=np.float32)
    shifted = np.full(n_classes, _NEVER, dtype=np.float32)
    whole[:, classes], shifted[classes] = weights, offsets
    return whole, shifted
