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
    register,
    wrong_shape,
)

#: name -> (gates, operations for each hidden unit and step beside the products and biases).
_CELLS = {
    "rnn": (1, 2),  # sum of both products, tanh
    "gru": (3, 18),  # two sigmoids, tanh, reset, mixing
    "lstm": (4, 21),  # three sigmoids, two tanhs, three products, an addition
}


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
    del outputs
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


for _name, (_gates, _pointwise) in _CELLS.items():
    _g = f"{_gates}*" if _gates > 1 else ""
    _weights = (
        f"(X + R) + (L - 1)*{_g}H*(d*R + R)" if _gates > 1 else "(X + R) + (L - 1)*H*(d*R + R)"
    )
    register(
        Operator(
            name=_name,
            kind="recurrent",
            summary={
                "rnn": "A plain recurrent layer: h = tanh(b + W h + U x).",
                "gru": "Gated recurrent units: three gates.",
                "lstm": "Long short-term memory: four gates.",
            }[_name],
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
            parameters=f"d*({_g}H*{_weights} + pi*L*H*R + L*beta*{_g}H)",
            macs=f"N*T*d*({_g}H*{_weights} + pi*L*H*R)",
            operations=f"N*T*d*L*H*({_pointwise} + beta*{_gates})",
            input_macs=f"N*T*d*{_g}H*X",
            product=("T*L*d", "N", f"{_g}H", "max(X, R) + R", "1"),
            # Gates, cell states and outputs of every step.
            saves=("input0", f"=4*N*T*d*L*H*{_gates + 2}"),
            weighted=True,
        )
    )
