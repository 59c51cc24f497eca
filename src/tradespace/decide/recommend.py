"""From assessments to a recommendation with reasons that a person can repeat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tradespace.core.decisions import Assessment, Check, Comparison
from tradespace.core.quantities import Direction, format_quantity
from tradespace.core.requirements import Objective, Verdict
from tradespace.decide.break_tie import break_tie
from tradespace.decide.ties import compare, compare_utility


def order_key(assessment: Assessment) -> tuple[Any, ...]:
    """Return what candidates are ordered by before ties are looked at."""
    known = assessment.utility is not None
    value = assessment.utility if assessment.utility is not None else -math.inf
    return (not known, -value, assessment.candidate.id)


def choose(
    feasible: Sequence[Assessment],
    objectives: Sequence[Objective],
    *,
    confidence: float = 0.95,
) -> tuple[Assessment, list[str], list[Comparison]]:
    """Return the best of the feasible, why, and the comparisons that decided.

    The highest utility wins. Those tied with it (with one objective: tied on it) are told
    apart by the next objective on which they are not tied and not worth the same, then by
    simplicity.
    """
    ordered = sorted(feasible, key=order_key)
    leader = ordered[0]
    comparisons: list[Comparison] = []
    tied = [leader]
    for other in ordered[1:]:
        found = (
            compare(leader, other, objectives[0], confidence=confidence)
            if len(objectives) == 1
            else compare_utility(leader, other, objectives, confidence=confidence)
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
                f"{_what(gap)} is {_ahead(gap, objectives)} than that of every other feasible "
                f"candidate; the next, {ordered[1].candidate.name}, is behind by {_interval(gap)}."
            )
        return leader, reasons, comparisons
    names = ", ".join(a.candidate.name for a in tied[1:])
    gap = next(c for c in comparisons if c.tied)
    why = (
        "contains zero"
        if gap.low <= 0.0 <= gap.high
        else "is within what the study calls no matter"
    )
    reasons.append(
        f"{leader.candidate.name} is tied with {names} on {gap.quality} (difference to "
        f"{tied[1].candidate.name}: {_interval(gap)}, which {why})."
    )
    winner, words = break_tie(tied, objectives, comparisons, confidence=confidence)
    reasons.append(words)
    return winner, reasons, comparisons


def _ahead(comparison: Comparison, objectives: Sequence[Objective]) -> str:
    directions = {objective.quality: objective.direction for objective in objectives}
    lower = directions.get(comparison.quality) is Direction.MINIMIZE
    return "lower" if lower else "higher"


def _what(comparison: Comparison) -> str:
    return f"Its {comparison.quality.replace('_', ' ')}"


def _interval(comparison: Comparison) -> str:
    low, high = (format_quantity(v, comparison.unit) for v in (comparison.low, comparison.high))
    return f"{format_quantity(comparison.difference, comparison.unit)} [{low}, {high}]"


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
        known = "not measured" if check.reading is None else f"reading {check.reading}"
        text = f"{check.constraint} is undecided ({known}): met {chance}"
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
