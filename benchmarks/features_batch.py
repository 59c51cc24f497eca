"""Fourteen features of 1.75 million real transactions: ours, DuckDB, Polars and pandas.

From columns in memory to columns in memory. Run: python benchmarks/features_batch.py DATA
[--rounds 3] [--rows N] [--rivals duckdb,polars,pandas]; DATA holds fraud/transactions.parquet.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from tradespace.features.batch.compiled import LIBRARY
from tradespace.features.batch.compute import compute_all
from tradespace.features.batch.events import read_events
from tradespace.features.define.load import load_views
from tradespace.scenarios import card_fraud

DAYS = (1, 7, 30)
Columns = dict[str, np.ndarray]


def ours(frame: pl.DataFrame) -> Columns:
    views = load_views(Path(card_fraud.__file__).with_name("_card_fraud_features.py"))
    return compute_all(views, read_events(views["customer"].source, frame))


def with_duckdb(frame: pl.DataFrame) -> Columns:
    parts = []
    windows = []
    for d in DAYS:
        base = (
            "PARTITION BY {} ORDER BY TX_DATETIME RANGE BETWEEN INTERVAL '{:.3f} seconds' PRECEDING"
        )
        c = base.format("CUSTOMER_ID", d * 86400 - 0.001) + " AND CURRENT ROW"
        t = base.format("TERMINAL_ID", (d + 7) * 86400 - 0.001)
        t += " AND INTERVAL '7 days' PRECEDING"
        windows += [f"c{d} AS ({c})", f"t{d} AS ({t})"]
        parts += [
            f"count(*) OVER c{d} AS CUSTOMER_ID_NB_TX_{d}DAY_WINDOW",
            f"avg(TX_AMOUNT) OVER c{d} AS CUSTOMER_ID_AVG_AMOUNT_{d}DAY_WINDOW",
            f"count(*) OVER t{d} AS TERMINAL_ID_NB_TX_{d}DAY_WINDOW",
            f"coalesce(avg(TX_FRAUD) OVER t{d}, 0) AS TERMINAL_ID_RISK_{d}DAY_WINDOW",
        ]
    log = frame.to_arrow()
    with duckdb.connect() as connection:
        connection.register("log", log)
        sql = (
            "SELECT TRANSACTION_ID, isodow(TX_DATETIME) >= 6 AS TX_DURING_WEEKEND, "
            f"hour(TX_DATETIME) <= 6 AS TX_DURING_NIGHT, {', '.join(parts)} FROM log "
            f"WINDOW {', '.join(windows)}"
        )
        return connection.sql(sql).fetchnumpy()


def with_polars(frame: pl.DataFrame) -> Columns:
    found = {"TRANSACTION_ID": frame["TRANSACTION_ID"].to_numpy()}
    ordered = frame.sort("TX_DATETIME", "TRANSACTION_ID")
    for d in DAYS:
        for key, value, name, offset in (
            ("CUSTOMER_ID", "TX_AMOUNT", "AVG_AMOUNT", None),
            ("TERMINAL_ID", "TX_FRAUD", "RISK", f"-{d + 7}d"),
        ):
            rolled = ordered.rolling(
                "TX_DATETIME", period=f"{d}d", offset=offset, group_by=key
            ).agg(pl.len().alias("n"), pl.col(value).mean().alias("mean"))
            found[f"{key}_NB_TX_{d}DAY_WINDOW"] = rolled["n"].to_numpy()
            found[f"{key}_{name}_{d}DAY_WINDOW"] = rolled["mean"].fill_null(0).to_numpy()
    clock = frame.select(
        (pl.col("TX_DATETIME").dt.weekday() >= 6).alias("TX_DURING_WEEKEND"),
        (pl.col("TX_DATETIME").dt.hour() <= 6).alias("TX_DURING_NIGHT"),
    )
    return found | {name: clock[name].to_numpy() for name in clock.columns}


def with_pandas(frame: pl.DataFrame) -> Columns:
    table = pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns})
    found = {
        "TX_DURING_WEEKEND": (table.TX_DATETIME.dt.day_of_week >= 5).to_numpy(),
        "TX_DURING_NIGHT": (table.TX_DATETIME.dt.hour <= 6).to_numpy(),
    }
    for key, value, name in (
        ("CUSTOMER_ID", "TX_AMOUNT", "AVG"),
        ("TERMINAL_ID", "TX_FRAUD", "RISK"),
    ):
        grouped = table.set_index("TX_DATETIME").groupby(key)[value]
        windows = DAYS if key == "CUSTOMER_ID" else (7, 8, 14, 37)
        for d in windows:
            rolled = grouped.rolling(f"{d}D")
            found[f"{key}_{d}_n"] = rolled.count().to_numpy()
            found[f"{key}_{d}_sum"] = rolled.sum().to_numpy()
        if key == "TERMINAL_ID":
            for d in DAYS:
                n = found[f"{key}_{d + 7}_n"] - found[f"{key}_7_n"]
                found[f"{key}_{d}_{name}"] = (
                    found[f"{key}_{d + 7}_sum"] - found[f"{key}_7_sum"]
                ) / n.clip(1)
    return found


def measured(work: Callable[[pl.DataFrame], Columns], frame: pl.DataFrame) -> tuple[float, float]:
    """Return the seconds on the clock and of the processor of a run that follows another.

    The first run after a rival's pays for memory that the rival gave back to the system, which
    on a virtual machine costs more than the work itself.
    """
    work(frame)
    began, cpu = time.perf_counter(), time.process_time()
    work(frame)
    return time.perf_counter() - began, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--rivals", default="duckdb,polars,pandas")
    arguments = parser.parse_args()
    began = time.perf_counter()
    frame = pl.read_parquet(arguments.data / "fraud" / "transactions.parquet")
    reading_s = time.perf_counter() - began
    frame = frame.head(arguments.rows or frame.height)
    cores = len(os.sched_getaffinity(0))
    print(
        f"{platform.machine()}, {cores} cores, {platform.python_version()}, {frame.height:,} rows"
    )
    print(f"reading Parquet: {reading_s:.2f} s; load {os.getloadavg()[0]:.1f}")
    rivals: dict[str, Callable[[pl.DataFrame], Columns]] = {
        "duckdb": with_duckdb, "polars": with_polars, "pandas": with_pandas,
    }  # fmt: skip
    how = "compiled loops" if LIBRARY is not None else "NumPy alone, no compiled loops"
    print(f"ours: {how}")
    print("seconds on the clock (and of the processor), of the second of two runs each;")
    print("each rival between two of ours")
    for name in arguments.rivals.split(","):
        mine, theirs = [measured(ours, frame)], []
        for _ in range(arguments.rounds):
            theirs.append(measured(rivals[name], frame))
            mine.append(measured(ours, frame))
        found = []
        for who, times in (("ours", mine), (name, theirs)):
            wall, cpu = (statistics.median(t[i] for t in times) for i in (0, 1))
            found.append((wall, cpu))
            spread = f"min {min(t[0] for t in times):.2f}, max {max(t[0] for t in times):.2f}"
            print(f"  {who:<7} median {wall:6.2f} ({cpu:6.2f} CPU)  {spread}")
        wall_ratio, cpu_ratio = (found[1][i] / found[0][i] for i in (0, 1))
        print(f"  ours is {wall_ratio:.1f} x faster ({cpu_ratio:.1f} x in CPU)", flush=True)


if __name__ == "__main__":
    main()
