"""Keras layers that reshape, pad, crop and resize, and operations written between layers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tradespace.graph.builder import Value
from tradespace.graph.operators import AXES, named
from tradespace.graph.operators.convolutions import per_axis
from tradespace.graph.readers.keras.layers import HANDLERS, handles, only, pointwise
from tradespace.graph.readers.keras.reading import Layer, Made, Reading, Signal, signals_in


@handles("Flatten", "ops.Ravel")
def _flatten(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    # The order of elements within a sample changes no count.
    return Signal(k.apply("flatten", only(args).value, layer=layer))


@handles("Reshape", "ops.Reshape")
def _reshape(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.logical(only(args))
    if layer.module.startswith("keras.src.ops") or "target_shape" not in layer.config:
        given = layer.config.get("newshape", args[1] if len(args) > 1 else kwargs.get("newshape"))
        if not isinstance(given, Sequence):
            return k.unknown(layer, args)
        shape = tuple(-1 if n is None else int(n) for n in given)
    else:
        shape = (x.shape[0], *(int(n) for n in layer.config["target_shape"]))
    return Signal(k.apply("reshape", x, layer=layer, shape=shape))


@handles("Permute")
def _permute(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    order = (0, *(int(n) for n in layer.config["dims"]))
    return Signal(k.apply("transpose", k.logical(only(args)), layer=layer, order=order))


@handles("RepeatVector")
def _repeat(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.logical(only(args))
    shape = (x.shape[0], int(layer.config["n"]), x.shape[1])
    return Signal(k.apply("copy", x, layer=layer, shape=shape, function="repeat"))


def _pairs(given: Any, rank: int) -> list[tuple[int, int]]:
    if isinstance(given, int):
        return [(given, given)] * rank
    if rank == 1 and len(given) == 2 and all(isinstance(n, int) for n in given):
        return [(int(given[0]), int(given[1]))]
    return [(p, p) if isinstance(p, int) else (int(p[0]), int(p[1])) for p in given]


@handles("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def _pad(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.channels_first(only(args), layer)
    pairs = _pairs(layer.config["padding"], len(x.shape) - 2)
    return k.back(k.apply("pad", x, layer=layer, padding=tuple(pairs)), layer)


@handles("Cropping1D", "Cropping2D", "Cropping3D")
def _crop(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.channels_first(only(args), layer)
    pairs = _pairs(layer.config["cropping"], len(x.shape) - 2)
    sizes = (n - a - b for n, (a, b) in zip(x.shape[2:], pairs, strict=True))
    shape = (*x.shape[:2], *sizes)
    return k.back(k.apply("view", x, layer=layer, shape=shape, function="slice"), layer)


@handles("UpSampling1D", "UpSampling2D", "UpSampling3D")
def _upsample(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.channels_first(only(args), layer)
    rank = len(x.shape) - 2
    factors = per_axis(layer.config["size"], rank)
    size = tuple(n * f for n, f in zip(x.shape[2:], factors, strict=True))
    return k.back(_resized(k, layer, x, size), layer)


def _resized(k: Reading, layer: Layer, x: Value, size: Sequence[int]) -> Value:
    given = str(layer.config.get("interpolation", "nearest"))
    mode = {"nearest": "nearest", "bicubic": "cubic"}.get(given, "linear")
    return k.apply("resize", x, layer=layer, size=tuple(size), mode=mode)


@handles("Resizing", "CenterCrop", "RandomCrop")
def _resize(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.channels_first(only(args), layer)
    size = (int(layer.config["height"]), int(layer.config["width"]))
    larger = all(n >= m for n, m in zip(x.shape[2:], size, strict=True))
    if layer.kind != "Resizing" and larger:
        shape = (*x.shape[:2], *size)
        return k.back(k.apply("view", x, layer=layer, shape=shape, function="slice"), layer)
    return k.back(_resized(k, layer, x, size), layer)


# ------------------------------------------------------- operations written between layers


def _elementwise(operator: str) -> Any:
    def read(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
        values, first = k.aligned(list(signals_in((args, kwargs))))
        return Signal(k.apply(operator, *values, layer=layer), first)

    return read


def _unary(operator: str) -> Any:
    def read(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
        return pointwise(k, only((args, kwargs)), operator, layer)

    return read


def _reduction(operator: str) -> Any:
    def read(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
        x = k.logical(only((args, kwargs)))
        axis = layer.config.get("axis", kwargs.get("axis"))
        if axis is None and len(args) > 1:
            axis = args[1]
        axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
        keep = bool(layer.config.get("keepdims", kwargs.get("keepdims", False)))
        return Signal(k.apply(operator, x, layer=layer, axes=axes, keep_dimensions=keep))

    return read


# Their classes: as operations, and as layers where no layer of that name does something else.
for _theirs, _rule in named("keras").items():
    _class = "".join(part[0].upper() + part[1:] for part in _theirs.split("_"))
    _reader = _reduction if AXES in _rule.attributes else _unary
    _reader = _elementwise if _rule.inputs == ("operand...",) else _reader
    HANDLERS[f"ops.{_class}"] = _reader(_rule.name)
    HANDLERS.setdefault(_class, HANDLERS[f"ops.{_class}"])


@handles("ops.Matmul", "Matmul")
def _matmul(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    a, b = (k.logical(x) for x in signals_in((args, kwargs)))
    return Signal(k.apply("matmul", a, b, layer=layer))


@handles("ops.Einsum", "Einsum")
def _einsum(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    values = [k.logical(x) for x in signals_in((args, kwargs))]
    equation = str(layer.config["subscripts"])
    return Signal(k.apply("einsum", *values, layer=layer, equation=equation))


@handles("ops.Concatenate")
def _join(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    values = [k.logical(x) for x in signals_in((args, kwargs))]
    axis = int(layer.config.get("axis", kwargs.get("axis", 0)))
    return Signal(k.apply("concatenate", *values, layer=layer, axis=axis))


@handles("ops.Transpose", "Transpose")
def _transpose(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.logical(only((args, kwargs)))
    given = layer.config.get("axes", kwargs.get("axes"))
    order = tuple(given) if given else tuple(reversed(range(len(x.shape))))
    return Signal(k.apply("transpose", x, layer=layer, order=order))


@handles("ops.ExpandDims", "ExpandDims")
def _expand(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.logical(only((args, kwargs)))
    given = layer.config.get("axis", kwargs.get("axis", args[1] if len(args) > 1 else 0))
    shape = list(x.shape)
    for axis in sorted([given] if isinstance(given, int) else given):
        shape.insert(axis % (len(shape) + 1), 1)
    return Signal(k.apply("reshape", x, layer=layer, shape=tuple(shape)))


@handles("ops.GetItem", "GetItem", "ops.Squeeze", "Squeeze", "ops.Split", "Split", "ops.Slice")
def _part(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    """Read a part of a tensor, of the shape that the configuration states for it."""
    return _declared(k, layer, only((args, kwargs)), "view")


@handles(
    "ops.Stack", "Stack", "ops.Pad", "Pad", "ops.Tile", "Tile", "ops.Repeat", "ops.Roll",
    "ops.Flip", "ops.Cast", "Cast", "ops.BroadcastTo", "ops.Take", "ops.Where", "Where",
)  # fmt: skip
def _moved(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    return _declared(k, layer, only((args, kwargs)), "copy")


def _declared(k: Reading, layer: Layer, x: Signal, operator: str) -> Made:
    shapes = [s for s in layer.declared if s is not None]
    if not shapes or (operator == "view" and sum(map(math.prod, shapes)) > math.prod(x.shape)):
        return k.unknown(layer, [x])
    made = k.builder.record(
        operator,
        k.logical(x),
        name=layer.path,
        format=layer.formats[0],
        shape=tuple(shapes),
        function=layer.kind.lower(),
    )
    return [Signal(v) for v in made] if len(made) > 1 else Signal(made[0])
