"""Times of calls: blocks, quiet and disturbed, and what may be said of a quantile of them.

Calls are timed one by one in blocks. A block in which wall time exceeds CPU time by half was
disturbed by others; it is set aside and repeated, up to 20 times. If that does not give enough
quiet calls, the time is unsettled: only bounds of it are known. For a service elsewhere the
waiting is the time, and no block is set aside.
"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.core.clock import Clock

    Floats = npt.NDArray[np.float64]

BLOCK_CALLS = 100
MOST_REPEATED = 20
DISTURBED = 1.5
WARM_UP_CALLS = 50
#: What settles a time that was taken on a busy machine.
SETTLE = "evaluate again while the machine is quieter: only unsettled times are taken again"


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of calls.

    Parameters
    ----------
    quiet_s, disturbed_s : ndarray of shape (n_calls,)
        Wall times of the calls in quiet blocks and in those set aside, seconds each.
    cpu_s : float
        CPU time of all quiet calls; of all calls if none was quiet.
    least_cpu_s : float
        CPU time of a call in the block that took least.
    discarded : int
        Blocks set aside.
    disturbed : bool
        Whether fewer calls than wanted came from quiet blocks.
    facts : Mapping
        Load and cores of the machine.

    Notes
    -----
    Others on the machine only ever lengthen a call. So the quantile of all calls, disturbed or
    not, is no smaller than that of quiet calls, and its upper order statistic is an upper end
    for both. Below the shortest call that was seen and the least CPU time of a call no quiet
    quantile lies. Of a disturbed timing these two ends are what is known; its value is that of
    the quiet calls if there were any, else of the disturbed ones.

    """

    quiet_s: Floats
    disturbed_s: Floats
    cpu_s: float
    least_cpu_s: float
    discarded: int
    disturbed: bool
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def walls_s(self) -> Floats:
        """Wall times that the value is of: of quiet calls, or of all if there are none."""
        return self.quiet_s if len(self.quiet_s) else self.disturbed_s

    @property
    def mean_s(self) -> float:
        """Mean wall time of a call."""
        return float(self.walls_s.mean())

    def mean_interval_s(self, confidence: float) -> tuple[float, float]:
        """Return the interval of the mean, by the central limit theorem."""
        walls = np.concatenate([self.quiet_s, self.disturbed_s]) if self.disturbed else self.quiet_s
        far = NormalDist().inv_cdf(0.5 + confidence / 2)
        mean, half = float(walls.mean()), far * float(walls.std()) / math.sqrt(len(walls))
        if self.disturbed:
            return min(self.mean_s, self._least_s()), max(self.mean_s, mean + half)
        return max(0.0, mean - half), mean + half

    def quantile_s(self, quantile: float, confidence: float) -> tuple[float, float, float]:
        """Return a quantile of the wall time of a quiet call, seconds, and its interval."""
        if not self.disturbed:
            return quantile_interval(self.quiet_s, quantile, confidence)
        value = float(np.quantile(self.walls_s, quantile))
        every = np.concatenate([self.quiet_s, self.disturbed_s])
        _, _, high = quantile_interval(every, quantile, confidence)
        return value, min(value, self._least_s()), max(value, high)

    def told(self, method: str) -> tuple[str, dict[str, Any]]:
        """Return a method in words and the context of a reading, saying what was disturbed."""
        context = {**self.facts, "n": len(self.walls_s), "discarded_blocks": self.discarded}
        if not self.disturbed:
            return method, context
        kind = "quiet" if len(self.quiet_s) else "disturbed"
        words = (
            f"unsettled: the machine was busy in {self.discarded} blocks; the value is of "
            f"{len(self.walls_s)} {kind} calls, the upper end of all "
            f"{len(self.quiet_s) + len(self.disturbed_s)}, which others only lengthen, the lower "
            f"the least wall or CPU time; {method}"
        )
        return words, {**context, "unsettled": True, "settle": SETTLE}

    def _least_s(self) -> float:
        shortest = min(float(part.min()) for part in (self.quiet_s, self.disturbed_s) if len(part))
        return min(shortest, self.least_cpu_s)


def time_calls(
    call: Callable[[int], Any],
    *,
    n_calls: int,
    clock: Clock,
    block_calls: int = BLOCK_CALLS,
    waits: bool = False,
) -> Timing:
    """Return the wall times of `n_calls` calls in quiet blocks, and of those set aside.

    Parameters
    ----------
    call : callable
        Called with a running number.
    n_calls : int
        Quiet calls wanted.
    clock : Clock
        Wall and CPU time.
    block_calls : int
        Calls in a block; as many, but at most 50, come before to warm up.
    waits : bool
        Whether the call waits for somebody else, so that wall time may exceed CPU time.

    Returns
    -------
    Timing
        `disturbed` if fewer than the wanted calls came from quiet blocks.

    """
    for number in range(min(WARM_UP_CALLS, n_calls, block_calls)):
        call(number)
    quiet: list[Floats] = []
    aside: list[Floats] = []
    quiet_cpu_s = cpu_s = 0.0
    least_cpu_s = math.inf
    number = 0
    wanted = max(1, math.ceil(n_calls / block_calls))
    collecting = gc.isenabled()
    gc.disable()
    try:
        while len(quiet) < wanted and len(aside) < MOST_REPEATED:
            walls = np.empty(block_calls)
            cpu = clock.cpu_s()
            for index in range(block_calls):
                start = clock.wall_s()
                call(number)
                walls[index] = clock.wall_s() - start
                number += 1
            cpu = clock.cpu_s() - cpu
            cpu_s, least_cpu_s = cpu_s + cpu, min(least_cpu_s, cpu / block_calls)
            if waits or float(walls.sum()) <= DISTURBED * cpu:
                quiet.append(walls)
                quiet_cpu_s += cpu
            else:
                aside.append(walls)
    finally:
        if collecting:
            gc.enable()
    return Timing(
        _joined(quiet),
        _joined(aside),
        cpu_s=quiet_cpu_s if quiet else cpu_s,
        least_cpu_s=least_cpu_s,
        discarded=len(aside),
        disturbed=len(quiet) < wanted,
        facts=_surroundings(),
    )


def _joined(blocks: list[Floats]) -> Floats:
    return np.concatenate(blocks) if blocks else np.empty(0)


def _surroundings() -> dict[str, Any]:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    return {"load": round(load, 2), "cores": os.cpu_count() or 1}


def quantile_interval(
    values: Floats, quantile: float, confidence: float
) -> tuple[float, float, float]:
    """Return a quantile and its distribution-free interval from order statistics.

    References
    ----------
    H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, 2003, section 7.1.

    Examples
    --------
    >>> value, low, high = quantile_interval(np.arange(1.0, 1001.0), 0.5, 0.95)
    >>> value, low, high
    (500.5, 469.0, 532.0)

    """
    ordered = np.sort(values)
    n = len(ordered)
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(n * quantile * (1 - quantile))
    low = max(0, math.floor(n * quantile - half) - 1)
    high = min(n - 1, math.ceil(n * quantile + half))
    return float(np.quantile(ordered, quantile)), float(ordered[low]), float(ordered[high])
