"""Build twelve windowed features of synthetic logs of 1 to 20 million events: time and memory.

Run: python benchmarks/features_scale.py [--millions 1,5,20] [--folder FOLDER]. Each build is a
process of its own; its greatest resident memory is what the system counted.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

DAYS = 183
SECONDS = DAYS * 86_400
START_US = 1_522_540_800_000_000


def generate(n: int, folder: Path) -> None:
    """Write a log in the order of time, one file for each of ten stretches of it."""
    rng = np.random.default_rng(0)
    n_cards, n_shops = max(n // 350, 1), max(n // 175, 1)
    at = np.sort(rng.integers(0, SECONDS, n)).astype(np.int64)
    for number, part in enumerate(np.array_split(np.arange(n), 10)):
        pl.DataFrame(
            {
                "id": part,
                "at": pl.Series(START_US + at[part] * 1_000_000).cast(pl.Datetime("us")),
                "card": rng.integers(0, n_cards, len(part), dtype=np.int32),
                "shop": rng.integers(0, n_shops, len(part), dtype=np.int32),
                "eur": rng.integers(0, 20_000, len(part)) / 100,
                "fraud": rng.random(len(part)) < 0.01,
            }
        ).write_parquet(folder / f"log-{number}.parquet")


def build(folder: Path) -> None:
    from tradespace.features import EventSource, FeatureView, count, mean, rate
    from tradespace.features.build.build import build as build_views

    log = EventSource("log", time="at", id="id", decimals={"eur": 2})
    card = [f for d in (1, 7, 30) for f in (count(f"{d}d"), mean("eur", f"{d}d"))]
    shop = [
        f
        for d in (1, 7, 30)
        for f in (count(f"{d}d", delay="7d"), rate("fraud", f"{d}d", delay="7d"))
    ]
    views = {
        "card": FeatureView("card", log, "card", card),
        "shop": FeatureView("shop", log, "shop", shop),
    }
    loaded = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    manifest = build_views(views, folder / "out", data=str(folder / "log-*.parquet"))
    wall_s = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = used.ru_utime + used.ru_stime - loaded.ru_utime - loaded.ru_stime
    n = manifest["rows"]
    print(
        f"{n:>12,} events: {wall_s:7.1f} s, {cpu_s:7.1f} CPU s; {wall_s / n * 1e6:5.2f} us and "
        f"{cpu_s / n * 1e6:5.2f} CPU us an event; peak {used.ru_maxrss / 2**20:.2f} GiB resident",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", default="1,5,20")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--build", type=Path, default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build is not None:
        build(arguments.build)
        return
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    for millions in arguments.millions.split(","):
        folder = Path(tempfile.mkdtemp(dir=arguments.folder))
        try:
            generate(int(float(millions) * 1_000_000), folder)
            subprocess.run([sys.executable, __file__, "--build", str(folder)], check=True)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
