"""How layers with weights, normalization, pooling and attention are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tradespace.core.errors import GraphError
from tradespace.graph.network import Node
from tradespace.graph.operators.convolutions import AXES, paddings, per_axis
from tradespace.graph.writers.onnx_emitter import Emitter

Handler = Callable[[Emitter, Node], None]
LAYERS: dict[str, Handler] = {}


def _writes(*names: str) -> Callable[[Handler], Handler]:
    def keep(handler: Handler) -> Handler:
        for name in names:
            LAYERS[name] = handler
        return handler

    return keep


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


@_writes("dense")
def _dense(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    shape, out = e.shape(x), int(node.attributes["out_features"])
    weight, bias = _split_weights(e, node, shape[-1] * out)
    made = (*shape[:-1], out)
    y = e.node("MatMul", [x, e.weight(weight, fmt, (shape[-1], out))], made, fmt)
    if bias is not None:
        y = e.node("Add", [y, e.weight(bias, fmt, (out,))], made, fmt)
    elif node.outputs[0] in e.folded:
        y = e.node("Add", [y, e.extra_bias(node, fmt, out)], made, fmt)
    e.result(node, y)


def _pads(node: Node, shape: Sequence[int], rank: int) -> list[int]:
    """Return the padding before all dimensions, then after them."""
    a = node.attributes
    pairs = paddings(
        a["padding"],
        sizes=shape[-rank:],
        kernel=per_axis(a["kernel"], rank),
        stride=per_axis(a["stride"], rank),
        dilation=per_axis(a["dilation"], rank),
    )
    return [p[0] for p in pairs] + [p[1] for p in pairs]


def _convolution(rank: int) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        fmt, a = e.format_of(node), node.attributes
        x = e.input(node.inputs[0], fmt)
        kernel, out = per_axis(a["kernel"], rank), int(a["out_channels"])
        shape = (out, e.shape(x)[1] // a["groups"], *kernel)
        weight, bias = _split_weights(e, node, math.prod(shape))
        inputs = [x, e.weight(weight, fmt, shape)]
        if bias is not None:
            inputs.append(e.weight(bias, fmt, (out,)))
        elif node.outputs[0] in e.folded:
            inputs.append(e.extra_bias(node, fmt, out))
        y = e.node(
            "Conv",
            inputs,
            e.network.tensors[node.outputs[0]].shape,
            fmt,
            kernel_shape=kernel,
            strides=per_axis(a["stride"], rank),
            dilations=per_axis(a["dilation"], rank),
            pads=_pads(node, e.shape(x), rank),
            group=a["groups"],
        )
        e.result(node, y)

    return write


def _transposed(rank: int) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        fmt, a = e.format_of(node), node.attributes
        x = e.input(node.inputs[0], fmt)
        kernel, out = per_axis(a["kernel"], rank), int(a["out_channels"])
        shape = (e.shape(x)[1], out // a["groups"], *kernel)
        weight, bias = _split_weights(e, node, math.prod(shape))
        inputs = [x, e.weight(weight, fmt, shape)]
        if bias is not None:
            inputs.append(e.weight(bias, fmt, (out,)))
        elif node.outputs[0] in e.folded:
            inputs.append(e.extra_bias(node, fmt, out))
        made = e.network.tensors[node.outputs[0]].shape
        y = e.node(
            "ConvTranspose",
            inputs,
            made,
            fmt,
            kernel_shape=kernel,
            strides=per_axis(a["stride"], rank),
            dilations=per_axis(a["dilation"], rank),
            group=a["groups"],
            # The runtime finds the padding that gives this size.
            output_shape=made[2:],
        )
        e.result(node, y)

    return write


def _local(rank: int) -> Handler:
    """Write a locally connected layer: look up every window, one matrix product a position."""

    def write(e: Emitter, node: Node) -> None:
        import itertools

        import numpy as np

        fmt, a = e.format_of(node), node.attributes
        x = e.input(node.inputs[0], fmt)
        made = e.network.tensors[node.outputs[0]].shape
        pads = _pads(node, e.shape(x), rank)
        if any(pads):
            grown = [n + pads[i] + pads[rank + i] for i, n in enumerate(e.shape(x)[2:])]
            sides = [0, 0, *pads[:rank], 0, 0, *pads[rank:]]
            x = e.node("Pad", [x, e.ints(*sides)], (*e.shape(x)[:2], *grown), fmt)
        batch, channels, *sizes = e.shape(x)
        kernel, stride = per_axis(a["kernel"], rank), per_axis(a["stride"], rank)
        dilation = per_axis(a["dilation"], rank)
        steps = [int(np.prod(sizes[i + 1 :])) for i in range(rank)]
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

    return write


def _window_pool(function: str, rank: int) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        fmt, a = e.format_of(node), node.attributes
        x = e.input(node.inputs[0], fmt)
        made = e.network.tensors[node.outputs[0]].shape
        kernel, stride = per_axis(a["kernel"], rank), per_axis(a["stride"], rank)
        dilation = per_axis(a["dilation"], rank)
        pads = _pads(node, e.shape(x), rank)
        for i, (n, out) in enumerate(zip(e.shape(x)[2:], made[2:], strict=True)):
            # A window that hangs over the end is a wider border; runtimes agree on that.
            needed = (out - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - n - pads[i]
            pads[rank + i] = max(pads[rank + i], needed)
        more = {} if function == "average" else {"dilations": dilation}
        y = e.node(
            "AveragePool" if function == "average" else "MaxPool",
            [x],
            made,
            fmt,
            kernel_shape=kernel,
            strides=stride,
            pads=pads,
            **more,
        )
        e.result(node, y)

    return write


def _adaptive_pool(function: str, rank: int) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        fmt = e.format_of(node)
        x = e.input(node.inputs[0], fmt)
        made = e.network.tensors[node.outputs[0]].shape
        lead = (1,) * (2 - (len(made) - rank))
        x = e.reshape(x, (*lead, *e.shape(x)))
        sizes, wanted = e.shape(x)[2:], made[-rank:]
        short = "Average" if function == "average" else "Max"
        shape = (*e.shape(x)[:2], *wanted)
        if all(n == 1 for n in wanted):
            y = e.node(f"Global{short}Pool", [x], shape, fmt)
        elif all(n >= w for n, w in zip(sizes, wanted, strict=True)):
            stride = [n // w for n, w in zip(sizes, wanted, strict=True)]
            # Windows of one size that reach the end: the same work, where n is no multiple of w.
            kernel = [n - (w - 1) * s for n, w, s in zip(sizes, wanted, stride, strict=True)]
            y = e.node(f"{short}Pool", [x], shape, fmt, kernel_shape=kernel, strides=stride)
        else:
            y = _resized(e, x, shape, fmt, "nearest")
        e.result(node, y)

    return write


def _resized(e: Emitter, x: str, shape: Sequence[int], fmt: str, mode: str) -> str:
    return e.node("Resize", [x, "", "", e.ints(*shape)], shape, fmt, mode=mode)


@_writes("resize")
def _resize(e: Emitter, node: Node) -> None:
    mode = str(node.attributes["mode"])
    made = e.network.tensors[node.outputs[0]].shape
    mode = mode if mode in ("nearest", "linear", "cubic") else "linear"
    e.result(node, _resized(e, e.input(node.inputs[0]), made, e.format_of(node), mode))


def _global_pool(function: str) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        fmt = e.format_of(node)
        x = e.input(node.inputs[0], fmt)
        shape = (*e.shape(x)[:2], *(1,) * (len(e.shape(x)) - 2))
        e.result(node, e.node(f"Global{function}Pool", [x], shape, fmt))

    return write


# -------------------------------------------------------------------------- normalization


def _by_role(e: Emitter, node: Node, role: str) -> list[int]:
    return [i for i in node.parameters if e.network.parameters[i].role == role]


def _affine(e: Emitter, node: Node, size: int, fmt: str) -> tuple[str, str]:
    """Return scale and offset; ones and zeros where the layer has none."""
    scales, offsets = _by_role(e, node, "norm_scale"), _by_role(e, node, "norm_offset")
    scale = e.weight(scales[0], fmt, (size,)) if scales else e.full((size,), 1, fmt)
    offset = e.weight(offsets[0], fmt, (size,)) if offsets else e.full((size,), 0, fmt)
    return scale, offset


@_writes("batch_norm")
def _batch_norm(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    if node.inputs[0] in e.folded:
        e.forget(node.parameters)
        e.result(node, x)
        return
    size = e.shape(x)[1]
    scale, offset = _affine(e, node, size, fmt)
    statistics = [e.weight(i, fmt, (size,)) for i in _by_role(e, node, "statistic")[:2]]
    if len(statistics) < 2:
        statistics = [e.full((size,), 0, fmt), e.full((size,), 1, fmt)]
    y = e.node("BatchNormalization", [x, scale, offset, *statistics], e.shape(x), fmt)
    e.result(node, y)


@_writes("layer_norm", "rms_norm")
def _layer_norm(e: Emitter, node: Node) -> None:
    fmt, axes = e.format_of(node), int(node.attributes["axes"])
    x = e.input(node.inputs[0], fmt)
    shape = e.shape(x)[len(e.shape(x)) - axes :]
    scales, offsets = _by_role(e, node, "norm_scale"), _by_role(e, node, "norm_offset")
    inputs = [x, e.weight(scales[0], fmt, shape) if scales else e.full(shape, 1, fmt)]
    if offsets and node.operator == "layer_norm":
        inputs.append(e.weight(offsets[0], fmt, shape))
    op = "LayerNormalization" if node.operator == "layer_norm" else "RMSNormalization"
    e.result(node, e.node(op, inputs, e.shape(x), fmt, axis=-axes))


@_writes("group_norm", "instance_norm")
def _group_norm(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    inputs = [x, *_affine(e, node, e.shape(x)[1], fmt)]
    if node.operator == "group_norm":
        groups = int(node.attributes["groups"])
        y = e.node("GroupNormalization", inputs, e.shape(x), fmt, num_groups=groups)
    else:
        y = e.node("InstanceNormalization", inputs, e.shape(x), fmt)
    e.result(node, y)


@_writes("local_response_norm")
def _local_response_norm(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    e.result(node, e.node("LRN", [x], e.shape(x), fmt, size=int(node.attributes["size"])))


@_writes("softmax", "log_softmax")
def _softmax(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    op = "Softmax" if node.operator == "softmax" else "LogSoftmax"
    e.result(node, e.node(op, [x], e.shape(x), fmt, axis=int(node.attributes["axis"])))


# ------------------------------------------------------------------ attention, recurrence


@_writes("attention")
def _attention(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
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
    e.result(node, e.node("MatMul", [weights, v], (*lead, rows, e.shape(v)[-1]), fmt))


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


@_writes("rnn", "gru", "lstm")
def _recurrent(e: Emitter, node: Node) -> None:
    fmt, a = e.format_of(node), node.attributes
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


for _rank in AXES:
    LAYERS[f"convolution{_rank}d"] = _convolution(_rank)
    LAYERS[f"transposed_convolution{_rank}d"] = _transposed(_rank)
    for _function in ("max", "average"):
        LAYERS[f"{_function}_pool{_rank}d"] = _window_pool(_function, _rank)
        LAYERS[f"adaptive_{_function}_pool{_rank}d"] = _adaptive_pool(_function, _rank)
for _rank in (1, 2):
    LAYERS[f"locally_connected{_rank}d"] = _local(_rank)
LAYERS["global_max_pool"] = _global_pool("Max")
LAYERS["global_average_pool"] = _global_pool("Average")
