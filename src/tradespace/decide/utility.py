"""Stated utility: what a value is worth between `from` (0) and `to` (1).

The ends come from the study, else from the constraint on the same quality, the constant
baseline, or the range of the quality; never from whoever else took part. Values beyond the
ends are worth 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core import registry
from tradespace.core.decisions import Evidence
from tradespace.core.quantities import Direction
from tradespace.core.readings import Reading
from tradespace.core.requirements import Objective
from tradespace.core.studies import Study, Task
from tradespace.study.defaults import usual_goal

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
    study: Study, evidence: Sequence[Evidence], context: Mapping[str, Any] | None = None
) -> tuple[tuple[Objective, ...], list[str]]:
    """Return the objectives with both ends stated, and what was assumed, in words.

    A study that states no objective is given one: its first constraint on predictions, else
    the usual goal of its task. `context` may say the task that was found and the sizes of the
    parts of the split.
    """
    notes: list[str] = []
    objectives = []
    for objective in study.objectives or implied_objectives(study, evidence, context or {}, notes):
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


def is_predictive(study: Study, name: str) -> bool:
    """Return whether a quality of a study is one of the predictions."""
    return "predictions" in _row(study, name).needs


def asks_of_predictions(study: Study) -> bool:
    """Return whether an objective or a constraint names a quality of the predictions."""
    names = [o.quality for o in study.objectives] + [c.quality for c in study.constraints]
    return any(is_predictive(study, name) for name in names)


def implied_objectives(
    study: Study,
    evidence: Sequence[Evidence],
    context: Mapping[str, Any],
    notes: list[str],
) -> tuple[Objective, ...]:
    """Return the objective that a study without objectives implies, and note which and why.

    The quality of its first constraint on predictions; without one, the usual goal of the task,
    the same that ``tradespace init`` writes.
    """
    for constraint in study.constraints:
        row = _row(study, constraint.quality)
        if is_predictive(study, constraint.quality):
            notes.append(
                f"the study states no objective; {row.direction.value} {constraint.quality} is "
                "taken from its first constraint on predictions"
            )
            return (Objective(constraint.quality, row.direction, row.unit),)
    task = _task(study, evidence, context)
    if task is None:
        notes.append("the study states no objective, and nothing was measured that could be one")
        return ()
    goal = usual_goal(task, positive_share=_positive_share(context))
    row = registry.quality(goal.quality)
    names = [name for name, use in study.qualities.items() if use.quality == goal.quality]
    name = goal.quality if goal.quality in names or not names else names[0]
    start = "" if goal.start is None else f" from {goal.start:.3g}"
    notes.append(
        "the study states no objective and no constraint on predictions; "
        f"{row.direction.value} {name}{start} is assumed, the usual one for this task "
        f"({goal.why})"
    )
    return (Objective(name, row.direction, row.unit, worst=goal.start),)


def _row(study: Study, name: str) -> registry.QualityRow:
    use = study.qualities.get(name)
    return registry.quality(use.quality if use else name)


def _task(study: Study, evidence: Sequence[Evidence], context: Mapping[str, Any]) -> Task | None:
    """Return the task as stated, as found in the data, or as the readings show it."""
    if study.task is not None:
        return study.task
    if "task" in context:
        return Task(context["task"])
    measured = {name for item in evidence for name in item.readings}
    return next((task for task in Task if usual_goal(task).quality in measured), None)


def _positive_share(context: Mapping[str, Any]) -> float | None:
    """Return the share of positives in the rows of the last fold, if their numbers are known."""
    folds: Mapping[str, Any] = context.get("split", {}).get("parts", {})
    sizes = list(_sizes(folds.get("test", {}))) or [s for f in folds.values() for s in _sizes(f)]
    rows = sum(n for n, _ in sizes)
    return sum(positives for _, positives in sizes) / rows if rows else None


def _sizes(fold: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    for part in fold.values():
        if "positives" in part:
            yield part["rows"], part["positives"]


def _default_worst(
    objective: Objective, study: Study, evidence: Sequence[Evidence]
) -> tuple[float, str]:
    for constraint in study.constraints:
        if constraint.quality == objective.quality and math.isfinite(constraint.bound):
            return constraint.bound, "the bound of its constraint"
    for item in evidence:
        if registry.is_baseline(item.candidate.family):
            reading = item.readings.get(objective.quality)
            if reading is not None and math.isfinite(reading.value):
                return reading.value, "the constant baseline"
    row = _row(study, objective.quality)
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
    row = _row(study, objective.quality)
    end = row.high if objective.direction is Direction.MAXIMIZE else row.low
    return (end, "the end of its range") if math.isfinite(end) else (0.0, "zero")


def _known(objective: Objective, evidence: Sequence[Evidence]) -> list[float]:
    readings = (item.readings.get(objective.quality) for item in evidence)
    return [r.value for r in readings if r is not None and math.isfinite(r.value)]


def utility(
    objectives: Sequence[Objective], readings: Mapping[str, Reading], *, confidence: float = 0.95
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
        tail = 50 * (1 - confidence)
        left, right = np.percentile(draws, [tail, 100 - tail])
        low, high = min(value, float(left)), max(value, float(right))
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
