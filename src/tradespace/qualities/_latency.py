"""Latency of one row and throughput in batches, of the exported component on one thread.

Calls are timed one by one in blocks. A block in which wall time exceeds CPU time by half was
disturbed by others; it is thrown away and repeated, up to 20 times. If that does not help, the
reading is unknown. For a service elsewhere the waiting is the latency, and no block is thrown
away.
"""

from __future__ import annotations

import gc
import math
import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.core.clock import SystemClock
from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context, Scorer

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.core.clock import Clock
    from tradespace.core.studies import QualityUse

BLOCK_CALLS = 100
MOST_REPEATED = 20
DISTURBED = 1.5
WARM_UP_CALLS = 50


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall times of calls, seconds each, from undisturbed blocks."""

    walls_s: npt.NDArray[np.float64]
    cpu_s: float
    wall_s: float
    discarded: int
    disturbed: bool
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def mean_s(self) -> float:
        """Mean wall time of a call."""
        return float(self.walls_s.mean())

    @property
    def mean_interval_s(self) -> tuple[float, float]:
        """95 % interval of the mean, by the central limit theorem."""
        if self.disturbed:
            return 0.0, math.inf
        half = 1.96 * float(self.walls_s.std()) / math.sqrt(len(self.walls_s))
        return max(0.0, self.mean_s - half), self.mean_s + half


def time_calls(
    call: Callable[[int], Any],
    *,
    n_calls: int,
    clock: Clock,
    block_calls: int = BLOCK_CALLS,
    waits: bool = False,
) -> Timing:
    """Return the wall times of `n_calls` calls in undisturbed blocks.

    Parameters
    ----------
    call : callable
        Called with a running number.
    n_calls : int
        Calls to keep.
    clock : Clock
        Wall and CPU time.
    block_calls : int
        Calls in a block.
    waits : bool
        Whether the call waits for somebody else, so that wall time may exceed CPU time.

    Returns
    -------
    Timing
        `disturbed` if fewer than the wanted calls came from quiet blocks.

    """
    for number in range(min(WARM_UP_CALLS, n_calls)):
        call(number)
    kept: list[npt.NDArray[np.float64]] = []
    spare: list[npt.NDArray[np.float64]] = []
    wall_s = cpu_s = 0.0
    number = 0
    wanted = max(1, math.ceil(n_calls / block_calls))
    collecting = gc.isenabled()
    gc.disable()
    try:
        while len(kept) < wanted and len(spare) < MOST_REPEATED:
            walls = np.empty(block_calls)
            cpu = clock.cpu_s()
            for index in range(block_calls):
                start = clock.wall_s()
                call(number)
                walls[index] = clock.wall_s() - start
                number += 1
            cpu = clock.cpu_s() - cpu
            wall = float(walls.sum())
            if waits or wall <= DISTURBED * cpu:
                kept.append(walls)
                wall_s, cpu_s = wall_s + wall, cpu_s + cpu
            else:
                spare.append(walls)
    finally:
        if collecting:
            gc.enable()
    disturbed = len(kept) < wanted
    blocks = kept or spare
    return Timing(np.concatenate(blocks), cpu_s, wall_s, len(spare), disturbed, _surroundings())


def _surroundings() -> dict[str, Any]:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    return {"load": round(load, 2), "cores": os.cpu_count() or 1}


def quantile_interval(
    values: npt.NDArray[np.float64], quantile: float, confidence: float
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
    low = max(0, math.floor(n * quantile - half) - 0)
    high = min(n - 1, math.ceil(n * quantile + half))
    value = float(np.quantile(ordered, quantile))
    return value, float(ordered[max(0, low - 1)]), float(ordered[max(0, high - 1 + (high < n - 1))])


_LATENCIES: weakref.WeakKeyDictionary[Any, dict[int, Timing]] = weakref.WeakKeyDictionary()
_THROUGHPUTS: weakref.WeakKeyDictionary[Any, dict[int, Reading]] = weakref.WeakKeyDictionary()


def measure_latency(scorer: Scorer, *, context: Context, runs: int = 2000) -> Timing:
    """Return the timing of one-row calls; one run serves all percentiles of a component."""
    known = _LATENCIES.setdefault(scorer, {})
    if runs not in known:
        n = min(scorer.n_rows, 200)
        rows = [scorer.prepare(i, i + 1) for i in range(n)]
        waits = scorer.runtime == "http"
        known[runs] = time_calls(
            lambda number: scorer(rows[number % n]),
            n_calls=min(runs, 100) if waits else runs,
            clock=context.clock or SystemClock(),
            block_calls=10 if waits else BLOCK_CALLS,
            waits=waits,
        )
    return known[runs]


def measure_throughput(scorer: Scorer, *, context: Context) -> Reading:
    """Return rows per second in batches of the environment's size; timed once a component."""
    size = min(context.environment.rows_per_batch, scorer.n_rows)
    known = _THROUGHPUTS.setdefault(scorer, {})
    if size not in known:
        batch = scorer.prepare(0, size)
        waits = scorer.runtime == "http"
        timing = time_calls(
            lambda _: scorer(batch),
            n_calls=10 if waits else 60,
            clock=context.clock or SystemClock(),
            block_calls=5,
            waits=waits,
        )
        confidence = context.resampling.confidence
        middle, low, high = quantile_interval(timing.walls_s, 0.5, confidence)
        method = f"{len(timing.walls_s)} batches of {size} rows, median, order statistics"
        rates = (size / middle, size / high, size / low)
        if timing.disturbed:
            method, rates = "the machine was too busy: " + method, (rates[0], 0.0, math.inf)
        facts = {**timing.facts, "discarded_blocks": timing.discarded}
        known[size] = Reading("throughput", *rates, "1/s", method=method, context=facts)
    return known[size]


