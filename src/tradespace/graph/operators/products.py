"""Dense layers and matrix products."""

from __future__ import annotations

import math

from tradespace.core.errors import GraphError
from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    wrong_shape,
)


def _dense_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape = inputs[0]
    if not shape:
        raise wrong_shape(operator="dense", takes="a tensor with at least one dimension", got=shape)
    return ((*shape[:-1], int(attributes["out_features"])),)


def _dense_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {
        "M": math.prod(outputs[0][:-1]),
        "K": inputs[0][-1],
        "N": outputs[0][-1],
        "beta": int(bool(attributes["bias"])),
    }


def _matmul_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    a, b = inputs
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-2]:
        raise wrong_shape(
            operator="matmul", takes="(..., M, K) and (..., K, N)", got=f"{a} and {b}"
        )
    return ((*broadcast("matmul", a[:-2], b[:-2]), a[-2], b[-1]),)


def broadcast(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that several shapes are stretched to."""
    rank = max((len(s) for s in shapes), default=0)
    result = [1] * rank
    for shape in shapes:
        for i, size in enumerate(shape, start=rank - len(shape)):
            if result[i] == 1:
                result[i] = size
            elif size not in (1, result[i]):
                raise wrong_shape(
                    operator=name, takes="shapes that can be stretched to one", got=shapes
                )
    return tuple(result)


def product_equation(left: int, right: int) -> str:
    """Return the product of two operands with so many dimensions each as an einsum.

    Examples
    --------
    >>> product_equation(4, 2), product_equation(1, 2)
    ('abmk,kn->abmn', 'k,kn->n')

    """
    lead = "abcdefgh"[: max(left, right, 2) - 2]
    rows, columns = "m" if left >= 2 else "", "n" if right >= 2 else ""
    first = lead[len(lead) - max(0, left - 2) :] + rows + "k"
    second = lead[len(lead) - max(0, right - 2) :] + "k" + columns
    return f"{first},{second}->{lead}{rows}{columns}"


def _matmul_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    *lead, m, n = outputs[0]
    return {"B": math.prod(lead), "M": m, "N": n, "K": inputs[0][-1]}


def parse_equation(equation: str, inputs: Shapes) -> tuple[list[str], str, dict[str, int]]:
    """Return the index letters of each operand and of the result, and the size of each letter.

    Raises
    ------
    GraphError
        If the equation does not fit the operands.

    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(inputs):
        raise wrong_shape(
            operator=f"einsum {equation}", takes=f"{len(terms)} operands", got=len(inputs)
        )
    spare = "".join(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in equation)
    longest = 0
    expanded = []
    for term, shape in zip(terms, inputs, strict=True):
        hidden = len(shape) - (len(term) - 3 if "..." in term else len(term))
        if hidden < 0 or (hidden and "..." not in term):
            raise wrong_shape(
                operator=f"einsum {equation}", takes=f"an operand with indices {term}", got=shape
            )
        longest = max(longest, hidden)
        expanded.append(term.replace("...", spare[:hidden][::-1]))
    ellipsis = spare[:longest][::-1]
    sizes: dict[str, int] = {}
    for term, shape in zip(expanded, inputs, strict=True):
        for letter, size in zip(term, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                if 1 not in (size, sizes[letter]):
                    raise wrong_shape(
                        operator=f"einsum {equation}", takes=f"one size for {letter}", got=inputs
                    )
                sizes[letter] = max(size, sizes[letter])
    if not arrow:
        everything = "".join(expanded)
        once = sorted(c for c in set(everything) if everything.count(c) == 1)
        right = ellipsis + "".join(c for c in once if c not in ellipsis)
    result = right.replace("...", ellipsis)
    unknown = [c for c in result if c not in sizes]
    if unknown:
        msg = f"Equation {equation!r} has {unknown[0]!r} in its result but in no operand."
        raise GraphError(msg, remedy="Name every index of the result in an operand.")
    return expanded, result, sizes


def _einsum_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    _, result, sizes = parse_equation(attributes["equation"], inputs)
    return (tuple(sizes[c] for c in result),)


def _einsum_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    terms, result, sizes = parse_equation(attributes["equation"], inputs)
    total = math.prod(sizes.values())
    summed = math.prod(sizes[c] for c in sizes if c not in result)
    if len(terms) == 1:
        return {"E": 0, "B": 0, "M": 0, "N": 0, "K": 0, "R": total if summed > 1 else 0}
    first, last = set(terms[0]), set(terms[-1])
    both = [c for c in result if c in first and c in last]
    left = math.prod(sizes[c] for c in result if c in first and c not in last)
    batch = math.prod(sizes[c] for c in both)
    rest = total // max(1, batch * left * summed)
    products = len(terms) - 1
    return {"E": products * total, "B": batch, "M": left, "N": rest, "K": summed, "R": 0}


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="dense",
        kind="product",
        summary="A fully connected layer: every output sees every input of the last dimension.",
        attributes=(
            Attribute("out_features", doc="neurons"),
            Attribute("bias", default=True, doc="whether each neuron has a bias"),
        ),
        shapes=_dense_shapes,
        symbols=_dense_symbols,
        parameters="K*N + beta*N",
        macs="M*K*N",
        operations="beta*M*N",
        product=("1", "M", "N", "K", "1"),
        saves=("input0@parameters",),
        weighted=True,
    ),
    Operator(
        name="matmul",
        kind="product",
        summary="The product of two signals as matrices, for each of the leading dimensions.",
        inputs=("a", "b"),
        shapes=_matmul_shapes,
        symbols=_matmul_symbols,
        macs="B*M*K*N",
        product=("B", "M", "N", "K", "1"),
        saves=("input0@input1", "input1@input0"),
    ),
    Operator(
        name="einsum",
        kind="product",
        summary="A sum of products over named indices; E is the product of all their sizes.",
        inputs=("operand...",),
        attributes=(Attribute("equation", doc="in the notation of Einstein sums"),),
        shapes=_einsum_shapes,
        symbols=_einsum_symbols,
        macs="E",
        operations="R",
        product=("B", "M", "N", "K", "1"),
        saves=("inputs",),
    ),
)
