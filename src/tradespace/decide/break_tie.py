"""Which of several tied candidates is taken, and the rule that decided, in words.

First the objectives, the heaviest first, where a difference counts only if it is worth
something; then what a person can read; then size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tradespace.core.decisions import Assessment, Comparison
from tradespace.core.quantities import Direction, format_quantity
from tradespace.core.requirements import Objective
from tradespace.decide.ties import compare

#: A smaller difference in what a value is worth (0 to 1) is worth nothing: both print alike.
WORTH_NOTHING = 0.001
#: Sizes up to this many times the smallest count as the same: a kilobyte more or less must
#: not outweigh what the candidates were measured for.
SAME_SIZE = 2.0


def by_weight(objectives: Sequence[Objective]) -> list[Objective]:
    """Return the objectives, the heaviest first, in the order of the study where equal."""
    return sorted(objectives, key=lambda objective: -objective.weight)


def break_tie(
    tied: Sequence[Assessment],
    objectives: Sequence[Objective],
    comparisons: list[Comparison],
    *,
    confidence: float = 0.95,
) -> tuple[Assessment, str]:
    """Return the winner among the tied, and why it is taken.

    Parameters
    ----------
    tied : sequence of Assessment
        The leader first, then the others by utility.
    objectives : sequence of Objective
        As resolved; a single one has decided nothing, as they are tied on it.
    comparisons : list of Comparison
        The differences looked at are added to it.
    confidence : float
        Of the intervals of differences.

    """
    remaining = list(tied)
    told = ""
    for objective in by_weight(objectives) if len(objectives) > 1 else ():
        known = [a for a in remaining if objective.quality in a.evidence.readings]
        if len(known) < 2:
            continue
        best = _best_on(known, objective)
        behind = []
        for other in known:
            if other is best or _worth_the_same(best, other, objective):
                continue
            found = compare(best, other, objective, confidence=confidence)
            if found is not None:
                comparisons.append(found)
                if not found.tied:
                    behind.append(other)
        remaining = [a for a in remaining if a not in behind]
        if len(remaining) == 1:
            value = best.evidence.readings[objective.quality]
            # The first of those behind has the highest utility: the rival to speak of.
            beaten = behind[0].evidence.readings[objective.quality]
            return best, told + (
                f"{best.candidate.name} is taken because {objective.quality} tells them apart: "
                f"{value} against {beaten} of {behind[0].candidate.name}."
            )
        if behind:
            names = ", ".join(a.candidate.name for a in behind)
            falls = "falls" if len(behind) == 1 else "fall"
            told += (
                f"Of these, {names} {falls} behind {best.candidate.name} on {objective.quality}. "
            )
    winner, words = _simplest(remaining)
    return winner, told + words


def _best_on(assessments: Sequence[Assessment], objective: Objective) -> Assessment:
    pick: Callable[..., Assessment] = max if objective.direction is Direction.MAXIMIZE else min
    return pick(assessments, key=lambda a: a.evidence.readings[objective.quality].value)


def _worth_the_same(a: Assessment, b: Assessment, objective: Objective) -> bool:
    """Return whether a difference is worth nothing, as where both are beyond 'to'."""
    one, other = a.worth.get(objective.quality), b.worth.get(objective.quality)
    return one is not None and other is not None and abs(one - other) < WORTH_NOTHING


def _simplest(tied: Sequence[Assessment]) -> tuple[Assessment, str]:
    """Return the one that a person can read, else the smallest, else the one of most utility."""
    readable = [a for a in tied if a.evidence.facts.get("interpretable")]
    start = "no objective tells those left apart and"
    if len(readable) == 1 and len(tied) > 1:
        name = readable[0].candidate.name
        return readable[0], f"{name} is taken because {start} a person can read the whole model."
    narrowed = bool(readable) and len(readable) < len(tied)
    left = readable if narrowed else list(tied)
    smallest = min(_size(a) for a in left)
    small = [a for a in left if _size(a) <= smallest * SAME_SIZE]
    winner = small[0]
    name = winner.candidate.name
    if narrowed:
        others = ", ".join(a.candidate.name for a in left if a is not winner)
        start += f" a person can read the whole model, as of {others};"
    if len(small) < len(left) and math.isfinite(smallest):
        rival = next(a for a in left if a not in small)
        size, other = (format_quantity(_size(a), "B") for a in (winner, rival))
        sizes = f"({size}, against {other} of {rival.candidate.name})"
        decided = f"it is the smallest of them {sizes}"
        if len(small) > 1:
            decided = f"of the {len(small)} smallest of them {sizes} it has the highest utility"
        return winner, f"{name} is taken because {start} {decided}."
    if narrowed:
        return winner, f"{name} is taken because {start} of these it has the highest utility."
    return winner, (
        f"{name} is taken because nothing tells them apart; it has the highest utility, but any "
        "of them would do."
    )


def _size(assessment: Assessment) -> float:
    reading = assessment.evidence.readings.get("model_size")
    return reading.value if reading is not None else math.inf
