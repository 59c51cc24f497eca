"""Latency of one row and throughput in batches, of the exported component on one thread.

How calls are timed, and what is known when others disturb them: :mod:`._timing`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

from tradespace.core.clock import SystemClock
from tradespace.core.readings import Reading, ReadingKind
from tradespace.qualities._base import AbstractQuality, Context, Subject
from tradespace.qualities._timing import BLOCK_CALLS, Timing, time_calls
from tradespace.qualities.foreseen import at_least

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse
    from tradespace.qualities.foreseen import ForeseenNetwork


def measure_latency(subject: Subject, *, context: Context, runs: int = 2000) -> Timing:
    """Return the timing of one-row calls; one run serves all percentiles of a component."""

    def timed() -> Timing:
        scorer = subject.artifact
        n = min(scorer.n_rows, 200)
        rows = [scorer.prepare(i, i + 1) for i in range(n)]
        waits = scorer.runtime == "http"
        return time_calls(
            lambda number: scorer(rows[number % n]),
            n_calls=min(runs, 100) if waits else runs,
            clock=context.clock or SystemClock(),
            block_calls=10 if waits else BLOCK_CALLS,
            waits=waits,
        )

    timing: Timing = subject.once(("one row", runs), timed)
    return timing


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

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the percentile with a distribution-free interval; bounds if disturbed."""
        timing = measure_latency(subject, context=context, runs=use.settings.get("runs", 2000))
        confidence, calls = context.resampling.confidence, len(timing.walls_s)
        value, low, high = timing.quantile_s(self.quantile, confidence)
        runtime = subject.artifact.runtime
        method, facts = timing.told(
            f"{calls} one-row calls of {runtime}, wall time, order statistics"
        )
        facts["cpu_s_per_call"] = timing.cpu_s / max(1, calls)
        facts["mean_s"] = [timing.mean_s, *timing.mean_interval_s(confidence)]
        facts["price_per_call_usd"] = subject.artifact.price_per_call_usd
        return Reading(use.name, value, low, high, use.unit, method=method, context=facts)

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return the least time of one row; about the median there may be an estimate."""
        low, how = network.least_seconds()
        name = f"latency_p{100 * self.quantile:.0f}"
        if network.latency is None or self.quantile != 0.5:
            return at_least(name, low, "s", how)
        both = f"at least: {how}; about: {network.latency.method}"
        return at_least(name, low, "s", both, about=network.latency.seconds)


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

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the rate."""
        scorer, size = subject.artifact, context.environment.rows_per_batch
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
        facts |= {"rows_per_call": size, "price_per_call_usd": scorer.price_per_call_usd}
        rates = (size / middle, size / high, size / low if low else float("inf"))
        return Reading(use.name, *rates, use.unit, method=method, context=facts)

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return the most rows a second that a network can answer."""
        seconds, how = network.least_seconds(batched=True)
        if not seconds:
            return None
        kind = ReadingKind.PREDICTED
        return Reading("throughput", math.nan, 0.0, 1 / seconds, "1/s", kind, how)
