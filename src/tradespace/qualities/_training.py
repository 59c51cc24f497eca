"""Qualities of the fit: CPU time, wall time, its price, and peak memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, final

from tradespace.core.readings import Reading
from tradespace.cost.lower_bounds import least_training_bytes
from tradespace.qualities._base import AbstractQuality, Context, FitRecord, Subject
from tradespace.qualities._timing import DISTURBED
from tradespace.qualities.foreseen import at_least

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse
    from tradespace.qualities.foreseen import ForeseenNetwork


class _OfTheFit(AbstractQuality):
    """A quality of a fit.

    Notes
    -----
    None for one fit: a single number, measured once, whose spread nobody knows. Over several
    seeds, from the smallest to the largest. A wall time (and its price) that exceeds the CPU
    time by half was disturbed by others, who only lengthen it: from the CPU time up. Where a
    bigger fit served the candidate, only an upper bound is known: from 0 to that of the bigger
    fit.

    """


#: What settles a wall time of a fit that others disturbed.
_SETTLE = "train it on a quieter machine with --workers 1 and another folder (--out)"


def _wall_reading(use: QualityUse, price: float, record: FitRecord, method: str) -> Reading:
    """Return the wall time of a fit times a price; from its CPU time up if disturbed."""
    found = _reading(use, record.wall_s * price, record, method)
    if record.shared_with or record.wall_s <= DISTURBED * record.cpu_s:
        return found
    method += "; disturbed: no less than its CPU time"
    facts = {**found.context, "settle": _SETTLE}
    return replace(found, low=record.cpu_s * price, method=method, context=facts)


def _reading(use: QualityUse, value: float, record: FitRecord, method: str) -> Reading:
    facts = {"n_rows": record.n_rows}
    if record.shared_with:
        method += f"; at most that of {record.shared_with}, whose fit served this one"
        return Reading(
            use.name, value, 0.0, value, use.unit, method=method, context={**facts, "bound": True}
        )
    return Reading(use.name, value, value, value, use.unit, method=method, context=facts)


def _foreseen_time(
    network: ForeseenNetwork, quality: str, unit: str = "s", price: float = 1.0
) -> Reading | None:
    foreseen = network.least_training()
    if foreseen is None:
        return None
    low, about, how = foreseen
    return at_least(quality, low * price, unit, how, about=about * price)


@final
class TrainingTime(_OfTheFit):
    """CPU time of preprocessing and fitting."""

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the CPU time, a bound if the fit was shared."""
        del context
        return _reading(use, subject.fit.cpu_s, subject.fit, "one fit, CPU time of all threads")

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return the least time that the steps of a network take."""
        return _foreseen_time(network, "training_time")


@final
class TrainingTimeWall(_OfTheFit):
    """Wall time of preprocessing and fitting."""

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the wall time, a bound if the fit was shared."""
        del context
        return _wall_reading(use, 1.0, subject.fit, "one fit on one thread, wall time")

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return the least time that the steps of a network take."""
        return _foreseen_time(network, "training_time_wall")


@final
class TrainingCost(_OfTheFit):
    """Price of the wall time of preprocessing and fitting."""

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the price, a bound if the fit was shared."""
        hour = context.environment.price_per_hour_usd
        method = f"{hour:g} USD an hour for the wall time of one fit on one thread"
        return _wall_reading(use, hour / 3600, subject.fit, method)

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return the price of the least time that the steps of a network take."""
        hour = network.environment.price_per_hour_usd
        return _foreseen_time(network, "training_cost", "USD", hour / 3600)


@final
class TrainingMemory(_OfTheFit):
    """Peak resident memory of the fit beyond what was resident before."""

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the peak; unknown where the system does not tell."""
        del context
        record = subject.fit
        if record.peak_memory_bytes is None:
            method = "this system does not tell a process its peak memory"
            return Reading(use.name, float("nan"), 0.0, float("inf"), use.unit, method=method)
        return _reading(use, record.peak_memory_bytes, record, "growth of the peak while fitting")

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return the least that weights, gradients, activations and rows take."""
        run = network.run
        if run is None:
            return None
        held = least_training_bytes(network.least, optimizer=run.optimizer, batch=run.batch)
        shape = network.shape
        rows_bytes = 4.0 * max(1, shape.n_varying) * shape.n_rows if held else 0.0
        how = (
            f"weights, gradients, {run.optimizer} and activations of {run.batch} rows, and the "
            "training rows; less what the process may have had free"
        )
        return at_least("training_memory", held + rows_bytes, "B", how)
