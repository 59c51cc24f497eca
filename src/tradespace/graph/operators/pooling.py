"""Pooling: sliding windows, adaptive windows, whole pictures."""

from __future__ import annotations

import math
from dataclasses import replace

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    KEEP_DIMENSIONS,
    Attribute,
    Operator,
    Shapes,
    Symbols,
    wrong_shape,
)
from tradespace.graph.operators.convolutions import (
    AXES,
    DILATION,
    STRIDE,
    output_sizes,
    per_axis,
)

_KERNEL = Attribute("kernel", doc="size of the window; it may be larger than the stride")
BORDER = Attribute(
    "padding", default=0, doc="border: a number, one for each side, 'same' or 'valid'"
)
_CEIL = Attribute("ceil", default=False, doc="whether a window may hang over the end")
_SIZE = Attribute("output_size", default=1, doc="positions of the result, for each dimension")


def _saves(function: str) -> tuple[str, ...]:
    return ("input0", "=8*O") if function == "max" else ("input0",)


def _windowed(function: str, rank: int) -> Operator:
    name = f"{function}_pool{rank}d"

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        shape = inputs[0]
        if len(shape) != rank + 2:
            wanted = f"(batch, channels and {rank} spatial dimensions)"
            raise wrong_shape(operator=name, takes=wanted, got=shape)
        positions = output_sizes(name, shape, attributes, rank=rank, ceil=attributes["ceil"])
        return ((*shape[:2], *positions),)

    def symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
        # A window that is larger than the picture sees the picture.
        kernel = per_axis(attributes["kernel"], rank)
        return {"K": math.prod(map(min, kernel, inputs[0][-rank:]))}

    return Operator(
        name=name,
        kind="pooling",
        summary=f"The {function} of each window.",
        attributes=(_KERNEL, STRIDE, BORDER, DILATION, _CEIL),
        shapes=shapes,
        symbols=symbols,
        # K - 1 comparisons; K - 1 additions and one division.
        operations="O*(K - 1)" if function == "max" else "O*K",
        window="K",
        saves=_saves(function),
    )


def _adaptive(function: str, rank: int) -> Operator:
    name = f"adaptive_{function}_pool{rank}d"

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        wanted, shape = per_axis(attributes["output_size"], rank), inputs[0]
        if len(shape) < rank + 1:
            takes = f"channels and {rank} spatial dimensions"
            raise wrong_shape(operator=name, takes=takes, got=shape)
        return ((*shape[:-rank], *wanted),)

    return Operator(
        name=name,
        kind="pooling",
        summary=f"The {function} of windows that divide the picture evenly.",
        attributes=(_SIZE,),
        shapes=shapes,
        operations="max(I, O)",
        saves=_saves(function),
    )


def _global_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape = inputs[0]
    if len(shape) < 3:
        raise wrong_shape(
            operator="global pooling", takes="batch, channels and spatial dimensions", got=shape
        )
    ones = (1,) * (len(shape) - 2) if attributes["keep_dimensions"] else ()
    return ((*shape[:2], *ones),)


def _global(function: str) -> Operator:
    return Operator(
        name=f"global_{function}_pool",
        kind="pooling",
        summary=f"The {function} over all positions of a channel.",
        attributes=(replace(KEEP_DIMENSIONS, default=True),),
        shapes=_global_shapes,
        operations="I",
        # The average needs only the size of its input to go back.
        saves=_saves(function) if function == "max" else (),
    )


_FUNCTIONS = ("max", "average")
OPERATORS: tuple[Operator, ...] = (
    *(_windowed(function, rank) for rank in AXES for function in _FUNCTIONS),
    *(_adaptive(function, rank) for rank in AXES for function in _FUNCTIONS),
    *(_global(function) for function in _FUNCTIONS),
)
