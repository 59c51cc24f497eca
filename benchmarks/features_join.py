"""Point-in-time join of 100,000 labels onto features of 1.75 million real transactions.

Run: python benchmarks/features_join.py DATA [--views customer,terminal] [--days 30]
[--labels 100000] [--rounds 9] [--feast PYTHON [--feast-store duckdb] [--ttl-days 1]].
DATA holds fraud/transactions.parquet; --days keeps the features of the last days alone. Ours from
a build, Polars (join_asof), DuckDB (ASOF JOIN on its own tables) and Feast
(get_historical_features) look up features that were computed before, as of the last event; ours
from events computes them as of the time of each label. All start with columns in memory, but for
Feast, which reads Parquet; what that costs us is measured too.

PYTHON is that of an environment of Feast's own: pip install 'feast[duckdb]==0.67.0'. Feast is given
what it is fastest with: its DuckDB store, tables in the order of entity and time, times in UTC, and
unless --ttl-days says otherwise, the shortest time to live in whole days that changes no value (0
is without bound, and the longer, the more rows Feast joins before it drops all but the last).
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from tradespace.features.batch.compute import compute_all
from tradespace.features.batch.events import Events, read_events
from tradespace.features.build.joins import join, join_rows_of
from tradespace.features.define.load import load_views
from tradespace.features.define.views import FeatureView
from tradespace.scenarios import card_fraud

FEAST = """
import sys, time
from datetime import timedelta
import feast, pandas, pyarrow.parquet as parquet
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64
folder, kind, days, rounds = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
if feast.__version__ != "0.67.0":
    sys.exit("Feast 0.67.0 is wanted, not " + feast.__version__)
store = FeatureStore(config=RepoConfig(
    project="p", provider="local", registry=folder + "/registry.db", online_store=None,
    offline_store={"type": kind}, entity_key_serialization_version=3))
labels = pandas.read_parquet(folder + "/feast_labels.parquet")
asked, views = [], []
for word in sys.argv[5:]:
    name, key = word.split(":")
    path = folder + f"/{name}.parquet"
    columns = [c for c in parquet.read_schema(path).names if c not in (key, "TX_DATETIME")]
    entity = Entity(name=name, join_keys=[key], value_type=ValueType.INT32)
    source = FileSource(path=path, timestamp_field="TX_DATETIME")
    view = FeatureView(name=name, entities=[entity], ttl=timedelta(days=days), source=source,
                       schema=[Field(name=c, dtype=Float64) for c in columns])
    views += [entity, view]
    asked += [f"{name}:{c}" for c in columns]
store.apply(views)
for turn in range(rounds):
    began, cpu = time.perf_counter(), time.process_time()
    found = store.get_historical_features(entity_df=labels, features=asked).to_df()
    print("took", time.perf_counter() - began, time.process_time() - cpu, flush=True)
    if not turn:
        found[["LABEL", *(a.split(":")[1] for a in asked)]].to_parquet(folder + "/found.parquet")
"""
Times = list[tuple[float, float]]
TIME = "TX_DATETIME"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is joined: views, their features in the order of time, labels, and the events."""

    views: dict[str, FeatureView]
    tables: dict[str, pl.DataFrame]
    labels: pl.DataFrame
    events: Events

    def last_events(self, name: str) -> pl.DataFrame:
        """Return for each label the time of its last event (`at`), and whether two were then."""
        entity = self.views[name].entity
        keys = self.tables[name].select(entity, TIME)
        keys = keys.with_columns(at=pl.col(TIME), tied=pl.struct(entity, TIME).is_duplicated())
        joined = self.labels.sort(TIME).join_asof(keys, on=TIME, by=entity, check_sortedness=False)
        return joined.sort("LABEL")


def events_end(frame: pl.DataFrame) -> datetime:
    """Return the time of the last event."""
    end = frame[TIME].max()
    assert isinstance(end, datetime)
    return end


