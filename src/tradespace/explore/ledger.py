"""What is known of a study's fits: which are stored, which readings are due, what was spent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.hashing import content_hash
from tradespace.core.studies import QualityUse, Study
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.context import depends_of, facts_of_study, versions
from tradespace.explore.plan import family_of, uses_of
from tradespace.explore.tasks import AnyTask, FitTask, Prepared, Setup
from tradespace.store.artifacts import ArtifactStore

if TYPE_CHECKING:
    from tradespace.core.readings import Reading
    from tradespace.explore.runners._base import Ended
    from tradespace.store.run_store import RunStore

#: How a task ended -> the status of its trials.
_STATUS = {
    "timed out": TrialStatus.TIMED_OUT,
    "out of memory": TrialStatus.OUT_OF_MEMORY,
    "failed": TrialStatus.FAILED,
    "killed": TrialStatus.KILLED,
    "unreachable": TrialStatus.UNREACHABLE,
}
#: Readings that follow from what was recorded need no worker.
_RECORDED = {"fit", "readings"}


class Ledger:
    """The trials of a study, those of earlier runs included.

    A fit is known by the data, the candidate, the fold, the seed and the versions of its own
    libraries; a reading by its fit, its quality, that quality's settings and the facts that the
    quality names. What changed is due again, and nothing else.
    """

    def __init__(self, study: Study, prepared: Prepared, setup: Setup, store: RunStore) -> None:
        self.study, self.prepared, self.setup, self.store = study, prepared, setup, store
        self.artifacts = ArtifactStore(Path(setup.artifacts))
        self.uses = uses_of(study, prepared.task)
        self.trials: dict[str, Trial] = {}
        self.new_trials = self.new_readings = self.retimed = 0
        self.unfinished: dict[str, str] = {}
        self._keys: dict[tuple[str, str, int], str] = {}
        facts = facts_of_study(study, prepared)
        self._marks = {
            use.name: content_hash(depends_of(use, facts, prepared)) for use in self.uses
        }
        self._limits = {
            TrialStatus.TIMED_OUT: study.budget.trial_wall_s,
            # 0: the study stated none, so that one that it states later makes the fit due.
            TrialStatus.OUT_OF_MEMORY: study.budget.trial_memory_bytes or 0.0,
        }

    # ---- what is known ------------------------------------------------------------------

    def fit_key(self, candidate: Candidate, fold: str, seed: int) -> str:
        """Return what a fit is known by."""
        if (key := self._keys.get((candidate.id, fold, seed))) is None:
            family = family_of(candidate)
            settings = family.locate(candidate.settings, folder=self.study.folder)
            key = content_hash(
                {
                    "data": self.prepared.hash,
                    "candidate": candidate.id,
                    "fold": fold,
                    "seed": seed,
                    "versions": versions([candidate.family]),
                    "origin": registry.origin(registry.family(candidate.family)),
                    "content": family.content(settings),
                }
            )
            self._keys[candidate.id, fold, seed] = key
        return key

    def known(self, candidate: Candidate, fold: str, seed: int) -> Trial | None:
        """Return a fit with the readings that still hold, or None."""
        key = self.fit_key(candidate, fold, seed)
        if key not in self.trials:
            trial = self.store.fit(key)
            if trial is None or not self._holds(key, trial):
                return None
            self.trials[key] = self._with_recorded(self._read(key, trial))
        return self.trials[key]

    def _holds(self, key: str, trial: Trial) -> bool:
        """Return whether a stored fit is finished: its artifact whole, its limits as they are."""
        if trial.status is TrialStatus.DONE:
            if self.artifacts.whole(trial.artifact):
                return True
            self.store.drop(key)
            return False
        limit = self._limits.get(trial.status)
        return limit is None or limit <= trial.work.get("limit", math.inf)

    def _read(self, key: str, trial: Trial) -> Trial:
        stored = self.store.readings(key)
        readings = [
            replace(stored[mark], quality=use.name)
            for use in self.uses
            if (mark := self._marks[use.name]) in stored
        ]
        return replace(trial, readings=tuple(readings))

    def due(self, trial: Trial, uses: Iterable[QualityUse]) -> tuple[QualityUse, ...]:
        """Return the qualities whose readings are missing, or unsettled by a busy machine."""
        known = {reading.quality: reading for reading in trial.readings}
        task = self.prepared.task
        return tuple(
            use
            for use in uses
            if task in registry.quality(use.quality).tasks
            and (use.name not in known or self._again(known[use.name]))
        )

    def _again(self, reading: Reading) -> bool:
        limit = reading.context.get("limit")
        return reading.unsettled or (limit is not None and limit < self.study.budget.trial_wall_s)

    # ---- what came of a task ------------------------------------------------------------

    def trials_of(self, task: AnyTask, ended: Ended) -> list[Trial]:
        """Return what a task gave; of one that ended badly, its cause."""
        if ended.ending == "done":
            return [Trial.from_dict(record) for record in ended.value]
        status = _STATUS[ended.ending]
        limit = self._limits.get(status)
        work = {"limit": limit} if limit is not None else {}
        failed = [
            Trial(c.id, task.fold, task.seed, status, cause=ended.cause, work=work)
            for c in task.candidates
        ]
        if isinstance(task, FitTask) or not status.final:
            return failed
        from tradespace.qualities.measure import unknown_reading

        cause = f"could not be measured: {status.value}: {ended.cause}"
        readings = [unknown_reading(use, cause) for use in task.uses]
        readings = [replace(reading, context=work) for reading in readings]
        return [replace(failed[0], readings=tuple(readings), work={})]

    def keep(self, task: AnyTask, trials: Sequence[Trial]) -> list[Trial]:
        """Store what a task gave, all or nothing, and return it with what was known before."""
        rows: list[tuple[str, Trial]] = []
        marked: list[tuple[str, str, Reading]] = []
        for candidate, trial in zip(task.candidates, trials, strict=True):
            key = self.fit_key(candidate, task.fold, task.seed)
            before = self.trials.get(key)
            if not trial.status.final:
                self.unfinished[key] = f"{candidate.name} ({trial.cause})"
                self.trials.setdefault(key, trial)
                continue
            self.unfinished.pop(key, None)
            whole = self._with_recorded(trial if before is None else _joined(before, trial))
            self._count(before, trial)
            self.trials[key] = whole
            rows.append((key, whole))
            marked += [
                (key, self._marks[reading.quality], reading)
                for reading in whole.readings
                if before is None or before.reading(reading.quality) is not reading
            ]
        self.store.put(rows, marked)
        return [self.trials[self.fit_key(c, task.fold, task.seed)] for c in task.candidates]

    def _count(self, before: Trial | None, trial: Trial) -> None:
        if before is None or not before.status.final:
            self.new_trials += 1
        else:
            known = {reading.quality for reading in before.readings}
            again = sum(reading.quality in known for reading in trial.readings)
            self.retimed += again
            self.new_readings += len(trial.readings) - again

    def _with_recorded(self, trial: Trial) -> Trial:
        """Return a trial with the readings that follow from its record and other readings."""
        if trial.status is not TrialStatus.DONE:
            return trial
        from tradespace.explore.worker import context_of, fit_record
        from tradespace.qualities._base import Subject
        from tradespace.qualities.measure import measure, quality_of

        recorded = [u for u in self.uses if set(registry.quality(u.quality).needs) <= _RECORDED]
        by_name = {use.name: use for use in self.uses}
        known = {by_name[r.quality].quality: r for r in trial.readings if r.quality in by_name}
        ready = [
            use
            for use in recorded
            if all(name in known for name in quality_of(use).reads(use.settings))
            and (
                "readings" in registry.quality(use.quality).needs
                or (trial.reading(use.name) is None and "training" in trial.facts)
            )
        ]
        if not ready:
            return trial
        subject = Subject(fit=lambda: fit_record(trial), readings=lambda: known)
        fresh = measure(ready, subject, context_of(self.setup))
        readings = {r.quality: r for r in trial.readings} | {
            r.quality: r for r in fresh if trial.reading(r.quality) != r
        }
        order = [use.name for use in self.uses if use.name in readings]
        return replace(trial, readings=tuple(readings[name] for name in order))

    # ---- what was spent -----------------------------------------------------------------

    @property
    def spent_cpu_s(self) -> float:
        """CPU seconds of all trials, those of earlier runs included."""
        return sum(float(trial.work.get("cpu_s", 0.0)) for trial in self.trials.values())

    @property
    def fits(self) -> int:
        """Fits of all trials."""
        return sum(int(trial.work.get("fits", 0)) for trial in self.trials.values())

    def work(self) -> dict[str, Any]:
        """Return the work done, for the record."""
        trials = list(self.trials.values())
        return {
            "trials": len(trials),
            "new_trials": self.new_trials,
            "new_readings": self.new_readings,
            "retimed": self.retimed,
            "fits": self.fits,
            "trial_cpu_s": self.spent_cpu_s,
            "fit_cpu_s": sum(trial.work.get("fit_cpu_s", 0.0) for trial in trials),
        }


def _joined(before: Trial, more: Trial) -> Trial:
    """Return a trial with further readings; what failed replaces none that there was."""
    if not before.status.final:
        return more
    fresh = {reading.quality: reading for reading in more.readings}
    if more.status is not TrialStatus.DONE:
        fresh = {name: r for name, r in fresh.items() if before.reading(name) is None}
    readings = {reading.quality: reading for reading in before.readings} | fresh
    work = {key: before.work.get(key, 0) + value for key, value in more.work.items()}
    return replace(before, readings=tuple(readings.values()), work={**before.work, **work})
