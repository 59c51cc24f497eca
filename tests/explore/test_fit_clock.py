"""The clock of a fit, in a worker as a run starts it, holds no import."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.explore.test_mixed_table import mixed_table

from tradespace import load_study
from tradespace.core import registry
from tradespace.core.studies import Task
from tradespace.explore.prepare import prepare_data

TRAINED = [
    row.name
    for row in registry.families().values()
    if row.trained
    and Task.BINARY in row.tasks
    and not any(spec.required for spec in row.settings)
    and (not row.library or importlib.util.find_spec(row.library))
]

#: What the server of a run does: preload, here no family that is tried, then fork a worker a task.
SERVER = """
import contextlib, json, os, sys
os.environ["TRADESPACE_PRELOAD"] = "constant"
import tradespace.explore.runners.preload
from tradespace.core.studies import EnvironmentSpec, Task
from tradespace.explore import tasks, worker
from tradespace.testing.families import candidate_of

folder, *families = sys.argv[1:]
original = worker.measure_usage

@contextlib.contextmanager
def measure():
    before = set(sys.modules)
    with original() as usage:
        yield usage
    print(json.dumps([task.candidates[0].family, sorted(set(sys.modules) - before)]), flush=True)
    os._exit(0)

worker.measure_usage = measure
setup = tasks.Setup(folder, folder, Task.BINARY, EnvironmentSpec(), None, 0.95, 10, folder)
for family in families:
    given = {"max_rounds": 20} if family == "explainable_boosting" else {}
    task = tasks.FitTask((candidate_of(family, given),), "test", 0)
    if (child := os.fork()) == 0:
        worker.fit_and_measure(setup, task)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="workers are forked")
def test_the_first_fit_of_a_worker_imports_nothing_while_its_clock_runs(tmp_path: Path) -> None:
    mixed_table().write_csv(tmp_path / "customers.csv")
    (tmp_path / "study.yaml").write_text(
        "purpose: Who leaves\ndata: customers.csv\ntarget: churned\npositive: 'yes'\n"
        "columns: {never: [row_id, reviewed]}\nconstraints: [accuracy >= 50 %]\n"
    )
    prepare_data(load_study(tmp_path / "study.yaml"), str(tmp_path / "data"))
    done = subprocess.run(
        [sys.executable, "-c", SERVER, str(tmp_path / "data"), *TRAINED],
        check=True,
        capture_output=True,
        text=True,
    )
    grown = dict(json.loads(line) for line in done.stdout.splitlines())

    assert grown == {family: [] for family in TRAINED}, done.stderr
