"""The cost of a million predictions in service."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context, Subject
from tradespace.qualities.foreseen import at_least

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse
    from tradespace.qualities.foreseen import ForeseenNetwork


@final
class CostPerMillionPredictions(AbstractQuality):
    """Price of the machine's hour times the time for a million rows, plus prices of calls.

    Notes
    -----
    That of the time it rests on: of the throughput, or with `mode: single` of the mean time of
    a call (central limit theorem). Where that time is unsettled, so is the cost. Prices are
    taken as exact.

    """

    def reads(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the time that it rests on."""
        return ("latency_p50",) if settings.get("mode") == "single" else ("throughput",)

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the cost, USD, with the interval of the time it rests on."""
        (name,) = self.reads(use.settings)
        time = subject.readings[name]
        facts = {key: time.context[key] for key in _KEPT if key in time.context}
        seconds: tuple[float, ...]
        if use.settings.get("mode") == "single":
            seconds, rows_per_call = tuple(time.context["mean_s"]), 1
            how = f"{time.method}; mean of the calls"
        else:
            seconds = tuple(1 / rate if rate else math.inf for rate in _ends(time))
            rows_per_call, how = time.context["rows_per_call"], time.method
        hour = context.environment.price_per_hour_usd
        calls = 1e6 / rows_per_call * time.context["price_per_call_usd"]
        value, low, high = (1e6 * s / 3600 * hour + calls for s in seconds)
        method = f"{hour:g} USD an hour for the time of 1,000,000 rows, this machine"
        if calls:
            method += f", plus {calls:g} USD for calls"
        method += f"; {how}"
        return Reading(use.name, value, low, high, use.unit, method=method, context=facts)

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return the price of the least time that a network takes in batches."""
        seconds, how = network.least_seconds(batched=True)
        million = 1e6 * seconds / 3600 * network.environment.price_per_hour_usd
        return at_least("cost_per_million_predictions", million, "USD", how)


#: What the record of a price keeps of the time it rests on.
_KEPT = ("load", "cores", "n", "discarded_blocks", "unsettled", "settle")


def _ends(rate: Reading) -> tuple[float, float, float]:
    return rate.value, rate.high, rate.low
