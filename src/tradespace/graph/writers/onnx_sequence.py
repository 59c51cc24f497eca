"""How attention and recurrent layers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tradespace.core.errors import GraphError
from tradespace.graph.network import Node
from tradespace.graph.writers.onnx_emitter import Emitter, writes


@writes("attention")
def _attention(e: Emitter, node: Node) -> None:
    fmt = e.made(node).format
    q, k, v = (e.input(i, fmt) for i in node.inputs[:3])
    *lead, rows, width = e.shape(q)
    k, v = _repeated(e, k, lead), _repeated(e, v, lead)
    columns = e.shape(k)[-2]
    q = e.node("Mul", [q, e.scalar(1 / math.sqrt(width), fmt)], e.shape(q), fmt)
    order = [*range(len(lead)), len(lead) + 1, len(lead)]
    shape = (*lead, rows, columns)
    scores = e.node("MatMul", [q, e.transpose(k, order)], shape, fmt)
    if node.attributes["causal"]:
        future = e.full((rows, columns), -10000.0, fmt)
        later = e.node("Trilu", [future, e.scalar(1, "int64")], (rows, columns), fmt, upper=1)
        scores = e.node("Add", [scores, later], shape, fmt)
    for mask in node.inputs[3:]:
        seen = e.input(mask, fmt)
        if any(a not in (1, b) for a, b in zip(e.shape(seen)[::-1], shape[::-1], strict=False)):
            seen = e.fit(seen, (rows, columns))
        scores = e.node("Add", [scores, seen], shape, fmt)
    weights = e.node("Softmax", [scores], shape, fmt, axis=-1)
    e.write(node, "MatMul", [weights, v], (*lead, rows, e.shape(v)[-1]))


def _repeated(e: Emitter, x: str, lead: Sequence[int]) -> str:
    """Return keys or values for every head, where several heads share them."""
    *own, rows, width = e.shape(x)
    if own == list(lead) or not own or len(own) != len(lead) or lead[-1] % own[-1]:
        return x
    apart = e.reshape(x, (*own, 1, rows, width))
    shape = (*own, lead[-1] // own[-1], rows, width)
    fmt = e.known[x][1]
    spread = e.node("Expand", [apart, e.ints(*shape)], shape, fmt)
    return e.reshape(spread, (*own[:-1], lead[-1], rows, width))


@writes("rnn", "gru", "lstm")
def _recurrent(e: Emitter, node: Node) -> None:
    fmt, a = e.made(node).format, node.attributes
    if a["projection"]:
        msg = f"{node.name!r} projects its hidden states, which ONNX has no operator for."
        raise GraphError(msg, remedy="Write the network without projections.")
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[node.operator]
    hidden, biases = int(a["hidden"]), int(a["biases"])
    directions = 2 if a["bidirectional"] else 1
    held = list(node.parameters)
    more = {"linear_before_reset": int(biases != 1)} if node.operator == "gru" else {}
    x = e.transpose(e.input(node.inputs[0], fmt), (1, 0, 2))
    last = x
    for _ in range(int(a["layers"])):
        steps, batch, width = e.shape(x)
        parts: list[list[str]] = [[], [], []]
        for _ in range(directions):
            parts[0].append(e.weight(held.pop(0), fmt, (1, gates * hidden, width)))
            parts[1].append(e.weight(held.pop(0), fmt, (1, gates * hidden, hidden)))
            both = _biases(e, held, fmt, biases, gates * hidden)
            if both:
                parts[2].append(_joined(e, both, axis=1))
        inputs = [x, *(_joined(e, p, axis=0) for p in parts if p)]
        shapes = [(steps, directions, batch, hidden), (directions, batch, hidden)]
        whole, last = e.many(
            node.operator.upper(),
            inputs,
            shapes,
            fmt,
            hidden_size=hidden,
            direction="bidirectional" if directions == 2 else "forward",
            **more,
        )
        x = e.reshape(e.transpose(whole, (0, 2, 1, 3)), (steps, batch, directions * hidden))
    if a["sequences"]:
        y = e.transpose(x, (1, 0, 2))
    else:
        y = e.reshape(e.transpose(last, (1, 0, 2)), (e.shape(x)[1], directions * hidden))
    e.result(node, y)


def _biases(e: Emitter, held: list[int], fmt: str, count: int, size: int) -> list[str]:
    """Return the bias vectors of a cell; Keras keeps both in one."""
    if count > 1 and e.network.parameters[held[0]].elements == count * size:
        return [e.weight(held.pop(0), fmt, (1, count * size))]
    both = [e.weight(held.pop(0), fmt, (1, size)) for _ in range(count)]
    return [*both, e.full((1, size), 0, fmt)] if len(both) == 1 else both


def _joined(e: Emitter, parts: Sequence[str], *, axis: int) -> str:
    if len(parts) == 1:
        return parts[0]
    shape = list(e.shape(parts[0]))
    shape[axis] = sum(e.shape(p)[axis] for p in parts)
    return e.node("Concat", parts, shape, e.known[parts[0]][1], axis=axis)
