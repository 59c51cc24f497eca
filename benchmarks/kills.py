"""Kill a run sixty times where it hurts, and hold its decision against an undisturbed one.

A worker, the server that forks workers, or the main process is killed while the run reads the
data, fits, stores or times; five times each. A killed main process is started again. The run
must end with exit code 0 and the decision of an undisturbed run, or with 1 and the reason, and
then with 0 and that decision when it is run once more; and nothing may be stored as failed.

    python benchmarks/kills.py [--each 5]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

STUDY = """
purpose: Tell tumors apart
data: sklearn:breast_cancer
target: target
positive: malignant
split: {method: stratified, train: 60%, validation: 20%, test: 20%}
constraints: [roc_auc >= 0.9, latency_p99 <= 100 ms, model_size <= 1 MB]
objectives: [{maximize: roc_auc, from: 0.9, to: 1.0}]
seeds: [0, 1]
budget: {bootstrap: 100, finalists: 3}
candidates:
  - constant
  - logistic_regression: {C: [0.1, 1]}
  - decision_tree: {max_depth: [3, 5]}
  - random_forest: {n_estimators: [100, 300]}
"""
#: Tells on standard output which stage begins, so that kills can be aimed.
RUN = """
import sys
from tradespace import evaluate, load_study
from tradespace.cli._evaluate import exit_code
from tradespace.report.write import write_reports
from pathlib import Path
out = Path(sys.argv[2])
def listen(event):
    print(event.stage, event.done, flush=True)
decision = evaluate(load_study(sys.argv[1]), out=out, listen=listen)
write_reports(decision, out)
sys.exit(exit_code(decision))
"""
TARGETS, PHASES = ("worker", "server", "main"), ("reading", "fitting", "storing", "timing")


def start(study: Path, out: Path) -> subprocess.Popen[str]:
    """Start a run that tells its stages."""
    command = [sys.executable, "-c", RUN, str(study), str(out)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=(study.parent / "stderr").open("w"), text=True
    )


def wait_for(phase: str, process: subprocess.Popen[str], out: Path) -> bool:
    """Wait until a run is in a phase; False if it ended before."""
    assert process.stdout is not None
    stage = {"reading": "data", "fitting": "search", "storing": "search", "timing": "operation"}
    for line in process.stdout:
        if line.split()[0] == stage[phase]:
            break
    else:
        return False
    known = set(out.glob("artifacts/*/*"))
    until = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < until:
        if phase == "storing" and set(out.glob("artifacts/*/*")) - known:
            return True
        if phase != "storing" and any((out / "running").glob("*")):
            return True
    return process.poll() is None


def victims(target: str, process: subprocess.Popen[str], out: Path) -> Iterator[int]:
    """Yield the process ids of a target."""
    if target == "main":
        yield process.pid
    elif target == "worker":
        for mark in (out / "running").glob("*"):
            try:
                yield int(mark.read_text())
            except (OSError, ValueError):
                continue
    else:
        for child in psutil.Process(process.pid).children():
            try:
                if "forkserver" in " ".join(child.cmdline()):
                    yield child.pid
            except psutil.Error:
                continue


def kill(target: str, process: subprocess.Popen[str], out: Path) -> bool:
    """Kill a target; return whether there was one."""
    until = time.monotonic() + 2
    while time.monotonic() < until and process.poll() is None:
        for pid in victims(target, process, out):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            return True
    return False


def told(out: Path) -> dict[str, Any]:
    """Return what a decision says but for times."""
    record = json.loads((out / "decision.json").read_text())
    return {
        "recommended": record["recommended"],
        "standings": [(a["candidate"]["id"], a["standing"]) for a in record["assessments"]],
        "readings": [
            {
                name: (r["value"], r["low"], r["high"])
                for name, r in a["readings"].items()
                if name in ("roc_auc", "accuracy", "log_loss", "model_size", "average_precision")
            }
            for a in record["assessments"]
        ],
    }


def unfinished(out: Path) -> list[str]:
    """Return what the last decision names as ended from outside."""
    try:
        found: list[str] = json.loads((out / "decision.json").read_text())["context"]["unfinished"]
    except OSError:
        return []
    return found


def why(out: Path) -> str:
    """Return the last line that a run complained with, or what it decided."""
    lines = (out.parent / "stderr").read_text().split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "")
    try:
        return said or json.loads((out / "decision.json").read_text())["outcome"]
    except OSError:
        return "no word and no decision"


def failures(out: Path) -> int:
    """Return how many fits are stored as anything but done."""
    with sqlite3.connect(out / "run.sqlite") as connection:
        (n,) = connection.execute("select count(*) from fits where status != 'done'").fetchone()
    return int(n)


def disturbed(target: str, phase: str, study: Path, out: Path, whole: dict[str, Any]) -> str:
    """Kill a target in a phase and return how that ended."""
    process = start(study, out)
    hit = wait_for(phase, process, out) and kill(target, process, out)
    process.communicate()
    again = ", after one more run" if process.returncode == 1 and unfinished(out) else ""
    if target == "main" or again:
        process = start(study, out)
        process.communicate()
    if process.returncode != 0:
        return f"exit code {process.returncode}: {why(out)}"
    if failures(out):
        return "a fit was stored as failed"
    if told(out) != whole:
        return "another decision"
    return ("same decision" if hit else "no kill (it had ended)") + again


def main() -> None:
    """Print how the kills ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=5, help="kills of each target in each phase")
    parser.add_argument("--targets", nargs="*", default=TARGETS, choices=TARGETS)
    parser.add_argument("--phases", nargs="*", default=PHASES, choices=PHASES)
    options = parser.parse_args()
    begin, endings = time.perf_counter(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        study = Path(folder) / "study.yaml"
        study.write_text(STUDY)
        start(study, Path(folder) / "whole").communicate()
        whole = told(Path(folder) / "whole")
        print("| killed | while | endings |\n|---|---|---|")
        for target in options.targets:
            for phase in options.phases:
                here = Counter(
                    disturbed(target, phase, study, Path(folder) / f"{target}{phase}{i}", whole)
                    for i in range(options.each)
                )
                endings += here
                shown = "; ".join(f"{n} x {what}" for what, n in here.items())
                print(f"| {target} | {phase} | {shown} |", flush=True)
    print(
        f"\n{sum(endings.values())} kills in {time.perf_counter() - begin:.0f} s: {dict(endings)}"
    )


if __name__ == "__main__":
    main()
