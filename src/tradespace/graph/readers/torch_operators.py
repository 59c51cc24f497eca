"""Which operator of ours an operator of torch is: the handlers of all families."""

from __future__ import annotations

from tradespace.graph.readers import (
    torch_layers,
    torch_movement,
    torch_packed,
    torch_pointwise,
    torch_products,
    torch_recurrent,
)
from tradespace.graph.readers.torch_calls import HANDLERS

FAMILIES = (torch_products, torch_recurrent, torch_layers, torch_movement, torch_pointwise)
FINDERS = torch_packed.FINDERS
record_by_tags = torch_pointwise.record_by_tags

__all__ = ["FAMILIES", "FINDERS", "HANDLERS", "record_by_tags"]
