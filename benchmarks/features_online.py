"""Online features on real transactions: updates, reads as of now, materialized reads.

Run: python benchmarks/features_online.py DATA [--events 60000].
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from tradespace.features.definitions import FeatureView
from tradespace.features.events import read_events
from tradespace.features.load import load_views
from tradespace.features.replay import event_dicts, whole_columns
from tradespace.features.state import SqliteState
from tradespace.features.stream import StreamEngine
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--events", type=int, default=60_000)
    arguments = parser.parse_args()
    frame = pl.read_parquet(arguments.data / "fraud" / "transactions.parquet").head(
        arguments.events
    )
    found = load_views(Path(card_fraud.__file__).with_name("_card_fraud_features.py"))
    views = [view for view in found.values() if isinstance(view, FeatureView)]
    events = read_events(views[0].source, frame)
    parts = list(event_dicts(events, np.arange(len(events))))
    rows = [row for part in parts for row in part]
    whole = whole_columns(frame)
    now = int(events.time_us.max())
    with tempfile.TemporaryDirectory() as folder:
        for name, state, size in (
            ("memory", None, 1000),
            ("durable, commits of 1000", SqliteState(Path(folder) / "a.db"), 1000),
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

            def asked(i: int, number: int = number) -> list[int]:
                return [cards[(i * 7 + j) % len(cards)] for j in range(number)]

            tell(
                f"as of now, {number}",
                lambda i: engine.read("customer", asked(i), now_us=now),
                3000 // number + 20,
            )
            tell(
                f"materialized, {number}",
                lambda i: engine.read_materialized("customer", asked(i)),
                3000,
            )
        bare = sqlite3.connect(Path(folder) / "b.db")
        key = views[0].hash if views[0].name == "customer" else views[1].hash
        sql = f'SELECT vector FROM "vectors_{key}" WHERE entity = ?'
        tell(
            "bare SQLite read by key",
            lambda i: bare.execute(sql, (cards[i % len(cards)],)).fetchone(),
            3000,
        )


if __name__ == "__main__":
    main()
