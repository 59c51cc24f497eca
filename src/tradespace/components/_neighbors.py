"""k nearest neighbors.

Which of two training rows at the same distance counts is decided here and not left to chance:
squared distances are rounded to a fine grid, far above the rounding errors of any library's
matrix product, and the earlier row wins. So the exported graph finds the same neighbors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import AbstractFamily, Facts, Shape
from tradespace.components.export.builder import DOUBLE, FLOAT, INT64, GraphBuilder
from tradespace.components.sizes import size_reading
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Labels, Matrix, Scores, Settings
    from tradespace.core.readings import Reading

    Doubles = npt.NDArray[np.float64]

#: Width of the grid of squared distances, as a share of the mean squared length of the rows.
_GRID = 2.0**-34
#: Distances held at a time when many rows are scored.
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The training rows, and how many of them vote.

    `points` is float32 of shape (n_rows, n_inputs); `y` class codes or targets; `grid` the
    width to which squared distances are rounded.
    """

    points: Matrix
    y: npt.NDArray[Any]
    n_classes: int
    k: int
    by_distance: bool
    grid: float


@final
class KNearestNeighbors(AbstractFamily):
    """Votes or averages over the k most similar training rows (Euclidean distance).

    With fewer than k training rows all of them vote.

    References
    ----------
    T. Cover and P. Hart, Nearest neighbor pattern classification, IEEE Transactions on
    Information Theory 13(1), 1967. doi:10.1109/TIT.1967.1053964

    """

    name: ClassVar[str] = "k_nearest_neighbors"
    value_s: ClassVar[float] = 2e-8
    known: ClassVar[Facts] = Facts(
        good_at=("Nothing to train.", "Explains itself by examples."),
        bad_at=("Carries every training row.", "Slow with many rows.", "Needs scaling."),
    )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return bounds on the size: every training row is inside, four bytes a column."""
        del settings, task
        low = 4.0 * shape.n_rows * max(1, shape.n_varying)
        if shape.n_columns is None:
            return (size_reading(low=low, shape=shape),)
        high = shape.n_rows * (4.0 * shape.n_columns + 8.0) + 8.0 * shape.n_classes**2 + 4000
        return (size_reading(low=low, high=high, shape=shape),)

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Neighbors:
        """Return the training rows."""
        del task, seed
        squares = np.square(X.astype(np.float64)).sum(axis=1)
        return Neighbors(
            points=X.copy(),
            y=np.array(y),
            n_classes=n_classes,
            k=min(settings["n_neighbors"], len(X)),
            by_distance=settings["weights"] == "distance",
            grid=max(float(squares.mean()), 1e-30) * _GRID,
        )

    def predict(self, model: Neighbors, X: Matrix, *, task: Task) -> Scores:
        """Return shares of votes, or averages."""
        points = model.points.astype(np.float64)
        lengths = np.square(points).sum(axis=1)
        step = max(1, _CELLS // len(points))
        parts = []
        for start in range(0, len(X), step):
            rows = X[start : start + step].astype(np.float64)
            squared = rows @ points.T
            squared *= -2.0
            squared += np.square(rows).sum(axis=1)[:, None]
            squared += lengths
            squared /= model.grid
            np.rint(squared, out=squared)
            np.maximum(squared, 0.0, out=squared)
            parts.append(_vote(model, squared, task))
        if not parts:
            return np.empty((0, model.n_classes) if task is Task.MULTICLASS else (0,))
        return np.concatenate(parts)

    def to_onnx(self, model: Neighbors, *, n_inputs: int, task: Task) -> Any:
        """Return the training rows and the search as a graph."""
        graph = GraphBuilder("m")
        wide = graph.add("Cast", "X", to=DOUBLE)
        stored = graph.constant(np.ascontiguousarray(model.points.T))
        # Kept as float32 in the file; the runtime widens it once, when it loads.
        points = graph.add("Cast", stored, to=DOUBLE)
        one, zero = graph.constant(np.array([1])), graph.constant(np.array([0]))
        product = graph.add("MatMul", wide, points)
        squared = graph.add("Mul", product, graph.constant(np.float64(-2.0)))
        squared = graph.add("Add", squared, graph.add("ReduceSumSquare", wide, one, keepdims=1))
        squared = graph.add("Add", squared, graph.add("ReduceSumSquare", points, zero, keepdims=1))
        steps = graph.add("Round", graph.add("Div", squared, graph.constant(model.grid)))
        steps = graph.add("Max", steps, graph.constant(np.float64(0.0)))
        k = graph.constant(np.array([model.k]))
        nearest, rows = graph.add("TopK", steps, k, n=2, axis=1, largest=0, sorted=1)
        weights = _emit_weights(graph, nearest) if model.by_distance else ""
        if task is Task.MULTICLASS:
            codes = graph.add("Cast", graph.constant(model.y.astype(np.int32)), to=INT64)
            table = graph.constant(np.eye(model.n_classes))
            votes = graph.add("Gather", table, graph.add("Gather", codes, rows, axis=0), axis=0)
            weights = (
                graph.add("Unsqueeze", weights, graph.constant(np.array([2]))) if weights else ""
            )
            shape: list[Any] = ["N", model.n_classes]
        else:
            kind = np.float64 if task is Task.REGRESSION else np.float32
            known = graph.add("Cast", graph.constant(model.y.astype(kind)), to=DOUBLE)
            votes, shape = graph.add("Gather", known, rows, axis=0), ["N"]
        if weights:
            total = graph.add("ReduceSum", weights, one, keepdims=0)
            votes = graph.add("ReduceSum", graph.add("Mul", votes, weights), one, keepdims=0)
            score = graph.add("Div", votes, total)
        else:
            score = graph.add("ReduceMean", votes, one, keepdims=0)
        return graph.model(
            inputs=[("X", FLOAT, ["N", n_inputs])], outputs=[(score, "score", DOUBLE, shape)]
        )

    def sharing_key(self, settings: Settings) -> tuple[Any, ...]:
        """Return nothing but the family: all hold the same rows."""
        del settings
        return ()

    def size_of(self, settings: Settings) -> int:
        """Return the number of neighbors."""
        return int(settings["n_neighbors"])

    def derive(self, model: Neighbors, settings: Settings) -> Neighbors:
        """Return the same rows with other votes."""
        return replace(
            model,
            k=min(settings["n_neighbors"], len(model.points)),
            by_distance=settings["weights"] == "distance",
        )


def _emit_weights(graph: GraphBuilder, steps: str) -> str:
    """Add 1 / distance; where a distance is 0, only such rows weigh."""
    zero = graph.constant(np.float64(0.0))
    same = graph.add("Cast", graph.add("Equal", steps, zero), to=DOUBLE)
    any_same = graph.add("ReduceMax", same, graph.constant(np.array([1])), keepdims=1)
    distance = graph.add("Sqrt", graph.add("Max", steps, graph.constant(np.float64(0.5))))
    inverse = graph.add("Div", graph.constant(np.float64(1.0)), distance)
    return graph.add("Where", graph.add("Greater", any_same, zero), same, inverse)


def _vote(model: Neighbors, steps: Doubles, task: Task) -> Doubles:
    rows = _nearest(steps, model.k)
    near = np.take_along_axis(steps, rows, axis=1)
    if model.by_distance:
        same = (near == 0.0).astype(np.float64)
        inverse = 1.0 / np.sqrt(np.maximum(near, 0.5))
        weights = np.where(same.max(axis=1, keepdims=True) > 0, same, inverse)
    else:
        weights = np.ones_like(near)
    total = weights.sum(axis=1)
    if task is Task.MULTICLASS:
        codes = model.y[rows]
        votes = [(weights * (codes == code)).sum(axis=1) for code in range(model.n_classes)]
        shares: Doubles = np.stack(votes, axis=1) / total[:, None]
        return shares
    mean: Doubles = (weights * model.y[rows]).sum(axis=1) / total
    return mean


def _nearest(steps: Doubles, k: int) -> npt.NDArray[np.int64]:
    """Return the columns of the k smallest values of each row; of equal ones the first."""
    if k == steps.shape[1]:
        return np.broadcast_to(np.arange(k), steps.shape).copy()
    rows = np.argpartition(steps, k - 1, axis=1)[:, :k]
    last = np.take_along_axis(steps, rows, axis=1).max(axis=1, keepdims=True)
    tied = (steps <= last).sum(axis=1) > k
    if tied.any():
        rows[tied] = np.argsort(steps[tied], axis=1, kind="stable")[:, :k]
    return rows
