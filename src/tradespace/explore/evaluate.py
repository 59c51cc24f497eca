"""The main job: from a study to a decision.

Load the data, cut what is certainly out, train and measure in workers, choose finalists on
validation data, measure them on the test split, time the ones that can still win on a quiet
machine, decide. Every finished trial is stored at once; running again repeats none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tradespace.core.candidates import Candidate
from tradespace.core.decisions import Decision, Evidence, Standing
from tradespace.core.errors import TradespaceError
from tradespace.core.hashing import content_hash
from tradespace.core.readings import Reading
from tradespace.core.requirements import Verdict
from tradespace.core.studies import Study
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.enumerate import enumerate_candidates
from tradespace.explore.events import Event, Listener, silent
from tradespace.explore.evidence import by_candidate, evidence_of, failed_trials
from tradespace.explore.operation import busy_warnings, retimed, unsettled
from tradespace.explore.plan import Planned, plan_candidates, sharing_groups, uses_of
from tradespace.explore.pool import Ended, TrialPool
from tradespace.explore.predict_network import processor_doubts
from tradespace.explore.surroundings import machine, versions
from tradespace.explore.worker import (
    FitTask,
    OperationTask,
    Setup,
    fit_and_measure,
    prepare_data,
    time_component,
)
from tradespace.store.lock import folder_lock
from tradespace.store.run_store import RunStore
from tradespace.study.doubts import doubts

_STATUS = {
    "timed out": TrialStatus.TIMED_OUT,
    "out of memory": TrialStatus.OUT_OF_MEMORY,
    "failed": TrialStatus.FAILED,
    "killed": TrialStatus.FAILED,
}
_DATA_TIMEOUT_S = 3600.0


def default_folder(study: Study) -> Path:
    """Return where a study's runs go: ``<study>.tradespace/`` beside the file."""
    stem = Path(study.file).stem if study.file else study.name
    return Path(study.folder) / f"{stem}.tradespace"


def evaluate(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    listen: Listener = silent,
    share: bool = True,
) -> Decision:
    """Return the decision of a study, doing only the work that is not done yet.

    Parameters
    ----------
    study : Study or path
        The question.
    out : path, optional
        Folder for what is written; by default ``<study>.tradespace/`` beside the study.
    workers : int, optional
        Trials at a time; by default the study's number, else one a core.
    listen : callable, optional
        Hears of every step.
    share : bool
        Let one fit serve several candidates where that is exact.

    Returns
    -------
    Decision

    Raises
    ------
    InputError
        If the study or its data are wrong.
    StoreError
        If the folder cannot be written.

    """
    if not isinstance(study, Study):
        from tradespace.study.load import load_study

        study = load_study(study)
    folder = Path(out) if out is not None else default_folder(study)
    with folder_lock(folder):
        exploration = Exploration(study, folder, workers=workers, listen=listen, share=share)
        try:
            return exploration.decide()
        finally:
            exploration.close()


