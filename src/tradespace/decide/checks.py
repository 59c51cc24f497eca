"""Constraints held against readings, with the probability that an unknown one is met."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from tradespace.core.decisions import Check
from tradespace.core.quantities import format_number
from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Sense, Verdict

if TYPE_CHECKING:
    import numpy.typing as npt

#: Beyond this many times the data, nobody will settle a question by more data.
MOST_TIMES = 1000.0


#: What an undecided constraint is met with at least, and not met with at least: less would
#: print as certain beside the word undecided.
LEAST_CHANCE = 0.01


def probability_met(
    constraint: Constraint, reading: Reading | None, *, confidence: float = 0.95
) -> float | None:
    """Return the probability that the true value keeps the bound.

    From the bootstrap draws where some keep it and some do not (with one success and one
    failure added). Where they all agree although the interval does not, as after a test
    without one exception, and where there are none, from the distribution that the interval
    implies at its `confidence`. None where only bounds are known. A met constraint has 1, a
    missed one 0, an unknown neither.

    Examples
    --------
    >>> bound = Constraint("ap", Sense.AT_LEAST, 0.6, "1")
    >>> probability_met(bound, Reading("ap", 0.6, 0.5, 0.7, "1"))
    0.5

    Not one of 24 found: the interval of the recall reaches 0.142.

    >>> bound = Constraint("recall", Sense.AT_LEAST, 0.05, "1")
    >>> round(probability_met(bound, Reading("recall", 0.0, 0.0, 0.142, "1")), 2)
    0.27

    """
    if reading is None:
        return None
    verdict = constraint.check(reading)
    if verdict is not Verdict.UNKNOWN:
        return 1.0 if verdict is Verdict.MET else 0.0
    met = sum(constraint.satisfied_by(draw) for draw in reading.draws)
    if 0 < met < len(reading.draws):
        return _uncertain((met + 1) / (len(reading.draws) + 2))
    if reading.is_bound or math.isnan(reading.value) or reading.low == reading.high:
        return None
    if reading.unsettled:
        return None  # between its ends nothing is known of how likely what is
    below = _share_below(constraint.bound, reading, tail=(1 - confidence) / 2)
    met_below = constraint.sense in (Sense.AT_MOST, Sense.BELOW)
    return _uncertain(below if met_below else 1 - below)


def _uncertain(probability: float) -> float:
    return min(1 - LEAST_CHANCE, max(LEAST_CHANCE, probability))


def _share_below(bound: float, reading: Reading, *, tail: float) -> float:
    """Return the probability below a bound that an interval implies.

    A normal curve through the value, on the side of the bound as wide as the interval there.
    An interval that ends at its value is one-sided: without one exception in n units, a rate
    of exceptions beyond d has the probability (1 - d)^(n + 1) under a uniform prior, which is
    `tail` at the far end and falls as a power of `tail` in between.
    """
    up, down = reading.high - reading.value, reading.value - reading.low
    distance = bound - reading.value
    if up <= 0 or down <= 0:
        beyond: float = tail ** min(1.0, abs(distance) / (up + down))
        return beyond if up <= 0 else 1 - beyond
    deviation = (up if distance > 0 else down) / NormalDist().inv_cdf(1 - tail)
    return NormalDist(reading.value, deviation).cdf(bound)


def what_would_settle(constraint: Constraint, reading: Reading | None) -> str:
    """Return in words what would turn an unknown into met or missed.

    An interval shrinks with the square root of the number of independent units, so the ratio
    of half width to the distance from the bound, squared, says how many times as many.
    """
    if reading is None:
        return "measure it: there is no reading"
    if constraint.check(reading) is not Verdict.UNKNOWN:
        return ""
    if settle := reading.context.get("settle"):
        return str(settle)
    if reading.is_bound or math.isnan(reading.value):
        if reading.context.get("bound"):
            return "fit it alone: only a bound from a bigger fit is known"
        if "busy" in reading.method:
            return "measure again on a quieter machine"
        return "measure it: only a bound is known"
    toward = reading.low if reading.value > constraint.bound else reading.high
    half, distance = abs(reading.value - toward), abs(reading.value - constraint.bound)
    if distance == 0 or (half / distance) ** 2 > MOST_TIMES:
        return "more data will hardly settle it: the value is at the bound; move the bound"
    times = (half / distance) ** 2
    unit = reading.context.get("unit")
    n_units = reading.context.get("n_units")
    if unit and n_units:
        wanted = math.ceil(n_units * times)
        rows = math.ceil(reading.context.get("n_rows", n_units) * times)
        words = f"about {format_number(times, significant=2)} times the test data"
        parts = [f"{wanted:,} {unit}s instead of {n_units:,}"]
        if unit != "row":
            parts.append(f"{rows:,} rows")
        return f"{words} ({', '.join(parts)}), if the value stays"
    return f"about {format_number(times, significant=2)} times as many measurements"


def check_all(
    constraints: tuple[Constraint, ...],
    readings: Mapping[str, Reading],
    *,
    confidence: float = 0.95,
) -> tuple[Check, ...]:
    """Return every constraint held against the readings, whose intervals hold at `confidence`."""
    checks = []
    for constraint in constraints:
        reading = readings.get(constraint.quality)
        known = reading is not None and not math.isnan(reading.value)
        checks.append(
            Check(
                constraint,
                reading,
                constraint.check(reading),
                probability=probability_met(constraint, reading, confidence=confidence),
                excess=constraint.excess(reading.value) if known and reading else None,
                settle=what_would_settle(constraint, reading)
                if constraint.check(reading) is Verdict.UNKNOWN
                else "",
            )
        )
    return tuple(checks)


def paired_draws(a: Reading, b: Reading) -> bool:
    """Return whether two readings were resampled alike, so that draws can be subtracted."""
    same = ("n_rows", "n_units", "unit")
    return bool(
        a.draws
        and len(a.draws) == len(b.draws)
        and all(a.context.get(key) == b.context.get(key) for key in same)
    )


def difference_draws(a: Reading, b: Reading) -> npt.NDArray[np.float64]:
    """Return a minus b, resample by resample."""
    found: npt.NDArray[np.float64] = np.asarray(a.draws) - np.asarray(b.draws)
    return found