def prepare(arguments: argparse.Namespace) -> Setting:
    """Return features of all events and labels up to a day after an event, as asked for."""
    frame = pl.read_parquet(arguments.data / "fraud" / "transactions.parquet")
    loaded = load_views(Path(card_fraud.__file__).with_name("_card_fraud_features.py"))
    known = {n: v for n, v in loaded.items() if isinstance(v, FeatureView)}
    views = {name: known[name] for name in arguments.views.split(",")}
    events = read_events(next(iter(views.values())).source, frame)
    values = compute_all(views, events)
    tables = {
        name: frame.select(view.entity, TIME).with_columns(
            [pl.Series(feature, values[feature]) for feature in view.names]
        )
        for name, view in views.items()
    }
    if arguments.days is not None:
        since = pl.col(TIME) > pl.lit(events_end(frame) - timedelta(days=arguments.days))
        frame = frame.filter(since)
        tables = {name: table.filter(since) for name, table in tables.items()}
    rng = np.random.default_rng(0)
    rows = rng.choice(frame.height, arguments.labels, replace=arguments.labels > frame.height)
    shift = pl.Series(rng.integers(0, 86_400_000, arguments.labels)).cast(pl.Duration("ms"))
    entities = [view.entity for view in views.values()]
    labels = frame[rows].select(*entities, pl.col(TIME) + shift).with_row_index("LABEL")
    return Setting(views, tables, labels, events)


def from_events(of: Setting) -> pl.DataFrame:
    """Return features computed as of the time of each label."""
    return join(of.views, of.labels, time=TIME, events={of.events.source.name: of.events})


def from_build(of: Setting) -> pl.DataFrame:
    """Return features computed before, by our lookup."""
    return join_rows_of(of.views, of.tables, of.labels, time=TIME)


def from_files(of: Setting, folder: Path) -> pl.DataFrame:
    """Return the same, with tables and labels read from Parquet first."""
    tables = {name: pl.read_parquet(folder / f"{name}.by_time.parquet") for name in of.views}
    labels = pl.read_parquet(folder / "labels.parquet")
    return join_rows_of(of.views, tables, labels, time=TIME)


def with_polars(of: Setting) -> pl.DataFrame:
    """Return features computed before, by Polars; in the order of time."""
    joined = of.labels.sort(TIME)
    for name, view in of.views.items():
        joined = joined.join_asof(of.tables[name], on=TIME, by=view.entity, check_sortedness=False)
    return joined


