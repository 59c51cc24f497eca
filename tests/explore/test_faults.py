"""Kills, hangs and greed: what was finished stays, the others go on."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from tradespace import InputError, evaluate, load_study
from tradespace.core.decisions import Decision
from tradespace.explore.evaluate import default_folder
from tradespace.explore.events import Event
from tradespace.store.lock import folder_lock

COMMAND = [sys.executable, "-m", "tradespace", "evaluate", "--quiet"]


def finished(out: Path) -> dict[str, str]:
    """Return the readings of a run and when each was taken, but for unsettled times."""
    store = out / "run.sqlite"
    if not store.exists():
        return {}
    with contextlib.closing(sqlite3.connect(store, timeout=10)) as connection:
        try:
            rows = connection.execute(
                "select fit || key, taken_at from readings "
                "where record not like '%\"unsettled\":true%'"
            ).fetchall()
        except sqlite3.OperationalError:
            return {}
    return dict(rows)


def start(study: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, str(study)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.mark.slow
def test_killed_ten_times_the_study_ends_with_the_same_decision_and_no_trial_twice(
    cancer_study: Path, evaluated_cancer: tuple[Path, Decision]
) -> None:
    _, whole = evaluated_cancer
    out = cancer_study.with_suffix(".tradespace")
    rng = random.Random(7)
    seen: dict[str, str] = {}
    for _ in range(10):
        process = start(cancer_study)
        time.sleep(rng.uniform(0.3, 4.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = finished(out)
        for key, when in seen.items():
            assert now[key] == when, "a finished trial was done again"
        seen = now
    subprocess.run([*COMMAND, str(cancer_study)], check=True, stdout=subprocess.DEVNULL)
    last = json.loads((out / "decision.json").read_text())
    now = finished(out)

    assert all(now[key] == when for key, when in seen.items())
    assert last["recommended"] == whole.recommended
    assert [a["candidate"]["id"] for a in last["assessments"]] == [
        a.candidate.id for a in whole.assessments
    ]


@pytest.mark.slow
def test_a_killed_run_leaves_no_worker_behind(cancer_study: Path) -> None:
    place = cancer_study
    shutil.copy(Path(__file__).with_name("my_models.py"), place.parent)
    text = place.read_text().replace(
        "candidates:\n", "candidates:\n  - sklearn: {estimator: 'my_models.py:sleeper'}\n"
    )
    place.write_text(text)
    process = start(place)
    children: list[psutil.Process] = []
    until = time.monotonic() + 60
    while time.monotonic() < until and len(children) < 2:
        children = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.1)
    time.sleep(3)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=60)

    assert children
    assert not alive


@pytest.mark.slow
def test_a_candidate_that_hangs_and_one_that_takes_all_memory_are_recorded_and_others_finish(
    cancer_study: Path,
) -> None:
    shutil.copy(Path(__file__).with_name("my_models.py"), cancer_study.parent)
    text = cancer_study.read_text().replace(
        "candidates:\n",
        "candidates:\n"
        "  - sklearn: {estimator: 'my_models.py:sleeper', label: sleeper}\n"
        "  - sklearn: {estimator: 'my_models.py:eater', label: eater}\n",
    )
    text = text.replace(
        "budget: {bootstrap: 100}",
        "budget: {bootstrap: 100, trial_time: 15 s, trial_memory: 700 MB}",
    )
    cancer_study.write_text(text)
    decision = evaluate(load_study(cancer_study))

    assert decision["sleeper"].standing.value == "failed"
    assert "longer than 15 s" in decision["sleeper"].evidence.cause
    assert decision["eater"].standing.value == "failed"
    assert "memory" in decision["eater"].evidence.cause
    assert decision["logistic_regression"].standing.value == "feasible"


def test_two_runs_in_one_folder_do_not_disturb_each_other(
    cancer_study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with folder_lock(out), pytest.raises(InputError, match=f"process {os.getpid()}"):
        evaluate(load_study(cancer_study), out=out)


def test_an_edit_of_the_requirements_trains_nothing_again(
    finished_cancer: tuple[Path, Decision],
) -> None:
    place, first = finished_cancer
    place.write_text(place.read_text().replace(">= 0.9,", ">= 0.8,"))
    second = evaluate(place)

    assert first.context["work"]["new_trials"] > 0
    assert second.context["work"]["new_trials"] == 0
    assert second.context["test_looks"] == 2


def test_a_fit_serves_smaller_candidates_and_their_training_time_is_a_bound(
    evaluated_cancer: tuple[Path, Decision],
) -> None:
    _, decision = evaluated_cancer
    small = decision["random_forest (n_estimators=5)"].evidence.readings["training_time"]
    big = decision["random_forest (n_estimators=10)"].evidence.readings["training_time"]

    assert small.low == 0.0
    assert small.high > 0.0
    assert big.low == big.value


def permute_rows(out: Path) -> None:
    numbers = np.load(out / "data" / "numbers.npy")
    np.save(out / "data" / "numbers.npy", numbers[::-1])


def halve_rows(out: Path) -> None:
    for file in (out / "data").iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def lose_artifacts(out: Path) -> None:
    shutil.rmtree(out / "artifacts")


def flip_artifacts(out: Path) -> None:
    for file in (out / "artifacts").glob("*/*"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content)


def garble(table: str) -> Callable[[Path], None]:
    def damage(out: Path) -> None:
        with contextlib.closing(sqlite3.connect(out / "run.sqlite")) as connection, connection:
            connection.execute(f"update {table} set record = substr(record, 1, 40)")

    damage.__name__ = f"garble_{table}"
    return damage


def garble_decision(out: Path) -> None:
    with contextlib.closing(sqlite3.connect(out / "run.sqlite")) as connection, connection:
        connection.execute("update meta set value = '{' where key = 'decision'")


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        permute_rows,
        halve_rows,
        lose_artifacts,
        flip_artifacts,
        garble("fits"),
        garble("readings"),
        garble_decision,
    ],
)
def test_what_was_damaged_is_made_again_and_gives_the_same_decision(
    damage: Callable[[Path], None], finished_cancer: tuple[Path, Decision]
) -> None:
    place, first = finished_cancer
    damage(default_folder(load_study(place)))
    again = evaluate(place)
    once_more = evaluate(place)

    assert standings(again) == standings(first)
    assert scores(again) == scores(first)
    assert standings(once_more) == standings(first)
    assert once_more.context["work"]["new_trials"] == 0
    if "garble_" in damage.__name__ and damage is not garble_decision:
        assert any("was damaged; it was dropped and computed again" in w for w in again.warnings)


def standings(decision: Decision) -> list[tuple[str, str]]:
    return [(a.candidate.id, a.standing.value) for a in decision.assessments]


def scores(decision: Decision) -> list[tuple[float, float, float]]:
    readings = [a.evidence.readings["roc_auc"] for a in decision.assessments]
    return [(r.value, r.low, r.high) for r in readings]


@pytest.mark.slow
def test_a_worker_that_is_killed_is_tried_again_and_leaves_no_trace(
    cancer_study: Path, evaluated_cancer: tuple[Path, Decision], tmp_path: Path
) -> None:
    _, whole = evaluated_cancer
    shot = False

    def shoot(event: Event) -> None:
        nonlocal shot
        marks = list((tmp_path / "out" / "running").glob("*_validation_*"))
        for mark in marks if not shot else []:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(mark.read_text()), signal.SIGKILL)
                shot = True

    decision = evaluate(load_study(cancer_study), out=tmp_path / "out", listen=shoot)

    assert shot
    assert decision.context["unfinished"] == []
    assert standings(decision) == standings(whole)
    assert scores(decision) == scores(whole)


@pytest.mark.slow
def test_files_of_the_current_folder_are_not_taken_for_libraries(
    cancer_study: Path, tmp_path: Path
) -> None:
    command = Path(sys.executable).with_name("tradespace")
    if not command.exists():
        pytest.skip("tradespace is not installed as a command")
    here = tmp_path / "here"
    here.mkdir()
    for name in ("json", "numpy", "sklearn", "onnxruntime", "tradespace"):
        (here / f"{name}.py").write_text(f"open({str(here / 'ran')!r}, 'a').write({name!r})\n")
    done = subprocess.run(
        [command, "evaluate", "--quiet", str(cancer_study)],
        cwd=here,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert not (here / "ran").exists()
