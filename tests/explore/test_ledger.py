"""Another question on the same fits repeats none, and gives the readings of a fresh run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tradespace import evaluate, load_study
from tradespace.core.candidates import Candidate
from tradespace.core.decisions import Decision
from tradespace.core.readings import Reading
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.ledger import Ledger
from tradespace.explore.plan import plan_candidates
from tradespace.explore.run import run_stage
from tradespace.explore.runners._base import Ended
from tradespace.explore.stages import ListedStage, fit_tasks
from tradespace.explore.tasks import FitTask, Prepared, Setup
from tradespace.store.run_store import RunStore

#: Times are never the same twice.
TIMED = {"s", "1/s"}


def edited(*, old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return edit


EDITS = {
    "price": edited(old="budget:", new="environment: {price_per_hour: 3 USD}\nbudget:"),
    "quality": edited(
        old="budget:", new="qualities: {strict: {precision: {threshold: 0.9}}}\nbudget:"
    ),
    "bootstrap": edited(old="bootstrap: 100", new="bootstrap: 60"),
    "confidence": edited(old="budget:", new="confidence: 0.9\nbudget:"),
    "another library": edited(
        old="candidates:\n", new="candidates:\n  - lightgbm: {n_estimators: 5}\n"
    ),
}


def untimed(decision: Decision) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Return all readings of all candidates that are no times nor prices of them."""
    return {
        item.candidate.id: {
            name: (r.value, r.low, r.high, r.unit, r.method, r.draws)
            for name, r in item.evidence.readings.items()
            if r.unit not in TIMED and name not in ("training_memory", "training_cost")
            if "cost_per_million" not in name
        }
        for item in decision.assessments
    }


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS)
def test_a_changed_question_repeats_no_fit_and_gives_the_readings_of_a_fresh_run(
    edit: str, finished_cancer: tuple[Path, Decision], tmp_path: Path
) -> None:
    place, first = finished_cancer
    place.write_text(EDITS[edit](place.read_text()))
    again = evaluate(place)
    fresh = evaluate(place, out=tmp_path / "fresh")
    new = len(again.assessments) - len(first.assessments)
    work = again.context["work"]

    assert bool(work["new_trials"]) == bool(new)
    assert work["fits"] == fresh.context["work"]["fits"]
    assert untimed(again) == untimed(fresh)
    assert [a.standing for a in again.assessments] == [a.standing for a in fresh.assessments]
    assert again.recommended == fresh.recommended


def test_a_price_is_computed_anew_from_the_times_that_were_taken(
    finished_cancer: tuple[Path, Decision],
) -> None:
    place, first = finished_cancer
    place.write_text(EDITS["price"](place.read_text()))
    again = evaluate(place)
    best = first.recommended
    assert best is not None
    before, after = (d[best].evidence.readings for d in (first, again))
    name = "cost_per_million_predictions"

    assert again.context["work"]["retimed"] == sum(
        r.unsettled for a in first.assessments for r in a.evidence.readings.values()
    )
    if not before["throughput"].unsettled:
        assert after["throughput"] == before["throughput"]
        assert after[name].value == pytest.approx(before[name].value * 3 / 0.10)


# ---- the ledger alone, with a runner that trains nothing ------------------------------------


class Recorded:
    """A runner under a simulated clock: it gives what a table says, one task at a time."""

    def __init__(self, answer: Callable[[Any], Ended | list[Trial]], workers: int = 2) -> None:
        self.answer, self.workers = answer, workers
        self.waiting: list[tuple[str, Any]] = []
        self.started: list[str] = []
        self.most_at_once = 0

    def submit(self, key: str, function: Any, *arguments: Any, timeout_s: float) -> None:
        self.waiting.append((key, arguments[1]))
        self.started.append(key)
        self.most_at_once = max(self.most_at_once, len(self.waiting))

    def ended(self) -> Any:
        while self.waiting:
            key, task = self.waiting.pop(0)
            found = self.answer(task)
            if isinstance(found, Ended):
                yield replace(found, key=key)
            else:
                yield Ended(key, "done", [trial.to_dict() for trial in found])

    def close(self) -> None:
        return


