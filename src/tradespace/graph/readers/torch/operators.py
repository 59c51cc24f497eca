"""Which operator of ours an operator of torch is: the handlers of all families."""

from __future__ import annotations

from tradespace.graph.readers.torch import (
    layers,
    movement,
    packed,
    pointwise,
    products,
    recurrent,
)
from tradespace.graph.readers.torch.handlers import HANDLERS

FAMILIES = (products, recurrent, layers, movement, pointwise)
FINDERS = packed.FINDERS
record_by_tags = pointwise.record_by_tags

__all__ = ["FAMILIES", "FINDERS", "HANDLERS", "record_by_tags"]
