"""How layers of the first convolutional networks, regions and distances are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tradespace.graph.network import Node
from tradespace.graph.operators.convolutions import paddings, per_axis
from tradespace.graph.writers.onnx_emitter import Emitter

Handler = Callable[[Emitter, Node], None]


def _window(e: Emitter, node: Node, x: str) -> dict[str, Any]:
    a = node.attributes
    kernel, stride, dilation = (per_axis(a[k], 2) for k in ("kernel", "stride", "dilation"))
    pairs = paddings(
        a["padding"], sizes=e.shape(x)[2:], kernel=kernel, stride=stride, dilation=dilation
    )
    return {
        "kernel_shape": kernel,
        "strides": stride,
        "dilations": dilation,
        "pads": [p[0] for p in pairs] + [p[1] for p in pairs],
    }


def _partial(e: Emitter, node: Node) -> None:
    """Write one convolution for each output channel, of the channels that it sees."""
    fmt, a = e.format_of(node), node.attributes
    x = e.input(node.inputs[0], fmt)
    made = e.network.tensors[node.outputs[0]].shape
    kernel, window = per_axis(a["kernel"], 2), _window(e, node, x)
    pairs = sum(len(seen) for seen in a["connections"])
    whole = e.weight(node.parameters[0], fmt, (pairs, *kernel))
    parts, start = [], 0
    for seen in a["connections"]:
        shape = (e.shape(x)[0], len(seen), *e.shape(x)[2:])
        chosen = e.node("Gather", [x, e.ints(*seen)], shape, fmt, axis=1)
        own = e.slice(whole, axis=0, start=start, size=len(seen))
        weight = e.reshape(own, (1, len(seen), *kernel))
        parts.append(e.node("Conv", [chosen, weight], (made[0], 1, *made[2:]), fmt, **window))
        start += len(seen)
    y = e.node("Concat", parts, made, fmt, axis=1)
    if a["bias"]:
        y = e.node("Add", [y, e.weight(node.parameters[1], fmt, (made[1], 1, 1))], made, fmt)
    e.result(node, y)


def _subsampling(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    made = e.network.tensors[node.outputs[0]].shape
    window = _window(e, node, x)
    y = e.node("AveragePool", [x], made, fmt, **window)
    coefficient, bias = (e.weight(i, fmt, (made[1], 1, 1)) for i in node.parameters[:2])
    y = e.node("Mul", [y, coefficient], made, fmt)
    e.result(node, e.node("Add", [y, bias], made, fmt))


def _radial(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    *lead, width = e.shape(x)
    units = int(node.attributes["units"])
    patterns = e.weight(node.parameters[0], fmt, (units, width))
    wide = (*lead, units, width)
    apart = e.node("Sub", [e.reshape(x, (*lead, 1, width)), patterns], wide, fmt)
    squares = e.node("Mul", [apart, apart], wide, fmt)
    y = e.node("ReduceSum", [squares, e.ints(-1)], (*lead, units), fmt, keepdims=0)
    e.result(node, y)


def _regions(e: Emitter, node: Node) -> None:
    """Write regions of the first picture; a runtime does as much wherever they stand."""
    fmt, a = e.format_of(node), node.attributes
    x = e.input(node.inputs[0], fmt)
    count, size = int(a["regions"]), int(a["size"])
    corners = np.tile(np.asarray([0, 0, size, size], np.float32), (count, 1))
    inputs = [x, e.constant(corners, fmt), e.constant(np.zeros(count, np.int64), "int64")]
    made = e.network.tensors[node.outputs[0]].shape
    more = {"output_height": size, "output_width": size, "sampling_ratio": int(a["samples"])}
    e.result(node, e.node("RoiAlign", inputs, made, fmt, **more))


def _distances(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    a, b = (e.input(i, fmt) for i in node.inputs)
    made = e.network.tensors[node.outputs[0]].shape
    (*lead_a, rows, width), (*lead_b, columns, _) = e.shape(a), e.shape(b)
    left, right = (
        e.reshape(a, (*lead_a, rows, 1, width)),
        e.reshape(b, (*lead_b, 1, columns, width)),
    )
    wide = (*made, width)
    apart = e.node("Sub", [left, right], wide, fmt)
    e.result(node, e.node("ReduceL2", [apart, e.ints(-1)], made, fmt, keepdims=0))


SPECIAL: dict[str, Handler] = {
    "partial_convolution2d": _partial,
    "trainable_subsampling2d": _subsampling,
    "radial_basis": _radial,
    "region_align": _regions,
    "distances": _distances,
}
