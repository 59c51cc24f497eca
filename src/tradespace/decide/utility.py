"""Stated utility: what a value is worth between `from` (0) and `to` (1).

The ends come from the study, else from the constraint on the same quality, the constant
baseline, or the range of the quality; never from whoever else took part. Values beyond the
ends are worth 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tradespace.core import registry
from tradespace.core.decisions import Evidence
from tradespace.core.quantities import Direction
from tradespace.core.readings import Reading
from tradespace.core.requirements import Objective
from tradespace.core.studies import Study

if TYPE_CHECKING:
    import numpy.typing as npt


def worth(objective: Objective, value: float) -> float:
    """Return what a value is worth, 0 to 1.

    Examples
    --------
    >>> o = Objective("cost", Direction.MINIMIZE, "USD", worst=1.0, best=0.01, log=True)
    >>> round(worth(o, 0.1), 3)
    0.5

    """
    if objective.worst is None or objective.best is None or math.isnan(value):
        return math.nan
    worst, best = objective.worst, objective.best
    if objective.log and min(worst, best) > 0:
        value = math.log(max(value, 1e-300))
        worst, best = math.log(worst), math.log(best)
    if math.isinf(value):
        return 1.0 if (value > 0) == (best > worst) else 0.0
    return min(1.0, max(0.0, (value - worst) / (best - worst)))


def resolve_objectives(
    study: Study, evidence: Sequence[Evidence]
) -> tuple[tuple[Objective, ...], list[str]]:
    """Return the objectives with both ends stated, and what was assumed, in words."""
    notes: list[str] = []
    objectives = []
    for objective in study.objectives or _implied(study, notes):
        worst, best = objective.worst, objective.best
        if worst is None:
            worst, origin = _default_worst(objective, study, evidence)
            notes.append(f"{objective.quality}: 'from' is {worst:g} ({origin})")
        if best is None:
            best, origin = _default_best(objective, study, evidence, worst)
            notes.append(f"{objective.quality}: 'to' is {best:g} ({origin})")
        if not objective.direction.better(best, worst):
            # Nothing lies between the default ends: any reading beyond is worth 1.
            step = max(abs(worst) * 0.01, 1e-9)
            best = worst - step if objective.direction is Direction.MINIMIZE else worst + step
        objectives.append(replace(objective, worst=worst, best=best))
    return tuple(objectives), notes


def _implied(study: Study, notes: list[str]) -> tuple[Objective, ...]:
    """Return the objective that a study without objectives implies: its first quality."""
    for constraint in study.constraints:
        use = study.qualities.get(constraint.quality)
        row = registry.quality(use.quality if use else constraint.quality)
        if row.stage == "predictions":
            notes.append(
                f"the study states no objective; {row.direction.value} {constraint.quality} is "
                "taken from its first constraint on predictions"
            )
            return (Objective(constraint.quality, row.direction, row.unit),)
    notes.append("the study states no objective, and no constraint on predictions implies one")
    return ()


def _default_worst(
    objective: Objective, study: Study, evidence: Sequence[Evidence]
) -> tuple[float, str]:
    for constraint in study.constraints:
        if constraint.quality == objective.quality and math.isfinite(constraint.bound):
            return constraint.bound, "the bound of its constraint"
    for item in evidence:
        if item.candidate.family == "constant":
            reading = item.readings.get(objective.quality)
            if reading is not None and math.isfinite(reading.value):
                return reading.value, "the constant baseline"
    use = study.qualities.get(objective.quality)
    row = registry.quality(use.quality if use else objective.quality)
    end = row.low if objective.direction is Direction.MAXIMIZE else row.high
    if math.isfinite(end):
        return end, "the end of its range"
    known = _known(objective, evidence)
    # No range, no bound, no baseline: ten times the median is a stated, if arbitrary, zero.
    middle = float(np.median(known)) if known else 1.0
    return 10 * abs(middle) or 1.0, "ten times the median reading, as nothing else is stated"


def _default_best(
    objective: Objective, study: Study, evidence: Sequence[Evidence], worst: float
) -> tuple[float, str]:
    del evidence, worst
    use = study.qualities.get(objective.quality)
    row = registry.quality(use.quality if use else objective.quality)
    end = row.high if objective.direction is Direction.MAXIMIZE else row.low
    return (end, "the end of its range") if math.isfinite(end) else (0.0, "zero")


def _known(objective: Objective, evidence: Sequence[Evidence]) -> list[float]:
    readings = (item.readings.get(objective.quality) for item in evidence)
    return [r.value for r in readings if r is not None and math.isfinite(r.value)]


def utility(
    objectives: Sequence[Objective], readings: Mapping[str, Reading]
) -> tuple[float | None, float | None, float | None, dict[str, float]]:
    """Return utility, its interval, and what each objective is worth.

    None where an objective has no reading.
    """
    if not objectives:
        return None, None, None, {}
    total = sum(objective.weight for objective in objectives)
    each: dict[str, float] = {}
    value = low = high = 0.0
    for objective in objectives:
        reading = readings.get(objective.quality)
        if reading is None or math.isnan(reading.value):
            return None, None, None, {}
        share = objective.weight / total
        each[objective.quality] = worth(objective, reading.value)
        ends = sorted((worth(objective, reading.low), worth(objective, reading.high)))
        value += share * each[objective.quality]
        low, high = low + share * ends[0], high + share * ends[1]
    draws = utility_draws(objectives, readings)
    if draws is not None and len(draws) > 1:
        tail = np.percentile(draws, [2.5, 97.5])
        low, high = min(value, float(tail[0])), max(value, float(tail[1]))
    return value, low, high, each


def utility_draws(
    objectives: Sequence[Objective], readings: Mapping[str, Reading]
) -> npt.NDArray[np.float64] | None:
    """Return the utility of every resample; readings without draws stay at their value."""
    lengths = [len(readings[o.quality].draws) for o in objectives if readings[o.quality].draws]
    if not lengths:
        return None
    n = min(lengths)
    total = sum(objective.weight for objective in objectives)
    result = np.zeros(n)
    for objective in objectives:
        reading = readings[objective.quality]
        values = reading.draws[:n] if reading.draws else (reading.value,) * n
        result += objective.weight / total * np.array([worth(objective, v) for v in values])
    return result
