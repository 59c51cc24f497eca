"""Several readings of one quality of one candidate, over seeds or folds, as one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tradespace.core.readings import Reading
from tradespace.qualities._bootstrap import percentile_interval

_CONFIDENCE = 0.95


def combine_folds(readings: Sequence[Reading], *, confidence: float = _CONFIDENCE) -> Reading:
    """Return the mean over folds, whose rows differ, with the interval of that mean.

    Draw b is the mean of draw b of every fold. Without draws the interval is the mean of the
    ends, which is wider than need be.

    Examples
    --------
    >>> a = Reading("q", 1.0, 0.0, 2.0, "1")
    >>> print(combine_folds([a, Reading("q", 3.0, 2.0, 4.0, "1")]))
    2 [1, 3]

    """
    first = readings[0]
    if len(readings) == 1:
        return first
    values = [reading.value for reading in readings]
    value = sum(values) / len(values)
    draws: tuple[float, ...] = ()
    if all(reading.draws for reading in readings):
        n = min(len(reading.draws) for reading in readings)
        draws = tuple(np.mean([reading.draws[:n] for reading in readings], axis=0).tolist())
        low, high = percentile_interval(draws, confidence)
    if not draws or low == high:
        # Draws that all agree claim a certainty that the widened intervals of the parts do not.
        low = sum(reading.low for reading in readings) / len(readings)
        high = sum(reading.high for reading in readings) / len(readings)
    if not math.isnan(value):
        low, high = min(low, value), max(high, value)
    method = f"mean of {len(readings)} folds; {first.method}"
    context = {**first.context, "folds": len(readings), "values": values}
    return Reading(first.quality, value, low, high, first.unit, first.kind, method, context, draws)


def combine_seeds(readings: Sequence[Reading], *, confidence: float = _CONFIDENCE) -> Reading:
    """Return the mean over seeds or folds, with an interval that holds their variation.

    With draws, draw b comes from reading b mod n: the mixture varies with the data and with
    the seed. Without, the interval is the hull of the intervals.

    Parameters
    ----------
    readings : sequence of Reading
        Of one quality; at least one.
    confidence : float
        Of the interval from draws.

    Examples
    --------
    >>> a, b = Reading("q", 1.0, 1.0, 1.0, "s"), Reading("q", 3.0, 3.0, 3.0, "s")
    >>> print(combine_seeds([a, b]))
    2 s [1 s, 3 s]

    """
    first = readings[0]
    if len(readings) == 1:
        return first
    values = [reading.value for reading in readings if not math.isnan(reading.value)]
    value = sum(values) / len(values) if values else math.nan
    method = f"mean of {len(readings)} seeds or folds; {first.method}"
    context = {**first.context, "combined": len(readings), "values": values}
    if all(reading.draws for reading in readings):
        n = min(len(reading.draws) for reading in readings)
        draws = tuple(readings[b % len(readings)].draws[b] for b in range(n))
        low, high = percentile_interval(draws, confidence)
        low, high = min(low, value), max(high, value)
    else:
        draws = ()
    if not draws or low == high:
        low = min(reading.low for reading in readings)
        high = max(reading.high for reading in readings)
    return Reading(first.quality, value, low, high, first.unit, first.kind, method, context, draws)
