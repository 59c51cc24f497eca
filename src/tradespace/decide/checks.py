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


def probability_met(constraint: Constraint, reading: Reading | None) -> float | None:
    """Return the probability that the true value keeps the bound.

    From the bootstrap draws where there are some (with one success and one failure added, so
    that an unknown is never certain), else from a normal approximation of the interval, else
    None. A met constraint has 1, a missed one 0.

    Examples
    --------
    >>> bound = Constraint("ap", Sense.AT_LEAST, 0.6, "1")
    >>> probability_met(bound, Reading("ap", 0.6, 0.5, 0.7, "1"))
    0.5

    """
    if reading is None:
        return None
    verdict = constraint.check(reading)
    if verdict is not Verdict.UNKNOWN:
        return 1.0 if verdict is Verdict.MET else 0.0
    if reading.draws:
        met = sum(constraint.satisfied_by(draw) for draw in reading.draws)
        return (met + 1) / (len(reading.draws) + 2)
    if reading.is_bound or math.isnan(reading.value):
        return None
    deviation = (reading.high - reading.low) / 2 / 1.96
    if deviation <= 0:
        return None
    below = NormalDist(reading.value, deviation).cdf(constraint.bound)
    met_below = constraint.sense in (Sense.AT_MOST, Sense.BELOW)
    return min(0.999, max(0.001, below if met_below else 1 - below))


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
    constraints: tuple[Constraint, ...], readings: Mapping[str, Reading]
) -> tuple[Check, ...]:
    """Return every constraint held against the readings."""
    checks = []
    for constraint in constraints:
        reading = readings.get(constraint.quality)
        known = reading is not None and not math.isnan(reading.value)
        checks.append(
            Check(
                constraint,
                reading,
                constraint.check(reading),
                probability=probability_met(constraint, reading),
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
