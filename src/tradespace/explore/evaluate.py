"""The main job: from a study to a decision.

Load the data, cut what is certainly out, train and measure in workers, choose finalists on
validation data, measure them on the test split, time the ones that can still win on a quiet
machine, decide. Every finished fit is stored at once; running again repeats none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradespace.core.decisions import Decision, Evidence
from tradespace.core.errors import InputError, TradespaceError
from tradespace.core.hashing import content_hash
from tradespace.core.studies import Study
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.context import machine, versions
from tradespace.explore.enumerate import default_specs, enumerate_candidates
from tradespace.explore.events import Event, Listener, silent
from tradespace.explore.evidence import by_candidate, evidence_of
from tradespace.explore.ledger import Ledger
from tradespace.explore.operation import busy_warnings
from tradespace.explore.plan import Planned, plan_candidates
from tradespace.explore.predict_network import processor_doubts
from tradespace.explore.prepare import prepare_data
from tradespace.explore.run import run_stage
from tradespace.explore.runners.local import TrialPool
from tradespace.explore.stages import ListedStage, choose_finalists, fit_tasks, more_tasks
from tradespace.explore.tasks import Prepared, Setup
from tradespace.store.lock import folder_lock
from tradespace.store.run_store import RunStore
from tradespace.study.doubts import doubts

if TYPE_CHECKING:
    from tradespace.explore.runners._base import Runner

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

    ledger: Ledger

    def __init__(
        self,
        study: Study,
        folder: Path,
        *,
        workers: int | None = None,
        listen: Listener = silent,
        share: bool = True,
    ) -> None:
        self.study, self.folder, self.listen, self.share = study, folder, listen, share
        self.store = RunStore(folder / "run.sqlite")
        self._started = (time.perf_counter(), time.process_time())
        self.runner: Runner = TrialPool(
            workers=workers or study.budget.workers or os.cpu_count() or 1,
            families=[spec.family for spec in study.candidates or default_specs(study.task)],
            memory_bytes=study.budget.trial_memory_bytes,
            marks=folder / "running",
        )
        self.looks = 0
        self.warnings: list[str] = []

    def close(self) -> None:
        """Stop the workers and close the store."""
        self.runner.close()
        self.store.close()

    def decide(self) -> Decision:
        """Run all stages and return the decision."""
        from tradespace.decide.decide import decide
        from tradespace.decide.record import decision_to_dict

        prepared = self._prepare()
        self.warnings += doubts(self.study, today=datetime.now(tz=UTC).date())
        candidates = enumerate_candidates(self.study, prepared.task)
        planned = plan_candidates(self.study, candidates, task=prepared.task, shape=prepared.shape)
        self.warnings += processor_doubts(self.study)
        self.ledger = Ledger(self.study, prepared, self._setup(prepared), self.store)
        searched = self._search(prepared, planned)
        finalists, others = choose_finalists(self.study, self.ledger, planned, searched)
        evidence = self._final(finalists)
        whole = [self._evidence(plan, evidence, others) for plan in planned]
        decision = decide(self.study, whole, context=self._context(prepared, planned))
        self.warnings += busy_warnings(decision, again=self.ledger.retimed > 0)
        self.warnings += self._unfinished()
        decision = replace(decision, warnings=(*decision.warnings, *self.warnings))
        self.store.set_json("decision", decision_to_dict(decision))
        return decision

    # ---- stages -----------------------------------------------------------------------------

    def _prepare(self) -> Prepared:
        """Load and save the rows in a worker, so that this process stays small."""
        place = self.folder / "data"
        self.listen(Event("data", 0, 1, "reading the data"))
        for _ in range(2):  # once more if something else killed the worker
            self.runner.submit(
                "data", prepare_data, self.study, str(place), timeout_s=_DATA_TIMEOUT_S
            )
            (ended,) = self.runner.ended()
            if ended.ending != "killed":
                break
        if ended.error is not None:
            raise ended.error
        if ended.ending == "out of memory":
            msg = f"The data could not be read: the process {ended.cause}."
            remedy = "Raise 'budget: trial_memory', or read fewer rows or columns."
            raise InputError(msg, place=self.study.place("budget", "trial_memory"), remedy=remedy)
        if ended.ending != "done":
            msg = f"The data could not be read: {ended.cause}."
            raise TradespaceError(msg)
        prepared: Prepared = ended.value
        if prepared.features:
            self.store.set_json("features", prepared.features)
        self.listen(Event("data", 1, 1, f"{prepared.n_rows:,} rows"))
        return prepared

    def _setup(self, prepared: Prepared) -> Setup:
        study = self.study
        return Setup(
            dataset=prepared.place,
            artifacts=str(self.folder / "artifacts"),
            task=prepared.task,
            environment=study.environment,
            mistakes=study.mistakes,
            confidence=study.confidence,
            bootstrap=study.budget.bootstrap,
            folder=study.folder,
        )

    def _search(self, prepared: Prepared, planned: Sequence[Planned]) -> list[Trial]:
        """Train every candidate on the validation folds; nothing if there are none."""
        folds = [name for name in prepared.folds if name != "test"]
        seed = self.study.seeds[0]
        tasks = fit_tasks(planned, self.ledger, folds=folds, seed=seed, share=self.share)
        stage = ListedStage("search", tasks, ledger=self.ledger)
        run_stage(stage, self.ledger, self.runner, listen=self.listen)
        if stage.waiting:
            self.warnings.append(
                f"{len(stage.waiting)} of the planned fits were left out because the budget was "
                "used up; raise 'budget: cpu' or list fewer candidates."
            )
        inside = [plan for plan in planned if not plan.excluded]
        return [self._trial(plan, fold, seed) for plan in inside for fold in folds]

    def _trial(self, plan: Planned, fold: str, seed: int) -> Trial:
        """Return a trial, or that it was left out."""
        trial = self.ledger.known(plan.candidate, fold, seed)
        if trial is not None:
            return trial
        budget, fits = self.study.budget, self.ledger.fits
        used = f"{self.ledger.spent_cpu_s:.0f} of {budget.cpu_s:.0f} CPU seconds"
        if budget.fits is not None and fits >= budget.fits:
            used = f"{fits} fits, of {budget.fits} that the search may do"
        cause = f"not trained: the budget is used up ({used})"
        return Trial(plan.candidate.id, fold, seed, TrialStatus.SKIPPED, cause=cause)

    def _final(self, finalists: Sequence[Planned]) -> dict[str, Evidence]:
        """Measure the finalists on the test split, and time those that can still win."""
        tasks = [
            task
            for seed in sorted({seed for plan in finalists for seed in plan.seeds})
            for task in fit_tasks(
                [plan for plan in finalists if seed in plan.seeds],
                self.ledger,
                folds=["test"],
                seed=seed,
                share=self.share,
            )
        ]
        run_stage(ListedStage("final", tasks), self.ledger, self.runner, listen=self.listen)
        if finalists:
            self.looks = self.store.look(
                test_hash=content_hash([self.ledger.prepared.hash, "test"]),
                study_hash=self.study.hash,
            )
        for name, timed, at_once in (("expensive", False, None), ("operation", True, 1)):
            seen = self._tested(finalists)
            left = more_tasks(self.study, self.ledger, finalists, seen, timed=timed)
            stage = ListedStage(name, left, at_once=at_once)
            run_stage(stage, self.ledger, self.runner, listen=self.listen)
        return self._tested(finalists)

    def _tested(self, finalists: Iterable[Planned]) -> dict[str, Evidence]:
        trials = by_candidate(
            self._trial(plan, "test", seed) for plan in finalists for seed in plan.seeds
        )
        confidence = self.study.confidence
        return {
            plan.candidate.id: evidence_of(plan, trials[plan.candidate.id], confidence=confidence)
            for plan in finalists
        }

    def _evidence(
        self, plan: Planned, finals: Mapping[str, Evidence], others: Mapping[str, Evidence]
    ) -> Evidence:
        if plan.excluded:
            return evidence_of(plan, (), uses=self.ledger.uses)
        return finals.get(plan.candidate.id) or others[plan.candidate.id]

    # ---- record -----------------------------------------------------------------------------

    def _unfinished(self) -> list[str]:
        """Return what the record says of fits that something else ended."""
        warnings = [f"{what}; it was dropped and computed again." for what in self.store.dropped]
        if names := list(self.ledger.unfinished.values()):
            warnings.append(
                f"Not measured because it was interrupted from outside: {'; '.join(names)}. "
                "Run the same command again; finished work is kept."
            )
        return warnings

    def _context(self, prepared: Prepared, planned: Sequence[Planned]) -> dict[str, Any]:
        wall, cpu = self._started
        return {
            "study_file": Path(self.study.file).name if self.study.file else "",
            "study_hash": self.study.hash,
            "data_hash": prepared.hash,
            "n_rows": prepared.n_rows,
            "task": prepared.task.value,
            "classes": list(prepared.classes),
            "n_inputs": len(prepared.inputs),
            "inputs": [column["name"] for column in prepared.inputs],
            "split": dict(prepared.split),
            "folds": prepared.folds,
            "groups": prepared.groups,
            "notes": list(prepared.notes),
            "seeds": list(self.study.seeds),
            "confidence": self.study.confidence,
            "bootstrap": self.study.budget.bootstrap,
            "versions": versions({plan.candidate.family for plan in planned}),
            "machine": machine(),
            "test_looks": self.looks,
            "unfinished": list(self.ledger.unfinished.values()),
            "work": {
                **self.ledger.work(),
                "own_cpu_s": time.process_time() - cpu,
                "wall_s": time.perf_counter() - wall,
            },
        }
