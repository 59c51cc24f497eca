"""The table of handlers, one for each operator of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from tradespace.graph.handlers import Handlers
from tradespace.graph.readers.torch.calls import Use

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder

#: Records the use of an operator.
Handler: TypeAlias = "Callable[[Recorder, Use], None]"

#: Name of an operator (``"aten.linear"``) -> what records it.
HANDLERS: Handlers[Handler] = Handlers()


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register what records some operators of torch, also where they work in place."""
    return HANDLERS.handles(*(f"aten.{name}{end}" for name in names for end in ("", "_")))
