"""Pooling: sliding windows, adaptive windows, whole pictures."""

from __future__ import annotations

import math

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    register,
    wrong_shape,
)
from tradespace.graph.operators.convolutions import AXES, output_sizes, per_axis

_WINDOW = (
    Attribute("kernel", doc="size of the window; it may be larger than the stride"),
    Attribute("stride", default=1, doc="steps from one window to the next"),
    Attribute("padding", default=0, doc="border: a number, one for each side, 'same' or 'valid'"),
    Attribute("dilation", default=1, doc="steps from one element of a window to the next"),
    Attribute("ceil", default=False, doc="whether a window may hang over the end"),
)


def _register_window(function: str, rank: int) -> None:
    name = f"{function}_pool{rank}d"

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        shape = inputs[0]
        if len(shape) != rank + 2:
            wanted = f"(batch, channels and {rank} spatial dimensions)"
            raise wrong_shape(operator=name, takes=wanted, got=shape)
        positions = output_sizes(name, shape, attributes, rank=rank, ceil=attributes["ceil"])
        return ((*shape[:2], *positions),)

    def symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
        del outputs
        # A window that is larger than the picture sees the picture.
        kernel = per_axis(attributes["kernel"], rank)
        return {"K": math.prod(map(min, kernel, inputs[0][-rank:]))}

    register(
        Operator(
            name=name,
            kind="pooling",
            summary=f"The {function} of each window.",
            attributes=_WINDOW,
            shapes=shapes,
            symbols=symbols,
            # K - 1 comparisons; K - 1 additions and one division.
            operations="O*(K - 1)" if function == "max" else "O*K",
            window="K",
            saves=("input0", "=8*O") if function == "max" else ("input0",),
        )
    )


def _register_adaptive(function: str, rank: int) -> None:
    name = f"adaptive_{function}_pool{rank}d"

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        wanted = per_axis(attributes["output_size"], rank)
        shape = inputs[0]
        if len(shape) < rank + 1:
            raise wrong_shape(
                operator=name, takes=f"channels and {rank} spatial dimensions", got=shape
            )
        return ((*shape[:-rank], *wanted),)

    register(
        Operator(
            name=name,
            kind="pooling",
            summary=f"The {function} of windows that divide the picture evenly.",
            attributes=(
                Attribute(
                    "output_size", default=1, doc="positions of the result, for each dimension"
                ),
            ),
            shapes=shapes,
            operations="max(I, O)",
            saves=("input0", "=8*O") if function == "max" else ("input0",),
        )
    )


for _rank in AXES:
    for _function in ("max", "average"):
        _register_window(_function, _rank)
        _register_adaptive(_function, _rank)


def _global_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape = inputs[0]
    if len(shape) < 3:
        raise wrong_shape(
            operator="global pooling", takes="batch, channels and spatial dimensions", got=shape
        )
    ones = (1,) * (len(shape) - 2) if attributes["keep_dimensions"] else ()
    return ((*shape[:2], *ones),)


for _function in ("max", "average"):
    register(
        Operator(
            name=f"global_{_function}_pool",
            kind="pooling",
            summary=f"The {_function} over all positions of a channel.",
            attributes=(
                Attribute(
                    "keep_dimensions", default=True, doc="whether reduced axes stay with size 1"
                ),
            ),
            shapes=_global_shapes,
            operations="I",
            # The average needs only the size of its input to go back.
            saves=("input0", "=8*O") if _function == "max" else (),
        )
    )
