"""What a run asks of the place where its tasks are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from tradespace.core.errors import InputError

Ending = Literal["done", "failed", "unreachable", "timed out", "out of memory", "killed"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: its value, or the cause for people.

    `error` is what a person can mend, with its place.
    """

    key: str
    ending: Ending
    value: Any = None
    cause: str = ""
    error: InputError | None = None


class Runner(Protocol):
    """Does tasks side by side and tells how each ended; a task that dies takes no other along."""

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""

    def submit(
        self, key: str, function: Callable[..., Any], *arguments: Any, timeout_s: float
    ) -> None:
        """Start a task; `function` must be importable and `arguments` picklable."""

    def ended(self) -> Iterator[Ended]:
        """Yield tasks as they end, until none is running; more may be submitted meanwhile."""

    def close(self) -> None:
        """Stop all tasks at once."""
