"""The baseline: what one knows without looking at the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import AbstractFamily, Facts, Shape
from tradespace.components.export.builder import DOUBLE, FLOAT, GraphBuilder
from tradespace.components.sizes import size_reading
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Labels, Matrix, Scores, Settings
    from tradespace.core.readings import Reading


@final
class Constant(AbstractFamily):
    """Always predicts the class shares, or the mean, of the training rows."""

    name: ClassVar[str] = "constant"
    value_s: ClassVar[float] = 1e-9
    known: ClassVar[Facts] = Facts(
        interpretable=True,
        good_at=("A floor: whoever does not beat it has learned nothing.",),
        bad_at=("Tells no row from another.",),
    )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return bounds on the size: a number per class."""
        del settings, task
        return (size_reading(high=8.0 * shape.n_classes + 2000, shape=shape),)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> npt.NDArray[np.float64]:
        """Return the shares of the classes, or the mean."""
        del X, settings, seed
        if task is Task.REGRESSION:
            return np.array([y.mean()])
        return np.bincount(y, minlength=n_classes) / len(y)

    def predict(self, model: npt.NDArray[np.float64], X: Matrix, *, task: Task) -> Scores:
        """Return the same score for every row."""
        if task is Task.MULTICLASS:
            return np.tile(model, (len(X), 1))
        return np.full(len(X), model[-1])

    def to_onnx(self, model: npt.NDArray[np.float64], *, n_inputs: int, task: Task) -> Any:
        """Return a graph that repeats the constant for every row."""
        graph = GraphBuilder("m")
        shape = graph.add("Shape", "X", start=0, end=1)
        value = model[-1:]
        dimensions: list[Any] = ["N"]
        if task is Task.MULTICLASS:
            one = graph.constant(np.array([len(model)]))
            shape = graph.add("Concat", shape, one, axis=0)
            value, dimensions = model[None, :], ["N", len(model)]
        score = graph.add("Expand", graph.constant(value.astype(np.float64)), shape)
        return graph.model(
            inputs=[("X", FLOAT, ["N", n_inputs])], outputs=[(score, "score", DOUBLE, dimensions)]
        )
