"""Arithmetic element by element, comparisons, reductions and losses."""

from __future__ import annotations

import math

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    AXES,
    AXIS,
    KEEP_DIMENSIONS,
    Attribute,
    Names,
    Operator,
    Shapes,
    Symbols,
    same_shape,
)
from tradespace.graph.operators.products import broadcast


def _stretched(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape = attributes.get("shape")
    return (tuple(shape) if shape is not None else broadcast("elementwise", *inputs),)


def _operands(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"n": max(1, len(inputs) - 1)}


#: name -> (what training keeps, summary, names elsewhere).
_BINARY: dict[str, tuple[tuple[str, ...], str, Names]] = {
    "add": ((), "The sum of signals.", Names("Add Sum ms.QLinearAdd", "add", "add")),
    "subtract": ((), "The difference of two signals.", Names("Sub", "sub rsub", "subtract")),
    "multiply": (
        ("input0@input1", "input1@input0"),
        "The product of two signals.",
        Names("Mul ms.QLinearMul", "mul", "multiply"),
    ),
    "divide": (
        ("inputs",),
        "The quotient of two signals.",
        Names("Div", "div true_divide", "divide true_divide"),
    ),
    "power": (("inputs", "output0"), "A power.", Names("Pow", "pow", "power")),
    "maximum": (("inputs",), "The larger of two signals.", Names("Max", "maximum", "maximum")),
    "minimum": (("inputs",), "The smaller of two signals.", Names("Min", "minimum", "minimum")),
}
#: name -> (operations for each element, what training keeps, names elsewhere).
_UNARY: dict[str, tuple[int, tuple[str, ...], Names]] = {
    "negate": (1, (), Names("Neg", "neg", "negative")),
    "absolute": (1, ("input0",), Names("Abs", "abs", "abs absolute")),
    "exponential": (1, ("output0",), Names("Exp", "exp", "exp exponential")),
    "logarithm": (1, ("input0",), Names("Log", "log", "log")),
    "square_root": (1, ("output0",), Names("Sqrt", "sqrt", "sqrt")),
    "reciprocal_square_root": (2, ("output0",), Names(torch="rsqrt", keras="rsqrt")),
    "reciprocal": (1, ("output0",), Names("Reciprocal", "reciprocal", "reciprocal")),
    "square": (1, ("input0",), Names(torch="square", keras="square")),
    "error_function": (1, ("input0",), Names("Erf", "erf", "erf")),
    "sine": (1, ("input0",), Names("Sin", "sin", "sin")),
    "cosine": (1, ("input0",), Names("Cos", "cos", "cos")),
    "round": (1, (), Names("Round", keras="round")),
    "floor": (1, (), Names("Floor", "floor", "floor")),
    "clamp": (2, ("input0",), Names(keras="clip")),
}


def reduced(inputs: Shapes, attributes: Attributes) -> Shapes:
    """Return the shape that is left when some axes are summed."""
    shape, axes = inputs[0], attributes["axes"]
    if axes is None:
        return ((1,) * len(shape) if attributes["keep_dimensions"] else (),)
    chosen = {a % max(1, len(shape)) for a in ((axes,) if isinstance(axes, int) else axes)}
    if attributes["keep_dimensions"]:
        return (tuple(1 if i in chosen else n for i, n in enumerate(shape)),)
    return (tuple(n for i, n in enumerate(shape) if i not in chosen),)


#: name -> (operations, what training keeps, summary, names elsewhere).
_REDUCTIONS: dict[str, tuple[str, tuple[str, ...], str, Names]] = {
    "sum": ("I", (), "The sum over some axes.", Names("ReduceSum", "sum", "sum")),
    "mean": ("I + O", (), "The mean over some axes.", Names("ReduceMean", "mean", "mean")),
    "product": (
        "I",
        ("input0", "output0"),
        "The product over some axes.",
        Names("ReduceProd", "prod", "prod"),
    ),
    "largest": (
        "I",
        ("=8*O",),
        "The largest (or smallest) over some axes.",
        Names("ReduceMax ReduceMin", "amax amin max min any all", "max min"),
    ),
    "argument_of_largest": (
        "I",
        (),
        "Where the largest (or smallest) stands.",
        Names("ArgMax ArgMin", "argmax argmin", "argmax argmin"),
    ),
    "variance": (
        "4*I",
        ("input0",),
        "The variance over some axes.",
        Names(torch="var std var_mean std_mean", keras="var std"),
    ),
    "norm": (
        "2*I",
        ("input0", "output0"),
        "The root of the sum of squares over some axes.",
        Names("ReduceL2 ReduceL1 ReduceSumSquare", "norm linalg_vector_norm", "norm"),
    ),
    "log_sum_exp": (
        "4*I",
        ("input0", "output0"),
        "The logarithm of the sum of exponentials.",
        Names("ReduceLogSumExp ReduceLogSum", "logsumexp", "logsumexp"),
    ),
}


def _loss_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    return ((),)


def _loss_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"E": math.prod(inputs[0])}


