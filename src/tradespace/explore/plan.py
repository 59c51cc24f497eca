"""What will be done: which candidates are out before any fit, and which fits serve which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.errors import MissingExtraError, ProcessorError
from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Verdict
from tradespace.core.studies import QualityUse, Study, Task
from tradespace.explore.predict_network import latency_estimator, network_readings

if TYPE_CHECKING:
    from tradespace.components._base import AbstractFamily, Facts, Shape


@dataclass(frozen=True, slots=True)
class Planned:
    """One candidate as planned.

    `excluded` says why it is certainly out before any fit; `predicted` is what is known of it
    by then; `shared_with` is the id of the bigger candidate whose fit serves it, or empty.
    """

    candidate: Candidate
    facts: Facts
    predicted: Mapping[str, Reading] = field(default_factory=dict)
    excluded: str = ""
    shared_with: str = ""
    seeds: tuple[int, ...] = (0,)


def family_of(candidate: Candidate) -> AbstractFamily:
    """Return the family that trains a candidate."""
    family = cast("type[AbstractFamily]", registry.load(registry.family(candidate.family)))
    return family()


def plan_candidates(
    study: Study, candidates: Sequence[Candidate], *, task: Task, shape: Shape
) -> list[Planned]:
    """Return every candidate with what is known of it and why it is out, if it is.

    A candidate is out before any fit only for certain: its family is not one that the team can
    maintain, its library is missing, or what its family or its network predicts misses a
    constraint with its whole interval.
    """
    planned = []
    try:
        estimate = latency_estimator(study.environment)
    except ProcessorError as error:
        raise error.at(study.place("environment", "processor")) from None
    for candidate in candidates:
        try:
            family = family_of(candidate)
        except MissingExtraError as error:
            planned.append(Planned(candidate, _no_facts(), excluded=str(error)))
            continue
        facts = family.facts(candidate.settings)
        readings = (
            *family.predict_readings(candidate.settings, task=task, shape=shape),
            *network_readings(study, candidate, family, task=task, shape=shape, estimate=estimate),
        )
        predicted = {reading.quality: reading for reading in readings}
        seeds = study.seeds[:1] if facts.deterministic else study.seeds
        excluded = _why_excluded(study, candidate, predicted)
        planned.append(Planned(candidate, facts, predicted, excluded, seeds=seeds))
    return _shared(planned)


def _no_facts() -> Facts:
    from tradespace.components._base import Facts

    return Facts()


def _why_excluded(study: Study, candidate: Candidate, predicted: Mapping[str, Reading]) -> str:
    allowed = study.project.families
    if allowed is not None and candidate.family not in allowed:
        return (
            f"the project allows only {', '.join(allowed)}; "
            f"{candidate.family} is not a family that the team can maintain"
        )
    return "; ".join(
        f"{constraint} is certainly missed: {reading} is predicted before training"
        for constraint, reading in missed_before_training(study, predicted)
    )


def missed_before_training(
    study: Study, predicted: Mapping[str, Reading]
) -> list[tuple[Constraint, Reading]]:
    """Return the constraints that predicted readings miss with their whole interval."""
    found = []
    for constraint in study.constraints:
        reading = predicted.get(registered_name(study, constraint.quality))
        if reading is not None and constraint.check(reading) is Verdict.MISSED:
            found.append((constraint, reading))
    return found


def registered_name(study: Study, name: str) -> str:
    """Return the registered quality that a study means by a name of its own."""
    use = study.qualities.get(name)
    return use.quality if use else name


def sharing_groups(planned: Iterable[Planned], *, share: bool = True) -> list[tuple[Planned, ...]]:
    """Return the candidates that are still in, grouped by the fit that serves them.

    The biggest stands first. Candidates whose family shares nothing stand alone, and so do all
    without `share`.
    """
    groups: dict[Any, list[Planned]] = {}
    for plan in planned:
        if plan.excluded:
            continue
        candidate = plan.candidate
        key = family_of(candidate).sharing_key(candidate.settings) if share else None
        if key is None:
            groups[candidate.id] = [plan]
        else:
            whole = (candidate.family, repr(sorted(candidate.preprocessing.items())), key)
            groups.setdefault(whole, []).append(plan)
    for group in groups.values():
        group.sort(key=lambda p: family_of(p.candidate).size_of(p.candidate.settings), reverse=True)
    return [tuple(group) for group in groups.values()]


def _shared(planned: list[Planned]) -> list[Planned]:
    from dataclasses import replace

    served = {
        plan.candidate.id: group[0].candidate.id
        for group in sharing_groups(planned)
        for plan in group[1:]
    }
    return [replace(p, shared_with=served.get(p.candidate.id, "")) for p in planned]


def all_uses(study: Study) -> tuple[QualityUse, ...]:
    """Return the qualities that are measured whatever the task, then the study's own.

    A quality that needs facts which the study does not give (the price of mistakes) is left
    out unless the study names it.
    """
    uses = []
    for row in registry.qualities().values():
        if row.name in study.qualities or not row.default:
            continue
        if any(spec.required for spec in row.settings):
            continue
        if "mistakes" in row.depends and study.mistakes is None:
            continue
        settings = {spec.name: spec.default for spec in row.settings}
        uses.append(QualityUse(row.name, row.name, row.unit, row.direction, settings))
    return (*uses, *study.qualities.values())


def uses_of(study: Study, task: Task) -> tuple[QualityUse, ...]:
    """Return every quality that will be measured: what fits the task, then the study's own."""
    return tuple(
        use
        for use in all_uses(study)
        if use.name in study.qualities or task in registry.quality(use.quality).tasks
    )
