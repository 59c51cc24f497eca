"""A table of handlers by name, filled where they are defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Handler = TypeVar("Handler", bound=Callable[..., object])


class Handlers(dict[str, Handler]):
    """Name of an operator or layer -> what reads or writes it.

    Examples
    --------
    >>> table: Handlers[Callable[[int], int]] = Handlers()
    >>> @table.handles("double", "twice")
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> table["twice"](4)
    8

    """

    def handles(self, *names: str) -> Callable[[Handler], Handler]:
        """Register a function under some names."""

        def keep(handler: Handler) -> Handler:
            self.update(dict.fromkeys(names, handler))
            return handler

        return keep
