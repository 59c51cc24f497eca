"""Paired differences: who is really better, and who is tied."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tradespace.core.decisions import Assessment, Comparison
from tradespace.core.readings import Reading
from tradespace.core.requirements import Objective
from tradespace.decide.checks import difference_draws, paired_draws
from tradespace.decide.utility import utility_draws


def compare(
    a: Assessment,
    b: Assessment,
    objective: Objective,
    *,
    confidence: float = 0.95,
) -> Comparison | None:
    """Return the difference of two candidates in one quality, or None without readings.

    Paired by resample where both have draws of the same rows; otherwise the interval of the
    difference of two independent readings.
    """
    one = a.evidence.readings.get(objective.quality)
    other = b.evidence.readings.get(objective.quality)
    if one is None or other is None or math.isnan(one.value) or math.isnan(other.value):
        return None
    paired = paired_draws(one, other)
    difference = one.value - other.value
    if paired:
        tail = 50 * (1 - confidence)
        low, high = np.percentile(difference_draws(one, other), [tail, 100 - tail])
    else:
        low, high = _unpaired(one, other)
    return Comparison(
        a.candidate.id,
        b.candidate.id,
        objective.quality,
        float(difference),
        float(low),
        float(high),
        tied=is_tied(float(low), float(high), objective.indifference),
        paired=paired,
        unit=objective.unit,
    )


def _unpaired(one: Reading, other: Reading) -> tuple[float, float]:
    difference = one.value - other.value
    down = math.hypot(one.value - one.low, other.high - other.value)
    up = math.hypot(one.high - one.value, other.value - other.low)
    return difference - down, difference + up


def is_tied(low: float, high: float, indifference: float) -> bool:
    """Return whether a difference may be nothing, or is certainly too small to matter.

    Examples
    --------
    >>> is_tied(-0.005, 0.043, 0.0), is_tied(0.022, 0.090, 0.0), is_tied(0.001, 0.002, 0.01)
    (True, False, True)

    """
    return low <= 0.0 <= high or (-indifference <= low and high <= indifference)


def compare_utility(
    a: Assessment, b: Assessment, objectives: Sequence[Objective], *, confidence: float = 0.95
) -> Comparison | None:
    """Return the difference in utility, paired where draws allow."""
    if a.utility is None or b.utility is None:
        return None
    difference = a.utility - b.utility
    one = utility_draws(objectives, a.evidence.readings)
    other = utility_draws(objectives, b.evidence.readings)
    alike = all(
        paired_draws(a.evidence.readings[o.quality], b.evidence.readings[o.quality])
        or not (a.evidence.readings[o.quality].draws or b.evidence.readings[o.quality].draws)
        for o in objectives
    )
    if one is not None and other is not None and alike and len(one) == len(other):
        tail = 50 * (1 - confidence)
        low, high = (float(end) for end in np.percentile(one - other, [tail, 100 - tail]))
        paired = True
    else:
        ends = (a.utility_low, a.utility_high, b.utility_low, b.utility_high)
        a_low, a_high, b_low, b_high = (0.0 if end is None else end for end in ends)
        low = difference - math.hypot(a.utility - a_low, b_high - b.utility)
        high = difference + math.hypot(a_high - a.utility, b.utility - b_low)
        paired = False
    return Comparison(
        a.candidate.id,
        b.candidate.id,
        "utility",
        difference,
        low,
        high,
        tied=is_tied(low, high, 0.0),
        paired=paired,
    )