class _Percentile(AbstractQuality):
    """A percentile of the times of single calls.

    Notes
    -----
    From the order statistics of the calls, without assuming a distribution. Blocks of 100
    calls whose wall time exceeds their CPU time by half are repeated, at most 20; after that
    the interval is open, so that no bound counts as met. A service behind a URL is asked
    100 times, and no block is repeated.

    """

    quantile: float

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the percentile with a distribution-free interval; unknown if disturbed."""
        timing = measure_latency(subject, context=context, runs=use.settings.get("runs", 2000))
        confidence = context.resampling.confidence
        value, low, high = quantile_interval(timing.walls_s, self.quantile, confidence)
        method = (
            f"{len(timing.walls_s)} one-row calls of {subject.runtime}, wall time, order statistics"
        )
        facts = {
            **timing.facts,
            "n": len(timing.walls_s),
            "cpu_s_per_call": timing.cpu_s / max(1, len(timing.walls_s)),
            "discarded_blocks": timing.discarded,
        }
        if timing.disturbed:
            method = f"unknown: the machine was busy in {timing.discarded} blocks; {method}"
            value, low, high = float(timing.walls_s.min()), 0.0, math.inf
        return Reading(use.name, value, low, high, use.unit, method=method, context=facts)


@final
class LatencyP50(_Percentile):
    """Median latency of one row."""

    quantile = 0.50


@final
class LatencyP95(_Percentile):
    """95th percentile of the latency of one row."""

    quantile = 0.95


@final
class LatencyP99(_Percentile):
    """99th percentile of the latency of one row."""

    quantile = 0.99


@final
class Throughput(AbstractQuality):
    """Rows per second in batches.

    Notes
    -----
    From the order statistics of the median time of 60 batches (10 of a service behind a URL);
    disturbed blocks of 5 are repeated as for latencies.

    """

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the rate."""
        rate = measure_throughput(subject, context=context)
        return Reading(
            use.name,
            rate.value,
            rate.low,
            rate.high,
            use.unit,
            rate.kind,
            rate.method,
            dict(rate.context),
        )