def _loss(name: str, summary: str, operations: str, *kept: str) -> Operator:
    return Operator(
        name=name,
        kind="reduction",
        summary=summary,
        inputs=("scores", "targets..."),
        shapes=_loss_shapes,
        symbols=_loss_symbols,
        operations=operations,
        saves=kept,
    )


def _logical(name: str, summary: str, names: Names, *kept: str) -> Operator:
    return Operator(
        name=name,
        kind="elementwise",
        summary=summary,
        inputs=("operand...",),
        attributes=(Attribute("shape", default=None, doc="of the result"),),
        shapes=_stretched,
        operations="O",
        saves=kept,
        names=names,
    )


OPERATORS: tuple[Operator, ...] = (
    *(
        Operator(
            name=name,
            kind="elementwise",
            summary=summary,
            inputs=("operand...",),
            shapes=_stretched,
            symbols=_operands,
            operations="n*O",
            saves=kept,
            names=names,
        )
        for name, (kept, summary, names) in _BINARY.items()
    ),
    *(
        Operator(
            name=name,
            kind="elementwise",
            summary=f"Element by element: {name.replace('_', ' ')}.",
            shapes=_stretched,
            operations="O" if count == 1 else f"{count}*O",
            saves=kept,
            names=names,
        )
        for name, (count, kept, names) in _UNARY.items()
    ),
    Operator(
        name="pointwise",
        kind="elementwise",
        summary="An elementary function that has no name of its own here; one operation each.",
        inputs=("operand...",),
        attributes=(Attribute("function", doc="its name where it comes from"),),
        shapes=_stretched,
        operations="O",
        saves=("inputs",),
        names=Names("Ceil Sign Tan Sinh Cosh Asin Acos Atan Asinh Acosh Atanh"),
    ),
    _logical(
        "compare",
        "A comparison or a logical operation.",
        Names(
            "Greater GreaterOrEqual Less LessOrEqual Equal And Or Xor Not IsNaN IsInf",
            "eq ne lt le gt ge logical_and logical_or logical_xor logical_not bitwise_and "
            "bitwise_or bitwise_not isnan isinf isin",
        ),
    ),
    _logical(
        "select",
        "One of two signals, by a condition.",
        Names("Where", "where masked_fill"),
        "input0",
    ),
    Operator(
        name="rotary",
        kind="elementwise",
        summary="Pairs of elements turned by an angle that grows with the position: "
        "x cos + (x turned by 90 degrees) sin.",
        inputs=("signal", "cosine", "sine"),
        shapes=same_shape,
        operations="3*O",
        saves=("input1@input0", "input2@input0"),
    ),
    *(
        Operator(
            name=name,
            kind="reduction",
            summary=summary,
            attributes=(AXES, KEEP_DIMENSIONS),
            shapes=reduced,
            operations=operations,
            saves=kept,
            names=names,
        )
        for name, (operations, kept, summary, names) in _REDUCTIONS.items()
    ),
    Operator(
        name="cumulative_sum",
        kind="reduction",
        summary="Running sums along an axis.",
        attributes=(AXIS,),
        shapes=same_shape,
        operations="O",
    ),
    _loss("cross_entropy", "The negative log-likelihood of classes; E scores.", "6*E", "=4*E"),
    _loss("squared_error", "The mean squared difference of E numbers.", "3*E", "inputs"),
)
