"""Batch, streaming, SQL and the plain definition give the same numbers for any log of events.

Each law is tried on some logs; with TRADESPACE_THOROUGH set, on ten times as many.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.errors import FeatureError
from tradespace.features import (
    EventSource,
    FeatureView,
    column,
    count,
    decayed_mean,
    distinct,
    last_k,
    max_,
    mean,
    min_,
    rate,
    ratio,
    since_last,
    std,
    sum_,
)
from tradespace.features.batch import compiled
from tradespace.features.batch.compute import compute_at, compute_rows
from tradespace.features.batch.events import read_events
from tradespace.features.define.features import Feature
from tradespace.features.sql.query import to_sql
from tradespace.features.sql.windows import to_window_sql
from tradespace.features.stream.engine import StreamEngine

sys.path.insert(0, str(Path(__file__).parent))
from oracle import brute_force

START_US = 1_600_000_000_000_000
SECOND_US = 1_000_000

Event = dict[str, Any]


def examples(number: int) -> settings:
    number = number if os.environ.get("TRADESPACE_THOROUGH") else number // 10
    return settings(max_examples=number, deadline=None)


def features(amount: str) -> list[Feature]:
    big = column(amount) > 1
    return [
        count("3s"),
        count("10s", delay="2s"),
        count("5s", column=amount, where=big),
        count(None, where=column("shop") == "a"),
        sum_(amount, "3s"),
        sum_(amount, None, delay="4s"),
        mean(amount, "5s"),
        mean(amount, "2s", delay="3s", empty=-1.0),
        rate("fraud", "10s", delay="3s"),
        min_(amount, "7s"),
        max_(amount, "7s", delay="1s"),
        std(amount, "9s"),
        distinct("shop", "6s"),
        distinct("shop", "6s", delay="2s", where=big),
        *last_k(amount, 3, "8s"),
        since_last("20s"),
        since_last(None, delay="2s"),
        ratio(mean(amount, "2s"), mean(amount, "9s"), empty=1.0),
        ratio(count("2s"), count("9s", delay="2s")),
    ]


def view_of(amount: str, *, more: Sequence[Feature] = ()) -> FeatureView:
    source = EventSource(
        "log",
        time="at",
        id="id",
        created="known",
        decimals={"cents": 2} if amount == "cents" else {},
    )
    return FeatureView("card", source, "card", [*features(amount), *more])


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    n = draw(st.integers(1, 25))
    events = []
    for number in draw(st.permutations(range(n))):
        at = START_US + SECOND_US * draw(st.integers(0, 14))
        late = draw(st.one_of(st.just(0), st.just(0), st.integers(0, 8)))
        events.append(
            {
                "id": number,
                "at": at,
                "known": draw(
                    st.sampled_from(
                        [at + late * SECOND_US, None] if not late else [at + late * SECOND_US]
                    )
                ),
                "card": draw(st.sampled_from([3, 5])),
                "cents": draw(st.one_of(st.none(), st.integers(-300, 300).map(lambda c: c / 100))),
                "weight": draw(st.one_of(st.none(), st.floats(1e-3, 1e3))),
                "shop": draw(st.sampled_from(["a", "b", "c", None])),
                "fraud": draw(st.booleans()),
            }
        )
    twins = draw(st.lists(st.sampled_from(events), max_size=3))
    return events + [dict(twin) for twin in twins]


def table(events: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    schema = {
        "id": pl.Int64, "at": pl.Datetime("us"), "known": pl.Datetime("us"), "card": pl.Int64,
        "cents": pl.Float64, "weight": pl.Float64, "shop": pl.String, "fraud": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame({k: [e[k] for e in events] for k in schema}, schema=schema, strict=False)


def batch(view: FeatureView, events: Sequence[Event]) -> np.ndarray:
    computed = compute_rows(view, read_events(view.source, table(events)))
    return np.column_stack([computed[name] for name in view.names])


def unique(events: Sequence[Event]) -> list[Event]:
    return list({event["id"]: event for event in events}.values())


@given(events=logs())
@examples(150)
def test_batch_equals_the_plain_definition(events: list[Event]) -> None:
    for amount in ("cents", "weight"):
        view = view_of(amount, more=[decayed_mean(amount, "2s"), decayed_mean(amount, "3s", "6s")])
        expected = [brute_force(view, unique(events), row) for row in events]

        np.testing.assert_allclose(batch(view, events), expected, rtol=1e-10, atol=1e-9)


@given(events=logs(), now=st.integers(0, 20))
@examples(100)
@pytest.mark.skipif(compiled.LIBRARY is None, reason="the package was installed without a compiler")
def test_machine_code_gives_the_bits_of_numpy(events: list[Event], now: int) -> None:
    cards = pl.Series([3, 5, 8])
    times = np.full(3, START_US + now * SECOND_US)
    for amount in ("cents", "weight"):
        view = view_of(amount)
        log = read_events(view.source, table(events))
        answers = []
        for library in (compiled.LIBRARY, None):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(compiled, "LIBRARY", library)
                answers.append([compute_rows(view, log), compute_at(view, log, cards, times)])

        for fast, plain in zip(*answers, strict=True):
            np.testing.assert_array_equal(list(fast.values()), list(plain.values()))


@given(events=logs(), seed=st.integers(0, 99))
@examples(150)
def test_streaming_is_bit_equal_to_batch_in_whatever_order_events_arrive(
    events: list[Event], seed: int
) -> None:
    view = view_of("cents")
    engine = StreamEngine([view], whole_columns=["fraud"], lateness_us=60 * SECOND_US)
    shuffled = random.Random(seed).sample(events, len(events))
    engine.push(shuffled)
    streamed = [engine.row("card", row) for row in events]

    np.testing.assert_array_equal(streamed, batch(view, events))


@given(events=logs())
@examples(100)
def test_streaming_in_order_of_arrival_gives_each_row_its_value_on_arrival(
    events: list[Event],
) -> None:
    view = view_of("cents")
    engine = StreamEngine([view], whole_columns=["fraud"], lateness_us=9 * SECOND_US)
    expected = batch(view, events)

    for place in sorted(range(len(events)), key=lambda i: events[i]["known"] or events[i]["at"]):
        own = events[place]["known"] or events[place]["at"]
        engine.push([e for e in events if (e["known"] or e["at"]) == own])

        np.testing.assert_array_equal(engine.row("card", events[place]), expected[place])


@given(events=logs())
@examples(60)
def test_streaming_of_any_numbers_equals_batch_within_rounding(events: list[Event]) -> None:
    view = view_of(
        "weight", more=[decayed_mean("weight", "2s"), decayed_mean("weight", "3s", "6s")]
    )
    engine = StreamEngine([view], whole_columns=["fraud"], lateness_us=60 * SECOND_US)
    engine.push(events)
    streamed = [engine.row("card", row) for row in events]

    np.testing.assert_allclose(streamed, batch(view, events), rtol=1e-10, atol=1e-9)


@given(events=logs())
@examples(40)
def test_sql_in_duckdb_equals_batch(events: list[Event]) -> None:
    view = view_of("cents", more=[decayed_mean("cents", "2s"), decayed_mean("cents", "3s", "6s")])
    rows = unique(events)
    log = table(rows).to_arrow()
    with duckdb.connect() as connection:
        connection.register("log", log)
        found = connection.sql(to_sql(view, table="log")).pl().sort("id")
    expected = batch(view, rows)[np.argsort([row["id"] for row in rows])]
    got = found.drop("id").cast(pl.Float64).fill_null(float("nan")).to_numpy()

    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-9)


@given(events=logs())
@examples(60)
def test_window_functions_in_duckdb_equal_batch(events: list[Event]) -> None:
    late = view_of("cents", more=[decayed_mean("cents", "2s"), decayed_mean("cents", "3s", "6s")])
    view = replace(late, source=replace(late.source, created=None))
    rows = unique(events)
    log = table(rows).to_arrow()
    with duckdb.connect() as connection:
        connection.register("log", log)
        found = connection.sql(to_window_sql(view, table="log")).pl().sort("id")
    expected = batch(view, rows)[np.argsort([row["id"] for row in rows])]
    got = found.drop("id").cast(pl.Float64).fill_null(float("nan")).to_numpy()

    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-9)


def test_window_functions_refuse_what_they_cannot_say() -> None:
    view = view_of("cents")
    nameless = replace(view, source=EventSource("log", time="at"))

    with pytest.raises(FeatureError, match="arrive late"):
        to_window_sql(view, table="log")
    with pytest.raises(FeatureError, match="needs the id"):
        to_window_sql(nameless, table="log")


@given(events=logs(), seed=st.integers(0, 99))
@examples(60)
def test_the_order_of_a_file_changes_nothing(events: list[Event], seed: int) -> None:
    view = view_of("weight", more=[decayed_mean("weight", "2s")])
    order = random.Random(seed).sample(range(len(events)), len(events))
    shuffled = batch(view, [events[i] for i in order])

    np.testing.assert_array_equal(shuffled, batch(view, events)[order])


@given(events=logs(), at=st.integers(0, 14), known=st.integers(0, 14))
@examples(100)
def test_an_event_created_later_changes_no_earlier_value(
    events: list[Event], at: int, known: int
) -> None:
    view = view_of("cents")
    known = max(known, at)
    new: Event = {
        "id": 1000, "at": START_US + at * SECOND_US, "known": START_US + known * SECOND_US,
        "card": 3, "cents": 99.99, "weight": 99.99, "shop": "z", "fraud": True,
    }  # fmt: skip
    earlier = [i for i, e in enumerate(events) if e["at"] < new["known"]]
    before, after = batch(view, events), batch(view, [*events, new])

    np.testing.assert_array_equal(after[: len(events)][earlier], before[earlier])


@given(events=logs(), now=st.integers(0, 20))
@examples(100)
def test_a_read_as_of_now_equals_what_batch_says_of_that_time(
    events: list[Event], now: int
) -> None:
    view = view_of("cents")
    now_us = START_US + now * SECOND_US
    engine = StreamEngine([view], whole_columns=["fraud"], lateness_us=60 * SECOND_US)
    engine.push(events)
    cards = [3, 5, 4]
    computed = compute_at(
        view, read_events(view.source, table(events)), pl.Series(cards), np.full(3, now_us)
    )

    np.testing.assert_array_equal(
        engine.read("card", cards, now_us=now_us),
        np.column_stack([computed[name] for name in view.names]),
    )


@pytest.mark.parametrize("kind", sorted({feature.kind for feature in features("cents")}))
def test_an_entity_without_events_has_what_its_features_say_of_nothing(kind: str) -> None:
    view = view_of("cents")
    engine = StreamEngine([view])
    values = engine.read("card", [7], now_us=START_US)[0]

    for feature, value in itertools.compress(
        zip(view.features, values, strict=True), [f.kind == kind for f in view.features]
    ):
        empty = 0.0 if feature.kind == "count" else feature.empty
        assert np.isnan(value) if empty is None else value == empty