class Exploration:
    """One run over a study; use :func:`evaluate` unless you need its parts."""

    def __init__(
        self,
        study: Study,
        folder: Path,
        *,
        workers: int | None = None,
        listen: Listener = silent,
        share: bool = True,
    ) -> None:
        self.study = study
        self.folder = folder
        self.listen = listen
        self.share = share
        self.store = RunStore(folder / "run.sqlite")
        self._started = (time.perf_counter(), time.process_time())
        self._workers = workers or study.budget.workers or os.cpu_count() or 1
        families = [spec.family for spec in study.candidates] or _default_families()
        self.pool = TrialPool(
            workers=self._workers,
            families=families,
            memory_bytes=study.budget.trial_memory_bytes,
        )
        self.trials: dict[str, Trial] = {}
        self.new_trials = self.retimed = 0
        self.spent_cpu_s = 0.0
        self.warnings: list[str] = []

    def close(self) -> None:
        """Stop the workers and close the store."""
        self.pool.close()
        self.store.close()

    def decide(self) -> Decision:
        """Run all stages and return the decision."""
        from tradespace.decide.decide import decide
        from tradespace.decide.record import decision_to_dict

        data = self._data()
        self.warnings.extend(doubts(self.study, today=datetime.now(tz=UTC).date()))
        planned = self._plan(data)
        self.warnings.extend(processor_doubts(self.study))
        searched = self._search(data, planned)
        finalists = self._finalists(planned, searched)
        evidence = self._final(data, planned, finalists)
        decision: Decision = decide(self.study, evidence, context=self._context(data))
        self.warnings.extend(busy_warnings(decision, again=self.retimed > 0))
        if self.warnings:
            warnings = (*decision.warnings, *self.warnings)
            decision = replace(decision, warnings=warnings)
        self.store.set_json("decision", decision_to_dict(decision))
        return decision

    # ---- stages -----------------------------------------------------------------------------

    def _data(self) -> dict[str, Any]:
        """Load and save the rows in a worker, so that this process stays small."""
        place = self.folder / "data"
        self.listen(Event("data", 0, 1, "reading the data"))
        self.pool.submit("data", prepare_data, self.study, str(place), timeout_s=_DATA_TIMEOUT_S)
        (ended,) = self.pool.ended()
        if ended.ending != "done":
            msg = f"The data could not be read: {ended.cause}."
            raise TradespaceError(msg)
        if error := ended.value.get("error"):
            raise error
        data: dict[str, Any] = ended.value
        if data.get("features"):
            self.store.set_json("features", data["features"])
        self.listen(Event("data", 1, 1, f"{data['n_rows']:,} rows"))
        self.split = data["split"]
        self.setup = Setup(
            dataset=str(place),
            artifacts=str(self.folder / "artifacts"),
            task=data["task"],
            uses=uses_of(self.study, data["task"]),
            environment=self.study.environment,
            mistakes=self.study.mistakes,
            confidence=self.study.confidence,
            bootstrap=self.study.budget.bootstrap,
            folder=self.study.folder,
        )
        return data

    def _plan(self, data: Mapping[str, Any]) -> list[Planned]:
        candidates = enumerate_candidates(self.study, data["task"])
        planned = plan_candidates(self.study, candidates, task=data["task"], shape=data["shape"])
        self.versions = versions({candidate.family for candidate in candidates})
        self.scope = content_hash(
            {
                "data": data["hash"],
                "uses": [[u.name, u.quality, u.settings] for u in self.setup.uses],
                "bootstrap": self.setup.bootstrap,
                "confidence": self.setup.confidence,
                "environment": repr(self.setup.environment),
                "mistakes": repr(self.setup.mistakes),
                "versions": self.versions,
            }
        )
        self.trials = {trial.key: trial for trial in self.store.trials(self.scope)}
        self.spent_cpu_s = sum(_cpu_s(trial) for trial in self.trials.values())
        return planned

    def _search(
        self, data: Mapping[str, Any], planned: Sequence[Planned]
    ) -> dict[str, list[Trial]]:
        """Train every candidate on the validation folds; nothing if there are none."""
        folds = [name for name in data["folds"] if name != "test"]
        if not folds:
            return {}
        tasks = [
            FitTask(tuple(p.candidate for p in group), fold, self.study.seeds[0])
            for group in sharing_groups(planned, share=self.share)
            for fold in folds
        ]
        return by_candidate(self._fits("search", tasks))

    def _finalists(
        self, planned: Sequence[Planned], searched: Mapping[str, list[Trial]]
    ) -> list[Planned]:
        """Return the candidates that go to the test split: without a search, all."""
        inside = [plan for plan in planned if not plan.excluded]
        if not searched:
            return inside
        from tradespace.decide.decide import decide

        sure = self.study.confidence
        evidence = [
            evidence_of(p, searched.get(p.candidate.id, ()), confidence=sure) for p in inside
        ]
        found = {"task": self.setup.task.value, "split": self.split}
        decision = decide(_on_validation(self.study, evidence), evidence, context=found)
        order = [
            assessment.candidate.id
            for assessment in decision.assessments
            if assessment.standing in (Standing.FEASIBLE, Standing.UNDECIDED)
        ]
        if not order:
            nearest = [a for a in decision.assessments if a.standing is Standing.INFEASIBLE]
            order = [assessment.candidate.id for assessment in nearest]
        chosen = order[: self.study.budget.finalists]
        self._validation = {item.candidate.id: item for item in evidence}
        self._places = {candidate: place for place, candidate in enumerate(order, start=1)}
        names = [objective.quality for objective in decision.objectives]
        self._ranked_by = "utility" if len(names) > 1 else (names or ["id"])[0]
        return [plan for plan in inside if plan.candidate.id in chosen]

    def _final(
        self,
        data: Mapping[str, Any],
        planned: Sequence[Planned],
        finalists: Sequence[Planned],
    ) -> list[Evidence]:
        """Measure the finalists on the test split and time those that can still win."""
        seeds = sorted({seed for plan in finalists for seed in plan.seeds})
        tasks = [
            FitTask(tuple(plan.candidate for plan in group), "test", seed)
            for seed in seeds
            for group in sharing_groups((p for p in finalists if seed in p.seeds), share=self.share)
        ]
        tested = by_candidate(self._fits("final", tasks))
        if finalists:
            self.looks = self.store.look(
                test_hash=content_hash([data["hash"], "test"]), study_hash=self.study.hash
            )
        evidence = {
            p.candidate.id: evidence_of(
                p, tested.get(p.candidate.id, ()), confidence=self.study.confidence
            )
            for p in finalists
        }
        evidence = self._operation(finalists, tested, evidence)
        return [self._placed(plan, evidence) for plan in planned]

    def _placed(self, plan: Planned, finals: Mapping[str, Evidence]) -> Evidence:
        key = plan.candidate.id
        if key in finals:
            return finals[key]
        if plan.excluded:
            return evidence_of(plan, (), uses=self.setup.uses)
        seen = self._validation[key]
        if seen.failed or seen.excluded:
            return seen
        place = self._places.get(key)
        cause = (
            f"not a finalist: place {place} of {len(self._places)} by {self._ranked_by} on "
            f"validation data (budget: finalists is {self.study.budget.finalists})"
            if place
            else "misses a constraint on validation data: " + self._missed(seen)
        )
        return replace(seen, excluded=True, cause=cause)

    def _missed(self, evidence: Evidence) -> str:
        return "; ".join(
            f"{constraint} (reading {evidence.readings[constraint.quality]})"
            for constraint in self.study.constraints
            if constraint.quality in evidence.readings
            and constraint.check(evidence.readings[constraint.quality]) is Verdict.MISSED
        )

    def _operation(
        self,
        finalists: Sequence[Planned],
        tested: Mapping[str, list[Trial]],
        evidence: dict[str, Evidence],
    ) -> dict[str, Evidence]:
        """Time components one at a time, leaving out those that have missed a constraint."""
        tasks: dict[str, OperationTask] = {}
        for plan in finalists:
            seen = evidence[plan.candidate.id]
            if seen.failed or seen.excluded or self._missed(seen):
                continue
            trial = min(tested[plan.candidate.id], key=lambda trial: trial.seed)
            task = OperationTask(plan.candidate, trial.artifact, "test", trial.seed)
            again = unsettled(self.trials.get(task.key))
            tasks[task.key] = replace(task, again=again)
        timed = by_candidate(self._run("operation", tasks, time_component, at_once=1))
        found = dict(evidence)
        for key, trials in timed.items():
            readings: dict[str, Reading] = dict(found[key].readings)
            for trial in trials:
                readings.update({reading.quality: reading for reading in trial.readings})
                if trial.status is not TrialStatus.DONE:
                    facts = {**found[key].facts, "operation": trial.cause}
                    found[key] = replace(found[key], facts=facts)
            found[key] = replace(found[key], readings=readings)
        return found

    # ---- running ----------------------------------------------------------------------------

    def _fits(self, stage: str, tasks: Iterable[FitTask]) -> list[Trial]:
        """Run fits within the budget; return all trials of these tasks, old and new."""
        return self._run(stage, {task.key: task for task in tasks}, fit_and_measure)

    def _run(
        self,
        stage: str,
        tasks: Mapping[str, FitTask] | Mapping[str, OperationTask],
        function: Callable[..., list[dict[str, Any]]],
        *,
        at_once: int | None = None,
    ) -> list[Trial]:
        results: list[Trial] = []
        waiting: list[FitTask | OperationTask] = []
        for task in tasks.values():
            known = [self.trials.get(key) for key in _trial_keys(task)]
            done = [trial for trial in known if trial is not None]
            if len(done) == len(known) and not _again(task):
                results.extend(done)
            else:
                waiting.append(task)
        total, finished = len(tasks), len(tasks) - len(waiting)
        self.listen(Event(stage, finished, total))
        at_once = at_once or self.pool.workers
        running: dict[str, FitTask | OperationTask] = {}
        waiting.reverse()

        def fill() -> None:
            while waiting and len(running) < at_once and not self._over_budget(stage):
                task = waiting.pop()
                running[task.key] = task
                limit = self.study.budget.trial_wall_s
                self.pool.submit(task.key, function, self.setup, task, timeout_s=limit)

        fill()
        while running:
            for ended in self.pool.ended():
                task = running.pop(ended.key)
                trials = _trials_of(task, ended)
                if _again(task):
                    trials = [retimed(self.trials[trial.key], trial) for trial in trials]
                self._keep(trials)
                results.extend(trials)
                finished += 1
                self.listen(Event(stage, finished, total, _name(task)))
                fill()
        results.extend(self._skipped(waiting))
        return results

    def _keep(self, trials: Sequence[Trial]) -> None:
        """Store the trials of one fit together: all of them or none."""
        self.store.put(self.scope, *trials)
        before = [self.trials[trial.key] for trial in trials if trial.key in self.trials]
        self.trials.update({trial.key: trial for trial in trials})
        self.spent_cpu_s += sum(map(_cpu_s, trials)) - sum(map(_cpu_s, before))
        self.retimed += len(before)
        self.new_trials += len(trials) - len(before)

    def _over_budget(self, stage: str) -> bool:
        """Return whether the search has used its budget; finalists are always measured."""
        if stage != "search":
            return False
        budget = self.study.budget
        fits = sum(trial.work.get("fits", 0) for trial in self.trials.values())
        return self.spent_cpu_s >= budget.cpu_s or (budget.fits is not None and fits >= budget.fits)

    def _skipped(self, waiting: Sequence[FitTask | OperationTask]) -> Iterator[Trial]:
        if not waiting:
            return
        cause = (
            f"not trained: the budget is used up ({self.spent_cpu_s:.0f} of "
            f"{self.study.budget.cpu_s:.0f} CPU seconds)"
        )
        self.warnings.append(
            f"{len(waiting)} of the planned fits were left out because the budget was used up; "
            "raise 'budget: cpu' or list fewer candidates."
        )
        for task in waiting:
            if isinstance(task, FitTask):
                yield from failed_trials(
                    task.candidates,
                    split=task.fold,
                    seed=task.seed,
                    status=TrialStatus.SKIPPED,
                    cause=cause,
                )

    # ---- record -----------------------------------------------------------------------------

    def _context(self, data: Mapping[str, Any]) -> dict[str, Any]:
        wall, cpu = self._started
        work = list(self.trials.values())
        return {
            "study_file": Path(self.study.file).name if self.study.file else "",
            "study_hash": self.study.hash,
            "data_hash": data["hash"],
            "n_rows": data["n_rows"],
            "task": data["task"].value,
            "classes": list(data["classes"]),
            "n_inputs": len(data["inputs"]),
            "inputs": [column["name"] for column in data["inputs"]],
            "split": data["split"],
            "folds": data["folds"],
            "groups": data["groups"],
            "notes": data["notes"],
            "seeds": list(self.study.seeds),
            "confidence": self.study.confidence,
            "bootstrap": self.study.budget.bootstrap,
            "versions": self.versions,
            "machine": machine(),
            "test_looks": getattr(self, "looks", 0),
            "work": {
                "trials": len(work),
                "new_trials": self.new_trials,
                "retimed": self.retimed,
                "fits": sum(trial.work.get("fits", 0) for trial in work),
                "trial_cpu_s": sum(_cpu_s(trial) for trial in work),
                "fit_cpu_s": sum(trial.work.get("fit_cpu_s", 0.0) for trial in work),
                "own_cpu_s": time.process_time() - cpu,
                "wall_s": time.perf_counter() - wall,
            },
        }


