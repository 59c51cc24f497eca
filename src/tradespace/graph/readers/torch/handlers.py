"""The table of handlers, one for each operator of torch, and what a handler sees of a recorder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch

    from tradespace.graph.builder import Builder, Value, Weight


class Recording(Protocol):
    """A network while it is recorded, as handlers see it."""

    @property
    def builder(self) -> Builder:
        """The network so far."""

    def add(
        self,
        operator: str,
        inputs: tuple[Any, ...] | list[Any],
        outputs: Any,
        *,
        weights: tuple[Any, ...] | list[Any] = (),
        roles: tuple[str, ...] = (),
        inplace: bool = False,
        **attributes: Any,
    ) -> None:
        """Record an operator."""

    def bind(self, tensor: torch.Tensor, value: Value) -> None:
        """Say which value of the network a tensor is."""

    def constant(self, call: Any, weights: tuple[Weight, ...], result: Any) -> None:
        """Record a result that depends on no input."""

    def is_signal(self, tensor: Any) -> bool:
        """Return whether a tensor comes from the network's inputs."""

    def known(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return the elements of a tensor, if they are known."""

    def name(self, operator: str) -> str:
        """Return the name of a node made now."""

    def seen_as(self, x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        """Return a stand-in of a signal that has another shape."""

    def value(self, tensor: torch.Tensor) -> Value:
        """Return the value of a tensor; a constant becomes one when it is first used."""

    def weights(self, tensor: Any) -> tuple[Weight, ...]:
        """Return the parameters that a tensor is or comes from."""


#: Records a call: (recording, operator, positional arguments, named arguments, result).
Handler = Callable[[Recording, Any, tuple[Any, ...], Mapping[str, Any], Any], None]

#: Name of an operator (``"aten.linear"``) -> what records it.
HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register what records some operators of torch."""

    def keep(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[f"aten.{name}"] = handler
        return handler

    return keep
