"""The decision: what is feasible, what is best, what is tied, and what would change it.

Sees only readings, so that a recorded study can be decided again in milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tradespace.core import registry
from tradespace.core.decisions import (
    Assessment,
    Comparison,
    Decision,
    Evidence,
    Outcome,
    Standing,
)
from tradespace.core.requirements import Objective, Verdict
from tradespace.core.studies import Study
from tradespace.decide.checks import check_all
from tradespace.decide.dominance import dominators
from tradespace.decide.recommend import (
    choose,
    met_sentence,
    nearest,
    objective_sentence,
    order_key,
    unknown_sentences,
)
from tradespace.decide.sensitivity import relaxation_text, relaxations
from tradespace.decide.ties import compare
from tradespace.decide.utility import (
    asks_of_predictions,
    is_predictive,
    resolve_objectives,
    utility,
)

_ORDER = (
    Standing.FEASIBLE,
    Standing.UNDECIDED,
    Standing.INFEASIBLE,
    Standing.EXCLUDED,
    Standing.FAILED,
)
#: Pairs compared on the first objective, among the best.
COMPARED = 8


def decide(
    study: Study, evidence: Sequence[Evidence], *, context: Mapping[str, Any] | None = None
) -> Decision:
    """Return the decision of a study from the evidence on its candidates.

    Parameters
    ----------
    study : Study
        Constraints, objectives and what to do when the best is undecided.
    evidence : sequence of Evidence
        One a candidate; the order does not matter.
    context : Mapping, optional
        Facts for the record; ``test_looks`` beyond 1 is warned about, and the ``task`` that was
        found in the data decides what a study that asks nothing of predictions is taken to wish.

    Returns
    -------
    Decision

    """
    context = dict(context or {})
    objectives, notes = resolve_objectives(study, evidence, context)
    assessed = [_assess(study, item, objectives) for item in evidence]
    assessed = _with_front(assessed, objectives)
    feasible = [a for a in assessed if a.standing is Standing.FEASIBLE]
    undecided = [a for a in assessed if a.standing is Standing.UNDECIDED]
    infeasible = [a for a in assessed if a.standing is Standing.INFEASIBLE]
    comparisons: list[Comparison] = []
    reasons: list[str]
    best: Assessment | None
    if feasible:
        best, why, comparisons = choose(feasible, objectives, confidence=study.confidence)
        reasons = [met_sentence(best), *_told(objective_sentence(best, objectives)), *why]
        outcome = Outcome.RECOMMENDED
    elif undecided:
        best = _most_promising(undecided)
        reasons = [
            f"No candidate is known to meet every constraint; {best.candidate.name} is the most "
            "promising of the undecided.",
            *unknown_sentences(best),
            *_told(objective_sentence(best, objectives)),
        ]
        outcome = Outcome.PROVISIONAL
        if study.on_undecided == "refuse":
            outcome = Outcome.REFUSED
            reasons.insert(0, "The study refuses a recommendation while the best is undecided.")
    elif infeasible:
        best = nearest(infeasible)
        missed = [c for c in best.checks if c.verdict is Verdict.MISSED]
        reasons = [
            "No candidate meets every constraint.",
            f"Nearest is {best.candidate.name}, which misses "
            + "; ".join(f"{c.constraint} (reading {c.reading})" for c in missed)
            + ".",
        ]
        outcome = Outcome.NONE_FEASIBLE
    else:
        best, outcome = None, Outcome.NONE_FEASIBLE
        reasons = ["No candidate could be measured; see why each was excluded or failed."]
    ordered = _ranked(assessed, best)
    best = next((a for a in ordered if best and a.candidate.id == best.candidate.id), None)
    found = relaxations(
        ordered,
        best if outcome is Outcome.RECOMMENDED else None,
        better=lambda a, b: order_key(a)[:2] < order_key(b)[:2],
        describe_gain=_gain,
    )
    names = {a.candidate.id: a.candidate.name for a in ordered}
    if outcome is Outcome.NONE_FEASIBLE and found:
        reasons.append(relaxation_text(found[0], names[found[0].candidate]))
    return Decision(
        study=study.name,
        purpose=study.purpose,
        outcome=outcome,
        recommended=None if best is None else best.candidate.id,
        reasons=tuple(reasons),
        assessments=tuple(ordered),
        constraints=study.constraints,
        objectives=objectives,
        front=tuple(a.candidate.id for a in ordered if a.pareto),
        ties=_comparisons(ordered, best, objectives, comparisons, study.confidence),
        relaxations=found,
        warnings=tuple(_warnings(study, ordered, best, objectives, context, notes)),
        context=context,
    )


def _told(sentence: str) -> list[str]:
    return [sentence] if sentence else []


def _assess(study: Study, item: Evidence, objectives: Sequence[Objective]) -> Assessment:
    if item.failed:
        return Assessment(item, Standing.FAILED)
    checks = check_all(study.constraints, item.readings, confidence=study.confidence)
    value, low, high, worth = utility(objectives, item.readings, confidence=study.confidence)
    if item.excluded:
        standing = Standing.EXCLUDED
    elif any(check.verdict is Verdict.MISSED for check in checks):
        standing = Standing.INFEASIBLE
    elif all(check.verdict is Verdict.MET for check in checks):
        standing = Standing.FEASIBLE
    else:
        standing = Standing.UNDECIDED
    return Assessment(item, standing, checks, value, low, high, worth)


def _with_front(
    assessed: Sequence[Assessment], objectives: Sequence[Objective]
) -> list[Assessment]:
    """Return the assessments with the Pareto front of the feasible marked.

    Where none is feasible, the front of the undecided stands in for it.
    """
    for standing in (Standing.FEASIBLE, Standing.UNDECIDED):
        inside = [a for a in assessed if a.standing is standing]
        if inside:
            break
    if not inside or not objectives:
        return list(assessed)
    values = np.array(
        [
            [
                a.evidence.readings[o.quality].value
                if o.quality in a.evidence.readings
                else math.nan
                for o in objectives
            ]
            for a in inside
        ]
    )
    found = dominators(values, [objective.direction for objective in objectives])
    marked = {
        a.candidate.id: replace(
            a,
            pareto=bool(index < 0),
            dominated_by=None if index < 0 else inside[index].candidate.id,
        )
        for a, index in zip(inside, found, strict=True)
    }
    return [marked.get(a.candidate.id, a) for a in assessed]


def _most_promising(undecided: Sequence[Assessment]) -> Assessment:
    """Return the undecided candidate of the highest probability times utility."""

    def promise(assessment: Assessment) -> tuple[float, Any]:
        probability = assessment.probability_feasible
        chance = 0.5 if probability is None else probability
        value = 1.0 if assessment.utility is None else max(assessment.utility, 1e-3)
        return (-chance * value, order_key(assessment))

    return min(undecided, key=promise)


def _ranked(assessed: Sequence[Assessment], best: Assessment | None) -> list[Assessment]:
    def key(assessment: Assessment) -> tuple[Any, ...]:
        first = best is not None and assessment.candidate.id == best.candidate.id
        return (not first, _ORDER.index(assessment.standing), order_key(assessment))

    ordered = sorted(assessed, key=key)
    return [replace(a, rank=rank) for rank, a in enumerate(ordered, start=1)]


def _gain(assessment: Assessment, recommended: Assessment | None) -> str:
    if recommended is None or assessment.utility is None or recommended.utility is None:
        return "it would be feasible"
    return f"utility {assessment.utility:.3f} instead of {recommended.utility:.3f}"


def _comparisons(
    ordered: Sequence[Assessment],
    best: Assessment | None,
    objectives: Sequence[Objective],
    decided: Sequence[Comparison],
    confidence: float,
) -> tuple[Comparison, ...]:
    """Return the comparisons that decided, then all pairs of the best on every objective."""
    found = {(c.a, c.b, c.quality): c for c in decided}
    measured = [a for a in ordered if a.standing not in (Standing.FAILED, Standing.EXCLUDED)]
    top = measured[:COMPARED]
    for index, a in enumerate(top):
        for b in top[index + 1 :]:
            for number, objective in enumerate(objectives):
                if number and (best is None or best.candidate.id != a.candidate.id):
                    continue
                known = (a.candidate.id, b.candidate.id, objective.quality)
                if known in found or (known[1], known[0], known[2]) in found:
                    continue
                comparison = compare(a, b, objective, confidence=confidence)
                if comparison is not None:
                    found[known] = comparison
    return tuple(found.values())


def _warnings(
    study: Study,
    ordered: Sequence[Assessment],
    best: Assessment | None,
    objectives: Sequence[Objective],
    context: Mapping[str, Any],
    notes: Sequence[str],
) -> list[str]:
    warnings = []
    looks = context.get("test_looks", 0)
    if looks > 1:
        warnings.append(
            f"The test split has been looked at by {looks} versions of this study; its readings "
            "are no longer unseen. Keep a later period or more rows for the last word."
        )
    if len(ordered) < 2:
        warnings.append("Fewer than two candidates: nothing was compared.")
    measured = [a for a in ordered if a.checks and a.standing is not Standing.EXCLUDED]
    for index, constraint in enumerate(study.constraints):
        verdicts = {a.checks[index].verdict for a in measured}
        if verdicts == {Verdict.MISSED}:
            warnings.append(f"The constraint {constraint} is missed by every measured candidate.")
        elif verdicts == {Verdict.UNKNOWN} and not any(a.checks[index].reading for a in measured):
            warnings.append(f"Nothing was measured for the constraint {constraint}.")
    if study.objectives and not asks_of_predictions(study):
        warnings.append(
            "No objective and no constraint asks anything of the predictions; a candidate may be "
            "recommended that predicts nothing. Add an objective or a constraint on them."
        )
    if best is not None:
        warnings.extend(_busy_warnings(ordered, best))
        warnings.extend(_baseline_warnings(study, ordered, best, objectives))
    if notes:
        warnings.append("Assumed for the utility: " + "; ".join(notes) + ".")
    return warnings


def _busy_warnings(ordered: Sequence[Assessment], best: Assessment) -> Iterator[str]:
    """Yield who would come before the best, were its times not taken on a busy machine."""
    if best.standing is not Standing.FEASIBLE:
        return
    for a in ordered:
        if a.standing is not Standing.UNDECIDED or order_key(a) >= order_key(best):
            continue
        open_ = [check for check in a.checks if check.verdict is not Verdict.MET]
        if all(check.reading and check.reading.unsettled for check in open_):
            times = "; ".join(f"{check.constraint} (reading {check.reading})" for check in open_)
            yield (
                f"{a.candidate.name} has a higher utility than {best.candidate.name} "
                f"({_gain(a, best)}) and is out only because the machine was busy when it was "
                f"timed: {times}. Evaluate again when it is quieter."
            )


def _baseline_warnings(
    study: Study,
    ordered: Sequence[Assessment],
    best: Assessment,
    objectives: Sequence[Objective],
) -> list[str]:
    if registry.is_baseline(best.candidate.family):
        return ["The constant baseline came out best: the objectives or the data say too little."]
    baseline = next((a for a in ordered if registry.is_baseline(a.candidate.family)), None)
    if baseline is None:
        return []
    warnings = []
    for objective in objectives:
        if not is_predictive(study, objective.quality):
            continue
        found = compare(best, baseline, objective, confidence=study.confidence)
        if found is None:
            continue
        ahead = objective.direction.better(found.difference, 0.0)
        if found.tied or not ahead:
            warnings.append(
                f"{best.candidate.name} is not known to be better than the constant baseline on "
                f"{objective.quality}."
            )
            break
    return warnings
