"""Trees of any library as one ONNX node that decides exactly as the library does.

Inputs are float32. A library that compares them with a double threshold, ``x <= t``, decides
the same as ``x <= floor32(t)`` with the largest float32 that is not above t.

The node is ``TreeEnsemble`` of ai.onnx.ml 5: about 12 bytes a node instead of 40 with the older
operators, at the same speed (docs/decisions/0010-tree-ensembles.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import numpy_helper

from tradespace.components.export.builder import FLOAT, INT64, GraphBuilder

if TYPE_CHECKING:
    import numpy.typing as npt

_LEQ, _LT = 0, 1


@dataclass(frozen=True, slots=True)
class Tree:
    """One binary tree as arrays over its nodes; node 0 is the root.

    `left` and `right` are node numbers, -1 in a leaf; a row goes left if its `feature` is at
    most (or, where `emit_trees` is told so, below) `threshold`. `value` is what a leaf gives:
    shape (n_nodes,), or (n_nodes, n_classes).
    """

    feature: npt.NDArray[Any]
    threshold: npt.NDArray[Any]
    left: npt.NDArray[Any]
    right: npt.NDArray[Any]
    value: npt.NDArray[Any]


def floor32(thresholds: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return the largest float32 that is not above each threshold.

    Examples
    --------
    >>> float(floor32([0.1])[0]) <= 0.1, float(np.float32(0.1)) <= 0.1
    (True, False)

    """
    wide = np.asarray(thresholds, dtype=np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
        below = np.nextafter(narrow, np.float32(-np.inf))
    return np.where(narrow.astype(np.float64) > wide, below, narrow).astype(np.float32)


def emit_trees(
    graph: GraphBuilder,
    X: str,
    trees: Sequence[Tree],
    *,
    targets: Sequence[int] | None = None,
    n_targets: int = 1,
    strict: bool = False,
    average: bool = False,
) -> str:
    """Add a sum or average of trees with one number per leaf; return float32 [N, n_targets].

    Parameters
    ----------
    graph : GraphBuilder
        Gets the node.
    X : str
        Tensor of the inputs, float32 [N, n_inputs].
    trees : sequence of Tree
        With `value` of shape (n_nodes,).
    targets : sequence of int, optional
        The target that each tree adds to; None: all to target 0.
    n_targets : int
        Number of targets.
    strict : bool
        Left means below the threshold, not at most.
    average : bool
        Divide the sum by the number of trees.

    """
    nodes: dict[str, list[npt.NDArray[Any]]] = {
        key: []
        for key in (
            "feature",
            "split",
            "true",
            "false",
            "true_leaf",
            "false_leaf",
            "target",
            "weight",
        )
    }
    roots, n_inner, n_leaves = [], 0, 0
    for number, tree in enumerate(trees):
        flat = _with_split(tree)
        inner = flat.left >= 0
        at = np.where(inner, np.cumsum(inner) - 1 + n_inner, np.cumsum(~inner) - 1 + n_leaves)
        left, right = flat.left[inner], flat.right[inner]
        nodes["feature"].append(flat.feature[inner])
        nodes["split"].append(floor32(flat.threshold[inner]))
        nodes["true"].append(at[left])
        nodes["false"].append(at[right])
        nodes["true_leaf"].append(~inner[left])
        nodes["false_leaf"].append(~inner[right])
        target = 0 if targets is None else targets[number]
        nodes["target"].append(np.full(int((~inner).sum()), target))
        nodes["weight"].append(flat.value[~inner])
        roots.append(n_inner)
        n_inner += int(inner.sum())
        n_leaves += int((~inner).sum())
    joined = {key: np.concatenate(parts) for key, parts in nodes.items()}
    modes = np.full(n_inner, _LT if strict else _LEQ, dtype=np.uint8)
    return graph.add(
        "TreeEnsemble",
        X,
        domain="ai.onnx.ml",
        aggregate_function=0 if average else 1,
        post_transform=0,
        n_targets=n_targets,
        tree_roots=roots,
        nodes_featureids=joined["feature"].astype(int).tolist(),
        nodes_modes=numpy_helper.from_array(modes),
        nodes_splits=numpy_helper.from_array(joined["split"].astype(np.float32)),
        nodes_truenodeids=joined["true"].astype(int).tolist(),
        nodes_falsenodeids=joined["false"].astype(int).tolist(),
        nodes_trueleafs=joined["true_leaf"].astype(int).tolist(),
        nodes_falseleafs=joined["false_leaf"].astype(int).tolist(),
        leaf_targetids=joined["target"].astype(int).tolist(),
        leaf_weights=numpy_helper.from_array(joined["weight"].astype(np.float32)),
    )


def emit_vector_trees(graph: GraphBuilder, X: str, trees: Sequence[Tree]) -> str:
    """Add the average of trees whose leaves hold a vector; return float32 [N, n_classes].

    The node gives the number of the leaf that each tree reaches; a table turns it into the
    leaf's vector, which is so stored once.
    """
    numbered, tables = [], []
    for tree in trees:
        leaf = tree.left < 0
        number = np.where(leaf, np.cumsum(leaf) - 1, 0)
        numbered.append(Tree(tree.feature, tree.threshold, tree.left, tree.right, number))
        tables.append(tree.value[leaf])
    starts = np.cumsum([0, *(len(table) for table in tables)])[:-1]
    reached = emit_trees(graph, X, numbered, targets=list(range(len(trees))), n_targets=len(trees))
    # Numbers within a tree stay below 2**24, where float32 counts exactly.
    at = graph.add("Cast", reached, to=INT64)
    if len(trees) > 1:
        at = graph.add("Add", at, graph.constant(starts.astype(np.int64)))
    table = graph.constant(np.concatenate(tables).astype(np.float32))
    leaves = graph.add("Gather", table, at, axis=0)
    return graph.add("ReduceMean", leaves, graph.constant(np.array([1])), keepdims=0)


def _with_split(tree: Tree) -> Tree:
    """Return the tree, a lone leaf as a split with the same leaf on both sides."""
    if tree.left[0] >= 0:
        return tree
    return Tree(
        feature=np.zeros(3, dtype=np.int64),
        threshold=np.zeros(3),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        value=np.repeat(tree.value[:1], 3, axis=0),
    )


def emit_probability(graph: GraphBuilder, raw: str, *, n_targets: int) -> str:
    """Add the logistic function to one raw score, or softmax to several; return the scores."""
    if n_targets > 1:
        return graph.add("Softmax", raw, axis=1)
    return first_column(graph, graph.add("Sigmoid", raw))


def first_column(graph: GraphBuilder, matrix: str) -> str:
    """Add the step from [N, 1] to [N]."""
    return graph.add("Squeeze", matrix, graph.constant(np.array([1])))


def tree_model(graph: GraphBuilder, score: str, *, n_inputs: int, n_classes: int) -> Any:
    """Return the finished model of a family from "X" to the float32 "score"."""
    shape: list[Any] = ["N", n_classes] if n_classes > 2 else ["N"]
    return graph.model(
        inputs=[("X", FLOAT, ["N", n_inputs])], outputs=[(score, "score", FLOAT, shape)]
    )


def size_bound_bytes(*, n_trees: int, n_leaves: float) -> float:
    """Return the most bytes that `n_trees` trees of at most `n_leaves` leaves take as a node.

    Per split: float32 threshold, mode, feature (at most 6 bytes as a varint with its tag), two
    children (at most 6 each) and two marks (2 each); per leaf: float32 weight and target (at
    most 6); per tree its root; 2000 bytes for names and the rest of the graph.
    """
    leaves = max(2.0, n_leaves)
    return n_trees * (leaves * (4 + 1 + 6 + 12 + 4) + leaves * (4 + 6) + 6) + 2000
