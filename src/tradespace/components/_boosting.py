"""What the boosting families share: rounds, the graph of a sum of trees, bounds on its size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tradespace.components._base import AbstractFamily, Facts, Settings, n_scores
from tradespace.components.export.builder import GraphBuilder
from tradespace.components.export.tree_ensembles import (
    Tree,
    emit_probability,
    emit_trees,
    first_column,
    size_bound_bytes,
    tree_model,
)
from tradespace.components.sizes import size_reading
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Shape
    from tradespace.core.readings import Reading


class AbstractBoosting(AbstractFamily):
    """A family that adds a tree a round, so that the first rounds of a long run are the short run.

    An implementation gives `fit`, `predict`, `to_onnx` and `derive`.
    """

    #: Settings that hold the number of rounds and the most leaves of a tree, if there is one.
    rounds: ClassVar[str] = "n_estimators"
    leaves: ClassVar[str] = ""
    known: ClassVar[Facts] = Facts(
        good_at=("Accurate on tables.", "Fast with many rows.", "Needs no scaling."),
        bad_at=("Cannot be read.", "Overfits few rows.", "Cannot extrapolate."),
    )

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return a bound on the size from rounds, leaves and depth."""
        return boosting_size(
            rounds=settings[self.rounds],
            most_leaves=settings[self.leaves] if self.leaves else None,
            max_depth=settings["max_depth"],
            task=task,
            shape=shape,
        )

    def passes(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return the rounds, for each class."""
        return float(settings.get(self.rounds) or 100) * n_scores(task, shape=shape)

    def sharing_key(self, settings: Settings) -> tuple[Any, ...]:
        """Return everything but the number of rounds."""
        return tuple(sorted((k, repr(v)) for k, v in settings.items() if k != self.rounds))

    def size_of(self, settings: Settings) -> int:
        """Return the number of rounds."""
        return int(settings[self.rounds])


def boosting_graph(
    trees: Sequence[Tree],
    targets: Sequence[int],
    base: npt.NDArray[Any],
    *,
    task: Task,
    n_inputs: int,
    n_classes: int,
    n_targets: int,
    seen: npt.NDArray[Any] | None = None,
    strict: bool = False,
) -> Any:
    """Return the graph of base plus a sum of trees, through the link of the task.

    Parameters
    ----------
    trees, targets : sequence
        Trees and the target that each adds to.
    base : ndarray of shape (n_targets,)
        Raw score before the first tree.
    task : Task
        Decides the link.
    n_inputs, n_classes, n_targets : int
        Encoded inputs, classes of the study, raw scores of the model.
    seen : ndarray, optional
        Class codes of the targets, where the training rows may lack some.
    strict : bool
        Left means below the threshold.

    """
    graph = GraphBuilder("m")
    raw = emit_trees(graph, "X", trees, targets=targets, n_targets=n_targets, strict=strict)
    if np.any(base):
        raw = graph.add("Add", raw, graph.constant(np.asarray(base, dtype=np.float32)))
    if task is Task.REGRESSION:
        return tree_model(graph, first_column(graph, raw), n_inputs=n_inputs, n_classes=2)
    if task is Task.BINARY:
        score = emit_probability(graph, raw, n_targets=1)
        return tree_model(graph, score, n_inputs=n_inputs, n_classes=2)
    if n_targets == 1:
        raw = graph.add("Concat", graph.add("Sub", raw, raw), raw, axis=1)
    score = emit_probability(graph, raw, n_targets=2)
    if seen is not None and len(seen) != n_classes:
        spread = np.zeros((len(seen), n_classes), dtype=np.float32)
        spread[np.arange(len(seen)), np.asarray(seen, dtype=np.int64)] = 1.0
        score = graph.add("MatMul", score, graph.constant(spread))
    return tree_model(graph, score, n_inputs=n_inputs, n_classes=max(3, n_classes))


def boosting_size(
    *,
    rounds: int,
    most_leaves: int | None,
    max_depth: int | None,
    task: Task,
    shape: Shape,
) -> tuple[Reading, ...]:
    """Return the bound on model_size of `rounds` rounds of trees."""
    bounds = [float(max(1, shape.n_rows))]
    if most_leaves is not None:
        bounds.append(float(most_leaves))
    if max_depth is not None and 0 < max_depth < 60:
        bounds.append(2.0**max_depth)
    n_trees = rounds * (shape.n_classes if task is Task.MULTICLASS else 1)
    high = size_bound_bytes(n_trees=n_trees, n_leaves=math.floor(min(bounds)))
    if task is Task.MULTICLASS:
        high += 4.0 * shape.n_classes**2
    return (size_reading(high=high, shape=shape),)