def _default_families() -> list[str]:
    from tradespace.core import registry

    return [row.name for row in registry.families().values() if row.default]


def _on_validation(study: Study, evidence: Sequence[Evidence]) -> Study:
    """Return the study with only the constraints that something was measured for."""
    seen = {name for item in evidence for name in item.readings}
    constraints = tuple(c for c in study.constraints if c.quality in seen)
    objectives = tuple(o for o in study.objectives if o.quality in seen)
    return replace(study, constraints=constraints, objectives=objectives)


def _again(task: FitTask | OperationTask) -> bool:
    """Return whether a finished task is done again, for readings that are unsettled."""
    return isinstance(task, OperationTask) and bool(task.again)


def _cpu_s(trial: Trial) -> float:
    return float(trial.work.get("cpu_s", 0.0))


def _candidates(task: FitTask | OperationTask) -> tuple[Candidate, ...]:
    return task.candidates if isinstance(task, FitTask) else (task.candidate,)


def _name(task: FitTask | OperationTask) -> str:
    return _candidates(task)[0].name


def _trial_keys(task: FitTask | OperationTask) -> list[str]:
    split = task.fold if isinstance(task, FitTask) else "operation"
    return [f"{candidate.id}/{split}/{task.seed}" for candidate in _candidates(task)]


def _trials_of(task: FitTask | OperationTask, ended: Ended) -> list[Trial]:
    if ended.ending == "done":
        return [Trial.from_dict(record) for record in ended.value]
    return failed_trials(
        _candidates(task),
        split=task.fold if isinstance(task, FitTask) else "operation",
        seed=task.seed,
        status=_STATUS[ended.ending],
        cause=ended.cause,
    )
