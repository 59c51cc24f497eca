"""How layers of the first convolutional networks, regions and distances are written."""

from __future__ import annotations

import numpy as np

from tradespace.graph.network import Node
from tradespace.graph.writers.onnx_emitter import Emitter, writes
from tradespace.graph.writers.onnx_layers import window_settings


@writes("partial_convolution2d")
def _partial(e: Emitter, node: Node) -> None:
    """Write one convolution for each output channel, of the channels that it sees."""
    (x, fmt), a = e.first(node), node.attributes
    made = e.made(node).shape
    settings = window_settings(e, node, x)
    kernel = settings["kernel_shape"]
    pairs = sum(len(seen) for seen in a["connections"])
    whole = e.weight(node.parameters[0], fmt, (pairs, *kernel))
    parts, start = [], 0
    for seen in a["connections"]:
        shape = (e.shape(x)[0], len(seen), *e.shape(x)[2:])
        chosen = e.node("Gather", [x, e.ints(*seen)], shape, fmt, axis=1)
        own = e.slice(whole, axis=0, start=start, size=len(seen))
        weight = e.reshape(own, (1, len(seen), *kernel))
        parts.append(e.node("Conv", [chosen, weight], (made[0], 1, *made[2:]), fmt, **settings))
        start += len(seen)
    y = e.node("Concat", parts, made, fmt, axis=1)
    if a["bias"]:
        y = e.node("Add", [y, e.weight(node.parameters[1], fmt, (made[1], 1, 1))], made, fmt)
    e.result(node, y)


@writes("trainable_subsampling2d")
def _subsampling(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    made = e.made(node).shape
    y = e.node("AveragePool", [x], made, fmt, **window_settings(e, node, x))
    coefficient, bias = (e.weight(i, fmt, (made[1], 1, 1)) for i in node.parameters[:2])
    y = e.node("Mul", [y, coefficient], made, fmt)
    e.write(node, "Add", [y, bias])


@writes("radial_basis")
def _radial(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    *lead, width = e.shape(x)
    units = int(node.attributes["units"])
    patterns = e.weight(node.parameters[0], fmt, (units, width))
    wide = (*lead, units, width)
    apart = e.node("Sub", [e.reshape(x, (*lead, 1, width)), patterns], wide, fmt)
    squares = e.node("Mul", [apart, apart], wide, fmt)
    e.write(node, "ReduceSum", [squares, e.ints(-1)], keepdims=0)


@writes("region_align")
def _regions(e: Emitter, node: Node) -> None:
    """Write regions of the first picture; a runtime does as much wherever they stand."""
    (x, fmt), a = e.first(node), node.attributes
    count, size = int(a["regions"]), int(a["size"])
    corners = np.tile(np.asarray([0, 0, size, size], np.float32), (count, 1))
    inputs = [x, e.fixed(corners, fmt), e.fixed(np.zeros(count, np.int64), "int64")]
    e.write(
        node,
        "RoiAlign",
        inputs,
        output_height=size,
        output_width=size,
        sampling_ratio=int(a["samples"]),
    )


@writes("distances")
def _distances(e: Emitter, node: Node) -> None:
    made, fmt = e.made(node).shape, e.made(node).format
    a, b = (e.input(i, fmt) for i in node.inputs)
    (*lead_a, rows, width), (*lead_b, columns, _) = e.shape(a), e.shape(b)
    left, right = (
        e.reshape(a, (*lead_a, rows, 1, width)),
        e.reshape(b, (*lead_b, 1, columns, width)),
    )
    wide = (*made, width)
    apart = e.node("Sub", [left, right], wide, fmt)
    e.write(node, "ReduceL2", [apart, e.ints(-1)], keepdims=0)
