"""Latency of one row and throughput in batches, of the exported component on one thread.

How calls are timed, and what is known when others disturb them: :mod:`._timing`.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, final

from tradespace.core.clock import SystemClock
from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context
from tradespace.qualities._timing import BLOCK_CALLS, Timing, time_calls

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse
    from tradespace.runtime.artifact import Artifact

_LATENCIES: weakref.WeakKeyDictionary[Any, dict[int, Timing]] = weakref.WeakKeyDictionary()
_THROUGHPUTS: weakref.WeakKeyDictionary[Any, dict[int, Reading]] = weakref.WeakKeyDictionary()


def measure_latency(scorer: Artifact, *, context: Context, runs: int = 2000) -> Timing:
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


def measure_throughput(scorer: Artifact, *, context: Context) -> Reading:
    """Return rows per second in batches of the environment's size; timed once a component.

    Where the sample has fewer rows than a batch, its rows are repeated to fill it: a component
    takes no less time for a row that it has just answered.
    """
    size = context.environment.rows_per_batch
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
        middle, low, high = timing.quantile_s(0.5, context.resampling.confidence)
        rows = f"{size} rows"
        if scorer.n_rows < size:
            rows += f" ({scorer.n_rows} rows of the test data, repeated to fill a batch)"
        method, facts = timing.told(
            f"{len(timing.walls_s)} batches of {rows}, median, order statistics"
        )
        rates = (size / middle, size / high, size / low if low else float("inf"))
        known[size] = Reading("throughput", *rates, "1/s", method=method, context=facts)
    return known[size]


class _Percentile(AbstractQuality):
    """A percentile of the times of single calls.

    Notes
    -----
    From the order statistics of the calls, without assuming a distribution. Blocks of 100
    calls whose wall time exceeds their CPU time by half are repeated, at most 20; after that
    the time is unsettled: its upper end is from all calls, disturbed ones too, as others only
    lengthen a call, and its lower end is the shortest call seen or the least CPU time. A
    service behind a URL is asked 100 times, and no block is repeated.

    """

    quantile: float

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the percentile with a distribution-free interval; bounds if disturbed."""
        timing = measure_latency(subject, context=context, runs=use.settings.get("runs", 2000))
        value, low, high = timing.quantile_s(self.quantile, context.resampling.confidence)
        method, facts = timing.told(
            f"{len(timing.walls_s)} one-row calls of {subject.runtime}, wall time, order statistics"
        )
        facts["cpu_s_per_call"] = timing.cpu_s / max(1, len(timing.walls_s))
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
    disturbed blocks of 5 are repeated, and what stays unsettled is bounded, as for latencies.
    A sample smaller than a batch is repeated to fill it.

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
