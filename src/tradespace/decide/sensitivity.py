"""Which single constraint, relaxed by how much, would change the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tradespace.core.decisions import Assessment, Relaxation
from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Sense, Verdict


def bound_that_admits(constraint: Constraint, reading: Reading) -> float:
    """Return the nearest bound that the whole interval satisfies, rounded outward.

    Examples
    --------
    >>> c = Constraint("ap", Sense.AT_LEAST, 0.6, "1")
    >>> bound_that_admits(c, Reading("ap", 0.59, 0.5412, 0.63, "1"))
    0.541

    """
    at_most = constraint.sense in (Sense.AT_MOST, Sense.BELOW)
    end = reading.high if at_most else reading.low
    if not math.isfinite(end) or end == 0:
        return end
    step = 10.0 ** (math.floor(math.log10(abs(end))) - 2)
    rounded = (math.ceil if at_most else math.floor)(round(end / step, 9)) * step
    if constraint.sense is Sense.BELOW and rounded <= end:
        rounded += step
    if constraint.sense is Sense.ABOVE and rounded >= end:
        rounded -= step
    return float(f"{rounded:.6g}")


def relaxations(
    assessments: Sequence[Assessment],
    recommended: Assessment | None,
    *,
    better: Callable[[Assessment, Assessment], bool],
    describe_gain: Callable[[Assessment, Assessment | None], str],
) -> tuple[Relaxation, ...]:
    """Return for every constraint the least relaxation that changes the answer.

    A candidate counts if that one constraint alone keeps it from being feasible, and if, once
    feasible, it would be recommended instead of today's.
    """
    least: dict[Constraint, Relaxation] = {}
    for assessment in assessments:
        if assessment.evidence.failed or assessment.evidence.excluded:
            continue
        failing = [check for check in assessment.checks if check.verdict is not Verdict.MET]
        if len(failing) != 1 or failing[0].reading is None:
            continue
        if recommended is not None and not better(assessment, recommended):
            continue
        check = failing[0]
        bound = bound_that_admits(check.constraint, check.reading)  # type: ignore[arg-type]  # not None, see above
        if not math.isfinite(bound):
            continue
        amount = abs(bound - check.constraint.bound)
        known = least.get(check.constraint)
        if known is None or amount < known.amount:
            least[check.constraint] = Relaxation(
                check.constraint,
                bound,
                amount,
                assessment.candidate.id,
                describe_gain(assessment, recommended),
            )
    return tuple(sorted(least.values(), key=lambda r: r.amount / (abs(r.constraint.bound) or 1)))


def relaxation_text(relaxation: Relaxation, name: str) -> str:
    """Return a relaxation as a sentence."""
    return f"{relaxation.relaxed} instead of {relaxation.constraint} would admit {name}."
