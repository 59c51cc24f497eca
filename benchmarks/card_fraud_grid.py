"""The card-fraud grid: 45 configurations on 4 prequential folds, with and without sharing.

Prints the CPU seconds of the whole process tree, what of it is fitting, predicting, measuring
and exporting, and the rest: the study's own. Then the same grid with every candidate fitted by
itself, and whether the decision is the same.

    python benchmarks/card_fraud_grid.py [--customers 2000] [--folds 4]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CANDIDATES = """
candidates:
  - logistic_regression: {C: {log: [0.001, 100], n: 9}, preprocessing: {scale: standard}}
  - decision_tree: {max_depth: [2, 3, 4, 5, 6, 8, 10, 12, null]}
  - random_forest: {n_estimators: [5, 10, 25], max_depth: [4, 6, 8]}
  - xgboost: {n_estimators: [10, 25, 50], max_depth: [2, 4, 6]}
  - lightgbm: {n_estimators: [10, 25, 50], num_leaves: [7, 15, 31]}
seeds: [0]
budget: {cpu: 2 h, bootstrap: 200}
"""

RUN = """
import json, sys, psutil
from tradespace import evaluate, load_study
from tradespace.explore.evaluate import Exploration
from pathlib import Path
study, out, share = load_study(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "share"
run = Exploration(study, out, share=share)
decision = run.decide()
trials = list(run.ledger.trials.values())
run.close()
me = psutil.Process()
total = sum(me.cpu_times()[:2])
for child in me.children(recursive=True):
    total += sum(child.cpu_times()[:4])
kinds = ("fit_cpu_s", "predict_cpu_s", "measure_cpu_s", "export_cpu_s")
parts = {kind: sum(t.work.get(kind, 0.0) for t in trials) for kind in kinds}
print(json.dumps({"total_cpu_s": total, **parts, "fits": decision.context["work"]["fits"],
                  "trials": len(trials), "wall_s": decision.context["work"]["wall_s"],
                  "recommended": decision.recommended}))
"""


def run(study: Path, out: Path, mode: str) -> dict[str, float | str]:
    """Return the figures of one run in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(study), str(out), mode],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--folds", type=int, default=4)
    options = parser.parse_args()
    from tradespace.explore.context import machine
    from tradespace.scenarios.card_fraud import write

    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        study = write(Path(folder), customers=options.customers)
        text = study.read_text()
        start = text.index("split:")
        split = (
            f"split: {{method: prequential, folds: {options.folds}, train: 7 days, gap: 7 days, "
            "validation: 7 days, test: 7 days}\n\n"
        )
        rest = text[text.index("exclude:") : text.index("candidates:")]
        study.write_text(text[:start] + split + rest + CANDIDATES)
        shared = run(study, Path(folder) / "shared", "share")
        alone = run(study, Path(folder) / "alone", "alone")
    for name, found in (("sharing", shared), ("exhaustive", alone)):
        total = float(found["total_cpu_s"])
        work = sum(float(found[k]) for k in ("fit_cpu_s", "predict_cpu_s", "measure_cpu_s"))
        print(
            f"{name:<11} {total:8.1f} CPU s, {float(found['wall_s']):7.1f} wall s, "
            f"{found['fits']} fits for {found['trials']} trials; fitting "
            f"{float(found['fit_cpu_s']):.1f}, predicting {float(found['predict_cpu_s']):.1f}, "
            f"measuring {float(found['measure_cpu_s']):.1f}, exporting and checking the export "
            f"{float(found['export_cpu_s']):.1f}; own {total - work:.1f} = "
            f"{(total - work) / total:.1%} of all, "
            f"{(total - work - float(found['export_cpu_s'])) / total:.1%} without exporting"
        )
    ratio = float(alone["total_cpu_s"]) / float(shared["total_cpu_s"])
    print(f"CPU exhaustive / sharing: {ratio:.2f}")
    print(f"same decision: {shared['recommended'] == alone['recommended']}")


if __name__ == "__main__":
    main()
