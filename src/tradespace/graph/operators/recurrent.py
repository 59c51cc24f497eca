"""Recurrent layers over a whole sequence: d directions, L layers, T steps.

The first layer sees X inputs, the others d*H. ``biases`` is the number of bias vectors of a
gate: torch keeps two, Keras one, none if zero.
"""

from __future__ import annotations

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    wrong_shape,
)


def _shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape = inputs[0]
    if len(shape) != 3:
        raise wrong_shape(operator="recurrent layer", takes="(batch, steps, inputs)", got=shape)
    batch, steps, _ = shape
    width = int(attributes["projection"] or attributes["hidden"]) * _directions(attributes)
    whole = (batch, steps, width) if attributes["sequences"] else (batch, width)
    return (whole,)


def _directions(attributes: Attributes) -> int:
    return 2 if attributes["bidirectional"] else 1


def _symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    batch, steps, width = inputs[0]
    hidden = int(attributes["hidden"])
    projection = int(attributes["projection"])
    return {
        "N": batch,
        "T": steps,
        "X": width,
        "H": hidden,
        "R": projection or hidden,
        "pi": int(projection > 0),
        "L": int(attributes["layers"]),
        "d": _directions(attributes),
        "beta": int(attributes["biases"]),
    }


def _cell(name: str, summary: str, *, gates: int, pointwise: int) -> Operator:
    """Return a recurrent layer.

    `pointwise` are the operations for each hidden unit and step beside products and biases.
    """
    g = f"{gates}*" if gates > 1 else ""
    weights = f"(X + R) + (L - 1)*{g}H*(d*R + R)"
    return Operator(
        name=name,
        kind="recurrent",
        summary=summary,
        attributes=(
            Attribute("hidden", doc="units of a layer"),
            Attribute("layers", default=1, doc="on top of one another"),
            Attribute("bidirectional", default=False, doc="whether it also runs backward"),
            Attribute("biases", default=2, doc="bias vectors of a gate: 0, 1 or 2"),
            Attribute("sequences", default=True, doc="whether all steps are given out"),
            Attribute("projection", default=0, doc="size of projected hidden states"),
        ),
        shapes=_shapes,
        symbols=_symbols,
        parameters=f"d*({g}H*{weights} + pi*L*H*R + L*beta*{g}H)",
        macs=f"N*T*d*({g}H*{weights} + pi*L*H*R)",
        operations=f"N*T*d*L*H*({pointwise} + beta*{gates})",
        input_macs=f"N*T*d*{g}H*X",
        product=("T*L*d", "N", f"{g}H", "max(X, R) + R", "1"),
        # Gates, cell states and outputs of every step.
        saves=("input0", f"=4*N*T*d*L*H*{gates + 2}"),
        weighted=True,
    )


OPERATORS: tuple[Operator, ...] = (
    # The sum of both products, tanh.
    _cell("rnn", "A plain recurrent layer: h = tanh(b + W h + U x).", gates=1, pointwise=2),
    # Two sigmoids, tanh, reset, mixing.
    _cell("gru", "Gated recurrent units: three gates.", gates=3, pointwise=18),
    # Three sigmoids, two tanhs, three products, an addition.
    _cell("lstm", "Long short-term memory: four gates.", gates=4, pointwise=21),
)
