"""Activation functions, maxout, dropout and stochastic depth.

Operations: every addition, product, division, comparison and elementary function counts one.
"""

from __future__ import annotations

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    register,
    same_shape,
    wrong_shape,
)

#: name -> (operations for each element, what training keeps, what it is).
_FUNCTIONS: dict[str, tuple[int, str, str]] = {
    "relu": (1, "output0", "max(x, 0)"),
    "relu6": (2, "input0", "min(max(x, 0), 6)"),
    "leaky_relu": (2, "input0", "x where positive, a small multiple of x elsewhere"),
    "elu": (4, "input0", "x where positive, exp(x) - 1 elsewhere"),
    "selu": (5, "input0", "a scaled elu"),
    "celu": (5, "input0", "an elu with a smooth derivative"),
    "gelu": (5, "input0", "x times the normal distribution function at x, by erf"),
    "gelu_tanh": (9, "input0", "gelu, approximated with tanh"),
    "quick_gelu": (5, "input0", "x times the logistic function at 1.702 x"),
    "silu": (5, "input0", "x times the logistic function at x"),
    "mish": (6, "input0", "x tanh(softplus(x))"),
    "sigmoid": (4, "output0", "1 / (1 + exp(-x))"),
    "log_sigmoid": (4, "input0", "the logarithm of the sigmoid"),
    "tanh": (1, "output0", "the hyperbolic tangent"),
    "hard_sigmoid": (4, "input0", "sigmoid by pieces of straight lines"),
    "hard_swish": (5, "input0", "x times the hard sigmoid at x"),
    "hard_tanh": (2, "input0", "x between -1 and 1"),
    "softplus": (3, "input0", "log(1 + exp(x))"),
    "softsign": (3, "input0", "x / (1 + |x|)"),
    "threshold": (1, "input0", "x above a threshold, a constant below"),
}
for _name, (_count, _kept, _what) in _FUNCTIONS.items():
    register(
        Operator(
            name=_name,
            kind="elementwise",
            summary=f"Activation: {_what}.",
            shapes=same_shape,
            operations="O" if _count == 1 else f"{_count}*O",
            saves=(_kept,),
            fusible=True,
        )
    )


def _slopes(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    del inputs, outputs
    return {"C": int(attributes["slopes"])}


register(
    Operator(
        name="prelu",
        kind="elementwise",
        summary="Activation: a leaky relu whose slope is learned.",
        attributes=(Attribute("slopes", default=1, doc="learned: one, or one for each channel"),),
        shapes=same_shape,
        symbols=_slopes,
        parameters="C",
        operations="2*O",
        saves=("input0",),
        fusible=True,
    )
)


def _maxout_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape, pieces, axis = list(inputs[0]), int(attributes["pieces"]), int(attributes["axis"])
    if shape[axis] % pieces:
        raise wrong_shape(
            operator="maxout", takes=f"a multiple of {pieces} along axis {axis}", got=tuple(shape)
        )
    shape[axis] //= pieces
    return (tuple(shape),)


def _pieces(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    del inputs, outputs
    return {"k": int(attributes["pieces"])}


register(
    Operator(
        name="maxout",
        kind="elementwise",
        summary="Activation: the largest of k neighbours.",
        attributes=(
            Attribute("pieces", default=2, doc="neighbors that compete"),
            Attribute("axis", default=1, doc="along which it runs"),
        ),
        shapes=_maxout_shapes,
        symbols=_pieces,
        operations="O*(k - 1)",
        saves=("=8*O",),
    )
)


def _mask(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    del inputs, outputs
    return {"p": int(float(attributes["rate"]) > 0)}


register(
    Operator(
        name="dropout",
        kind="elementwise",
        summary="Zeroes at random in training; nothing in service, where nothing is counted.",
        attributes=(Attribute("rate", default=0.5, doc="share that is left out in training"),),
        shapes=same_shape,
        symbols=_mask,
        operations="0",
        traffic="0",
        saves=("=p*mask*O",),
        fusible=True,
    )
)


def _samples(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    del outputs, attributes
    return {"N": inputs[0][0] if inputs[0] else 1}


register(
    Operator(
        name="stochastic_depth",
        kind="elementwise",
        summary="Leaves out a whole branch for some samples in training; nothing in service, where "
        "nothing is counted.",
        attributes=(Attribute("rate", default=0.5, doc="share that is left out in training"),),
        shapes=same_shape,
        symbols=_samples,
        operations="0",
        traffic="0",
        saves=("=4*N",),
        fusible=True,
    )
)