def with_duckdb(of: Setting, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return features computed before, by DuckDB from its own tables."""
    columns = ", ".join(f"{name}.{f}" for name, view in of.views.items() for f in view.names)
    joins = " ".join(
        f"ASOF LEFT JOIN {name} ON labels.{view.entity} = {name}.{view.entity} "
        f"AND labels.{TIME} >= {name}.{TIME}"
        for name, view in of.views.items()
    )
    return connection.sql(f"SELECT LABEL, {columns} FROM labels {joins}").to_arrow_table()


def own_tables(of: Setting) -> duckdb.DuckDBPyConnection:
    """Return a connection to a DuckDB that holds labels and features."""
    connection = duckdb.connect()
    for name, table in {"labels": of.labels, **of.tables}.items():
        connection.register("given", table.to_arrow())
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    return connection


def write(of: Setting, folder: Path) -> None:
    """Write tables in the order of time, and again as Feast reads them soonest."""
    utc = pl.col(TIME).cast(pl.Datetime("us", "UTC"))
    labels = of.labels.with_columns(utc).rename({TIME: "event_timestamp"})
    labels.write_parquet(folder / "feast_labels.parquet")
    of.labels.write_parquet(folder / "labels.parquet")
    for name, table in of.tables.items():
        table.write_parquet(folder / f"{name}.by_time.parquet")
        by_entity = table.with_columns(utc).sort(of.views[name].entity, TIME, maintain_order=True)
        by_entity.write_parquet(folder / f"{name}.parquet", row_group_size=122_880)


def with_feast(of: Setting, folder: Path, arguments: argparse.Namespace) -> Times:
    """Return the times of Feast's rounds; stop it when its time is over."""
    script, said = folder / "run.py", folder / "said"
    script.write_text(FEAST)
    command = [arguments.feast, "-W", "ignore", str(script), str(folder), arguments.feast_store]
    command += [str(arguments.ttl_days), str(arguments.feast_rounds)]
    command += [f"{name}:{view.entity}" for name, view in of.views.items()]
    with said.open("w") as out, (folder / "failed").open("w") as failed:
        try:
            done = subprocess.run(
                command, stdout=out, stderr=failed, check=False, timeout=arguments.feast_timeout
            )
            code = done.returncode
        except subprocess.TimeoutExpired:
            print(f"feast was stopped after {arguments.feast_timeout:.0f} s")
            code = 0
    if code:
        print("feast failed:", (folder / "failed").read_text().strip().splitlines()[-1])
    lines = [line.split() for line in said.read_text().splitlines()]
    return [(float(words[1]), float(words[2])) for words in lines if words[:1] == ["took"]]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of wall and of processor time."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


def medians_of(name: str, times: Times) -> tuple[float, float]:
    """Print a line of times and return the medians of wall and of processor time."""
    wall = [t[0] for t in times]
    median, cpu = statistics.median(wall), statistics.median(t[1] for t in times)
    print(
        f"{name:<20} min {min(wall):.3f}  median {median:.3f}  max {max(wall):.3f} s"
        f"  ({cpu:.3f} CPU s)",
        flush=True,
    )
    return median, cpu


def ratio(of: tuple[float, float], to: tuple[float, float]) -> str:
    """Return how many times as long one takes as another."""
    return f"{of[0] / to[0]:.3g} x wall, {of[1] / to[1]:.3g} x processor time"


def compare(name: str, found: pl.DataFrame, wanted: pl.DataFrame, tied: np.ndarray) -> None:
    """Print how many labels have other values, and how many of those had two last events."""
    columns = [c for c in found.columns if c in wanted.columns and c not in ("LABEL", TIME)]
    found, wanted = found.sort("LABEL").fill_nan(None), wanted.sort("LABEL").fill_nan(None)
    differs = np.zeros(wanted.height, dtype=bool)
    for column in columns:
        differs |= found[column].ne_missing(wanted[column]).to_numpy()
    print(
        f"{name}: {len(columns)} columns, {differs.sum()} of {wanted.height:,} rows differ, "
        f"{(differs & tied).sum()} of them with simultaneous last events ({tied.sum()} in all)"
    )


def main() -> None:
    """Run all contenders in turn, compare their values, and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--labels", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--views", default="customer,terminal")
    parser.add_argument("--days", type=int, default=None)
    parser.add_argument("--feast", default=None)
    parser.add_argument("--feast-store", choices=("duckdb", "file"), default="duckdb")
    parser.add_argument("--feast-rounds", type=int, default=5)
    parser.add_argument("--feast-timeout", type=float, default=240.0, help="seconds")
    parser.add_argument("--ttl-days", type=float, default=None)
    arguments = parser.parse_args()
    of = prepare(arguments)
    last = {name: of.last_events(name) for name in of.views}
    tied = np.logical_or.reduce([found["tied"].to_numpy() for found in last.values()])
    ages_s = [(found[TIME] - found["at"]).dt.total_seconds().to_numpy() for found in last.values()]
    oldest_days = float(np.nanmax(ages_s)) / 86_400
    if arguments.ttl_days is None:
        arguments.ttl_days = math.ceil(oldest_days)
    rows = next(iter(of.tables.values())).height
    print(
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}"
        f"; {of.labels.height:,} labels, {len(of.views)} views of {rows:,} rows, "
        f"{sum(len(view.names) for view in of.views.values())} features; last events are at most "
        f"{oldest_days:.2f} days old"
    )
    connection = own_tables(of)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(of, folder)
        works: dict[str, Callable[[], object]] = {
            "ours, from events": lambda: from_events(of),
            "ours, from a build": lambda: from_build(of),
            "ours, from files": lambda: from_files(of, folder),
            "polars join_asof": lambda: with_polars(of),
            "duckdb ASOF": lambda: with_duckdb(of, connection),
        }
        times: dict[str, Times] = {name: [] for name in works}
        for _ in range(arguments.rounds):
            for name, work in works.items():
                times[name].append(timed(work))
        medians = {name: medians_of(name, found) for name, found in times.items()}
        for theirs in ("polars join_asof", "duckdb ASOF"):
            for name in ("ours, from a build", "ours, from events"):
                print(f"{name}: {ratio(medians[name], medians[theirs])} of {theirs}")
        build = from_build(of)
        compare("ours, from files", from_files(of, folder), build, tied)
        compare("polars join_asof", with_polars(of), build, tied)
        compare("duckdb ASOF", pl.DataFrame(with_duckdb(of, connection)), build, tied)
        for name, found in last.items():
            then = Setting(
                {name: of.views[name]}, {}, found.with_columns(pl.col("at").alias(TIME)), of.events
            )
            compare(
                f"ours, from events at the time of the last, {name}", from_events(then), build, tied
            )
        if arguments.feast:
            feast = with_feast(of, folder, arguments)
            if feast:
                how = f"feast ({arguments.feast_store}, {arguments.ttl_days:g} days)"
                took = medians_of(how, feast)
                for name in list(works)[:3]:
                    print(f"{how}: {ratio(took, medians[name])} of {name}")
                compare(how, pl.read_parquet(folder / "found.parquet"), build, tied)


if __name__ == "__main__":
    main()
