"""Multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network


def mlp(
    *,
    name: str = "mlp",
    batch: int = 1,
    widths: Sequence[int] = (784, 300, 100, 10),
    activation: str = "relu",
    output: str = "softmax",
) -> Network:
    """Return a perceptron with layers of the given widths, the input first."""
    if len(widths) < 2:
        msg = f"A perceptron needs at least an input and an output; got widths {tuple(widths)}."
        raise GraphError(msg, remedy="Give two widths or more.")
    b = Builder(name, batch=batch)
    x = b.input((widths[0],))
    for i, width in enumerate(widths[1:-1], start=1):
        x = b.activation(b.dense(x, width, name=f"hidden{i}"), activation, name=f"{activation}{i}")
    x = b.dense(x, widths[-1], name="output")
    return b.build(b.activation(x, output) if output else x)
