"""Times that a busy machine left unsettled are taken again, and nothing else is."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

from tradespace import evaluate, load_study
from tradespace.core.candidates import Candidate
from tradespace.core.decisions import Decision, Evidence
from tradespace.core.quantities import Direction
from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Objective, Sense
from tradespace.core.studies import Study
from tradespace.core.trials import Trial, TrialStatus
from tradespace.decide.decide import decide
from tradespace.explore.evaluate import default_folder
from tradespace.explore.operation import busy_warnings, retimed, unsettled
from tradespace.store.run_store import RunStore

FOREVER_S = 1e6


def reading(name: str, value: float, *, unsettled: bool) -> Reading:
    context = {"unsettled": True} if unsettled else {}
    return Reading(name, value, value / 2, value * 2, "s", context=context)


def plant(study: Study, family: str) -> tuple[str, float]:
    """Make the stored p99 of a family unsettled and endless; return its scope and its p50."""
    store = RunStore(default_folder(study) / "run.sqlite")
    try:
        decision = store.get_json("decision")
        ids = {
            a["candidate"]["id"]
            for a in decision["assessments"]
            if a["candidate"]["family"] == family
        }
        with sqlite3.connect(store.path) as connection:
            (scope,) = connection.execute("select distinct scope from trials").fetchone()
        (trial,) = (t for t in store.trials(scope) if t.candidate in ids and t.split == "operation")
        p50 = trial.reading("latency_p50")
        assert p50 is not None
        quiet = replace(p50, context={})
        slow = reading("latency_p99", FOREVER_S, unsettled=True)
        new = {"latency_p50": quiet, "latency_p99": slow}
        readings = tuple(new.get(r.quality, replace(r, context={})) for r in trial.readings)
        store.put(scope, replace(trial, readings=readings))
    finally:
        store.close()
    return scope, p50.value


def test_an_unsettled_time_is_taken_again_without_training(cancer_study: Path) -> None:
    study = load_study(cancer_study)
    first = evaluate(study)
    _, p50 = plant(study, "logistic_regression")
    second = evaluate(study)
    found = second["logistic_regression"].evidence.readings
    work = second.context["work"]

    assert work["new_trials"] == 0
    assert work["retimed"] >= 1
    assert work["fits"] == first.context["work"]["fits"]
    assert found["latency_p99"].high < FOREVER_S
    assert found["latency_p50"].value == p50


def test_only_unsettled_readings_of_a_trial_are_replaced_and_its_work_adds_up() -> None:
    old = Trial(
        "a",
        "operation",
        0,
        TrialStatus.DONE,
        readings=(reading("p50", 1.0, unsettled=False), reading("p99", 2.0, unsettled=True)),
        work={"cpu_s": 1.0, "fits": 0},
    )
    new = replace(old, readings=(reading("p99", 3.0, unsettled=False),), work={"cpu_s": 0.5})
    found = retimed(old, new)

    assert unsettled(old) == ("p99",)
    assert [r.value for r in found.readings] == [1.0, 3.0]
    assert unsettled(found) == ()
    assert found.work == {"cpu_s": 1.5, "fits": 0}


def test_a_timing_that_fails_the_second_time_leaves_the_first() -> None:
    old = Trial("a", "operation", 0, TrialStatus.DONE, readings=(reading("p", 1, unsettled=True),))
    new = Trial("a", "operation", 0, TrialStatus.TIMED_OUT, cause="took longer than 1 s")

    assert retimed(old, new) is old


def decided(study: Study, **readings: tuple[Reading, Reading, Reading]) -> Decision:
    """Return the decision on candidates with a p50, a p99 and an accuracy each."""
    evidence = [
        Evidence(
            Candidate("decision_tree", {"name": name}, label=name), {r.quality: r for r in found}
        )
        for name, found in readings.items()
    ]
    return decide(study, evidence)


def test_people_hear_of_unsettled_times_that_the_decision_rests_on(cancer_study: Path) -> None:
    study = replace(
        load_study(cancer_study),
        constraints=(Constraint("latency_p99", Sense.AT_MOST, 1.0, "s"),),
        objectives=(Objective("latency_p50", Direction.MINIMIZE, "s", worst=9.0, best=0.0),),
    )
    settled = reading("latency_p50", 1.0, unsettled=False)
    fast = reading("latency_p50", 1e-3, unsettled=True)
    near = reading("latency_p99", 1.0, unsettled=True)
    met = reading("latency_p99", 1e-3, unsettled=True)
    roc = Reading("roc_auc", 0.9, 0.9, 0.9, "1")
    first, *_ = busy_warnings(decided(study, tree=(settled, near, roc)), again=False)
    again, *_ = busy_warnings(decided(study, tree=(fast, near, roc)), again=True)

    assert "was busy: only bounds are known of latency_p99 of tree" in first
    assert "is still busy" in again
    assert "latency_p50 of tree" in again
    assert busy_warnings(decided(study, tree=(settled, met, roc)), again=False) == []
