"""How many fits another question on a finished study repeats, and how long it takes.

Runs the scenario card-fraud, then changes one thing after the other, each on a copy of the
finished run, and compares the readings with those of a fresh run of the changed study.

    python benchmarks/another_question.py [--scenario card-fraud]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from tradespace import evaluate, load_study
from tradespace.core import registry
from tradespace.core.decisions import Decision
from tradespace.core.rendering import load_object

EDITS = {
    "nothing": ("", ""),
    "price": ("\ncandidates:", "\nenvironment: {price_per_hour: 0.30 USD}\n\ncandidates:"),
    "quality": ("\nqualities:\n", "\nqualities:\n  strict: {precision: {threshold: 0.9}}\n"),
    "bootstrap": ("\ncandidates:", "\nbudget: {bootstrap: 300}\n\ncandidates:"),
    "confidence": ("\ncandidates:", "\nconfidence: 0.9\n\ncandidates:"),
    "another library": ("\ncandidates:\n", "\ncandidates:\n  - lightgbm: {n_estimators: 20}\n"),
}


def untimed(decision: Decision) -> dict[str, Any]:
    """Return all readings that are no times and rest on none."""
    study_names = {
        name
        for item in decision.assessments
        for name, reading in item.evidence.readings.items()
        if reading.unit in ("s", "1/s") or name in ("training_memory", "training_cost")
    }
    rests = {
        row.name for row in registry.qualities().values() if {"timing", "readings"} & {*row.needs}
    }
    return {
        item.candidate.id: {
            name: (r.value, r.low, r.high, r.method, r.draws)
            for name, r in item.evidence.readings.items()
            if name not in study_names | rests
        }
        for item in decision.assessments
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="card-fraud")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        load_object(registry.scenarios()[options.scenario].path)(home / "study")
        place = home / "study" / "study.yaml"
        text = place.read_text()
        start = time.perf_counter()
        first = evaluate(load_study(place))
        whole_s = time.perf_counter() - start
        finished = place.with_suffix(".tradespace")
        n_fits = first.context["work"]["fits"]
        print(f"{options.scenario}: {n_fits} fits, {whole_s:.1f} s wall")
        print("| change | repeated fits | new fits | wall s | fresh run, wall s | readings equal |")
        print("|---|---|---|---|---|---|")
        for name, (old, new) in EDITS.items():
            if old not in text:
                print(f"| {name} | - | - | - | - | the study has no {old.strip()!r} |")
                continue
            place.write_text(text.replace(old, new, 1))
            study = load_study(place)
            copy, fresh = home / "copy", home / "fresh"
            for used in (copy, fresh):
                shutil.rmtree(used, ignore_errors=True)
            shutil.copytree(finished, copy)
            start = time.perf_counter()
            again = evaluate(study, out=copy)
            again_s = time.perf_counter() - start
            start = time.perf_counter()
            anew = evaluate(study, out=fresh)
            fresh_s = time.perf_counter() - start
            more = anew.context["work"]["fits"] - n_fits
            done = again.context["work"]["fits"] - n_fits
            equal = untimed(again) == untimed(anew)
            print(
                f"| {name} | {done - more} | {more} | {again_s:.1f} | {fresh_s:.1f} | "
                f"{'yes' if equal else 'NO'} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
