"""Online features on real transactions: updates, reads as of now, materialized reads.

Run: python benchmarks/features_online.py DATA [--events 60000]. At the end another process
writes as fast as it can, durably and with materializing, while this one reads what it stored.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tradespace.features.batch.events import read_events
from tradespace.features.define.load import load_views
from tradespace.features.define.views import FeatureView
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.replay import event_dicts, whole_columns
from tradespace.features.stream.state import SqliteState
from tradespace.scenarios import card_fraud


def timed(work: Callable[[int], object], n: int) -> tuple[float, float]:
    times = []
    for i in range(n):
        began = time.perf_counter()
        work(i)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6, float(np.quantile(times, 0.99)) * 1e6


def tell(what: str, work: Callable[[int], object], n: int) -> None:
    median_us, p99_us = timed(work, n)
    print(f"{what}: {median_us:.1f} us median, {p99_us:.1f} us p99")


def tell_pair(ours: Callable[[int], object], bare: Callable[[int], object], n: int) -> None:
    """Time two reads in turns, so that both meet the machine as it is."""
    times: tuple[list[float], list[float]] = [], []
    for i in range(n):
        for work, taken in zip((ours, bare), times, strict=True):
            began = time.perf_counter()
            work(i)
            taken.append(time.perf_counter() - began)
    medians = [statistics.median(taken) * 1e6 for taken in times]
    print(
        f"in turns: materialized, 1: {medians[0]:.1f} us; bare SQLite read by key: "
        f"{medians[1]:.1f} us; {medians[0] / medians[1]:.2f} times"
    )


def load(data: Path, n_events: int) -> tuple[list[FeatureView], pl.DataFrame]:
    frame = pl.read_parquet(data / "fraud" / "transactions.parquet").head(n_events)
    found = load_views(Path(card_fraud.__file__).with_name("_card_fraud_features.py"))
    return [view for view in found.values() if isinstance(view, FeatureView)], frame


def rows_of(views: list[FeatureView], frame: pl.DataFrame) -> list[dict[str, Any]]:
    events = read_events(views[0].source, frame)
    return [row for part in event_dicts(events, np.arange(len(events))) for row in part]


def write(data: Path, n_events: int, path: Path) -> None:
    """Push all events into a store, and say how fast."""
    views, frame = load(data, n_events)
    rows = rows_of(views, frame)
    engine = StreamEngine(
        views, state=SqliteState(path), whole_columns=whole_columns(frame), materialize=True
    )
    print("writing", flush=True)
    began, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(rows), 100):
        engine.push(rows[start : start + 100])
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    print(f"{len(rows) / wall_s:,.0f} / s, {len(rows) / cpu_s:,.0f} / CPU s", flush=True)


def read_while_writing(arguments: argparse.Namespace, folder: Path) -> None:
    path = folder / "c.db"
    views, _ = load(arguments.data, 20_000)
    reader = StreamEngine(views, state=SqliteState(path))
    command = [sys.executable, __file__, str(arguments.data), "--write", str(path)]
    with subprocess.Popen(
        [*command, "--events", str(arguments.events)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.5)
        known = [c for (c,) in sqlite3.connect(path).execute(
            f'SELECT entity FROM "vectors_{views[0].hash}"')]  # fmt: skip
        for number in (1, 100):
            asked = [[known[(i * 7 + j) % len(known)] for j in range(number)] for i in range(999)]
            tell(
                f"materialized, {number}, while another process writes",
                lambda i, asked=asked: reader.read_materialized(
                    views[0].name, asked[i % len(asked)]
                ),
                3000 if number == 1 else 1000,
            )
        busy = writer.poll() is None
        print(f"the writer was {'still' if busy else 'no longer'} at work: {writer.stdout.read()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--write", type=Path, default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write is not None:
        write(arguments.data, arguments.events, arguments.write)
        return
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, load {os.getloadavg()[0]:.1f}")
    views, frame = load(arguments.data, arguments.events)
    rows = rows_of(views, frame)
    whole = whole_columns(frame)
    now = max(row["TX_DATETIME"] for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        for name, state, size in (
            ("memory", None, 1000),
            ("durable, commits of 1000", SqliteState(Path(folder) / "a.db"), 1000),
            ("durable, commits of 1000, materialized", SqliteState(Path(folder) / "d.db"), 1000),
            ("durable, commits of 100, materialized", SqliteState(Path(folder) / "b.db"), 100),
        ):
            engine = StreamEngine(
                views, state=state, whole_columns=whole, materialize="materialized" in name
            )
            began = time.process_time()
            wall = time.perf_counter()
            for start in range(0, len(rows), size):
                engine.push(rows[start : start + size])
            cpu_s, wall_s = time.process_time() - began, time.perf_counter() - wall
            print(
                f"updates, {name}: {len(rows) / cpu_s:,.0f} / CPU s, {len(rows) / wall_s:,.0f} / s"
            )
        cards = frame["CUSTOMER_ID"].unique().sort().to_list()
        for number in (1, 100):
            # What is asked is put together before: a reader of bare SQLite has its key too.
            asked = [[cards[(i * 7 + j) % len(cards)] for j in range(number)] for i in range(3020)]
            tell(
                f"as of now, {number}",
                lambda i, asked=asked: engine.read("customer", asked[i], now_us=now),
                3000 // number + 20,
            )
            tell(
                f"materialized, {number}",
                lambda i, asked=asked: engine.read_materialized("customer", asked[i]),
                3000,
            )
        bare = sqlite3.connect(Path(folder) / "b.db")
        key = views[0].hash if views[0].name == "customer" else views[1].hash
        sql = f'SELECT vector FROM "vectors_{key}" WHERE entity = ?'
        keys = [(cards[i * 7 % len(cards)],) for i in range(3000)]
        single = [[key] for (key,) in keys]
        tell_pair(
            lambda i: engine.read_materialized("customer", single[i]),
            lambda i: bare.execute(sql, keys[i]).fetchone(),
            3000,
        )
        read_while_writing(arguments, Path(folder))


if __name__ == "__main__":
    main()
