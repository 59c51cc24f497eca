"""What a study would do: candidates, exclusions, shared fits, measurements, predicted cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tradespace.components._base import START_S, Shape
from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.errors import MissingExtraError
from tradespace.core.studies import Study, Task
from tradespace.decide.utility import implied_objectives
from tradespace.explore.enumerate import enumerate_candidates
from tradespace.explore.plan import (
    Planned,
    family_of,
    missed_before_training,
    plan_candidates,
    registered_name,
    sharing_groups,
    uses_of,
)
from tradespace.explore.predict_network import processor_doubts
from tradespace.explore.prepare import prepare_data
from tradespace.explore.tasks import Prepared
from tradespace.study.doubts import doubts


def preview(study: Study, folder: Path) -> dict[str, Any]:
    """Return the plan of a study as plain data; reads the data, trains nothing.

    Parameters
    ----------
    study : Study
        The question.
    folder : Path
        Where the prepared rows may be written.

    Raises
    ------
    InputError
        If the study or its data are wrong.

    """
    data = prepare_data(study, str(folder / "data"))
    task, folds, shape = data.task, data.folds, data.shape
    candidates = enumerate_candidates(study, task)
    planned = plan_candidates(study, candidates, task=task, shape=shape)
    searched = [name for name in folds if name != "test"]
    groups = sharing_groups(planned)
    costs = {plan.candidate.id: _fit_cpu_s(plan.candidate, shape, task) for plan in planned}
    heads = [group[0] for group in groups]
    per_fold = sum(costs[plan.candidate.id] for plan in heads)
    seeds = sum(len(plan.seeds) for plan in heads)
    final = sum(costs[p.candidate.id] * len(p.seeds) for p in heads)
    if searched:
        share = min(1.0, study.budget.finalists / max(1, len(heads)))
        final, seeds = final * share, round(seeds * share)
    return {
        "study": study.name,
        "purpose": study.purpose,
        "task": task.value,
        "classes": list(data.classes),
        "rows": data.n_rows,
        "inputs": data.inputs,
        "split": dict(data.split),
        "folds": folds,
        "notes": [*data.notes, *_assumed(study, data)],
        "constraints": [str(constraint) for constraint in study.constraints],
        "objectives": [str(objective) for objective in study.objectives],
        "qualities": [use.name for use in uses_of(study, task)],
        "asked": _asked(study),
        "cut": _cut(study, planned),
        "warnings": [
            *doubts(study, today=datetime.now(tz=UTC).date()),
            *processor_doubts(study),
            *_undecidable(study, planned),
        ],
        "candidates": [
            {
                "id": plan.candidate.id,
                "name": plan.candidate.name,
                "family": plan.candidate.family,
                "excluded": plan.excluded,
                "misses": [str(c) for c, _ in missed_before_training(study, plan.predicted)],
                "shares_fit_of": next(
                    (p.candidate.name for p in planned if p.candidate.id == plan.shared_with), ""
                ),
                "predicted": {name: str(r) for name, r in plan.predicted.items()},
                "fit_cpu_s": costs[plan.candidate.id],
                "seeds": len(plan.seeds),
            }
            for plan in planned
        ],
        "fits": {"search": len(groups) * len(searched), "final": seeds},
        "fit_cpu_s": per_fold * len(searched) + final,
        "budget_cpu_s": study.budget.cpu_s,
    }


def _fit_cpu_s(candidate: Candidate, shape: Shape, task: Task) -> float:
    """Return about how long a fit takes; the start alone where its library is missing."""
    try:
        family = family_of(candidate)
    except MissingExtraError:
        return START_S
    return family.fit_cpu_s(candidate.settings, shape=shape, task=task)


def _assumed(study: Study, data: Prepared) -> list[str]:
    """Return which objective is assumed, in words, if the study states none."""
    if study.objectives:
        return []
    notes: list[str] = []
    context = {"task": data.task.value, "split": data.split}
    implied_objectives(study, (), context, notes)
    return [note[0].upper() + note[1:] + "." for note in notes]


def _asked(study: Study) -> list[str]:
    """Return the registered qualities that constraints and objectives are about."""
    names = [c.quality for c in study.constraints] + [o.quality for o in study.objectives]
    return list(dict.fromkeys(registered_name(study, name) for name in names))


def _cut(study: Study, planned: Sequence[Planned]) -> dict[str, int]:
    """Return how many candidates each constraint cuts before anything is trained."""
    found: Counter[str] = Counter()
    for plan in planned:
        missed = missed_before_training(study, plan.predicted)
        found.update(str(constraint) for constraint, _ in missed)
    return {str(c): found[str(c)] for c in study.constraints if str(c) in found}


def _undecidable(study: Study, planned: Sequence[Planned]) -> list[str]:
    """Return warnings about constraints on networks where there are other candidates."""
    warnings = []
    for constraint in study.constraints:
        name = registered_name(study, constraint.quality)
        if "network" not in registry.quality(name).needs:
            continue
        others = {
            plan.candidate.family: None
            for plan in planned
            if not plan.excluded and name not in plan.predicted
        }
        if others:
            warnings.append(
                f"{constraint} will stay undecided for {', '.join(others)}: only networks have "
                f"{name}, so none of these can be recommended for certain"
            )
    return warnings
