"""ONNX operators without weights of their own: normalization, pooling, activations, arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.operators.products import broadcast
from tradespace.graph.readers.onnx_layers import HANDLERS, Handler, handles, padding, per_axis
from tradespace.graph.readers.onnx_recorder import Call, Item, Recorder, UndeterminedError

# ------------------------------------------------------------- normalization and softmax


@handles("BatchNormalization")
def _batch_norm(r: Recorder, call: Call) -> None:
    roles = ("norm_scale", "norm_offset", "statistic", "statistic")
    weights = [(call.item(i + 1), role) for i, role in enumerate(roles)]
    r.add(call, "batch_norm", [call.item(0)], weights=weights)


@handles("InstanceNormalization")
def _instance_norm(r: Recorder, call: Call) -> None:
    weights = [(call.item(1), "norm_scale"), (call.item(2), "norm_offset")]
    learned = r.is_parameter(call.item(1))
    r.add(call, "instance_norm", [call.item(0)], weights=weights if learned else [], affine=learned)


@handles("GroupNormalization", "ms.GroupNorm")
def _group_norm(r: Recorder, call: Call) -> None:
    groups = call.attributes.get("num_groups", call.attributes.get("groups", 1))
    weights = [(call.item(1), "norm_scale"), (call.item(2), "norm_offset")]
    learned = r.is_parameter(call.item(1))
    r.add(
        call,
        "group_norm",
        [call.item(0)],
        weights=weights if learned else [],
        groups=int(groups),
        affine=learned,
    )


def _affine(
    r: Recorder, scale: Item | None, offset: Item | None
) -> tuple[list[tuple[Item | None, str]], bool, bool]:
    """Return the weights of a normalization, and whether it has a scale and an offset."""
    has_scale = scale is not None and r.is_parameter(scale)
    has_offset = offset is not None and r.is_parameter(offset)
    weights = [(scale if has_scale else None, "norm_scale")]
    weights.append((offset if has_offset else None, "norm_offset"))
    return weights, has_scale, has_offset


@handles("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def _layer_norm(r: Recorder, call: Call) -> None:
    x = call.item(0)
    axis = int(call.attributes.get("axis", -1)) % len(x.shape)
    root = call.op != "LayerNormalization"
    weights, scale, offset = _affine(r, call.item(1), None if root else call.optional(2))
    more: dict[str, Any] = {} if root else {"offset": offset}
    name = "rms_norm" if root else "layer_norm"
    r.add(call, name, [x], weights=weights, axes=len(x.shape) - axis, affine=scale, **more)


@handles("ms.SkipLayerNormalization", "ms.SkipSimplifiedLayerNormalization")
def _skip_norm(r: Recorder, call: Call) -> None:
    """Read a normalization of a sum: signal, residual, scale, offset, bias."""
    root = "Simplified" in call.op
    bias = call.optional(3 if root else 4)
    total = r.add(call, "add", [call.item(0), call.item(1)], name=f"{call.name}.add", bind=False)[0]
    if bias is not None:
        parts = [total, bias]
        total = r.add(call, "add", parts, name=f"{call.name}.bias", bind=False)[0]
    weights, scale, offset = _affine(r, call.item(2), None if root else call.optional(3))
    more: dict[str, Any] = {} if root else {"offset": offset}
    name = "rms_norm" if root else "layer_norm"
    made = r.add(call, name, [total], weights=weights, bind=False, affine=scale, **more)[0]
    for output, item in zip(call.outputs, (made, None, None, total), strict=False):
        if item is not None and output:
            r.items[output] = item


@handles("LRN")
def _local_response(r: Recorder, call: Call) -> None:
    r.add(call, "local_response_norm", [call.item(0)], size=int(call.attributes["size"]))


@handles("Softmax", "LogSoftmax", "Hardmax", "ms.QLinearSoftmax")
def _softmax(r: Recorder, call: Call) -> None:
    name = "log_softmax" if call.op == "LogSoftmax" else "softmax"
    axis = int(call.attributes.get("axis", -1 if call.opset >= 13 else 1))
    r.add(call, name, [call.item(0)], axis=axis)


@handles("LpNormalization", "MeanVarianceNormalization")
def _norm_of_parts(r: Recorder, call: Call) -> None:
    x = call.item(0)
    if call.op == "MeanVarianceNormalization":
        axes = call.attributes.get("axes", (0, 2, 3))
        if tuple(axes) == tuple(range(2, len(x.shape))):
            r.add(call, "instance_norm", [x], affine=False, offset=False)
        else:
            r.add(call, "batch_norm", [x], affine=False, offset=False, statistics=False)
        return
    axis = int(call.attributes.get("axis", -1))
    name = f"{call.name}.norm"
    length = r.add(call, "norm", [x], name=name, bind=False, axes=axis, keep_dimensions=True)[0]
    r.add(call, "divide", [x, length])


# --------------------------------------------------------------------------------- pooling


@handles("MaxPool", "AveragePool", "LpPool", "ms.QLinearAveragePool")
def _pool(r: Recorder, call: Call) -> None:
    x, a = call.item(0), call.attributes
    rank = len(x.shape) - 2
    if rank not in (1, 2, 3) or a.get("channels_last"):
        msg = f"{call.name!r} pools over {rank} dimensions"
        raise UndeterminedError(msg)
    r.add(
        call,
        f"{'max' if call.op == 'MaxPool' else 'average'}_pool{rank}d",
        [x],
        kernel=per_axis(a["kernel_shape"], rank),
        stride=per_axis(a.get("strides"), rank),
        padding=padding(call, rank),
        dilation=per_axis(a.get("dilations"), rank),
        ceil=bool(a.get("ceil_mode", 0)),
    )


@handles("GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool", "ms.QLinearGlobalAveragePool")
def _global_pool(r: Recorder, call: Call) -> None:
    name = "global_max_pool" if call.op == "GlobalMaxPool" else "global_average_pool"
    r.add(call, name, [call.item(0)])


# ----------------------------------------------------------------------------- activations

#: ONNX's names of what takes one signal.
_UNARY = {
    "Relu": "relu",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "Selu": "selu",
    "Celu": "celu",
    "Mish": "mish",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_swish",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "ThresholdedRelu": "threshold",
    "Swish": "silu",
    "Neg": "negate",
    "Abs": "absolute",
    "Exp": "exponential",
    "Log": "logarithm",
    "Sqrt": "square_root",
    "Reciprocal": "reciprocal",
    "Erf": "error_function",
    "Sin": "sine",
    "Cos": "cosine",
    "Round": "round",
    "ms.QuickGelu": "quick_gelu",
    "ms.QLinearSigmoid": "sigmoid",
    "ms.QLinearLeakyRelu": "leaky_relu",
}
_FUNCTIONS = (
    *("Floor", "Ceil", "Sign", "Tan", "Sinh", "Cosh", "Asin", "Acos", "Atan", "Asinh", "Acosh"),
    *("Atanh", "Shrink", "Mod", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot"),
)


def _one(name: str) -> Handler:
    def read(r: Recorder, call: Call) -> None:
        r.add(call, name, [call.item(0)], format=r.result_format(call))

    return read


for _op, _name in _UNARY.items():
    HANDLERS[_op] = _one(_name)


@handles("Gelu", "ms.Gelu", "ms.FastGelu", "ms.BiasGelu")
def _gelu(r: Recorder, call: Call) -> None:
    x, bias = call.item(0), call.optional(1)
    if bias is not None:
        x = r.add(call, "add", [x, bias], name=f"{call.name}.bias", bind=False)[0]
    tanh = call.op == "FastGelu" or call.attributes.get("approximate") == "tanh"
    r.add(call, "gelu_tanh" if tanh else "gelu", [x])


@handles("Clip")
def _clip(r: Recorder, call: Call) -> None:
    bounds = []
    for index, name in ((1, "min"), (2, "max")):
        try:
            given = call.numbers(index, name)
        except UndeterminedError:
            given = None
        bounds.append(given[0] if given else None)
    r.add(call, "relu6" if bounds == [0, 6] else "clamp", [call.item(0)])


@handles("PRelu")
def _prelu(r: Recorder, call: Call) -> None:
    slope = call.item(1)
    if slope.value is not None or not slope.held:
        r.add(call, "leaky_relu", [call.item(0)])
        return
    r.add(call, "prelu", [call.item(0)], weights=[(slope, "weight")], slopes=slope.elements)


@handles("Dropout")
def _dropout(r: Recorder, call: Call) -> None:
    rate = call.attributes.get("ratio")
    if rate is None:
        known = call.optional(1)
        rate = known.array.item() if known is not None and known.array is not None else 0.5
    r.add(call, "dropout", [call.item(0)], rate=float(rate))


# ------------------------------------------------------------------------------ arithmetic

_BINARY = {
    "Add": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Div": "divide",
    "Pow": "power",
    "Max": "maximum",
    "Min": "minimum",
    "Sum": "add",
    "Mean": "add",
    "ms.QLinearAdd": "add",
    "ms.QLinearMul": "multiply",
}


def _operands(r: Recorder, items: Sequence[Item | None]) -> list[Item]:
    """Return the operands that move: single numbers that nobody learned are left out."""
    given = [i for i in items if i is not None]
    return [i for i in given if i.value is not None or i.elements > 1 or r.is_parameter(i)]


def _arithmetic(name: str) -> Handler:
    def read(r: Recorder, call: Call) -> None:
        quantized = call.op.startswith("QLinear")
        items = [call.optional(0), call.optional(3)] if quantized else call.inputs
        operands = _operands(r, items)
        if name == "power" and len(operands) == 1:
            exponent = call.optional(1)
            if exponent is not None and exponent.array is not None and exponent.array.item() == 2:
                r.add(call, "square", operands)
                return
        if len(operands) == 1 and name in ("maximum", "minimum"):
            r.add(call, "clamp", operands)
            return
        _stretch(call, operands, items)
        made = r.add(call, name, operands, format="int8" if quantized else r.result_format(call))
        if call.op == "Mean":
            r.add(call, "divide", made)

    return read


def _stretch(call: Call, operands: list[Item], items: Sequence[Item | None]) -> None:
    """Keep a single number whose dimensions stretch the result: (1, 1, 1) to (3,)."""
    whole = broadcast(call.name, *(i.shape for i in items if i is not None))
    if broadcast(call.name, *(i.shape for i in operands)) != whole:
        operands += [i for i in items if i is not None and i not in operands]


for _op, _name in _BINARY.items():
    HANDLERS[_op] = _arithmetic(_name)


@handles(
    "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not",
    "IsNaN", "IsInf",
)  # fmt: skip
def _compare(r: Recorder, call: Call) -> None:
    items = [i for i in call.inputs if i is not None]
    whole = broadcast(call.name, *(i.shape for i in items))
    r.add(call, "compare", _operands(r, items), format="bool", shape=whole)


@handles("Where")
def _select(r: Recorder, call: Call) -> None:
    items = [i for i in call.inputs if i is not None]
    whole = broadcast(call.name, *(i.shape for i in items))
    fmt = call.item(1).format
    r.add(call, "select", _operands(r, items), format=fmt, shape=whole)


def _function(name: str) -> Handler:
    def read(r: Recorder, call: Call) -> None:
        operands = _operands(r, call.inputs)
        r.add(call, "pointwise", operands, format=r.result_format(call), function=name)

    return read


for _name in _FUNCTIONS:
    HANDLERS[_name] = _function(_name.lower())


# ---------------------------------------------------------------------------- quantization


@handles("QuantizeLinear", "ms.QuantizeLinear")
def _quantize(r: Recorder, call: Call) -> None:
    x = call.item(0)
    if x.format == "int8":
        r.bind(call, [x])  # the operator before gives out int8 already
        return
    r.add(call, "pointwise", [x], format="int8", function="quantize")


@handles("DequantizeLinear", "ms.DequantizeLinear")
def _dequantize(r: Recorder, call: Call) -> None:
    """Read the signal on in int8: runtimes compute between these pairs in int8."""
    r.bind(call, [call.item(0)])


@handles("DynamicQuantizeLinear")
def _quantize_now(r: Recorder, call: Call) -> None:
    x = call.item(0)
    made = r.add(call, "pointwise", [x], format="int8", bind=False, function="quantize")[0]
    bounds = r.add(call, "largest", [x], name=f"{call.name}.range", bind=False)[0]
    for name, item in zip(call.outputs, (made, bounds, bounds), strict=False):
        r.items[name] = item


# ------------------------------------------------------------------------------ reductions

_REDUCTIONS = {
    "ReduceSum": "sum",
    "ReduceMean": "mean",
    "ReduceProd": "product",
    "ReduceMax": "largest",
    "ReduceMin": "largest",
    "ReduceL1": "norm",
    "ReduceL2": "norm",
    "ReduceSumSquare": "norm",
    "ReduceLogSum": "log_sum_exp",
    "ReduceLogSumExp": "log_sum_exp",
    "ArgMax": "argument_of_largest",
    "ArgMin": "argument_of_largest",
}


def _reduction(name: str) -> Handler:
    def read(r: Recorder, call: Call) -> None:
        x = call.item(0)
        if call.op.startswith("Arg"):
            axes: Any = int(call.attributes.get("axis", 0))
        else:
            given = call.numbers(1, "axes")
            axes = tuple(int(n) for n in given) if given else None
            if axes is None and call.attributes.get("noop_with_empty_axes"):
                r.bind(call, [x])
                return
        keep = bool(call.attributes.get("keepdims", 1))
        rank = len(x.shape)
        everywhere = axes is not None and not isinstance(axes, int) and rank in (3, 4, 5)
        if everywhere and name == "mean" and sorted(a % rank for a in axes) == [*range(2, rank)]:
            # What torch and Keras call global average pooling.
            r.add(call, "global_average_pool", [x], keep_dimensions=keep)
            return
        fmt = "int64" if call.op.startswith("Arg") else x.format
        r.add(call, name, [x], format=fmt, axes=axes, keep_dimensions=keep)

    return read


for _op, _name in _REDUCTIONS.items():
    HANDLERS[_op] = _reduction(_name)


@handles("CumSum", "CumProd")
def _cumulative(r: Recorder, call: Call) -> None:
    axis = call.numbers(1) or [-1]
    r.add(call, "cumulative_sum", [call.item(0)], axis=int(axis[0]))


@handles("TopK", "Unique")
def _sort(r: Recorder, call: Call) -> None:
    shape, fmt = r.inferred(call)
    r.add(call, "sort", [call.item(0)], format=fmt, shape=shape)


# ------------------------------------------------------------------------- shapes, look-ups


@handles("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def _reshape(r: Recorder, call: Call) -> None:
    x = call.item(0)
    shape, _ = r.inferred(call)
    if math.prod(shape) != math.prod(x.shape):
        msg = f"Node {call.name!r} ({call.op}) makes {shape} of {x.shape}."
        remedy = "The file fixes a size that this input does not have; export it anew."
        raise GraphError(msg, remedy=remedy)
    r.add(call, "reshape", [x], shape=shape)


@handles("Transpose")
def _transpose(r: Recorder, call: Call) -> None:
    x = call.item(0)
    order = call.attributes.get("perm") or tuple(reversed(range(len(x.shape))))
    r.add(call, "transpose", [x], order=tuple(int(n) for n in order))


@handles("Identity")
def _identity(r: Recorder, call: Call) -> None:
    r.bind(call, [call.item(0)])


@handles("Cast", "CastLike")
def _cast(r: Recorder, call: Call) -> None:
    x = call.item(0)
    shape, fmt = r.inferred(call)
    if fmt == x.format:
        r.bind(call, [x])
    else:
        r.add(call, "copy", [x], format=fmt, shape=shape, function="cast")


@handles("Slice", "Split", "Expand")
def _view(r: Recorder, call: Call) -> None:
    shapes = tuple(r.inferred(call, i)[0] for i in range(len(call.outputs)))
    x = call.item(0)
    if shapes == (x.shape,):
        r.bind(call, [x])
        return
    r.add(call, "view", [x], shape=shapes, function=call.op.lower())


@handles("Concat", "ms.QLinearConcat")
def _concatenate(r: Recorder, call: Call) -> None:
    items = call.inputs[2::3] if call.op == "QLinearConcat" else call.inputs
    parts = [i for i in items if i is not None and i.elements]
    r.add(call, "concatenate", parts, axis=int(call.attributes["axis"]))


@handles("Pad")
def _pad(r: Recorder, call: Call) -> None:
    x, flat = call.item(0), call.numbers(1, "pads") or []
    axes = call.numbers(3) or list(range(len(x.shape)))
    pairs = [(0, 0)] * len(x.shape)
    for i, axis in enumerate(axes):
        pairs[int(axis)] = (int(flat[i]), int(flat[len(axes) + i]))
    r.add(call, "pad", [x], padding=tuple(pairs))


@handles("Resize", "Upsample")
def _resize(r: Recorder, call: Call) -> None:
    x = call.item(0)
    shape, _ = r.inferred(call)
    mode = str(call.attributes.get("mode", "nearest"))
    first = next((i for i, n in enumerate(shape) if n != x.shape[i]), len(shape) - 1)
    size = shape[max(0, min(first, 2)) :]
    r.add(call, "resize", [x], size=size, mode=mode if mode in ("nearest", "cubic") else "linear")


@handles("Gather")
def _gather(r: Recorder, call: Call) -> None:
    x, indices = call.item(0), call.item(1)
    axis = int(call.attributes.get("axis", 0))
    if x.value is None and x.held and len(x.shape) == 2 and axis == 0:
        r.add(
            call,
            "embedding",
            [indices],
            weights=[(x, "embedding")],
            format=x.format,
            rows=x.shape[0],
            width=x.shape[1],
        )
        return
    shape, fmt = r.inferred(call)
    if indices.elements == 1 and indices.value is None:
        r.add(call, "view", [x], format=fmt, shape=shape, function="select")
        return
    r.add(call, "gather", [x, indices], format=fmt, shape=shape, function="gather")


@handles(
    "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Scatter", "TensorScatter",
    "Compress", "GridSample", "Col2Im", "ReverseSequence",
)  # fmt: skip
def _look_up(r: Recorder, call: Call) -> None:
    shape, fmt = r.inferred(call)
    items = [i for i in call.inputs if i is not None]
    r.add(call, "gather", items, format=fmt, shape=shape, function=call.op.lower())


@handles("DepthToSpace", "SpaceToDepth", "Tile", "Trilu", "CenterCropPad")
def _copy(r: Recorder, call: Call) -> None:
    shape, fmt = r.inferred(call)
    r.add(call, "copy", [call.item(0)], format=fmt, shape=shape, function=call.op.lower())


@handles("OneHot", "EyeLike", "RandomNormalLike", "RandomUniformLike", "ConstantOfShape", "Range")
def _fill(r: Recorder, call: Call) -> None:
    shape, fmt = r.inferred(call)
    r.add(call, "fill", [], format=fmt, shape=shape, function=call.op.lower())


@handles("SplitToSequence")
def _split(r: Recorder, call: Call) -> None:
    x, axis = call.item(0), int(call.attributes.get("axis", 0))
    given = call.numbers(1) or [1]
    size = x.shape[axis]
    sizes = given if len(given) > 1 else [int(given[0])] * (size // max(1, int(given[0])))
    keep = bool(call.attributes.get("keepdims", 1)) or call.optional(1) is not None
    shapes = tuple(
        (*x.shape[:axis], *((int(n),) if keep else ()), *x.shape[axis + 1 :]) for n in sizes
    )
    if x.value is None:
        parts = [Item(shape, x.format, held=x.held) for shape in shapes]
    else:
        parts = r.add(call, "view", [x], bind=False, shape=shapes, function="split")
    r.items[call.outputs[0]] = Item((), x.format, parts=parts)


@handles("SequenceConstruct")
def _collect(r: Recorder, call: Call) -> None:
    parts = [i for i in call.inputs if i is not None]
    r.items[call.outputs[0]] = Item((), parts[0].format, parts=parts)


@handles("SequenceAt")
def _one_of(r: Recorder, call: Call) -> None:
    r.bind(call, [_parts(call)[int((call.numbers(1) or [0])[0])]])


@handles("ConcatFromSequence")
def _join(r: Recorder, call: Call) -> None:
    parts, axis = _parts(call), int(call.attributes["axis"])
    if call.attributes.get("new_axis"):
        shape = list(parts[0].shape)
        shape.insert(axis % (len(shape) + 1), len(parts))
        r.add(call, "copy", parts, shape=tuple(shape), function="stack")
    else:
        r.add(call, "concatenate", parts, axis=axis)


def _parts(call: Call) -> list[Item]:
    parts = call.item(0).parts
    if parts is None:
        msg = f"{call.name!r} takes from a sequence that depends on data"
        raise UndeterminedError(msg)
    return parts
