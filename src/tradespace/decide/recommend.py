"""From assessments to a recommendation with reasons that a person can repeat."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tradespace.core.decisions import Assessment, Check, Comparison
from tradespace.core.quantities import Direction, format_quantity
from tradespace.core.requirements import Objective, Verdict
from tradespace.decide.ties import compare, compare_utility


def by_weight(objectives: Sequence[Objective]) -> list[Objective]:
    """Return the objectives, the heaviest first, in the order of the study where equal."""
    return sorted(objectives, key=lambda objective: -objective.weight)


def order_key(assessment: Assessment) -> tuple[Any, ...]:
    """Return what candidates are ordered by before ties are looked at."""
    known = assessment.utility is not None
    value = assessment.utility if assessment.utility is not None else -math.inf
    return (not known, -value, assessment.candidate.id)


def choose(
    feasible: Sequence[Assessment], objectives: Sequence[Objective]
) -> tuple[Assessment, list[str], list[Comparison]]:
    """Return the best of the feasible, why, and the comparisons that decided.

    The highest utility wins. Those tied with it (with one objective: tied on it) are told
    apart by the next objective on which they are not tied, then by simplicity.
    """
    ordered = sorted(feasible, key=order_key)
    leader = ordered[0]
    comparisons: list[Comparison] = []
    tied = [leader]
    for other in ordered[1:]:
        found = (
            compare(leader, other, objectives[0])
            if len(objectives) == 1
            else compare_utility(leader, other, objectives)
        )
        if found is not None:
            comparisons.append(found)
            if found.tied:
                tied.append(other)
    reasons: list[str] = []
    if len(tied) == 1:
        if len(ordered) > 1 and comparisons:
            gap = comparisons[0]
            reasons.append(
                f"{_what(gap)} is higher than that of every other feasible candidate; the next, "
                f"{ordered[1].candidate.name}, is behind by {_interval(gap)}."
            )
        return leader, reasons, comparisons
    names = ", ".join(a.candidate.name for a in tied[1:])
    gap = next(c for c in comparisons if c.tied)
    reasons.append(
        f"{leader.candidate.name} is tied with {names} on {gap.quality} (difference to "
        f"{tied[1].candidate.name}: {_interval(gap)}, which contains zero)."
    )
    winner, words = _break_tie(tied, objectives, comparisons)
    reasons.append(words)
    return winner, reasons, comparisons


def _what(comparison: Comparison) -> str:
    return f"Its {comparison.quality.replace('_', ' ')}"


def _interval(comparison: Comparison) -> str:
    low, high = (format_quantity(v, comparison.unit) for v in (comparison.low, comparison.high))
    return f"{format_quantity(comparison.difference, comparison.unit)} [{low}, {high}]"


def _break_tie(
    tied: Sequence[Assessment],
    objectives: Sequence[Objective],
    comparisons: list[Comparison],
) -> tuple[Assessment, str]:
    remaining = list(tied)
    told = ""
    for objective in by_weight(objectives) if len(objectives) > 1 else ():
        known = [a for a in remaining if objective.quality in a.evidence.readings]
        if len(known) < 2:
            continue
        best = _best_on(known, objective)
        behind = []
        for other in known:
            if other is best:
                continue
            found = compare(best, other, objective)
            if found is not None:
                comparisons.append(found)
                if not found.tied:
                    behind.append(other)
        remaining = [a for a in remaining if a not in behind]
        if behind and len(remaining) > 1:
            names = ", ".join(a.candidate.name for a in behind)
            fall = "falls" if len(behind) == 1 else "fall"
            told += (
                f"Of these, {names} {fall} behind {best.candidate.name} on {objective.quality}. "
            )
        if len(remaining) == 1:
            value = best.evidence.readings[objective.quality]
            beaten = behind[-1].evidence.readings[objective.quality]
            return best, told + (
                f"{best.candidate.name} is taken because {objective.quality} tells them apart: "
                f"{value} against {beaten} of {behind[-1].candidate.name}."
            )
    winner, words = _simplest(remaining)
    return winner, told + words


def _best_on(assessments: Sequence[Assessment], objective: Objective) -> Assessment:
    pick: Callable[..., Assessment] = max if objective.direction is Direction.MAXIMIZE else min
    return pick(assessments, key=lambda a: a.evidence.readings[objective.quality].value)


def _simplest(tied: Sequence[Assessment]) -> tuple[Assessment, str]:
    """Return the one that a person can read, else the smallest, else the first by id."""
    readable = [a for a in tied if a.evidence.facts.get("interpretable")]
    if readable and len(readable) < len(tied):
        winner = min(readable, key=_size)
        return winner, (
            f"{winner.candidate.name} is taken because no objective tells those left apart and "
            "a person can read the whole model."
        )
    sizes = {a.candidate.id: _size(a) for a in tied}
    winner = min(tied, key=lambda a: (sizes[a.candidate.id], a.candidate.id))
    others = [a for a in tied if a is not winner]
    if math.isfinite(sizes[winner.candidate.id]) and all(
        sizes[a.candidate.id] > sizes[winner.candidate.id] for a in others
    ):
        size = format_quantity(sizes[winner.candidate.id], "B")
        return winner, (
            f"{winner.candidate.name} is taken because no objective tells those left apart and it "
            f"is the smallest of them ({size})."
        )
    return winner, (
        f"{winner.candidate.name} is taken because nothing tells them apart; any of them would do."
    )


def _size(assessment: Assessment) -> float:
    reading = assessment.evidence.readings.get("model_size")
    return reading.value if reading is not None else math.inf


def met_sentence(assessment: Assessment) -> str:
    """Return which constraints a candidate meets, with its readings."""
    checks = [check for check in assessment.checks if check.verdict is Verdict.MET]
    if not checks:
        return f"{assessment.candidate.name} has no constraint to meet."
    shown = "; ".join(f"{c.constraint} (reading {c.reading})" for c in checks)
    if len(assessment.checks) == 1:
        return f"{assessment.candidate.name} meets the only constraint: {shown}."
    every = "all" if len(checks) == len(assessment.checks) else f"{len(checks)} of"
    return (
        f"{assessment.candidate.name} meets {every} {len(assessment.checks)} constraints: {shown}."
    )


def unknown_sentences(assessment: Assessment) -> list[str]:
    """Return for each undecided constraint its probability and what would settle it."""
    sentences = []
    for check in assessment.checks:
        if check.verdict is not Verdict.UNKNOWN:
            continue
        chance = (
            "with unknown probability"
            if check.probability is None
            else f"with probability {check.probability:.2f}"
        )
        text = f"{check.constraint} is undecided (reading {check.reading or 'none'}): met {chance}"
        sentences.append(text + (f"; to settle it: {check.settle}." if check.settle else "."))
    return sentences


def objective_sentence(assessment: Assessment, objectives: Sequence[Objective]) -> str:
    """Return where a candidate stands on every objective."""
    parts = []
    for objective in objectives:
        reading = assessment.evidence.readings.get(objective.quality)
        value = "not known" if reading is None else str(reading)
        worth = assessment.worth.get(objective.quality)
        parts.append(
            f"{objective.quality} {value}" + ("" if worth is None else f" (worth {worth:.2f})")
        )
    return "On the objectives: " + "; ".join(parts) + "." if parts else ""


def relative_excess(check: Check) -> float:
    """Return by how much a constraint is missed, as a share of its bound; inf if not known."""
    if check.verdict is Verdict.MET:
        return 0.0
    if check.excess is None:
        return math.inf
    return max(0.0, check.excess) / (abs(check.constraint.bound) or 1.0)


def nearest(infeasible: Sequence[Assessment]) -> Assessment:
    """Return the candidate that misses the fewest constraints, then by the least share."""

    def distance(assessment: Assessment) -> tuple[Any, ...]:
        missed = [c for c in assessment.checks if c.verdict is Verdict.MISSED]
        return (
            len(missed),
            sum(relative_excess(check) for check in assessment.checks),
            order_key(assessment),
        )

    return min(infeasible, key=distance)
