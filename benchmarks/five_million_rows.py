"""Five million rows through the main job: peak memory of the whole process tree.

Writes a Parquet file of 16 numbers, 2 categories, a date and a target, evaluates logistic
regression and histogram boosting on it in a process of its own, and samples the proportional
set size of the tree (a page that k processes share counts 1/k in each) and the plain sum of
resident sizes.

    python benchmarks/five_million_rows.py [--rows 5000000]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

WRITE = """
import sys
import numpy as np, polars as pl
rows, place = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
columns = {f"x{i}": rng.normal(size=rows).astype(np.float32) for i in range(16)}
kind = rng.integers(0, 8, rows)
columns["kind"] = pl.Series(kind).cast(pl.String)
columns["place"] = pl.Series(rng.integers(0, 40, rows)).cast(pl.String)
at = np.datetime64("2026-01-01") + rng.integers(0, 10**7, rows).astype("m8[s]")
columns["at"] = at.astype("M8[ms]")
score = columns["x0"] + 0.5 * columns["x1"] * columns["x2"] + (kind == 3) + rng.normal(size=rows)
columns["y"] = (score > 2.0).astype(np.int8)
pl.DataFrame(columns).write_parquet(place, row_group_size=250_000)
"""

STUDY = """
purpose: See whether five million rows fit
data: rows.parquet
target: y
constraints: [roc_auc >= 0.7]
objectives: [{maximize: average_precision, from: 0, to: 1}]
split: stratified
seeds: [0]
budget: {bootstrap: 100, trial_time: 30 min, cpu: 2 h, workers: 1, finalists: 2}
candidates: [logistic_regression, hist_gradient_boosting]
"""


def memory_bytes(process: psutil.Process) -> tuple[float, float]:
    """Return proportional and resident bytes of a process and its children."""
    pss = rss = 0.0
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0, 0.0
    for part in tree:
        try:
            full = part.memory_full_info()
        except psutil.Error:
            continue
        pss, rss = pss + full.pss, rss + full.rss
    return pss, rss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    from tradespace.explore.context import machine

    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        data, study = Path(folder) / "rows.parquet", Path(folder) / "study.yaml"
        subprocess.run([sys.executable, "-c", WRITE, str(rows), str(data)], check=True)
        study.write_text(STUDY)
        print(f"{rows:,} rows, {data.stat().st_size / 1e6:.0f} MB of Parquet")
        start = time.monotonic()
        child = psutil.Popen(
            [sys.executable, "-m", "tradespace", "evaluate", "--quiet", str(study)],
            stdout=subprocess.PIPE,
            text=True,
        )
        peak_pss = peak_rss = 0.0
        at = 0.0
        while child.poll() is None:
            pss, rss = memory_bytes(child)
            if pss > peak_pss:
                peak_pss, at = pss, time.monotonic() - start
            peak_rss = max(peak_rss, rss)
            time.sleep(0.2)
        print(child.stdout.read() if child.stdout else "")
        print(
            f"exit code {child.returncode}, {time.monotonic() - start:.0f} s; peak of the tree "
            f"{peak_pss / 2**30:.2f} GiB proportional (after {at:.0f} s), "
            f"{peak_rss / 2**30:.2f} GiB resident"
        )


if __name__ == "__main__":
    main()
