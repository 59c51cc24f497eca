"""Transforms: Fourier transforms and distances between all pairs of vectors."""

from __future__ import annotations

import math

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    shape_or_same,
    wrong_shape,
)
from tradespace.graph.operators.products import broadcast


def _fourier_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    longer = max(inputs[0], outputs[0], key=math.prod)
    points = math.prod(longer[a % len(longer)] for a in attributes["axes"])
    return {"E": math.prod(longer), "lg": max(1, math.ceil(math.log2(max(1, points))))}


def _distance_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    a, b = inputs
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-1]:
        raise wrong_shape(
            operator="distances", takes="(..., M, K) and (..., N, K)", got=f"{a} and {b}"
        )
    return ((*broadcast("distances", a[:-2], b[:-2]), a[-2], b[-2]),)


def _distance_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"K": inputs[0][-1]}


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="fourier",
        kind="reduction",
        summary="A fast Fourier transform of E points in all, lg the logarithm (base 2, rounded "
        "up) of the points of one: 5 operations for each point and halving, as usually counted.",
        attributes=(
            Attribute("shape", default=None, doc="of the result"),
            Attribute("axes", default=(-1,), doc="along which it runs"),
        ),
        shapes=shape_or_same,
        symbols=_fourier_symbols,
        operations="5*E*lg",
    ),
    Operator(
        name="distances",
        kind="reduction",
        summary="The distance of every vector of one set to every vector of another.",
        inputs=("a", "b"),
        shapes=_distance_shapes,
        symbols=_distance_symbols,
        operations="3*K*O",
        saves=("inputs", "output0"),
    ),
)
