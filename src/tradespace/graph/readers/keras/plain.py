"""Keras layers for pooling, normalization, activation and what does nothing in service."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tradespace.graph.operators.convolutions import per_axis
from tradespace.graph.readers.keras.layers import activate, handles, only, pointwise
from tradespace.graph.readers.keras.reading import Layer, Made, Reading, Signal, signals_in

# --------------------------------------------------------------------------------- pooling


def _every_pool(start: str) -> list[str]:
    return [f"{start}{f}Pooling{rank}D" for f in ("Max", "Average") for rank in (1, 2, 3)]


def _function(layer: Layer) -> str:
    return "max" if "Max" in layer.kind else "average"


@handles(*_every_pool(""))
def _pool(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, x = layer.config, k.channels_first(only(args), layer)
    rank = len(x.shape) - 2
    kernel, given = per_axis(c["pool_size"], rank), c.get("strides")
    made = k.apply(
        f"{_function(layer)}_pool{rank}d",
        x,
        layer=layer,
        kernel=kernel,
        stride=kernel if given is None else per_axis(given, rank),
        padding=c["padding"],
    )
    return k.back(made, layer)


@handles(*_every_pool("Global"))
def _global_pool(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.channels_first(only(args), layer)
    keep = bool(layer.config.get("keepdims"))
    made = k.apply(f"global_{_function(layer)}_pool", x, layer=layer, keep_dimensions=keep)
    return k.back(made, layer)


@handles(*_every_pool("Adaptive"))
def _adaptive_pool(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.channels_first(only(args), layer)
    rank = len(x.shape) - 2
    size = per_axis(layer.config["output_size"], rank)
    made = k.apply(f"adaptive_{_function(layer)}_pool{rank}d", x, layer=layer, output_size=size)
    return k.back(made, layer)


# --------------------------------------------------------------------------- normalization


@handles("BatchNormalization")
def _batch_norm(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, given = layer.config, only(args)
    rank = len(given.shape)
    axis = c.get("axis", -1)
    axis = int(axis[0] if isinstance(axis, Sequence) else axis) % rank
    if axis not in (1, rank - 1):
        return k.unknown(layer, args)
    last = axis == rank - 1 and rank > 2
    x = k.channels_first(given) if last else k.logical(given)
    width = x.shape[1]
    weights = _affine(k, layer, (width,))
    weights += [
        k.weight(layer, name, (width,), "statistic") for name in ("moving_mean", "moving_variance")
    ]
    made = k.apply(
        "batch_norm",
        x,
        layer=layer,
        weights=weights,
        affine=bool(c.get("scale", True)),
        offset=bool(c.get("center", True)),
    )
    return Signal(made, first=last)


def _affine(k: Reading, layer: Layer, shape: Sequence[int], scale: str = "gamma") -> list[Any]:
    c = layer.config
    weights = []
    if c.get("scale", True):
        weights.append(k.weight(layer, scale, shape, "norm_scale"))
    if c.get("center", True) and scale == "gamma":
        weights.append(k.weight(layer, "beta", shape, "norm_offset"))
    return weights


@handles("LayerNormalization", "RMSNormalization")
def _layer_norm(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, x = layer.config, k.logical(only(args))
    given = c.get("axis", -1)
    axes = sorted(a % len(x.shape) for a in ([given] if isinstance(given, int) else given))
    if axes != list(range(len(x.shape) - len(axes), len(x.shape))):
        return k.unknown(layer, args)
    shape = [x.shape[a] for a in axes]
    if layer.kind == "RMSNormalization" or c.get("rms_scaling"):
        name = "gamma" if c.get("rms_scaling") else "scale"
        weights = _affine(k, layer, shape, name)
        made = k.apply("rms_norm", x, layer=layer, weights=weights, axes=len(axes))
        return Signal(made)
    made = k.apply(
        "layer_norm",
        x,
        layer=layer,
        weights=_affine(k, layer, shape),
        axes=len(axes),
        affine=bool(c.get("scale", True)),
        offset=bool(c.get("center", True)),
    )
    return Signal(made)


@handles("GroupNormalization")
def _group_norm(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, given = layer.config, only(args)
    last = int(c.get("axis", -1)) % len(given.shape) == len(given.shape) - 1
    x = k.channels_first(given) if last else k.logical(given)
    groups = int(c.get("groups", 32))
    made = k.apply(
        "group_norm",
        x,
        layer=layer,
        weights=_affine(k, layer, (x.shape[1],)),
        groups=x.shape[1] if groups == -1 else groups,
        affine=bool(c.get("scale", True)),
        offset=bool(c.get("center", True)),
    )
    return Signal(made, first=last and len(x.shape) > 2)


@handles("UnitNormalization")
def _unit_norm(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x, axis = k.logical(only(args)), layer.config.get("axis", -1)
    axes = axis if isinstance(axis, int) else tuple(axis)
    length = k.apply("norm", x, layer=layer, suffix="norm", axes=axes, keep_dimensions=True)
    return Signal(k.apply("divide", x, length, layer=layer))


@handles("Normalization")
def _standardize(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c, given = layer.config, only(args)
    weights: list[Any] = []
    if c.get("mean") is None:
        axis = c.get("axis", -1)
        axes = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
        shape = [given.shape[a] for a in axes]
        weights = [k.weight(layer, name, shape, "statistic") for name in ("mean", "variance")]
        k.weight(layer, "count", (), "statistic")
    apart = k.apply("subtract", given.value, layer=layer, suffix="mean", weights=weights[:1])
    made = k.apply("divide", apart, layer=layer, weights=weights[1:])
    return Signal(made, given.first)


@handles("Rescaling")
def _rescale(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    given = only(args)
    made = k.apply("multiply", given.value, layer=layer)
    if layer.config.get("offset"):
        made = k.apply("add", made, layer=layer, suffix="offset")
    return Signal(made, given.first)


@handles("CustomScaleLayer")
def _scaled_sum(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    """Read the sum of a residual and a scaled branch, as Inception-ResNet has it."""
    (residual, branch), first = k.aligned(list(signals_in((args, kwargs))))
    scaled = k.apply("multiply", branch, layer=layer, suffix="scale")
    return Signal(k.apply("add", residual, scaled, layer=layer), first)


@handles("LayerScale")
def _layer_scale(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    given = only(args)
    gamma = k.weight(layer, "gamma", (int(layer.config["projection_dim"]),))
    return Signal(k.apply("multiply", given.value, layer=layer, weights=[gamma]), given.first)


# ----------------------------------------------------------------------------- activations


@handles("Activation")
def _activation(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    return activate(k, only(args), layer)


@handles("ReLU")
def _relu(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c = layer.config
    name = "relu6" if c.get("max_value") == 6 else "relu"
    if c.get("max_value") not in (None, 6):
        name = "hard_tanh"
    return pointwise(k, only(args), "leaky_relu" if c.get("negative_slope") else name, layer)


@handles("PReLU")
def _prelu(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    given = only(args)
    shared = {int(a) for a in layer.config.get("shared_axes") or ()}
    shape = [1 if i + 1 in shared else n for i, n in enumerate(given.shape[1:])]
    slopes, count = k.weight(layer, "alpha", shape), math.prod(shape)
    by_channel = len(shape) > 1 and count == given.shape[-1]
    x = k.channels_first(given) if by_channel else given.value
    made = k.apply("prelu", x, layer=layer, weights=[slopes], slopes=count)
    return Signal(made, by_channel or given.first)


@handles("Softmax")
def _softmax(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    axis = layer.config.get("axis", -1)
    x = k.logical(only(args))
    axis = axis if isinstance(axis, int) else axis[-1]
    return Signal(k.apply("softmax", x, layer=layer, axis=int(axis)))


# ------------------------------------------------------------------- nothing in service


@handles(
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
    "GaussianDropout",
)  # fmt: skip
def _dropout(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    given = only(args)
    rate = float(layer.config.get("rate", 0.5))
    return Signal(k.apply("dropout", given.value, layer=layer, rate=rate), given.first)


@handles("StochasticDepth")
def _drop_path(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    given = only(args)
    rate = float(layer.config.get("drop_path_rate", 0.0))
    return Signal(k.apply("stochastic_depth", given.value, layer=layer, rate=rate), given.first)


@handles(
    "GaussianNoise", "ActivityRegularization", "Masking", "Identity", "InputLayer", "RandomFlip",
    "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness",
    "RandomHeight", "RandomWidth", "RandomShear", "RandomHue", "RandomSaturation", "RandomInvert",
    "RandomGrayscale", "RandomColorJitter", "RandomColorDegeneration", "RandomPosterization",
    "RandomSharpness", "RandomGaussianBlur", "RandomPerspective", "RandomErasing",
    "RandomElasticTransform", "RandAugment", "AugMix", "MixUp", "CutMix",
)  # fmt: skip
def _nothing(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    given = only(args)
    return Signal(k.apply("identity", given.value, layer=layer), given.first)


# -------------------------------------------------------------------------------- merging


@handles("Average")
def _average(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    values, first = k.aligned(list(signals_in((args, kwargs))))
    total = k.apply("add", *values, layer=layer)
    return Signal(k.apply("divide", total, layer=layer, suffix="mean"), first)


@handles("Concatenate")
def _concatenate(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    values, first = k.aligned(list(signals_in((args, kwargs))))
    rank = len(values[0].shape)
    axis = int(layer.config.get("axis", -1)) % rank
    if first:
        axis = 0 if axis == 0 else 1 if axis == rank - 1 else axis + 1
    return Signal(k.apply("concatenate", *values, layer=layer, axis=axis), first)


@handles("Dot")
def _dot(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    a, b = (k.logical(x) for x in signals_in((args, kwargs)))
    given = layer.config["axes"]
    axes = (given, given) if isinstance(given, int) else tuple(given)
    letters = "bcdefghijklm"
    left = list(letters[: len(a.shape)])
    right = ["b", *letters[len(a.shape) : len(a.shape) + len(b.shape) - 1]]
    left[axes[0] % len(a.shape)] = right[axes[1] % len(b.shape)] = "z"
    out = "".join(c for c in (*left, *right[1:]) if c != "z")
    equation = f"{''.join(left)},{''.join(right)}->{out}"
    made = k.apply("einsum", a, b, layer=layer, equation=equation)
    if len(made.shape) == 1:
        made = k.apply("reshape", made, layer=layer, suffix="column", shape=(a.shape[0], 1))
    return Signal(made)
