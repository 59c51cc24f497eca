"""Time comes in as a clock, so that a test can say what time it is."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall and CPU time, in seconds."""

    def wall_s(self) -> float:
        """Return wall time since some fixed moment."""

    def cpu_s(self) -> float:
        """Return CPU time that this process has used."""


class SystemClock:
    """The clock of this machine."""

    def wall_s(self) -> float:
        """Return wall time since some fixed moment."""
        return time.perf_counter()

    def cpu_s(self) -> float:
        """Return CPU time that this process has used, all threads."""
        return time.process_time()


class SimulatedClock:
    """A clock that moves only when it is told to.

    Examples
    --------
    >>> clock = SimulatedClock()
    >>> clock.advance(2.0)
    >>> clock.wall_s(), clock.cpu_s()
    (2.0, 2.0)

    """

    def __init__(self) -> None:
        self._wall_s = 0.0
        self._cpu_s = 0.0

    def advance(self, wall_s: float, *, cpu_s: float | None = None) -> None:
        """Move the clock; CPU time moves as much unless said otherwise."""
        self._wall_s += wall_s
        self._cpu_s += wall_s if cpu_s is None else cpu_s

    def wall_s(self) -> float:
        """Return simulated wall time."""
        return self._wall_s

    def cpu_s(self) -> float:
        """Return simulated CPU time."""
        return self._cpu_s
