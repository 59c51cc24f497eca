"""Components as networks: what is counted before training, and of finished files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tradespace.core.errors import GraphError
from tradespace.core.studies import Task

if TYPE_CHECKING:
    from tradespace.graph.network import Network

#: scikit-learn's names of activations -> those of the graph's operators.
_ACTIVATIONS = {"logistic": "sigmoid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """How a network is trained, as far as it is certain before training.

    Parameters
    ----------
    optimizer : str
        A name of `tradespace.graph.memory.OPTIMIZERS`.
    batch : int
        Rows in a step.
    rows : int
        Rows seen in a pass, at least.
    least_epochs, most_epochs : int
        Passes over the rows.

    """

    optimizer: str
    batch: int
    rows: int
    least_epochs: int
    most_epochs: int


#: CPU seconds for one multiply-accumulate of training, and for one step beside them.
_MAC_S, _STEP_S = 5e-11, 4e-4


def training_cpu_s(run: TrainingRun, *, macs: int, backward: int) -> float:
    """Return about how long the training of a network takes on one core.

    Half of the passes that are allowed are expected.

    Parameters
    ----------
    run : TrainingRun
        How it is trained.
    macs, backward : int
        Multiply-accumulates of the forward and of the backward pass of one row.

    Examples
    --------
    >>> run = TrainingRun(optimizer="adam", batch=200, rows=1000, least_epochs=12, most_epochs=200)
    >>> round(training_cpu_s(run, macs=4544, backward=5184), 3)  # 100 passes of 5 steps
    0.249

    """
    epochs = max(run.least_epochs, run.most_epochs / 2)
    steps = math.ceil(run.rows / run.batch)
    return epochs * (run.rows * (macs + backward) * _MAC_S + steps * _STEP_S)


def network_cpu_s(network: Network, run: TrainingRun) -> float:
    """Return about how long the training of a network takes on one core."""
    from tradespace.graph.counts import backward_macs, forward_macs

    return training_cpu_s(run, macs=forward_macs(network), backward=backward_macs(network))


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
