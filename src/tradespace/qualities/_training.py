"""Qualities of the fit: CPU time, wall time, its price, and peak memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context, FitRecord

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse


class _OfTheFit(AbstractQuality):
    """A quality of a fit.

    Notes
    -----
    None for one fit: a single number, measured once. Over several seeds, from the smallest to
    the largest. Where a bigger fit served the candidate, only an upper bound is known: from 0
    to that of the bigger fit.

    """


def _reading(use: QualityUse, value: float, record: FitRecord, method: str) -> Reading:
    facts = {"n_rows": record.n_rows}
    if record.shared_with:
        method += f"; at most that of {record.shared_with}, whose fit served this one"
        return Reading(
            use.name, value, 0.0, value, use.unit, method=method, context={**facts, "bound": True}
        )
    return Reading(use.name, value, value, value, use.unit, method=method, context=facts)


@final
class TrainingTime(_OfTheFit):
    """CPU time of preprocessing and fitting."""

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the CPU time, a bound if the fit was shared."""
        del context
        return _reading(use, subject.cpu_s, subject, "one fit, CPU time of all threads")


@final
class TrainingTimeWall(_OfTheFit):
    """Wall time of preprocessing and fitting."""

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the wall time, a bound if the fit was shared."""
        del context
        return _reading(use, subject.wall_s, subject, "one fit on one thread, wall time")


@final
class TrainingCost(_OfTheFit):
    """Price of the wall time of preprocessing and fitting."""

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the price, a bound if the fit was shared."""
        hour = context.environment.price_per_hour_usd
        method = f"{hour:g} USD an hour for the wall time of one fit on one thread"
        return _reading(use, subject.wall_s / 3600 * hour, subject, method)


@final
class TrainingMemory(_OfTheFit):
    """Peak resident memory of the fit beyond what was resident before."""

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the peak; unknown where the system does not tell."""
        del context
        if subject.peak_memory_bytes is None:
            method = "this system does not tell a process its peak memory"
            return Reading(use.name, float("nan"), 0.0, float("inf"), use.unit, method=method)
        return _reading(use, subject.peak_memory_bytes, subject, "growth of the peak while fitting")
