"""What every report says of a decision: headline, cut of the space, groups, facts, titles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tradespace.core import registry
from tradespace.core.decisions import (
    Assessment,
    Check,
    Comparison,
    Decision,
    Outcome,
    Standing,
)
from tradespace.core.quantities import Direction
from tradespace.core.readings import ReadingKind
from tradespace.core.requirements import Constraint, Objective, Sense, Verdict

STANDING_ORDER = (
    Standing.FEASIBLE,
    Standing.UNDECIDED,
    Standing.INFEASIBLE,
    Standing.FAILED,
    Standing.EXCLUDED,
)


@dataclass(frozen=True, slots=True)
class QualityFacts:
    """What reports say of one quality of a decision."""

    name: str
    title: str
    unit: str
    direction: Direction
    definition: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """One step of the cut of the space: who is out by it, and how many are left.

    `removed` were still in before this step; `missed` counts all who miss it, also those that
    an earlier step had removed; `unknown` are still in but undecided here.
    """

    label: str
    removed: tuple[Assessment, ...]
    left: int
    missed: int
    unknown: int = 0
    constraint: Constraint | None = None


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "candidate"), plural(3, "candidate"), plural(0, "category", "categories")
    ('1 candidate', '3 candidates', '0 categories')

    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def headline(decision: Decision) -> str:
    """Return the answer in one sentence."""
    name = decision.best.candidate.name if decision.best else ""
    match decision.outcome:
        case Outcome.RECOMMENDED:
            return f"Use {name}."
        case Outcome.PROVISIONAL:
            return f"{name}, provisionally: not every requirement is decided yet."
        case Outcome.NONE_FEASIBLE if name:
            return f"No candidate meets every requirement; {name} comes nearest."
        case Outcome.NONE_FEASIBLE:
            return "No candidate meets every requirement."
        case Outcome.REFUSED:
            return "No recommendation: the evidence does not decide."


def counts(decision: Decision) -> dict[Standing, int]:
    """Return how many candidates stand where, in the order of the reports."""
    found = Counter(assessment.standing for assessment in decision.assessments)
    return {standing: found[standing] for standing in STANDING_ORDER}


def counts_text(decision: Decision) -> str:
    """Return how many candidates stand where, as a sentence."""
    words = [f"{n} {standing.value}" for standing, n in counts(decision).items() if n]
    total = plural(len(decision.assessments), "candidate")
    return f"{total}: {', '.join(words)}." if words else f"{total}."


def qualities_of(decision: Decision) -> dict[str, QualityFacts]:
    """Return every quality of the decision: asked for first, then all that were read."""
    names: dict[str, None] = {}
    for objective in decision.objectives:
        names.setdefault(objective.quality)
    for constraint in decision.constraints:
        names.setdefault(constraint.quality)
    units: dict[str, str] = {}
    for assessment in decision.assessments:
        for name, reading in assessment.evidence.readings.items():
            names.setdefault(name)
            units.setdefault(name, reading.unit)
    return {name: _facts(decision, name, units.get(name)) for name in names}


def _facts(decision: Decision, name: str, unit: str | None) -> QualityFacts:
    stated = _mapping(_mapping(decision.context.get("qualities")).get(name))
    row = registry.qualities().get(str(stated.get("quality", name)))
    asked: list[Objective | Constraint] = [*decision.objectives, *decision.constraints]
    unit = unit or next((a.unit for a in asked if a.quality == name), None)
    direction = next((o.direction for o in decision.objectives if o.quality == name), None)
    if direction is None and "direction" in stated:
        direction = Direction(stated["direction"])
    if direction is None and row is not None:
        direction = row.direction
    if direction is None:
        sense = next((c.sense for c in decision.constraints if c.quality == name), Sense.AT_LEAST)
        at_most = sense in (Sense.AT_MOST, Sense.BELOW)
        direction = Direction.MINIMIZE if at_most else Direction.MAXIMIZE
    own_name = row is None or row.name != name
    return QualityFacts(
        name,
        name.replace("_", " ").capitalize() if own_name or row is None else row.title,
        unit or (row.unit if row else "1"),
        direction,
        str(stated.get("definition") or (row.definition if row else "")),
        str(stated.get("source") or (row.source if row else "")),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def cuts(decision: Decision) -> tuple[Cut, ...]:
    """Return the cut of the space step by step, in the order of the study's constraints."""
    inside = list(decision.assessments)
    steps: list[Cut] = []
    foretold = tuple(a for a in inside if missed_before_training(a))
    if foretold:
        inside = [a for a in inside if a not in foretold]
        label = "out before training, as predicted"
        steps.append(Cut(label, foretold, len(inside), len(foretold)))
    for standing, label in (
        (Standing.EXCLUDED, "left out before the last stage"),
        (Standing.FAILED, "failed"),
    ):
        removed = tuple(a for a in inside if a.standing is standing)
        if removed:
            inside = [a for a in inside if a.standing is not standing]
            steps.append(Cut(label, removed, len(inside), len(removed)))
    for constraint in decision.constraints:
        verdicts = {a.candidate.id: verdict_of(a, constraint) for a in decision.assessments}
        missed = [key for key, verdict in verdicts.items() if verdict is Verdict.MISSED]
        removed = tuple(a for a in inside if a.candidate.id in missed)
        inside = [a for a in inside if a.candidate.id not in missed]
        unknown = sum(verdicts[a.candidate.id] is Verdict.UNKNOWN for a in inside)
        steps.append(
            Cut(str(constraint), removed, len(inside), len(missed), unknown, constraint=constraint)
        )
    return tuple(steps)


def missed_before_training(assessment: Assessment) -> tuple[Check, ...]:
    """Return the checks that kept a candidate from training: missed by what was predicted."""
    if assessment.standing is not Standing.EXCLUDED:
        return ()
    return tuple(
        check
        for check in assessment.checks
        if check.verdict is Verdict.MISSED
        and check.reading is not None
        and check.reading.kind is ReadingKind.PREDICTED
    )


def verdict_of(assessment: Assessment, constraint: Constraint) -> Verdict | None:
    """Return the verdict of one check, None if it was not checked."""
    for check in assessment.checks:
        if check.constraint == constraint:
            return check.verdict
    return None


def tie_word(tie: Comparison) -> str:
    """Return whether two candidates differ; undecided where the interval has no ends."""
    if math.isnan(tie.difference) or (math.isinf(tie.low) and math.isinf(tie.high)):
        return "undecided"
    return "tied" if tie.tied else "different"


def name_of(decision: Decision, candidate: str) -> str:
    """Return the name of a candidate by id; the id if the decision does not hold it."""
    for assessment in decision.assessments:
        if candidate in (assessment.candidate.id, assessment.candidate.name):
            return assessment.candidate.name
    return candidate


def why_out(assessment: Assessment) -> str:
    """Return why a candidate is out, as a phrase without a full stop."""
    if assessment.evidence.cause:
        return assessment.evidence.cause.rstrip(".")
    missed = [check for check in assessment.checks if check.verdict is Verdict.MISSED]
    return "; ".join(f"misses {check.constraint}" for check in missed) or "not known"


def on_validation(decision: Decision, assessment: Assessment) -> bool:
    """Return whether what was measured of a candidate was measured on validation rows.

    True of those that a study with validation rows left out before it looked at the test split.
    """
    if assessment.standing is not Standing.EXCLUDED:
        return False
    return any(
        str(fold).startswith("validation") for fold in _mapping(decision.context.get("folds"))
    )
