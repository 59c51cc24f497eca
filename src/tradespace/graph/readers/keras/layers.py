"""Keras layers with weights: dense, convolutions, look-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Value
from tradespace.graph.handlers import Handlers
from tradespace.graph.operators import named
from tradespace.graph.operators.convolutions import per_axis
from tradespace.graph.readers.keras.reading import (
    Handler,
    Layer,
    Made,
    Reading,
    Signal,
    signals_in,
)

HANDLERS: Handlers[Handler] = Handlers()
handles = HANDLERS.handles


#: Keras's names of functions -> what they are here.
FUNCTIONS = {theirs: rule.name for theirs, rule in named("keras").items()}
_FUNCTIONS = ("tanh_shrink", "soft_shrink", "hard_shrink", "squareplus", "sparse_plus")


def only(inputs: Sequence[Any]) -> Signal:
    """Return the one tensor that a layer takes."""
    found = next(signals_in(inputs), None)
    if found is None:
        msg = "A layer is given no tensor."
        raise GraphError(msg, remedy="Save the model again; its configuration is damaged.")
    return found


def activate(k: Reading, x: Signal, layer: Layer, key: str = "activation") -> Signal:
    """Return the activation that a layer applies to its result."""
    given = layer.config.get(key)
    if isinstance(given, Mapping):
        inner = given.get("config")
        name = inner if isinstance(inner, str) else str(given.get("class_name", ""))
        known = str(given.get("module") or "builtins").startswith(("keras", "builtins"))
        name = name if known else f"{name}!"
    else:
        name = given or "linear"
    if name in ("linear", "identity"):
        return x
    plain = name.lower()
    if plain in FUNCTIONS:
        return pointwise(k, x, FUNCTIONS[plain], layer, suffix=plain)
    if plain in _FUNCTIONS:
        made = k.apply("pointwise", x.value, layer=layer, suffix=plain, function=plain)
        return Signal(made, x.first)
    shape = x.value.shape
    what = name.rstrip("!")
    made = k.apply("unknown", x.value, layer=layer, suffix=what, shape=shape, function=what)
    return Signal(made, x.first)


def pointwise(k: Reading, x: Signal, operator: str, layer: Layer, suffix: str = "") -> Signal:
    """Return an operator that works element by element, or along channels or the last axis."""
    if operator in ("softmax", "log_softmax"):
        axis = 1 if x.first else -1
        made = k.apply(operator, x.value, layer=layer, suffix=suffix, axis=axis)
    else:
        made = k.apply(operator, x.value, layer=layer, suffix=suffix)
    return Signal(made, x.first)


def dense(
    k: Reading, x: Value, units: int, layer: Layer, *, name: str = "", bias: bool = True
) -> Value:
    """Return a dense layer over the last dimension; `name` is that of its weights."""
    start = f"{name}." if name else ""
    weights = [k.weight(layer, f"{start}kernel", (x.shape[-1], units))]
    if bias:
        weights.append(k.weight(layer, f"{start}bias", (units,), "bias"))
    return k.apply(
        "dense", x, layer=layer, suffix=name, weights=weights, out_features=units, bias=bias
    )


@handles("Dense")
def _dense(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c = layer.config
    made = dense(k, k.logical(only(args)), int(c["units"]), layer, bias=bool(c["use_bias"]))
    return activate(k, Signal(made), layer)


@handles("EinsumDense")
def _einsum_dense(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.logical(only(args))
    equation = str(layer.config["equation"]).replace(" ", "")
    left, _, out = equation.partition("->")
    of_input, _, of_weight = left.partition(",")
    given = layer.config["output_shape"]
    wanted = [given] if isinstance(given, int) else list(given)
    sizes = dict(zip(reversed(of_input.replace("...", "")), reversed(x.shape), strict=False))
    sizes.update(
        (a, n)
        for a, n in zip(reversed(out.replace("...", "")), reversed(wanted), strict=False)
        if isinstance(n, int)
    )
    kernel = k.weight(layer, "kernel", [sizes[a] for a in of_weight])
    table = k.apply(
        "fill",
        layer=layer,
        suffix="kernel",
        weights=[kernel],
        shape=kernel.shape,
        function="constant",
    )
    made = k.apply("einsum", x, table, layer=layer, equation=equation)
    axes = layer.config.get("bias_axes")
    if axes:
        first = min(out.index(a) for a in axes)
        shape = [sizes[a] if a in axes else 1 for a in out[first:]]
        bias = k.weight(layer, "bias", shape, "bias")
        made = k.apply("add", made, layer=layer, suffix="bias", weights=[bias])
    return activate(k, Signal(made), layer)


# ---------------------------------------------------------------------------- convolutions


def _padding(c: Mapping[str, Any], rank: int) -> Any:
    if c["padding"] != "causal":
        return c["padding"]
    return tuple(
        (d * (n - 1), 0) for n, d in zip(c["kernel_size"], c["dilation_rate"], strict=True)
    )


def convolve(
    k: Reading,
    x: Value,
    layer: Layer,
    *,
    out: int,
    groups: int = 1,
    bias: bool,
    kernel: Sequence[int],
    name: str = "kernel",
    suffix: str = "",
    **window: Any,
) -> Value:
    """Return a convolution of a tensor with channels second."""
    rank = len(x.shape) - 2
    weights = [k.weight(layer, name, (*kernel, x.shape[1] // groups, out))]
    if bias:
        weights.append(k.weight(layer, "bias", (out,), "bias"))
    return k.apply(
        f"convolution{rank}d",
        x,
        layer=layer,
        suffix=suffix,
        weights=weights,
        out_channels=out,
        kernel=tuple(kernel),
        groups=groups,
        bias=bias,
        **window,
    )


def _window(c: Mapping[str, Any]) -> dict[str, Any]:
    rank = len(c["kernel_size"])
    return {
        "stride": tuple(c["strides"]),
        "padding": _padding(c, rank),
        "dilation": tuple(c["dilation_rate"]),
    }


@handles("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D")
def _convolution(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, x = layer.config, k.channels_first(only(args), layer)
    out, groups = int(c.get("filters") or 0), int(c.get("groups", 1))
    if layer.kind.startswith("Depthwise"):
        out, groups = x.shape[1] * int(c.get("depth_multiplier", 1)), x.shape[1]
    made = convolve(
        k,
        x,
        layer,
        out=out,
        groups=groups,
        bias=bool(c["use_bias"]),
        kernel=c["kernel_size"],
        **_window(c),
    )
    return activate(k, k.back(made, layer), layer)


@handles("SeparableConv1D", "SeparableConv2D")
def _separable(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, x = layer.config, k.channels_first(only(args), layer)
    inner = convolve(
        k,
        x,
        layer,
        out=x.shape[1] * int(c.get("depth_multiplier", 1)),
        groups=x.shape[1],
        bias=False,
        kernel=c["kernel_size"],
        name="depthwise_kernel",
        suffix="depthwise",
        **_window(c),
    )
    made = convolve(
        k,
        inner,
        layer,
        out=int(c["filters"]),
        bias=bool(c["use_bias"]),
        kernel=(1,) * len(c["kernel_size"]),
        name="pointwise_kernel",
        suffix="pointwise",
    )
    return activate(k, k.back(made, layer), layer)


@handles("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _transposed(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, x = layer.config, k.channels_first(only(args), layer)
    out, kernel, stride = int(c["filters"]), tuple(c["kernel_size"]), tuple(c["strides"])
    dilation = tuple(c["dilation_rate"])
    given = c.get("output_padding")
    padding: Any = c["padding"]
    if given is None:
        # Keras gives every input at least a stride's room.
        reach = [d * (n - 1) + 1 for n, d in zip(kernel, dilation, strict=True)]
        extra = tuple(max(0, s - n) for n, s in zip(reach, stride, strict=True))
        extra = (0,) * len(kernel) if padding == "same" else extra
    else:
        extra = per_axis(given, len(kernel))
        if padding == "same":
            padding = tuple(n // 2 for n in kernel)
    weights = [k.weight(layer, "kernel", (*kernel, out, x.shape[1]))]
    if c["use_bias"]:
        weights.append(k.weight(layer, "bias", (out,), "bias"))
    made = k.apply(
        f"transposed_convolution{len(kernel)}d",
        x,
        layer=layer,
        weights=weights,
        out_channels=out,
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        output_padding=extra,
        bias=bool(c["use_bias"]),
    )
    return activate(k, k.back(made, layer), layer)


@handles("Embedding")
def _embedding(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    rows, width = int(layer.config["input_dim"]), int(layer.config["output_dim"])
    table = k.weight(layer, "embeddings", (rows, width), "embedding")
    x = k.logical(only(args))
    return Signal(k.apply("embedding", x, layer=layer, weights=[table], rows=rows, width=width))
