"""Layers of the first convolutional networks: learned subsampling, partial connections, patterns.

They are also worked examples of registering operators that the usual families lack.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    wrong_shape,
)
from tradespace.graph.operators.convolutions import (
    BIAS,
    DILATION,
    KERNEL,
    STRIDE,
    output_sizes,
    per_axis,
)
from tradespace.graph.operators.pooling import BORDER

_WINDOW = (KERNEL, STRIDE, BORDER, DILATION)


def _partial_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape, maps = inputs[0], attributes["connections"]
    highest = max((max(seen, default=-1) for seen in maps), default=-1)
    if len(shape) != 4 or highest >= shape[1]:
        wanted = f"(batch, at least {highest + 1} channels, height, width)"
        raise wrong_shape(operator="partial_convolution2d", takes=wanted, got=shape)
    positions = output_sizes("partial_convolution2d", shape, attributes, rank=2)
    return ((shape[0], len(maps), *positions),)


def _partial_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    maps: Sequence[Sequence[int]] = attributes["connections"]
    height, width = per_axis(attributes["kernel"], 2)
    return {
        "N": inputs[0][0],
        "E": sum(len(seen) for seen in maps),
        "C_out": len(maps),
        "H_out": outputs[0][2],
        "W_out": outputs[0][3],
        "K_h": height,
        "K_w": width,
        "beta": int(bool(attributes["bias"])),
    }


def _subsampled(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape = inputs[0]
    if len(shape) != 4:
        wanted = "(batch, channels, height, width)"
        raise wrong_shape(operator="trainable_subsampling2d", takes=wanted, got=shape)
    positions = output_sizes("trainable_subsampling2d", shape, attributes, rank=2)
    return ((*shape[:2], *positions),)


def _subsampling_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    height, width = per_axis(attributes["kernel"], 2)
    return {"C": inputs[0][1], "K": height * width}


def _radial_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    return ((*inputs[0][:-1], int(attributes["units"])),)


def _radial_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"M": math.prod(inputs[0][:-1]), "K": inputs[0][-1], "N": int(attributes["units"])}


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="partial_convolution2d",
        kind="product",
        summary="A convolution in which each output channel sees only some of the input channels; "
        "E is the number of connected pairs.",
        attributes=(
            Attribute("connections", doc="for each output channel, the input channels it sees"),
            *_WINDOW,
            BIAS,
        ),
        shapes=_partial_shapes,
        symbols=_partial_symbols,
        parameters="E*K_h*K_w + beta*C_out",
        macs="N*E*H_out*W_out*K_h*K_w",
        operations="beta*N*C_out*H_out*W_out",
        product=("1", "N*H_out*W_out", "1", "K_h*K_w", "E"),
        window="K_h*K_w",
        saves=("input0",),
        weighted=True,
    ),
    Operator(
        name="trainable_subsampling2d",
        kind="pooling",
        summary="The sum of each window times a coefficient of the channel, plus its bias "
        "(LeNet-5).",
        attributes=_WINDOW,
        shapes=_subsampled,
        symbols=_subsampling_symbols,
        parameters="2*C",
        macs="O",
        operations="O*K",  # K - 1 sums and the bias
        window="K",
        saves=("input0",),
        weighted=True,
    ),
    Operator(
        name="radial_basis",
        kind="product",
        summary="The squared distance of the input to a pattern of each unit.",
        attributes=(Attribute("units", doc="patterns"),),
        shapes=_radial_shapes,
        symbols=_radial_symbols,
        parameters="K*N",
        macs="M*K*N",
        operations="M*K*N",  # differences
        product=("1", "M", "N", "K", "1"),
        saves=("input0",),
        weighted=True,
    ),
)
