"""What the tree and the forest share: settings for scikit-learn and trees as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components._estimators import spread_classes
from tradespace.components.export.builder import GraphBuilder
from tradespace.components.export.tree_ensembles import (
    Tree,
    emit_trees,
    emit_vector_trees,
    first_column,
    tree_model,
)
from tradespace.core.errors import SettingError
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tradespace.components._base import Shape

_FOR_CLASSES = ("gini", "entropy", "log_loss")


def tree_arguments(settings: Mapping[str, Any], *, task: Task) -> dict[str, Any]:
    """Return arguments of scikit-learn's estimators.

    Raises
    ------
    SettingError
        If the criterion is one of the other task.

    """
    arguments = dict(settings)
    criterion = arguments.pop("criterion")
    weight = arguments.pop("class_weight")
    if task is not Task.REGRESSION:
        arguments["class_weight"] = weight
    if criterion is not None:
        if (criterion in _FOR_CLASSES) != (task is not Task.REGRESSION):
            wanted = "gini, entropy or log_loss" if task is not Task.REGRESSION else "an error"
            msg = f"Criterion {criterion!r} does not fit the task {task.value!r}."
            raise SettingError(msg, remedy=f"Choose {wanted}, or leave it out.")
        arguments["criterion"] = criterion
    return arguments


def tree_of(estimator: Any, *, task: Task, n_classes: int) -> Tree:
    """Return a fitted tree of scikit-learn as arrays."""
    tree = estimator.tree_
    value = tree.value[:, 0, :]
    if task is Task.REGRESSION:
        value = value[:, 0]
    else:
        value = value / value.sum(axis=1, keepdims=True)
        value = spread_classes(value, estimator.classes_, n_classes=n_classes)
        if task is Task.BINARY:
            value = value[:, 1]
    return Tree(tree.feature, tree.threshold, tree.children_left, tree.children_right, value)


def average_of_trees(
    estimators: Sequence[Any], *, task: Task, n_classes: int, classes: Any, n_inputs: int
) -> Any:
    """Return the graph of the average of fitted trees.

    `classes` are the class codes that were seen, for trees inside a forest that number them
    anew; None for a lone tree.
    """
    trees = []
    for estimator in estimators:
        if task is Task.REGRESSION or classes is None:
            trees.append(tree_of(estimator, task=task, n_classes=n_classes))
            continue
        plain = tree_of(estimator, task=Task.MULTICLASS, n_classes=len(classes))
        value = spread_classes(plain.value, classes, n_classes=n_classes)
        value = value[:, 1] if task is Task.BINARY else value
        trees.append(Tree(plain.feature, plain.threshold, plain.left, plain.right, value))
    graph = GraphBuilder("m")
    if task is Task.MULTICLASS:
        score = emit_vector_trees(graph, "X", trees)
    else:
        score = first_column(graph, emit_trees(graph, "X", trees, average=True))
    shown = n_classes if task is Task.MULTICLASS else 2
    return tree_model(graph, score, n_inputs=n_inputs, n_classes=shown)


def most_leaves(settings: Mapping[str, Any], *, shape: Shape) -> float:
    """Return how many leaves a tree can have at most."""
    bounds = [max(1.0, shape.n_rows / settings["min_samples_leaf"])]
    if settings["max_depth"] is not None and settings["max_depth"] < 60:
        bounds.append(float(2 ** settings["max_depth"]))
    if settings["max_leaf_nodes"] is not None:
        bounds.append(float(settings["max_leaf_nodes"]))
    return float(np.floor(min(bounds)))
