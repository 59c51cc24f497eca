"""Arithmetic element by element, comparisons, reductions and losses."""

from __future__ import annotations

import math

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    register,
    same_shape,
)
from tradespace.graph.operators.products import broadcast


def _stretched(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape = attributes.get("shape")
    return (tuple(shape) if shape is not None else broadcast("elementwise", *inputs),)


def _operands(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    del outputs, attributes
    return {"n": max(1, len(inputs) - 1)}


#: name -> (what training keeps, summary).
_BINARY = {
    "add": ((), "The sum of signals."),
    "subtract": ((), "The difference of two signals."),
    "multiply": (("input0@input1", "input1@input0"), "The product of two signals."),
    "divide": (("inputs",), "The quotient of two signals."),
    "power": (("inputs", "output0"), "A power."),
    "maximum": (("inputs",), "The larger of two signals."),
    "minimum": (("inputs",), "The smaller of two signals."),
}
for _name, (_kept, _summary) in _BINARY.items():
    register(
        Operator(
            name=_name,
            kind="elementwise",
            summary=_summary,
            inputs=("operand...",),
            shapes=_stretched,
            symbols=_operands,
            operations="n*O",
            saves=_kept,
        )
    )

#: name -> (operations for each element, what training keeps).
_UNARY: dict[str, tuple[int, tuple[str, ...]]] = {
    "negate": (1, ()),
    "absolute": (1, ("input0",)),
    "exponential": (1, ("output0",)),
    "logarithm": (1, ("input0",)),
    "square_root": (1, ("output0",)),
    "reciprocal_square_root": (2, ("output0",)),
    "reciprocal": (1, ("output0",)),
    "square": (1, ("input0",)),
    "error_function": (1, ("input0",)),
    "sine": (1, ("input0",)),
    "cosine": (1, ("input0",)),
    "round": (1, ()),
    "clamp": (2, ("input0",)),
}
for _name, (_count, _kept) in _UNARY.items():
    register(
        Operator(
            name=_name,
            kind="elementwise",
            summary=f"Element by element: {_name.replace('_', ' ')}.",
            shapes=_stretched,
            operations="O" if _count == 1 else f"{_count}*O",
            saves=_kept,
        )
    )

register(
    Operator(
        name="pointwise",
        kind="elementwise",
        summary="An elementary function that has no name of its own here; one operation each.",
        inputs=("operand...",),
        attributes=(Attribute("function", doc="its name where it comes from"),),
        shapes=_stretched,
        operations="O",
        saves=("inputs",),
    )
)
for _name, _summary in {
    "compare": "A comparison or a logical operation.",
    "select": "One of two signals, by a condition.",
}.items():
    register(
        Operator(
            name=_name,
            kind="elementwise",
            summary=_summary,
            inputs=("operand...",),
            attributes=(Attribute("shape", default=None, doc="of the result"),),
            shapes=_stretched,
            operations="O",
            saves=("input0",) if _name == "select" else (),
        )
    )

register(
    Operator(
        name="rotary",
        kind="elementwise",
        summary="Pairs of elements turned by an angle that grows with the position: "
        "x cos + (x turned by 90 degrees) sin.",
        inputs=("signal", "cosine", "sine"),
        shapes=same_shape,
        operations="3*O",
        saves=("input1@input0", "input2@input0"),
    )
)


def reduced(inputs: Shapes, attributes: Attributes) -> Shapes:
    """Return the shape that is left when some axes are summed."""
    shape, axes = inputs[0], attributes["axes"]
    if axes is None:
        return ((1,) * len(shape) if attributes["keep_dimensions"] else (),)
    chosen = {a % max(1, len(shape)) for a in ((axes,) if isinstance(axes, int) else axes)}
    if attributes["keep_dimensions"]:
        return (tuple(1 if i in chosen else n for i, n in enumerate(shape)),)
    return (tuple(n for i, n in enumerate(shape) if i not in chosen),)


#: name -> (operations, what training keeps, summary).
_REDUCTIONS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "sum": ("I", (), "The sum over some axes."),
    "mean": ("I + O", (), "The mean over some axes."),
    "product": ("I", ("input0", "output0"), "The product over some axes."),
    "largest": ("I", ("=8*O",), "The largest (or smallest) over some axes."),
    "argument_of_largest": ("I", (), "Where the largest (or smallest) stands."),
    "variance": ("4*I", ("input0",), "The variance over some axes."),
    "norm": ("2*I", ("input0", "output0"), "The root of the sum of squares over some axes."),
    "log_sum_exp": ("4*I", ("input0", "output0"), "The logarithm of the sum of exponentials."),
}
for _name, (_text, _kept, _summary) in _REDUCTIONS.items():
    register(
        Operator(
            name=_name,
            kind="reduction",
            summary=_summary,
            attributes=(
                Attribute("axes", default=None, doc="all if none"),
                Attribute(
                    "keep_dimensions", default=False, doc="whether reduced axes stay with size 1"
                ),
            ),
            shapes=reduced,
            operations=_text,
            saves=_kept,
        )
    )


def _cumulative(inputs: Shapes, attributes: Attributes) -> Shapes:
    del attributes
    return (inputs[0],)


register(
    Operator(
        name="cumulative_sum",
        kind="reduction",
        summary="Running sums along an axis.",
        attributes=(Attribute("axis", default=-1, doc="along which it runs"),),
        shapes=_cumulative,
        operations="O",
    )
)


def _loss_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    del inputs, attributes
    return ((),)


def _loss_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    del outputs, attributes
    return {"E": math.prod(inputs[0])}


for _name, _summary in {
    "cross_entropy": "The negative log-likelihood of classes; E scores.",
    "squared_error": "The mean squared difference of E numbers.",
}.items():
    register(
        Operator(
            name=_name,
            kind="reduction",
            summary=_summary,
            inputs=("scores", "targets..."),
            shapes=_loss_shapes,
            symbols=_loss_symbols,
            operations="6*E" if _name == "cross_entropy" else "3*E",
            saves=("=4*E",) if _name == "cross_entropy" else ("inputs",),
        )
    )
