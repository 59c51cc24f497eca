"""How much is selected by a condition, where shapes depend on the data.

``nonzero``, ``x[mask]`` and their kin give as many elements as a condition has true ones. Where
the condition's elements are known they are counted. Otherwise the share is followed from where a
one-hot code was made (a mixture of experts: tokens shared out evenly); without that, everything
is taken to be selected. Either is noted with the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tradespace.graph.readers.torch.calls import Call
from tradespace.graph.readers.torch.results import META

SELECTING = frozenset(
    ("nonzero", "nonzero_numpy", "index", "index_put", "masked_select", "unsafe_index")
)
_FOLLOWED = frozenset(
    ("eq", "ne", "gt", "lt", "ge", "le", "to", "to_copy", "clone", "contiguous", "index", "select")
)


class Shares:
    """The share of true elements in conditions that depend on the data."""

    def __init__(self, known: Mapping[int, torch.Tensor]) -> None:
        self._known = known
        self._shares: dict[int, float] = {}

    def follow(self, call: Call, args: Sequence[Any], result: Any) -> None:
        """Note the share of a result whose operand has one."""
        if not args or not isinstance(result, torch.Tensor):
            return
        x = args[0]
        if call.plain == "scatter" and len(args) > 3 and not isinstance(args[3], torch.Tensor):
            indices = args[2]
            if result.numel():
                self._shares[id(result)] = min(1.0, indices.numel() / result.numel())
            return
        if call.plain == "eq" and len(args) > 1 and self._one_hot(x, args[1]):
            self._shares[id(result)] = 1 / args[1].numel()
            return
        share = self._shares.get(id(x)) if isinstance(x, torch.Tensor) else None
        if share is None:
            return
        if call.view or call.plain in _FOLLOWED:
            self._shares[id(result)] = share
        elif call.plain in ("sum", "any", "amax") and result.numel():
            self._shares[id(result)] = min(1.0, share * x.numel() / result.numel())

    def _one_hot(self, x: Any, classes: Any) -> bool:
        """Return whether each number is compared with all of a list of classes."""
        if not (isinstance(x, torch.Tensor) and isinstance(classes, torch.Tensor)):
            return False
        value = self._known.get(id(classes))
        apart = x.ndim > 0 and x.shape[-1] == 1 and not x.is_floating_point()
        return apart and value is not None and value.ndim == 1 and len(value.unique()) == len(value)

    def selected(self, condition: torch.Tensor) -> tuple[int, bool]:
        """Return how many elements are true, and whether that is known."""
        value = self._known.get(id(condition))
        if value is not None:
            return int(torch.count_nonzero(value)), True
        return round(self._shares.get(id(condition), 1.0) * condition.numel()), False

    def share(self, condition: torch.Tensor) -> float | None:
        """Return the share that was followed, if there is one."""
        return self._shares.get(id(condition))

    def conditions(self, call: Call, args: Sequence[Any]) -> list[torch.Tensor]:
        """Return the operands of a call that select by their elements."""
        if call.plain in ("nonzero", "nonzero_numpy"):
            return [args[0]]
        if call.plain == "masked_select":
            return [args[1]]
        given = [t for t in args[1] if isinstance(t, torch.Tensor)]
        return [t for t in given if t.dtype in (torch.bool, torch.uint8)]

    def result(self, func: Any, call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return what a call gives on meta, with as many elements as are selected."""
        if call.plain == "nonzero":
            rows = self.selected(args[0])[0]
            return torch.empty((rows, args[0].ndim), dtype=torch.int64, device=META)
        if call.plain == "nonzero_numpy":
            rows = self.selected(args[0])[0]
            return [torch.empty((rows,), dtype=torch.int64, device=META) for _ in args[0].shape]
        if call.plain == "masked_select":
            return torch.empty((self.selected(args[1])[0],), dtype=args[0].dtype, device=META)
        indices: list[Any] = []
        for t in args[1]:
            if isinstance(t, torch.Tensor) and t.dtype in (torch.bool, torch.uint8):
                rows = self.selected(t)[0]
                empty = torch.empty((rows,), dtype=torch.int64, device=META)
                indices += [empty] * t.ndim
            else:
                indices.append(t)
        return func(args[0], indices, *args[2:], **kwargs)
