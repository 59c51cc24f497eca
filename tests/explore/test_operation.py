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
from tradespace.decide.decide import decide
from tradespace.explore.evaluate import default_folder
from tradespace.explore.operation import busy_warnings
from tradespace.store.run_store import RunStore

FOREVER_S = 1e6


def reading(name: str, value: float, *, unsettled: bool) -> Reading:
    context = {"unsettled": True} if unsettled else {}
    return Reading(name, value, value / 2, value * 2, "s", context=context)


def plant(study: Study, candidate: str) -> float:
    """Make the stored p99 of a candidate unsettled and endless; return its p50."""
    store = RunStore(default_folder(study) / "run.sqlite")
    with sqlite3.connect(store.path) as connection:
        rows = connection.execute(
            "select readings.fit, readings.key, quality from readings join fits "
            "on readings.fit = fits.key where candidate = ? and quality like 'latency%'",
            (candidate,),
        ).fetchall()
    for fit, key, quality in rows:
        if quality == "latency_p99":
            store.put([], [(fit, key, reading(quality, FOREVER_S, unsettled=True))])
        else:
            settled = replace(store.readings(fit)[key], context={"mean_s": [1.0, 1.0, 1.0]})
            store.put([], [(fit, key, settled)])
    p50 = next(r.value for r in store.readings(rows[0][0]).values() if r.quality == "latency_p50")
    store.close()
    return p50


def test_an_unsettled_time_is_taken_again_without_training(
    finished_cancer: tuple[Path, Decision],
) -> None:
    place, first = finished_cancer
    study = load_study(place)
    recommended = first.recommended
    assert recommended is not None
    p50 = plant(study, recommended)
    second = evaluate(study)
    found = second[recommended].evidence.readings
    work = second.context["work"]

    assert work["new_trials"] == 0
    assert work["retimed"] >= 1
    assert work["fits"] == first.context["work"]["fits"]
    assert found["latency_p99"].high < FOREVER_S
    assert found["latency_p50"].value == p50


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
