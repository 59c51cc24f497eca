"""Normalization and softmax.

Operations are those of inference with running statistics for batch normalization (one
multiplication and one addition, as every runtime computes it) and of the definition for the
others: mean, deviations, squares, their sum and the scaling make five for each element, scale
and offset two more.
"""

from __future__ import annotations

import math

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    AXIS,
    Attribute,
    Names,
    Operator,
    Shapes,
    Symbols,
    same_shape,
    wrong_shape,
)

_AFFINE = Attribute("affine", default=True, doc="whether it has a scale")


_OFFSET = Attribute("offset", default=True, doc="whether it has an offset beside the scale")


def _channels(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    shape = inputs[0]
    affine = int(bool(attributes["affine"]))
    return {
        "N": shape[0],
        "C": shape[1] if len(shape) > 1 else shape[0],
        "alpha": affine,
        "beta": affine * int(bool(attributes["offset"])),
        "tau": int(bool(attributes.get("statistics", False))),
        "G": int(attributes.get("groups", 1)),
    }


def _last(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    shape, axes = outputs[0], int(attributes["axes"])
    if axes > len(inputs[0]):
        raise wrong_shape(operator="layer_norm", takes=f"at least {axes} dimensions", got=inputs[0])
    affine = int(bool(attributes["affine"]))
    return {
        "R": math.prod(shape[: len(shape) - axes]),
        "D": math.prod(shape[len(shape) - axes :]),
        "alpha": affine,
        "beta": affine * int(bool(attributes.get("offset", False))),
    }


def _neighbors(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    shape, size = inputs[0], int(attributes["size"])
    return {"n": size, "r": (size - 1) * math.prod(shape) // max(1, shape[1])}


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="batch_norm",
        kind="normalization",
        summary="Each channel by its mean and variance over the batch; running ones in service.",
        attributes=(
            _AFFINE,
            _OFFSET,
            Attribute("statistics", default=True, doc="whether running statistics are kept"),
        ),
        shapes=same_shape,
        symbols=_channels,
        parameters="(alpha + beta + 2*tau)*C",
        operations="2*O",
        saves=("input0", "=8*C"),
        fusible=True,
    ),
    Operator(
        name="group_norm",
        kind="normalization",
        summary="Groups of channels of one sample by their mean and variance.",
        attributes=(Attribute("groups", doc="into which channels are divided"), _AFFINE, _OFFSET),
        shapes=same_shape,
        symbols=_channels,
        parameters="(alpha + beta)*C",
        operations="(5 + alpha + beta)*O",
        saves=("input0", "=8*N*G"),
    ),
    Operator(
        name="instance_norm",
        kind="normalization",
        summary="Each channel of each sample by its mean and variance.",
        attributes=(
            _AFFINE,
            _OFFSET,
            Attribute("statistics", default=False, doc="whether running statistics are kept"),
        ),
        shapes=same_shape,
        symbols=_channels,
        parameters="(alpha + beta + 2*tau)*C",
        operations="(5 + alpha + beta)*O",
        saves=("input0", "=8*N*C"),
    ),
    Operator(
        name="layer_norm",
        kind="normalization",
        summary="The last dimensions of each sample by their mean and variance.",
        attributes=(Attribute("axes", default=1, doc="how many last dimensions"), _AFFINE, _OFFSET),
        shapes=same_shape,
        symbols=_last,
        parameters="(alpha + beta)*D",
        operations="(5 + alpha + beta)*O",
        saves=("input0", "=8*R"),
    ),
    Operator(
        name="rms_norm",
        kind="normalization",
        summary="The last dimensions of each sample by their root mean square.",
        attributes=(Attribute("axes", default=1, doc="how many last dimensions"), _AFFINE),
        shapes=same_shape,
        symbols=_last,
        parameters="alpha*D",
        operations="(3 + alpha)*O",
        saves=("input0", "=4*R"),
    ),
    Operator(
        name="local_response_norm",
        kind="normalization",
        summary="Each value by the squares of its neighbours in other channels (AlexNet).",
        attributes=(Attribute("size", default=5, doc="neighbors seen"),),
        shapes=same_shape,
        symbols=_neighbors,
        # Squares and sums of n neighbours, then scale, offset, power and division.
        operations="(2*n + 4)*O",
        # Squares with a border of n - 1 channels (r elements), their mean, and its power.
        saves=("input0", "=12*O + 4*r"),
    ),
    *(
        Operator(
            name=name,
            kind="normalization",
            summary="Exponentials divided by their sum"
            + (", as logarithms." if name == "log_softmax" else "."),
            attributes=(AXIS,),
            shapes=same_shape,
            operations="5*O",  # maximum, difference, exponential, sum, division
            saves=("output0",),
            names=Names(keras=name),
        )
        for name in ("softmax", "log_softmax")
    ),
)
