"""Scaled dot-product attention as one operator."""

from __future__ import annotations

import math

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    wrong_shape,
)


def _shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    q, k, v = inputs[:3]
    if len(q) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        wanted = "queries (..., L, D), keys (..., S, D) and values (..., S, D_v)"
        raise wrong_shape(operator="attention", takes=wanted, got=f"{q}, {k}, {v}")
    return ((*q[:-1], v[-1]),)


def _symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    q, k, v = inputs[:3]
    return {
        "B": math.prod(outputs[0][:-2]),
        "L": q[-2],
        "S": k[-2],
        "D": q[-1],
        "D_v": v[-1],
    }


def _kept(attributes: Attributes, device: str) -> tuple[str, ...]:
    """Return what training keeps.

    A fused kernel keeps queries, keys, values, its result and one number for each query. With
    dropout on a CPU torch computes step by step and keeps probabilities, mask and their product.
    """
    if device == "cpu" and float(attributes["dropout"]) > 0:
        return ("input0", "input1", "input2", "=(8 + mask)*B*L*S")
    return ("input0", "input1", "input2", "output0", "=4*B*L")


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="attention",
        kind="attention",
        summary="Scaled dot products: softmax(Q K^T / sqrt(D)) V. A causal mask saves no work in "
        "this count, as every published count has it.",
        inputs=("query", "key", "value", "mask..."),
        attributes=(
            Attribute("causal", default=False, doc="whether positions see only those before them"),
            Attribute("dropout", default=0.0, doc="share of scores dropped in training"),
        ),
        shapes=_shapes,
        symbols=_symbols,
        macs="B*L*S*(D + D_v)",
        operations="6*B*L*S",  # scaling and softmax
        product=("B", "L", "D + D_v", "S", "1"),
        saves=_kept,
    ),
)