def done(task: Any) -> list[Trial]:
    readings = tuple(Reading(use.name, 0.9, 0.8, 0.95, use.unit) for use in task.uses)
    return [
        Trial(c.id, task.fold, task.seed, TrialStatus.DONE, readings=readings, work={"fits": 1})
        for c in task.candidates
    ]


@pytest.fixture
def ledger(cancer_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    from tradespace.explore.prepare import prepare_data

    study = load_study(cancer_study)
    prepared = prepare_data(study, str(tmp_path / "data"))
    monkeypatch.setattr("tradespace.store.artifacts.ArtifactStore.whole", lambda *_: True)
    return ledger_of(study, prepared, tmp_path)


def ledger_of(study: Any, prepared: Prepared, folder: Path) -> Ledger:
    setup = Setup(
        str(folder / "data"),
        str(folder / "artifacts"),
        prepared.task,
        study.environment,
        study.mistakes,
        study.confidence,
        study.budget.bootstrap,
        study.folder,
    )
    return Ledger(study, prepared, setup, RunStore(folder / "run.sqlite"))


def planned(ledger: Ledger) -> Any:
    from tradespace.explore.enumerate import enumerate_candidates

    candidates = enumerate_candidates(ledger.study, ledger.prepared.task)
    return plan_candidates(
        ledger.study, candidates, task=ledger.prepared.task, shape=ledger.prepared.shape
    )


def search(
    ledger: Ledger, runner: Recorded, *, within_budget: bool = False, **options: Any
) -> ListedStage:
    tasks = fit_tasks(planned(ledger), ledger, folds=["validation"], seed=0, share=True)
    stage = ListedStage("search", tasks, ledger=ledger if within_budget else None, **options)
    run_stage(stage, ledger, runner)
    return stage


def test_a_stage_is_driven_without_a_pool_and_nothing_is_due_when_it_has_run(
    ledger: Ledger,
) -> None:
    runner = Recorded(done)
    search(ledger, runner)
    again = Recorded(done)
    search(ledger_of(ledger.study, ledger.prepared, Path(ledger.setup.dataset).parent), again)

    assert len(runner.started) == len(set(runner.started)) > 1
    assert runner.most_at_once == 2
    assert again.started == []


def test_one_task_runs_at_a_time_where_a_stage_says_so(ledger: Ledger) -> None:
    runner = Recorded(done)
    search(ledger, runner, at_once=1)

    assert runner.most_at_once == 1


def test_a_search_stops_when_its_fits_are_used_up(ledger: Ledger) -> None:
    ledger.study = replace(ledger.study, budget=replace(ledger.study.budget, fits=2))
    runner = Recorded(done, workers=1)
    stage = search(ledger, runner, within_budget=True)

    assert ledger.fits == 2
    assert len(runner.started) == 2
    assert stage.waiting


def test_what_something_else_killed_is_tried_once_more_and_never_stored(ledger: Ledger) -> None:
    victim = planned(ledger)[0].candidate

    def answer(task: Any) -> Ended | list[Trial]:
        if isinstance(task, FitTask) and task.candidates[0].id == victim.id:
            return Ended("", "killed", cause="its process died: signal SIGKILL")
        return done(task)

    runner = Recorded(answer)
    search(ledger, runner)
    key = f"{victim.id}/validation/0"
    fresh = ledger_of(ledger.study, ledger.prepared, Path(ledger.setup.dataset).parent)

    assert runner.started.count(key) == 2
    assert len(ledger.unfinished) == 1
    assert "SIGKILL" in next(iter(ledger.unfinished.values()))
    assert fresh.known(victim, "validation", 0) is None


def test_a_kill_that_does_not_come_again_leaves_no_trace(ledger: Ledger) -> None:
    killed: set[str] = set()

    def answer(task: Any) -> Ended | list[Trial]:
        if task.key not in killed:
            killed.add(task.key)
            return Ended("", "killed", cause="shot")
        return done(task)

    runner = Recorded(answer)
    search(ledger, runner)

    assert len(runner.started) == 2 * len(killed)
    assert not ledger.unfinished
    assert all(trial.status is TrialStatus.DONE for trial in ledger.trials.values())


@pytest.mark.parametrize(
    ("ending", "limit"), [("timed out", "trial_wall_s"), ("out of memory", "trial_memory_bytes")]
)
def test_a_limit_that_was_reached_holds_until_it_is_raised(
    ending: Any, limit: str, ledger: Ledger
) -> None:
    def with_limit(value: float) -> Ledger:
        budget = replace(ledger.study.budget, **{limit: value})
        study = replace(ledger.study, budget=budget)
        return ledger_of(study, ledger.prepared, Path(ledger.setup.dataset).parent)

    search(with_limit(10.0), Recorded(lambda task: Ended("", ending, cause="too much")))
    started = {}
    for value in (5.0, 10.0, 20.0):
        runner = Recorded(done)
        search(with_limit(value), runner)
        started[value] = len(runner.started)

    assert started[5.0] == started[10.0] == 0
    assert started[20.0] > 0


def test_a_limit_of_memory_that_is_stated_for_the_first_time_makes_fits_due(ledger: Ledger) -> None:
    assert ledger.study.budget.trial_memory_bytes is None
    search(ledger, Recorded(lambda task: Ended("", "out of memory", cause="too much")))
    same, runner = Recorded(done), Recorded(done)
    search(ledger_of(ledger.study, ledger.prepared, Path(ledger.setup.dataset).parent), same)
    budget = replace(ledger.study.budget, trial_memory_bytes=1e9)
    study = replace(ledger.study, budget=budget)
    search(ledger_of(study, ledger.prepared, Path(ledger.setup.dataset).parent), runner)

    assert same.started == []
    assert len(runner.started) > 1


def test_a_finished_fit_without_its_whole_artifact_is_done_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(ledger, Recorded(done))
    monkeypatch.setattr("tradespace.store.artifacts.ArtifactStore.whole", lambda *_: False)
    runner = Recorded(done)
    fresh = ledger_of(ledger.study, ledger.prepared, Path(ledger.setup.dataset).parent)
    search(fresh, runner)

    assert len(runner.started) > 1


def test_a_service_that_did_not_answer_is_asked_again_by_the_next_run(ledger: Ledger) -> None:
    search(ledger, Recorded(lambda task: Ended("", "unreachable", cause="404")))
    runner = Recorded(done)
    search(ledger_of(ledger.study, ledger.prepared, Path(ledger.setup.dataset).parent), runner)

    assert ledger.unfinished
    assert len(runner.started) > 1


def test_a_fit_depends_on_its_own_library_and_on_the_files_it_reads(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "mine.py"
    own.write_text("def make(): ...\n")
    mine = Candidate("sklearn", {"estimator": str(own) + ":make", "arguments": {}})
    forest = Candidate("random_forest", {"n_estimators": 3})
    boosted = Candidate("xgboost", {"n_estimators": 3})

    def keys() -> list[str]:
        ledger._keys.clear()
        return [ledger.fit_key(c, "test", 0) for c in (mine, forest, boosted)]

    first = keys()
    own.write_text("def make(): return None\n")
    edited_ = keys()
    monkeypatch.setattr(
        "tradespace.explore.context._version", lambda name: "9" if "xgboost" in name else "1"
    )
    ones = keys()
    monkeypatch.setattr(
        "tradespace.explore.context._version", lambda name: "8" if "xgboost" in name else "1"
    )
    upgraded = keys()

    assert [a == b for a, b in zip(first, edited_, strict=True)] == [False, True, True]
    assert [a == b for a, b in zip(ones, upgraded, strict=True)] == [True, True, False]
    assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in first)


def test_a_plug_in_of_another_version_is_another_component_and_another_quality(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    forest = Candidate("random_forest", {"n_estimators": 3})
    keys, marks = [], []
    for version in ("shop 1.0", "shop 2.0"):
        monkeypatch.setattr("tradespace.core.registry.origin", lambda row, v=version: v)
        fresh = ledger_of(ledger.study, ledger.prepared, Path(ledger.setup.dataset).parent)
        keys.append(fresh.fit_key(forest, "test", 0))
        marks.append(fresh._marks["roc_auc"])

    assert keys[0] != keys[1]
    assert marks[0] != marks[1]
