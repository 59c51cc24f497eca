"""What detectors do with regions of a picture."""

from __future__ import annotations

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    wrong_shape,
)


def _region_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    channels = {shape[1] for shape in inputs if len(shape) == 4}
    if len(channels) != 1 or any(len(shape) != 4 for shape in inputs):
        wanted = "pictures (batch, channels, height, width) with as many channels each"
        raise wrong_shape(operator="region_align", takes=wanted, got=inputs)
    size = int(attributes["size"])
    return ((int(attributes["regions"]), channels.pop(), size, size),)


def _region_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"s": int(attributes["samples"])}


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="region_align",
        kind="lookup",
        summary="Regions of a picture in one size: the mean of s x s samples, each between four "
        "elements of the picture.",
        inputs=("level...",),
        attributes=(
            Attribute("regions", doc="how many, of all pictures together"),
            Attribute("size", default=7, doc="height and width of a result"),
            Attribute("samples", default=2, doc="along each side of an element of the result"),
        ),
        shapes=_region_shapes,
        symbols=_region_symbols,
        operations="8*s*s*O",  # four products and four sums a sample
        traffic="(4*s*s + 1)*B_out",
    ),
)
