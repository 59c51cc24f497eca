"""Activation functions, maxout, dropout and stochastic depth.

Operations: every addition, product, division, comparison and elementary function counts one.
"""

from __future__ import annotations

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Names,
    Operator,
    Shapes,
    Symbols,
    same_shape,
    wrong_shape,
)

#: name -> (operations for each element, what training keeps, what it is, names elsewhere).
_FUNCTIONS: dict[str, tuple[int, str, str, Names]] = {
    "relu": (1, "output0", "max(x, 0)", Names("Relu", "relu", "relu")),
    "relu6": (2, "input0", "min(max(x, 0), 6)", Names(torch="relu6", keras="relu6")),
    "leaky_relu": (
        2,
        "input0",
        "x where positive, a small multiple of x elsewhere",
        Names("LeakyRelu ms.QLinearLeakyRelu", "leaky_relu", "leaky_relu LeakyReLU"),
    ),
    "elu": (4, "input0", "x where positive, exp(x) - 1 elsewhere", Names("Elu", "elu", "elu ELU")),
    "selu": (5, "input0", "a scaled elu", Names("Selu", "selu", "selu")),
    "celu": (5, "input0", "an elu with a smooth derivative", Names("Celu", "celu", "celu")),
    "gelu": (
        5,
        "input0",
        "x times the normal distribution function at x, by erf",
        Names(keras="gelu"),
    ),
    "gelu_tanh": (9, "input0", "gelu, approximated with tanh", Names()),
    "quick_gelu": (5, "input0", "x times the logistic function at 1.702 x", Names("ms.QuickGelu")),
    "silu": (
        5,
        "input0",
        "x times the logistic function at x",
        Names("Swish", "silu", "silu swish"),
    ),
    "mish": (6, "input0", "x tanh(softplus(x))", Names("Mish", "mish", "mish")),
    "sigmoid": (
        4,
        "output0",
        "1 / (1 + exp(-x))",
        Names("Sigmoid ms.QLinearSigmoid", "sigmoid", "sigmoid"),
    ),
    "log_sigmoid": (
        4,
        "input0",
        "the logarithm of the sigmoid",
        Names(torch="log_sigmoid log_sigmoid_forward", keras="log_sigmoid"),
    ),
    "tanh": (1, "output0", "the hyperbolic tangent", Names("Tanh", "tanh", "tanh")),
    "hard_sigmoid": (
        4,
        "input0",
        "sigmoid by pieces of straight lines",
        Names("HardSigmoid", "hardsigmoid", "hard_sigmoid"),
    ),
    "hard_swish": (
        5,
        "input0",
        "x times the hard sigmoid at x",
        Names("HardSwish", "hardswish", "hard_silu hard_swish"),
    ),
    "hard_tanh": (2, "input0", "x between -1 and 1", Names(keras="hard_tanh")),
    "softplus": (3, "input0", "log(1 + exp(x))", Names("Softplus", "softplus", "softplus")),
    "softsign": (3, "input0", "x / (1 + |x|)", Names("Softsign", keras="softsign")),
    "threshold": (
        1,
        "input0",
        "x above a threshold, a constant below",
        Names("ThresholdedRelu", "threshold", "threshold ThresholdedReLU"),
    ),
}


def _slopes(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"C": int(attributes["slopes"])}


def _maxout_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape, pieces, axis = list(inputs[0]), int(attributes["pieces"]), int(attributes["axis"])
    if shape[axis] % pieces:
        raise wrong_shape(
            operator="maxout", takes=f"a multiple of {pieces} along axis {axis}", got=tuple(shape)
        )
    shape[axis] //= pieces
    return (tuple(shape),)


def _pieces(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"k": int(attributes["pieces"])}


def _mask(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"p": int(float(attributes["rate"]) > 0)}


def _samples(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"N": inputs[0][0] if inputs[0] else 1}


OPERATORS: tuple[Operator, ...] = (
    *(
        Operator(
            name=name,
            kind="elementwise",
            summary=f"Activation: {what}.",
            shapes=same_shape,
            operations="O" if count == 1 else f"{count}*O",
            saves=(kept,),
            fusible=True,
            names=names,
        )
        for name, (count, kept, what, names) in _FUNCTIONS.items()
    ),
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
    ),
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
    ),
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
    ),
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
    ),
)
