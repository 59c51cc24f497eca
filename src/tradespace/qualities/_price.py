"""The cost of a million predictions in service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context
from tradespace.qualities._latency import measure_latency, measure_throughput

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse


@final
class CostPerMillionPredictions(AbstractQuality):
    """Price of the machine's hour times the time for a million rows, plus prices of calls.

    Notes
    -----
    That of the time it rests on: of the throughput, or with `mode: single` of the mean time of
    a call (central limit, 95 %). Where that time is unsettled, so is the cost. Prices are taken
    as exact.

    """

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the cost, USD, with the interval of the time it rests on."""
        if use.settings.get("mode", "batch") == "single":
            timing = measure_latency(subject, context=context)
            seconds = (timing.mean_s, *timing.mean_interval_s)
            rows_per_call = 1
            how, facts = timing.told(f"{len(timing.walls_s)} one-row calls, mean")
        else:
            rate = measure_throughput(subject, context=context)
            seconds = (1 / rate.value, 1 / rate.high, 1 / rate.low if rate.low else float("inf"))
            rows_per_call = context.environment.rows_per_batch
            how, facts = rate.method, dict(rate.context)
        hour = context.environment.price_per_hour_usd
        calls = 1e6 / rows_per_call * subject.price_per_call_usd
        value, low, high = (1e6 * s / 3600 * hour + calls for s in seconds)
        method = f"{hour:g} USD an hour for the time of 1,000,000 rows, this machine"
        if calls:
            method += f", plus {calls:g} USD for calls"
        method += f"; {how}"
        return Reading(use.name, value, low, high, use.unit, method=method, context=facts)
