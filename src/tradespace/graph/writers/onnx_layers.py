"""How layers with weights, normalization and pooling are written."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.network import Node
from tradespace.graph.operators.convolutions import AXES, paddings, per_axis
from tradespace.graph.writers.onnx_emitter import Emitter, writes


def _in_each_dimension(*kinds: str) -> list[str]:
    return [f"{kind}{rank}d" for kind in kinds for rank in AXES]


def _split_weights(e: Emitter, node: Node, elements: int) -> tuple[int, int | None]:
    """Return the weight with so many elements (or the first) and the bias of a layer."""
    held = e.network.parameters
    biases = [i for i in node.parameters if held[i].role == "bias"]
    others = [i for i in node.parameters if held[i].role != "bias"]
    if not others:
        msg = f"{node.name!r} ({node.operator}) has no weight to write."
        raise GraphError(msg, remedy="Give the layer its parameters.")
    best = next((i for i in others if held[i].elements == elements), others[0])
    return best, biases[0] if biases else None


def _weights(e: Emitter, node: Node, fmt: str, shape: Sequence[int], out: int) -> list[str]:
    """Return the weight of a layer, and its bias if it has one or gets one by folding."""
    weight, bias = _split_weights(e, node, math.prod(shape))
    names = [e.weight(weight, fmt, shape)]
    if bias is not None:
        names.append(e.weight(bias, fmt, (out,)))
    elif node.outputs[0] in e.folded:
        names.append(e.extra_bias(node, fmt, out))
    return names


@writes("dense")
def _dense(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    *lead, width = e.shape(x)
    out = int(node.attributes["out_features"])
    weight, *biases = _weights(e, node, fmt, (width, out), out)
    y = e.node("MatMul", [x, weight], (*lead, out), fmt)
    for bias in biases:
        y = e.node("Add", [y, bias], (*lead, out), fmt)
    e.result(node, y)


def window_settings(e: Emitter, node: Node, x: str) -> dict[str, Any]:
    """Return kernel, strides, dilations and padding (before all dimensions, then after)."""
    a, rank = node.attributes, int(node.operator[-2])
    kernel, stride, dilation = (per_axis(a[k], rank) for k in ("kernel", "stride", "dilation"))
    pairs = paddings(
        a["padding"], sizes=e.shape(x)[-rank:], kernel=kernel, stride=stride, dilation=dilation
    )
    return {
        "kernel_shape": kernel,
        "strides": stride,
        "dilations": dilation,
        "pads": [p[0] for p in pairs] + [p[1] for p in pairs],
    }


@writes(*_in_each_dimension("convolution", "transposed_convolution"))
def _convolution(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    settings, groups = window_settings(e, node, x), node.attributes["groups"]
    channels, out = e.shape(x)[1], int(node.attributes["out_channels"])
    transposed = node.operator.startswith("transposed")
    pair = (channels, out // groups) if transposed else (out, channels // groups)
    if transposed:
        # The runtime finds the padding that gives this size.
        settings["output_shape"] = e.made(node).shape[2:]
        del settings["pads"]
    inputs = [x, *_weights(e, node, fmt, (*pair, *settings["kernel_shape"]), out)]
    op = "ConvTranspose" if transposed else "Conv"
    e.write(node, op, inputs, group=groups, **settings)


@writes("locally_connected1d", "locally_connected2d")
def _local(e: Emitter, node: Node) -> None:
    """Write a locally connected layer: look up every window, one matrix product a position."""
    x, fmt = e.first(node)
    made, settings = e.made(node).shape, window_settings(e, node, x)
    kernel, stride, dilation, pads = settings.values()
    rank = len(kernel)
    if any(pads):
        grown = [n + pads[i] + pads[rank + i] for i, n in enumerate(e.shape(x)[2:])]
        sides = [0, 0, *pads[:rank], 0, 0, *pads[rank:]]
        x = e.node("Pad", [x, e.ints(*sides)], (*e.shape(x)[:2], *grown), fmt)
    batch, channels, *sizes = e.shape(x)
    steps = [math.prod(sizes[i + 1 :]) for i in range(rank)]
    corners = itertools.product(
        *(range(0, n * s, s) for n, s in zip(made[2:], stride, strict=True))
    )
    taps = list(
        itertools.product(*(range(0, k * d, d) for k, d in zip(kernel, dilation, strict=True)))
    )
    places = [
        sum((c + t) * s for c, t, s in zip(corner, tap, steps, strict=True))
        for corner in corners
        for tap in taps
    ]
    positions, window = len(places) // len(taps), len(taps)
    flat = e.reshape(x, (batch, channels, math.prod(sizes)))
    shape = (batch, channels, len(places))
    seen = e.node("Gather", [flat, e.ints(*places)], shape, fmt, axis=2)
    seen = e.transpose(e.reshape(seen, (batch, channels, positions, window)), (2, 0, 1, 3))
    seen = e.reshape(seen, (positions, batch, channels * window))
    weight, bias = _split_weights(e, node, positions * channels * window * made[1])
    matrix = e.weight(weight, fmt, (positions, channels * window, made[1]))
    y = e.node("MatMul", [seen, matrix], (positions, batch, made[1]), fmt)
    y = e.reshape(e.transpose(y, (1, 2, 0)), made)
    if bias is not None:
        y = e.node("Add", [y, e.weight(bias, fmt, made[1:])], made, fmt)
    e.result(node, y)


# --------------------------------------------------------------------------------- pooling


@writes(*_in_each_dimension("max_pool", "average_pool"))
def _window_pool(e: Emitter, node: Node) -> None:
    x, _ = e.first(node)
    settings = window_settings(e, node, x)
    kernel, stride, dilation, pads = settings.values()
    for i, (n, out) in enumerate(zip(e.shape(x)[2:], e.made(node).shape[2:], strict=True)):
        # A window that hangs over the end is a wider border; runtimes agree on that.
        needed = (out - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - n - pads[i]
        pads[len(kernel) + i] = max(pads[len(kernel) + i], needed)
    average = node.operator.startswith("average")
    if average:
        del settings["dilations"]
    e.write(node, "AveragePool" if average else "MaxPool", [x], **settings)


@writes(*_in_each_dimension("adaptive_max_pool", "adaptive_average_pool"))
def _adaptive_pool(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    made, rank = e.made(node).shape, int(node.operator[-2])
    lead = (1,) * (2 - (len(made) - rank))
    x = e.reshape(x, (*lead, *e.shape(x)))
    sizes, wanted = e.shape(x)[2:], made[-rank:]
    short = "Average" if "average" in node.operator else "Max"
    shape = (*e.shape(x)[:2], *wanted)
    if all(n == 1 for n in wanted):
        e.write(node, f"Global{short}Pool", [x], shape)
    elif all(n >= w for n, w in zip(sizes, wanted, strict=True)):
        stride = [n // w for n, w in zip(sizes, wanted, strict=True)]
        # Windows of one size that reach the end: the same work, where n is no multiple of w.
        kernel = [n - (w - 1) * s for n, w, s in zip(sizes, wanted, stride, strict=True)]
        e.write(node, f"{short}Pool", [x], shape, kernel_shape=kernel, strides=stride)
    else:
        e.result(node, _resized(e, x, shape, fmt, "nearest"))


def _resized(e: Emitter, x: str, shape: Sequence[int], fmt: str, mode: str) -> str:
    return e.node("Resize", [x, "", "", e.ints(*shape)], shape, fmt, mode=mode)


@writes("resize")
def _resize(e: Emitter, node: Node) -> None:
    mode, made = str(node.attributes["mode"]), e.made(node)
    mode = mode if mode in ("nearest", "linear", "cubic") else "linear"
    e.result(node, _resized(e, e.input(node.inputs[0]), made.shape, made.format, mode))


@writes("global_max_pool", "global_average_pool")
def _global_pool(e: Emitter, node: Node) -> None:
    x, _ = e.first(node)
    shape = (*e.shape(x)[:2], *(1,) * (len(e.shape(x)) - 2))
    op = "GlobalMaxPool" if node.operator == "global_max_pool" else "GlobalAveragePool"
    e.write(node, op, [x], shape)


# -------------------------------------------------------------------------- normalization


def _by_role(e: Emitter, node: Node, role: str) -> list[int]:
    return [i for i in node.parameters if e.network.parameters[i].role == role]


def _affine(e: Emitter, node: Node, shape: Sequence[int], fmt: str) -> tuple[str, str]:
    """Return scale and offset; ones and zeros where the layer has none."""
    scales, offsets = _by_role(e, node, "norm_scale"), _by_role(e, node, "norm_offset")
    scale = e.weight(scales[0], fmt, shape) if scales else e.full(shape, 1, fmt)
    offset = e.weight(offsets[0], fmt, shape) if offsets else e.full(shape, 0, fmt)
    return scale, offset


@writes("batch_norm")
def _batch_norm(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    if node.inputs[0] in e.folded:
        e.forget(node.parameters)
        e.result(node, x)
        return
    size = e.shape(x)[1]
    affine = _affine(e, node, (size,), fmt)
    statistics = [e.weight(i, fmt, (size,)) for i in _by_role(e, node, "statistic")[:2]]
    if len(statistics) < 2:
        statistics = [e.full((size,), 0, fmt), e.full((size,), 1, fmt)]
    e.write(node, "BatchNormalization", [x, *affine, *statistics])


@writes("layer_norm", "rms_norm")
def _layer_norm(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    axes = int(node.attributes["axes"])
    shape = e.shape(x)[len(e.shape(x)) - axes :]
    scales, offsets = _by_role(e, node, "norm_scale"), _by_role(e, node, "norm_offset")
    inputs = [x, e.weight(scales[0], fmt, shape) if scales else e.full(shape, 1, fmt)]
    if offsets and node.operator == "layer_norm":
        inputs.append(e.weight(offsets[0], fmt, shape))
    op = "LayerNormalization" if node.operator == "layer_norm" else "RMSNormalization"
    e.write(node, op, inputs, axis=-axes)


@writes("group_norm")
def _group_norm(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    inputs = [x, *_affine(e, node, (e.shape(x)[1],), fmt)]
    e.write(node, "GroupNormalization", inputs, num_groups=int(node.attributes["groups"]))


@writes("instance_norm")
def _instance_norm(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    e.write(node, "InstanceNormalization", [x, *_affine(e, node, (e.shape(x)[1],), fmt)])


@writes("local_response_norm")
def _local_response_norm(e: Emitter, node: Node) -> None:
    e.write(node, "LRN", [e.first(node)[0]], size=int(node.attributes["size"]))


@writes("softmax", "log_softmax")
def _softmax(e: Emitter, node: Node) -> None:
    op = "Softmax" if node.operator == "softmax" else "LogSoftmax"
    e.write(node, op, [e.first(node)[0]], axis=int(node.attributes["axis"]))
