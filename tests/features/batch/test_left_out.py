"""Events that fail the condition of their source exist for no engine."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tradespace.core.errors import FeatureError
from tradespace.features import (
    EventSource,
    FeatureView,
    column,
    count,
    distinct,
    last,
    last_k,
    mean,
    since_last,
    sum_,
)
from tradespace.features.batch.block_features import Computation
from tradespace.features.batch.compute import compute_at, compute_rows
from tradespace.features.batch.events import read_events
from tradespace.features.batch.study_columns import read_files
from tradespace.features.build import survey
from tradespace.features.build.build import build
from tradespace.features.define.expressions import Expression
from tradespace.features.sql.query import to_sql
from tradespace.features.sql.windows import to_window_sql
from tradespace.features.stream.engine import StreamEngine

sys.path.insert(0, str(Path(__file__).parent))
from oracle import brute_force

START_US = 1_600_000_000_000_000
FEATURES = (
    count("5s"),
    sum_("cents", None),
    mean("cents", "6s", delay="2s"),
    distinct("shop", "9s"),
    last("cents", "8s", k=2),
    since_last("20s"),
)
CONDITIONS = (
    ~column("card").is_null(),
    column("shop").is_in(["a", "b"]) & ~column("card").is_null(),
    (column("cents") / column("n") > 1) & ~column("card").is_null(),
)


def view_of(where: Expression | None, *, late: bool = False) -> FeatureView:
    created = "known" if late else None
    source = EventSource(
        "log", time="at", id="id", created=created, decimals={"cents": 2}, where=where
    )
    return FeatureView("v", source, "card", list(FEATURES))


@st.composite
def logs(draw: st.DrawFn) -> list[dict[str, Any]]:
    events = []
    for number in range(draw(st.integers(1, 20))):
        at = START_US + 1_000_000 * draw(st.integers(0, 12))
        events.append(
            {
                "id": number,
                "at": at,
                "known": at + 1_000_000 * draw(st.sampled_from([0, 0, 3])),
                "card": draw(st.sampled_from([3, 5, None])),
                "cents": draw(st.integers(-300, 300)) / 100,
                "n": draw(st.integers(-1, 2)),
                "shop": draw(st.sampled_from(["a", "b", "c", None])),
            }
        )
    return events


def table(events: list[dict[str, Any]]) -> pl.DataFrame:
    schema: dict[str, Any] = {
        "id": pl.Int64, "at": pl.Datetime("us"), "known": pl.Datetime("us"), "card": pl.Int64,
        "cents": pl.Float64, "n": pl.Int64, "shop": pl.String,
    }  # fmt: skip
    return pl.DataFrame({k: [e[k] for e in events] for k in schema}, schema=schema)


@given(events=logs(), where=st.sampled_from(CONDITIONS), late=st.booleans())
@settings(max_examples=40, deadline=None)
def test_batch_streaming_and_sql_agree_on_what_is_left(
    events: list[dict[str, Any]], where: Expression, *, late: bool
) -> None:
    view = view_of(where, late=late)
    left = [event for event in events if where.evaluate(event)]
    assume(left)
    expected = np.array([brute_force(view, left, row) for row in left])
    found = compute_rows(view, read_events(view.source, table(events)))
    engine = StreamEngine([view], lateness_us=60_000_000)
    engine.push(events)
    asked = [to_sql(view, table="log")]
    if not late:
        asked.append(to_window_sql(view, table="log"))
    log = table(events).to_arrow()
    told = []
    with duckdb.connect() as connection:
        connection.register("log", log)
        for query in asked:
            rows = connection.sql(query).pl().sort("id")
            told.append(rows.drop("id").cast(pl.Float64).fill_null(float("nan")).to_numpy())

    np.testing.assert_allclose(
        np.column_stack(list(found.values())), expected, rtol=1e-10, atol=1e-9
    )
    np.testing.assert_array_equal(
        [engine.row("v", row) for row in left], np.column_stack(list(found.values()))
    )
    for answer in told:
        np.testing.assert_allclose(answer, expected, rtol=1e-10, atol=1e-9)


def a_log(folder: Path) -> Path:
    n = 300
    pl.DataFrame(
        {
            "id": range(n),
            "at": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=i) for i in range(n)],
            "known": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=i) for i in range(n)],
            "card": [None if i % 5 == 2 or 100 <= i < 200 else i % 3 for i in range(n)],
            "cents": [i * 7 % 100 / 4 for i in range(n)],
            "n": [1] * n,
            "shop": ["a"] * n,
        }
    ).write_parquet(folder / "log.parquet")
    return folder / "log.parquet"


@pytest.mark.parametrize("rows_at_once", [None, 40])
def test_a_build_holds_what_is_left(
    rows_at_once: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "CHUNK", 30)
    path = a_log(tmp_path)
    view = view_of(CONDITIONS[0])
    manifest = build({"v": view}, tmp_path / "out", data=str(path), rows_at_once=rows_at_once)
    built = pl.read_parquet(str(tmp_path / "out" / "*.parquet")).sort("id")
    left = pl.read_parquet(path).filter(pl.col("card").is_not_null())
    expected = compute_rows(view_of(None), read_events(view_of(None).source, left))

    assert manifest["rows"] == built.height == left.height
    for name in view.names:
        np.testing.assert_array_equal(built[name].to_numpy(), expected[name])


def test_a_row_left_out_does_not_build_its_slice_again(tmp_path: Path) -> None:
    path = a_log(tmp_path)
    view = view_of(CONDITIONS[0])
    build({"v": view}, tmp_path / "out", data=str(path))
    rows = pl.read_parquet(path)
    rows.with_columns(
        cents=pl.when(pl.col("card").is_null()).then(pl.col("cents") + 1).otherwise("cents")
    ).write_parquet(path)

    assert build({"v": view}, tmp_path / "out", data=str(path))["computed"] == 0


def test_a_join_sees_what_is_left(tmp_path: Path) -> None:
    rows = read_files(str(a_log(tmp_path)), None, owner="test")
    now = np.full(3, 1_705_000_000_000_000)
    cards = pl.Series([0, 1, 2])
    plain = view_of(None)
    left = rows.filter(pl.col("card").is_not_null())
    found = compute_at(
        view_of(CONDITIONS[0]), read_events(view_of(CONDITIONS[0]).source, rows), cards, now
    )

    for name, values in compute_at(plain, read_events(plain.source, left), cards, now).items():
        np.testing.assert_array_equal(found[name], values)


def test_features_of_the_same_events_write_them_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 60
    at = [START_US + i * 1_000_000 for i in range(n)]
    rows = pl.DataFrame({"id": range(n), "at": at, "known": at, "card": 1, "cents": 0.25})
    rows = rows.with_columns(
        pl.col("at").cast(pl.Datetime("us")),
        known=(pl.col("known") + (pl.col("id") % 7 == 0) * 9_000_000).cast(pl.Datetime("us")),
        cents=pl.col("id") / 4,
    )
    source = EventSource("log", time="at", id="id", created="known")
    view = FeatureView("v", source, "card", last_k("cents", 20))
    written: list[int] = []
    real = Computation._visible

    def visible(self: Computation, queries: Any, *rest: Any) -> Any:
        written.append(len(queries))
        return real(self, queries, *rest)

    monkeypatch.setattr(Computation, "_visible", visible)
    found = compute_rows(view, read_events(source, rows), threads=1)
    events = rows.with_columns(pl.col("at", "known").dt.epoch("us")).to_dicts()

    assert len(written) == 1
    np.testing.assert_array_equal(
        np.column_stack(list(found.values())), [brute_force(view, events, row) for row in events]
    )


@pytest.mark.parametrize(
    ("decimals", "message"),
    [
        ({"shop": 2}, "'shop' of source 'log', which holds String, not numbers"),
        ({"cent": 2}, "declares decimals and needs it.*Did you mean 'cents'"),
    ],
)
def test_decimals_of_what_is_no_number_are_refused_though_no_feature_reads_it(
    decimals: dict[str, int], message: str, tmp_path: Path
) -> None:
    source = EventSource("log", str(a_log(tmp_path)), time="at", id="id", decimals=decimals)

    with pytest.raises(FeatureError, match=message):
        build({"v": FeatureView("v", source, "n", [count("1d")])}, tmp_path / "out")
