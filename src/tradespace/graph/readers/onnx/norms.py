"""ONNX operators without weights of their own: normalization, softmax, pooling, quantization."""

from __future__ import annotations

from typing import Any

from tradespace.graph.readers.onnx.layers import handles, padding, per_axis
from tradespace.graph.readers.onnx.recorder import Call, Item, Recorder, UndeterminedError

# ------------------------------------------------------------- normalization and softmax


@handles("BatchNormalization")
def _batch_norm(r: Recorder, call: Call) -> None:
    roles = ("norm_scale", "norm_offset", "statistic", "statistic")
    weights = [(call.item(i + 1), role) for i, role in enumerate(roles)]
    r.add(call, "batch_norm", [call.item(0)], weights=weights)


@handles("InstanceNormalization", "GroupNormalization", "ms.GroupNorm")
def _group_norm(r: Recorder, call: Call) -> None:
    name, more = "instance_norm", dict[str, Any]()
    if call.op != "InstanceNormalization":
        groups = call.attributes.get("num_groups", call.attributes.get("groups", 1))
        name, more = "group_norm", {"groups": int(groups)}
    weights = [(call.item(1), "norm_scale"), (call.item(2), "norm_offset")]
    learned = r.is_parameter(call.item(1))
    weights = weights if learned else []
    r.add(call, name, [call.item(0)], weights=weights, affine=learned, **more)


def _normalized(
    r: Recorder, call: Call, x: Item, scale: Item | None, offset: Item | None, **more: Any
) -> Item:
    """Record a normalization over the last dimensions; without means if its name says so."""
    has_scale = scale is not None and r.is_parameter(scale)
    has_offset = offset is not None and r.is_parameter(offset)
    weights = [(scale if has_scale else None, "norm_scale")]
    if "RMS" in call.op or "Simplified" in call.op:
        return r.add(call, "rms_norm", [x], weights=weights, affine=has_scale, **more)[0]
    weights.append((offset if has_offset else None, "norm_offset"))
    more["offset"] = has_offset
    return r.add(call, "layer_norm", [x], weights=weights, affine=has_scale, **more)[0]


@handles("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def _layer_norm(r: Recorder, call: Call) -> None:
    x = call.item(0)
    axis = int(call.attributes.get("axis", -1)) % len(x.shape)
    _normalized(r, call, x, call.item(1), call.optional(2), axes=len(x.shape) - axis)


@handles("ms.SkipLayerNormalization", "ms.SkipSimplifiedLayerNormalization")
def _skip_norm(r: Recorder, call: Call) -> None:
    """Read a normalization of a sum: signal, residual, scale, offset, bias."""
    root = "Simplified" in call.op
    bias = call.optional(3 if root else 4)
    total = r.add(call, "add", [call.item(0), call.item(1)], name=f"{call.name}.add", bind=False)[0]
    if bias is not None:
        parts = [total, bias]
        total = r.add(call, "add", parts, name=f"{call.name}.bias", bind=False)[0]
    made = _normalized(r, call, total, call.item(2), call.optional(3), bind=False)
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
