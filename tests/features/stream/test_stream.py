"""The streaming engine: bounded memory, restarts, what a read names when it cannot answer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import FeatureError, StoreError
from tradespace.features import (
    EventSource,
    FeatureView,
    RowFeatures,
    column,
    count,
    hour,
    last,
    mean,
    since_last,
    sum_,
)
from tradespace.features.batch.compute import compute_at
from tradespace.features.batch.events import read_events
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.replay import backfill, verify
from tradespace.features.stream.state import SqliteState

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
SOURCE = EventSource("log", time="at", id="id", decimals={"eur": 2})
VIEW = FeatureView(
    "card", SOURCE, "card", [count("10s"), mean("eur", "1min")], freshness_us=60 * SECOND
)


def event(i: int, *, cards: int = 1_000_000) -> dict[str, Any]:
    return {"id": i, "at": START + i * SECOND, "card": i % cards, "eur": (i % 97) / 100}


@pytest.mark.parametrize("durable", [False, True])
def test_entities_without_events_leave_memory(durable: bool, tmp_path: Path) -> None:
    engine = StreamEngine([VIEW], state=SqliteState(tmp_path / "s.db") if durable else None)
    for start in range(0, 4_000, 4):
        engine.push([event(i) for i in range(start, start + 4)])
    live = engine._live["card"]

    # A minute of events, and those of the commits since the last sweep.
    assert len(live.entities) < 60 + 4 * 200 + 4
    if durable:
        stored = engine.state.load(VIEW.hash, list(range(4_000)))
        assert len(stored) < 60 + 4 * 200 + 4


def test_an_engine_that_starts_again_gives_the_same_values(tmp_path: Path) -> None:
    whole = StreamEngine([VIEW])
    whole.push([event(i, cards=7) for i in range(500)])
    for start in range(0, 500, 100):
        state = SqliteState(tmp_path / "s.db")
        engine = StreamEngine([VIEW], state=state, materialize=True)
        engine.push([event(i, cards=7) for i in range(max(engine.offset - 9, 0), start + 100)])
        again = engine.read("card", range(7), now_us=START + 499 * SECOND)
        state.close()

    np.testing.assert_array_equal(again, whole.read("card", range(7), now_us=START + 499 * SECOND))


def test_many_entities_are_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    StreamEngine([VIEW], state=SqliteState(path)).push([event(i) for i in range(1_200)])
    engine = StreamEngine([VIEW], state=SqliteState(path))
    values = engine.read("card", list(range(1_200)), now_us=START + 1_199 * SECOND)

    assert values.shape == (1_200, 2)
    assert values[:, 0].sum() == 10
    assert np.isnan(values[:1_139, 1]).all()


def test_what_is_stored_is_what_batch_said_at_the_last_event(tmp_path: Path) -> None:
    engine = StreamEngine([VIEW], state=SqliteState(tmp_path / "s.db"), materialize=True)
    engine.push([event(i, cards=3) for i in range(100)])

    np.testing.assert_array_equal(
        engine.read_materialized("card", [0, 1]),
        [
            engine.read("card", [0], now_us=START + 99 * SECOND)[0],
            engine.read("card", [1], now_us=START + 97 * SECOND)[0],
        ],
    )


def test_a_stale_vector_is_named_with_its_age() -> None:
    engine = StreamEngine([VIEW], materialize=True)
    engine.push([event(0)])

    assert engine.read_materialized("card", [0], now_us=START + 60 * SECOND).shape == (1, 2)
    with pytest.raises(FeatureError, match="vector of 0 in view 'card' is 61 s old"):
        engine.read_materialized("card", [0], now_us=START + 61 * SECOND)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"at": "noon", "id": 1, "card": 1, "eur": 1.0}, "has the time 'noon'"),
        ({"at": 1.5, "id": 1, "card": 1, "eur": 1.0}, "has the time 1.5"),
        ({"at": START, "card": 1, "eur": 1.0}, "has no 'id'"),
        ({"at": START, "id": 1, "eur": 1.0}, "has no 'card'"),
        ({"at": START, "id": 1, "card": 1}, "Unknown column 'eur'"),
        ({"at": START, "id": 1, "card": 1, "eur": "2.50"}, "'eur' .* is '2.50', not a number"),
    ],
)
def test_an_event_that_cannot_be_taken_in_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(FeatureError, match=message) as caught:
        StreamEngine([VIEW]).push([given])
    assert caught.value.remedy


def test_a_batch_with_a_bad_event_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = StreamEngine([VIEW], state=SqliteState(tmp_path / "s.db"))
    engine.push([event(0, cards=1)])
    with pytest.raises(FeatureError):
        engine.push([event(1, cards=1), {"at": START + 2 * SECOND, "id": 2, "card": 0}])
    values = engine.read("card", [0], now_us=START + 2 * SECOND)
    engine.push([event(1, cards=1)])

    assert values[0, 0] == 1
    assert engine.offset == 2
    assert engine.read("card", [0], now_us=START + 2 * SECOND)[0, 0] == 2


def test_a_view_that_is_not_served_is_named() -> None:
    with pytest.raises(FeatureError, match=r"Unknown feature view 'crad'.*Did you mean 'card'"):
        StreamEngine([VIEW]).read("crad", [1], now_us=START)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("not a database at all, but long enough to look at" * 9)

    with pytest.raises(StoreError, match="not a store of online features"):
        SqliteState(tmp_path / "s.db")


def test_two_versions_of_a_view_keep_their_states_apart(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    StreamEngine([VIEW], state=SqliteState(path)).push([event(0)])
    other = FeatureView("card", SOURCE, "card", [sum_("eur", "1h"), last("eur")])
    engine = StreamEngine([other], state=SqliteState(path))

    assert np.isnan(engine.read("card", [0], now_us=START)[0, 1])


def log(n: int) -> pl.DataFrame:
    start = dt.datetime(1980, 1, 1)
    rows = [{**event(i, cards=7), "at": start + dt.timedelta(seconds=i)} for i in range(n)]
    return pl.DataFrame(rows)


def test_history_gives_the_values_of_a_stream_that_was_always_there(tmp_path: Path) -> None:
    events = read_events(SOURCE, log(25_000).sample(fraction=1.0, shuffle=True, seed=0))
    now = int(events.time_us.max())
    engine = StreamEngine([VIEW], state=SqliteState(tmp_path / "s.db"), materialize=True)
    n_taken = backfill(engine, events, offset=25_000)
    batch = compute_at(VIEW, events, pl.Series(range(7)), np.full(7, now))

    # A minute of history is all that the longest window can reach.
    assert n_taken == 60
    assert engine.offset == 25_000
    np.testing.assert_array_equal(
        engine.read("card", range(7), now_us=now),
        np.column_stack([batch[name] for name in VIEW.names]),
    )


def test_history_that_was_taken_in_halfway_is_taken_in_again(tmp_path: Path) -> None:
    unbounded = FeatureView("card", SOURCE, "card", [count(None), sum_("eur", None)])
    events = read_events(SOURCE, log(25_000))
    state = SqliteState(tmp_path / "s.db")
    engine = StreamEngine([unbounded], state=state)

    class StopError(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.5:
            raise StopError

    with pytest.raises(StopError):
        backfill(engine, events, offset=25_000, progress=stop)
    state.close()
    again = StreamEngine([unbounded], state=SqliteState(tmp_path / "s.db"))
    assert again.offset == 0
    backfill(again, events, offset=25_000)

    assert again.read("card", range(7), now_us=int(events.time_us.max()))[:, 0].sum() == 25_000


def test_events_without_ids_are_verified_too() -> None:
    nameless = EventSource("log", time="at", decimals={"eur": 2})
    view = FeatureView("card", nameless, "card", [count("3s"), mean("eur", "9s"), since_last()])
    clock = RowFeatures("clock", nameless, {"late": hour("at") >= 1, "dear": column("eur") > 0.5})
    found = verify({"card": view, "clock": clock}, read_events(nameless, log(300)))

    assert [(one.feature, one.rows) for one in found] == [
        (name, 0) for name in (*view.names, *clock.names)
    ]
