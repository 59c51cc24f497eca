"""Point-in-time join of 100,000 labels onto 1.75 million real transactions.

Run: python benchmarks/features_join.py DATA [--labels 100000] [--rounds 5] [--feast PYTHON].
DATA holds fraud/transactions.parquet. Ours computes twelve windowed features as of the time of
each label, from the events; ours from a build, Polars (join_asof), DuckDB (ASOF JOIN) and Feast
(get_historical_features, files) look up features that were computed before, as of the last event.
Feast runs in an environment of its own, whose Python is named by --feast.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from tradespace.features.batch import compute_all
from tradespace.features.definitions import FeatureView
from tradespace.features.events import read_events
from tradespace.features.joins import join, join_rows_of
from tradespace.features.load import load_views
from tradespace.scenarios import card_fraud

FEAST = """
import sys, time, statistics
from datetime import timedelta
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64, Int32
folder, rounds = sys.argv[1], int(sys.argv[2])
config = RepoConfig(project="p", provider="local", registry=folder + "/registry.db",
                    online_store=None, offline_store={"type": "file"},
                    entity_key_serialization_version=3)
store = FeatureStore(config=config)
labels = pd.read_parquet(folder + "/labels.parquet")
labels["TX_DATETIME"] = pd.to_datetime(labels["TX_DATETIME"], utc=True)
labels = labels.rename(columns={"TX_DATETIME": "event_timestamp"})
asked, views = [], []
for name, key in (("customer", "CUSTOMER_ID"), ("terminal", "TERMINAL_ID")):
    columns = [c for c in pd.read_parquet(folder + f"/{name}.parquet").columns
               if c not in (key, "TX_DATETIME")]
    entity = Entity(name=name, join_keys=[key])
    source = FileSource(path=folder + f"/{name}.parquet", timestamp_field="TX_DATETIME")
    view = FeatureView(name=name, entities=[entity], ttl=timedelta(days=0), source=source,
                       schema=[Field(name=c, dtype=Float64) for c in columns])
    views += [entity, view]
    asked += [f"{name}:{c}" for c in columns]
store.apply(views)
times = []
for _ in range(rounds):
    began = time.perf_counter()
    store.get_historical_features(entity_df=labels, features=asked).to_df()
    times.append(time.perf_counter() - began)
print(statistics.median(times))
"""


def timed(work: Callable[[], object], rounds: int) -> list[tuple[float, float]]:
    times = []
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - began, time.process_time() - cpu))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--labels", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--feast", default=None)
    arguments = parser.parse_args()
    frame = pl.read_parquet(arguments.data / "fraud" / "transactions.parquet")
    found = load_views(Path(card_fraud.__file__).with_name("_card_fraud_features.py"))
    views = {n: v for n, v in found.items() if isinstance(v, FeatureView)}
    source = next(iter(views.values())).source
    events = read_events(source, frame)
    values = compute_all(views, events)
    tables = {
        name: frame.select(view.entity, "TX_DATETIME").with_columns(
            [pl.Series(feature, values[feature]) for feature in view.names]
        )
        for name, view in views.items()
    }
    rng = np.random.default_rng(0)
    rows = rng.choice(frame.height, arguments.labels, replace=False)
    labels = frame[rows].select("TRANSACTION_ID", "CUSTOMER_ID", "TERMINAL_ID", "TX_DATETIME")
    shift = pl.Series(rng.integers(0, 86_400_000, labels.height)).cast(pl.Duration("ms"))
    labels = labels.with_columns(TX_DATETIME=pl.col("TX_DATETIME") + shift)

    def from_events() -> pl.DataFrame:
        return join(views, labels, time="TX_DATETIME", events={source.name: events})

    def from_build() -> pl.DataFrame:
        return join_rows_of(views, tables, labels, time="TX_DATETIME")

    def with_polars() -> pl.DataFrame:
        joined = labels.sort("TX_DATETIME")
        for name, view in views.items():
            joined = joined.join_asof(
                tables[name], on="TX_DATETIME", by=view.entity, check_sortedness=False
            )
        return joined

    arrow = {name: table.to_arrow() for name, table in tables.items()}
    asked = labels.to_arrow()

    def with_duckdb() -> pl.DataFrame:
        with duckdb.connect() as connection:
            connection.register("labels", asked)
            for name, table in arrow.items():
                connection.register(name, table)
            columns = ", ".join(f"{n}.{f}" for n, v in views.items() for f in v.names)
            joins = " ".join(
                f"ASOF LEFT JOIN {n} ON labels.{v.entity} = {n}.{v.entity} "
                f"AND labels.TX_DATETIME >= {n}.TX_DATETIME"
                for n, v in views.items()
            )
            return connection.sql(
                f"SELECT labels.*, {columns} FROM labels {joins}"
            ).to_arrow_table()

    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{platform.machine()}, {cores} cores, load {load:.1f}; {labels.height:,} labels")
    works = {
        "ours, from events": from_events, "ours, from a build": from_build,
        "polars join_asof": with_polars, "duckdb ASOF": with_duckdb,
    }  # fmt: skip
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(arguments.rounds):
        for name, work in works.items():
            times[name] += timed(work, 1)
    medians = {}
    for name, found_times in times.items():
        wall = [t[0] for t in found_times]
        medians[name] = statistics.median(wall)
        cpu = statistics.median(t[1] for t in found_times)
        print(
            f"{name:<20} min {min(wall):.3f}  median {medians[name]:.3f}  max {max(wall):.3f} s"
            f"  ({cpu:.3f} CPU s)"
        )
    theirs, mine = with_polars().sort("TRANSACTION_ID"), from_build().sort("TRANSACTION_ID")
    print(f"build and Polars give the same values: {theirs.equals(mine)}")
    if arguments.feast:
        with tempfile.TemporaryDirectory() as folder:
            labels.write_parquet(Path(folder) / "labels.parquet")
            for name, table in tables.items():
                table.write_parquet(Path(folder) / f"{name}.parquet")
            script = Path(folder) / "run.py"
            script.write_text(FEAST)
            done = subprocess.run(
                [arguments.feast, str(script), folder, "2"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                print("feast failed:", done.stderr.strip().splitlines()[-1])
                return
            feast_s = float(done.stdout.split()[-1])
            for name in ("ours, from events", "ours, from a build"):
                print(f"feast {feast_s:.2f} s: {feast_s / medians[name]:.0f} x {name}")


if __name__ == "__main__":
    main()
