"""Components as networks: what is counted before training, and of finished files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tradespace.core.errors import GraphError
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from tradespace.graph.network import Network

#: scikit-learn's names of activations -> those of the graph's operators.
_ACTIVATIONS = {"logistic": "sigmoid"}


def n_outputs_of(task: Task, *, n_classes: int) -> int:
    """Return how many scores a component gives a row.

    Examples
    --------
    >>> n_outputs_of(Task.BINARY, n_classes=2), n_outputs_of(Task.MULTICLASS, n_classes=3)
    (1, 3)

    """
    return n_classes if task is Task.MULTICLASS else 1


def perceptron(widths: Sequence[int], *, task: Task, activation: str = "relu") -> Network:
    """Return a perceptron for one row, the input's width first.

    Classes end in the logistic function or softmax, numbers in nothing.

    Examples
    --------
    >>> perceptron((784, 300, 100, 10), task=Task.MULTICLASS).name
    '784-300-100-10'

    """
    from tradespace.graph.zoo.mlp import mlp

    output = {Task.BINARY: "sigmoid", Task.MULTICLASS: "softmax", Task.REGRESSION: ""}[task]
    return mlp(
        name="-".join(map(str, widths)),
        widths=widths,
        activation=_ACTIVATIONS.get(activation, activation),
        output=output,
    )


def network_of_file(path: Path) -> Network | None:
    """Return the network of an ONNX file for one row; None if it is none that can be counted.

    A file with operators that are no network's (trees, texts) or with shapes left open gives
    none: its readings are then taken of the file at work, not foretold.
    """
    from tradespace.graph.counts import coverage, forward_macs
    from tradespace.graph.readers.onnx.read import read_onnx

    try:
        network = read_onnx(path)
    except (GraphError, LookupError, ArithmeticError, ValueError):
        # A file from elsewhere may hold anything; a plan does not end with it.
        return None
    counted = coverage(network) == 1.0 and network.batch == 1 and forward_macs(network)
    return network if counted else None
