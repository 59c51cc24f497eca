"""From trials to evidence: all readings of a candidate, over its seeds and folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from tradespace.core.decisions import Evidence
from tradespace.core.readings import Reading
from tradespace.core.studies import QualityUse
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.plan import Planned


def facts_of(plan: Planned, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return what is no reading: known facts of the family, and the first good trial's."""
    facts: dict[str, Any] = {
        "incremental": plan.facts.incremental,
        "deterministic": plan.facts.deterministic,
        "interpretable": plan.facts.interpretable,
        "good_at": list(plan.facts.good_at),
        "bad_at": list(plan.facts.bad_at),
        "seeds": sorted({trial.seed for trial in trials}),
    }
    for trial in trials:
        if trial.status is TrialStatus.DONE and trial.facts:
            facts.update(trial.facts)
            facts["artifact"] = trial.artifact
            break
    return facts


def evidence_of(
    plan: Planned,
    trials: Sequence[Trial],
    *,
    confidence: float = 0.95,
    uses: Sequence[QualityUse] = (),
) -> Evidence:
    """Return the evidence of one candidate from its trials.

    A candidate with one failed trial has failed: what it does on the other seeds is not what
    would be relied on. One that was out before any fit has what was predicted of the qualities
    in `uses`, under the study's names.
    """
    candidate = plan.candidate
    if plan.excluded:
        predicted = {
            use.name: replace(plan.predicted[use.quality], quality=use.name)
            for use in uses
            if use.quality in plan.predicted
        }
        return Evidence(candidate, predicted, cause=plan.excluded, excluded=True)
    bad = [trial for trial in trials if trial.status is not TrialStatus.DONE]
    if bad or not trials:
        cause = bad[0].cause if bad else "was not trained"
        skipped = all(trial.status is TrialStatus.SKIPPED for trial in bad)
        status = f"{bad[0].status.value}: " if bad and not skipped else ""
        return Evidence(
            candidate,
            {},
            cause=status + cause,
            failed=not skipped,
            excluded=skipped,
            facts=facts_of(plan, trials),
        )
    readings = combined_readings(trials, confidence=confidence)
    return Evidence(candidate, readings, facts=facts_of(plan, trials))


def combined_readings(trials: Iterable[Trial], *, confidence: float = 0.95) -> dict[str, Reading]:
    """Return one reading a quality: over the seeds of each fold, then over the folds."""
    from tradespace.qualities.combine import combine_folds, combine_seeds

    by_quality: dict[str, dict[str, list[Reading]]] = {}
    for trial in trials:
        for reading in trial.readings:
            folds = by_quality.setdefault(reading.quality, {})
            folds.setdefault(trial.split, []).append(reading)
    return {
        name: combine_folds(
            [combine_seeds(readings, confidence=confidence) for readings in folds.values()],
            confidence=confidence,
        )
        for name, folds in by_quality.items()
    }


def by_candidate(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Return trials grouped by candidate id."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.candidate, []).append(trial)
    return groups
