"""What the exploration tells while it runs, for progress bars and logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One step: `stage` is "data", "search", "final", "expensive" or "operation".

    `done` of `total` pieces of the stage are finished; `text` says what just happened.
    """

    stage: str
    done: int
    total: int
    text: str = ""


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Listen to nothing."""
    del event
