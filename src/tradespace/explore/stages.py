"""The stages of a run: what each suggests to be done, and who goes on to the next.

A stage suggests tasks while there is room and observes what came of them. It knows no workers,
so that a recorded study, or a policy under a simulated clock, drives it as a run does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.decisions import Evidence, Standing
from tradespace.core.requirements import Verdict
from tradespace.core.studies import QualityUse, Study
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.evidence import by_candidate, evidence_of
from tradespace.explore.ledger import Ledger
from tradespace.explore.plan import Planned, sharing_groups
from tradespace.explore.tasks import AnyTask, FitTask, ReadTask

#: Needs that cost more than a look at the artifact: for finalists that can still win.
EXPENSIVE = {"refits", "perturbed", "training_rows", "later_periods"}


class Stage(Protocol):
    """Suggests tasks and observes their trials."""

    @property
    def name(self) -> str:
        """As listeners hear of it."""

    @property
    def at_once(self) -> int | None:
        """How many of its tasks may run at a time; None: as many as there are workers."""

    @property
    def total(self) -> int:
        """How many tasks it expects to have suggested in the end."""

    def suggest(self, room: int) -> Sequence[AnyTask]:
        """Return at most `room` tasks to be done now; none: wait for what runs, or the end."""

    def observe(self, task: AnyTask, trials: Sequence[Trial]) -> None:
        """Take in what came of a task."""


class ListedStage:
    """Does a list of tasks in order, and stops when a budget is used up."""

    def __init__(
        self,
        name: str,
        tasks: Iterable[AnyTask],
        *,
        at_once: int | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.name, self.at_once = name, at_once
        self.waiting = list(tasks)
        self.total = len(self.waiting)
        self._ledger = ledger

    def suggest(self, room: int) -> Sequence[AnyTask]:
        """Return the next tasks, none when the budget is used up."""
        if self._ledger is not None and over_budget(self._ledger):
            return ()
        now, self.waiting = self.waiting[:room], self.waiting[room:]
        return now

    def observe(self, task: AnyTask, trials: Sequence[Trial]) -> None:
        """Learn nothing: the list stands."""
        del task, trials


def over_budget(ledger: Ledger) -> bool:
    """Return whether the search has used its budget; finalists are always measured."""
    budget = ledger.study.budget
    used_up = budget.fits is not None and ledger.fits >= budget.fits
    return used_up or ledger.spent_cpu_s >= budget.cpu_s


def cheap(uses: Iterable[QualityUse]) -> tuple[QualityUse, ...]:
    """Return the qualities that are measured on every fit."""
    return tuple(use for use in uses if not _needs(use) & {*EXPENSIVE, "timing", "fit", "readings"})


def _needs(use: QualityUse) -> set[str]:
    return set(registry.quality(use.quality).needs)


def fit_tasks(
    plans: Iterable[Planned], ledger: Ledger, *, folds: Sequence[str], seed: int, share: bool
) -> list[AnyTask]:
    """Return the fits that serve some candidates, and what is still due of those that are done.

    The candidates of a group that are fitted already need no fit; the biggest of the others
    serves these.
    """
    uses = cheap(ledger.uses)
    tasks: list[AnyTask] = []
    for group in sharing_groups(plans, share=share):
        for fold in folds:
            new: list[Candidate] = []
            for plan in group:
                trial = ledger.known(plan.candidate, fold, seed)
                if trial is None:
                    new.append(plan.candidate)
                else:
                    tasks += read_tasks(plan.candidate, trial, ledger, uses)
            if new:
                tasks.append(FitTask(tuple(new), fold, seed, uses))
    return tasks


def read_tasks(
    candidate: Candidate, trial: Trial, ledger: Ledger, uses: Iterable[QualityUse]
) -> list[AnyTask]:
    """Return what is to be measured on a fit that is done: one task, or none."""
    due = ledger.due(trial, uses) if trial.status is TrialStatus.DONE else ()
    if not due:
        return []
    n_columns = int(trial.facts.get("n_columns", 0))
    return [ReadTask(candidate, trial.split, trial.seed, due, trial.artifact, n_columns)]


def choose_finalists(
    study: Study, ledger: Ledger, planned: Sequence[Planned], searched: Sequence[Trial]
) -> tuple[list[Planned], dict[str, Evidence]]:
    """Return the candidates that go to the test split, and what is to be said of the others.

    Without a search all that are not out already are finalists.
    """
    inside = [plan for plan in planned if not plan.excluded]
    if not searched:
        return inside, {}
    from tradespace.decide.decide import decide

    trials = by_candidate(searched)
    sure = study.confidence
    seen = [evidence_of(p, trials.get(p.candidate.id, ()), confidence=sure) for p in inside]
    context = {"task": ledger.prepared.task.value, "split": ledger.prepared.split}
    decision = decide(_on_validation(study, seen), seen, context=context)
    standing = {a.candidate.id: a.standing for a in decision.assessments}
    order = [
        key for key, s in standing.items() if s in (Standing.FEASIBLE, Standing.UNDECIDED)
    ] or [key for key, s in standing.items() if s is Standing.INFEASIBLE]
    chosen = set(order[: study.budget.finalists])
    names = [objective.quality for objective in decision.objectives]
    ranked_by = "utility" if len(names) > 1 else (names or ["id"])[0]
    others = {
        item.candidate.id: _left_behind(study, item, order, ranked_by)
        for item in seen
        if item.candidate.id not in chosen
    }
    return [plan for plan in inside if plan.candidate.id in chosen], others


def _left_behind(study: Study, seen: Evidence, order: Sequence[str], ranked_by: str) -> Evidence:
    """Return the evidence of a candidate that is no finalist, with the cause."""
    if seen.failed or seen.excluded:
        return seen
    if seen.candidate.id in order:
        cause = (
            f"not a finalist: place {order.index(seen.candidate.id) + 1} of {len(order)} by "
            f"{ranked_by} on validation data (budget: finalists is {study.budget.finalists})"
        )
    else:
        cause = "misses a constraint on validation data: " + missed(study, seen)
    return replace(seen, excluded=True, cause=cause)


def missed(study: Study, evidence: Evidence) -> str:
    """Return, for people, the constraints that readings miss with their whole interval."""
    return "; ".join(
        f"{constraint} (reading {evidence.readings[constraint.quality]})"
        for constraint in study.constraints
        if constraint.quality in evidence.readings
        and constraint.check(evidence.readings[constraint.quality]) is Verdict.MISSED
    )


def more_tasks(
    study: Study,
    ledger: Ledger,
    finalists: Iterable[Planned],
    evidence: Mapping[str, Evidence],
    *,
    timed: bool,
) -> list[AnyTask]:
    """Return what is still to be measured of finalists that have missed no constraint.

    On the fit of the first seed: qualities that need a quiet machine, or those that cost much.
    """
    uses = [
        u
        for u in ledger.uses
        if ("timing" in _needs(u)) is timed and _needs(u) & {*EXPENSIVE, "timing"}
    ]
    tasks: list[AnyTask] = []
    for plan in finalists:
        seen = evidence[plan.candidate.id]
        if seen.failed or seen.excluded or missed(study, seen):
            continue
        trial = ledger.known(plan.candidate, "test", min(plan.seeds))
        if trial is not None:
            tasks += read_tasks(plan.candidate, trial, ledger, uses)
    return tasks


def _on_validation(study: Study, evidence: Sequence[Evidence]) -> Study:
    """Return the study with only the constraints that something was measured for."""
    seen = {name for item in evidence for name in item.readings}
    constraints = tuple(c for c in study.constraints if c.quality in seen)
    objectives = tuple(o for o in study.objectives if o.quality in seen)
    return replace(study, constraints=constraints, objectives=objectives)
