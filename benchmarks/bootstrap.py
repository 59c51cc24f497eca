"""What intervals cost: CPU of measuring the predictions of one trial, by quality.

Rows, groups and rare positives are those of a week of the card-fraud study. Every quality is
measured by itself and all together, on the same resamples.

    python benchmarks/bootstrap.py [--rows 28500] [--groups 2000] [--resamples 200] [--repeats 7]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np

from tradespace.core import registry
from tradespace.core.studies import EnvironmentSpec, QualityUse, Task
from tradespace.explore.context import machine
from tradespace.qualities._base import Context, Predictions, Resampling, Subject
from tradespace.qualities.measure import measure


def week(rows: int, groups: int) -> Predictions:
    """Return labels of which one in a hundred is positive, and scores that find most of them."""
    rng = np.random.default_rng(0)
    y = (rng.random(rows) < 0.01).astype(np.int64)
    score = 1 / (1 + np.exp(4 - 5 * y - rng.normal(0, 1.5, rows)))
    group = np.unique(rng.integers(0, groups, rows), return_inverse=True)[1]
    columns = {"card": group, "__time__": rng.uniform(0, 7 * 86400.0, rows)}
    return Predictions(y, score, groups=group, columns=columns)


def uses() -> list[QualityUse]:
    """Return every quality of binary predictions; cards are looked at day by day."""
    rows = [
        row
        for row in registry.qualities().values()
        if row.needs == ("predictions",) and Task.BINARY in row.tasks
    ]
    by_day = {"entity": "card", "per": "day", "drop_detected": True}
    return [
        QualityUse(
            row.name,
            row.name,
            row.unit,
            row.direction,
            {spec.name: spec.default for spec in row.settings}
            | (by_day if row.name == "top_k_precision" else {}),
        )
        for row in rows
    ]


def cpu_s(
    measured: Sequence[QualityUse], predictions: Predictions, context: Context, repeats: int
) -> list[float]:
    """Return the CPU seconds of each repeat, after one to warm up."""
    taken = []
    for _ in range(repeats + 1):
        start = time.process_time()
        measure(measured, Subject(predictions=lambda: predictions), context)
        taken.append(time.process_time() - start)
    return taken[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=28_500)
    parser.add_argument("--groups", type=int, default=2_000)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    print(machine())
    predictions = week(options.rows, options.groups)
    context = Context(Task.BINARY, EnvironmentSpec(), resampling=Resampling(n=options.resamples))
    everything = uses()
    print("CPU ms: min, median, max")
    for name, measured in [(use.name, [use]) for use in everything] + [("all", everything)]:
        taken = [1e3 * s for s in cpu_s(measured, predictions, context, options.repeats)]
        middle = statistics.median(taken)
        print(f"{name:<20} {min(taken):8.1f} {middle:8.1f} {max(taken):8.1f}")


if __name__ == "__main__":
    main()
