"""How shapes, copies, parts of signals and look-ups are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tradespace.graph.network import Node, Shape
from tradespace.graph.writers.onnx_emitter import Emitter, writes


@writes("reshape", "flatten")
def _reshape(e: Emitter, node: Node) -> None:
    e.result(node, e.reshape(e.input(node.inputs[0]), e.made(node).shape))


@writes("transpose")
def _transpose(e: Emitter, node: Node) -> None:
    e.result(node, e.transpose(e.input(node.inputs[0]), node.attributes["order"]))


def _source(e: Emitter, node: Node) -> str:
    if node.inputs:
        return e.input(node.inputs[0])
    if node.parameters:
        return e.weight(node.parameters[0], e.made(node).format)
    return e.full((1,), 0, e.made(node).format)


@writes("view")
def _view(e: Emitter, node: Node) -> None:
    x = _source(e, node)
    shapes = e.network.shapes_of(node.outputs)
    held = e.shape(x)
    axis = _split_axis(held, shapes)
    if axis is None:
        for i, shape in enumerate(shapes):
            e.result(node, e.fit(x, shape, str(node.attributes["function"])), i)
        return
    sizes = [s[axis] if len(s) == len(held) else 1 for s in shapes]
    parts = [(*held[:axis], n, *held[axis + 1 :]) for n in sizes]
    names = e.many("Split", [x, e.ints(*sizes)], parts, e.known[x][1], axis=axis)
    for i, name in enumerate(names):
        e.result(node, name, i)


def _split_axis(held: Shape, shapes: Sequence[Shape]) -> int | None:
    """Return the axis along which the shapes are all the parts of one, if there is any."""
    if len(shapes) < 2:
        return None
    for axis in range(len(held)):
        rest = (*held[:axis], *held[axis + 1 :])
        same = (
            all(len(s) == len(held) and (*s[:axis], *s[axis + 1 :]) == rest for s in shapes)
            and sum(s[axis] for s in shapes) == held[axis]
        )
        single = all(s == rest for s in shapes) and len(shapes) == held[axis]
        if same or single:
            return axis
    return None


@writes("concatenate")
def _concatenate(e: Emitter, node: Node) -> None:
    parts = [e.input(i, e.made(node).format) for i in node.inputs]
    e.write(node, "Concat", parts, axis=int(node.attributes["axis"]))


@writes("pad")
def _pad(e: Emitter, node: Node) -> None:
    x, _ = e.first(node)
    pairs = node.attributes["padding"]
    lead = [0] * (len(e.shape(x)) - len(pairs))
    sides = [*lead, *(int(p[0]) for p in pairs), *lead, *(int(p[1]) for p in pairs)]
    e.write(node, "Pad", [x, e.ints(*sides)])


@writes("copy")
def _copy(e: Emitter, node: Node) -> None:
    tensor = e.made(node)
    fmt, function = tensor.format, str(node.attributes["function"])
    if len(node.inputs) > 1:
        flat = [e.input(i, fmt) for i in node.inputs]
        flat = [e.reshape(n, (math.prod(e.shape(n)),)) for n in flat]
        total = sum(e.shape(n)[0] for n in flat)
        e.write(node, "Concat", flat, (total,), axis=0)
        return
    x = e.cast(_source(e, node), fmt)
    shape = e.shape(x)
    plain = function in ("clone", "contiguous", "to", "to_copy", "copy", "cast", "_to_copy")
    if plain or math.prod(shape) != tensor.elements or tensor.elements < 2:
        e.result(node, e.fit(x, tensor.shape))
    elif function == "roll":
        axis = next(i for i, n in enumerate(shape) if n > 1 and (i or len(shape) == 1))
        half = shape[axis] // 2
        parts = [
            e.slice(x, axis=axis, start=half, size=shape[axis] - half),
            e.slice(x, axis=axis, start=0, size=half),
        ]
        e.result(node, e.node("Concat", parts, shape, fmt, axis=axis))
    else:
        # Elements change their places: as much is moved whichever they are.
        wide = next((n for n in shape if n > 1), 1)
        turned = e.transpose(e.reshape(x, (wide, math.prod(shape) // wide)), (1, 0))
        e.result(node, turned)


@writes("fill")
def _fill(e: Emitter, node: Node) -> None:
    tensor = e.made(node)
    if node.parameters:
        e.result(node, e.weight(node.parameters[0], tensor.format))
    else:
        e.result(node, e.full(tensor.shape, 0, tensor.format))


@writes("gather")
def _gather(e: Emitter, node: Node) -> None:
    tensor = e.made(node)
    x = _source(e, node)
    shape, fmt = e.known[x]
    if not shape or not tensor.shape:
        e.result(node, x)
        return
    width = shape[-1] if shape[-1] == tensor.shape[-1] and len(tensor.shape) > 1 else 1
    rows = math.prod(shape) // width
    wanted = tensor.elements // width
    places = e.fixed(np.arange(wanted, dtype=np.int64) % rows, "int64")
    table = e.reshape(x, (rows, width))
    e.result(node, e.node("Gather", [table, places], (wanted, width), fmt, axis=0))


@writes("embedding")
def _embedding(e: Emitter, node: Node) -> None:
    a = node.attributes
    shape = (int(a["rows"]), int(a["width"]))
    table = e.weight(node.parameters[0], e.made(node).format, shape)
    indices = e.input(node.inputs[0])
    if e.known[indices][1] not in ("int64", "int32"):
        indices = e.cast(indices, "int64")
    e.write(node, "Gather", [table, indices], axis=0)
