"""What goes wrong in service: clocks, keys, stores and requests that are not as they should be."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import FeatureError, StoreError
from tradespace.data.inputs import InputColumn, InputSchema
from tradespace.features import (
    EventSource,
    FeatureView,
    RowFeatures,
    count,
    hour,
    last,
    mean,
    rate,
    sum_,
)
from tradespace.features.batch.compute import compute_at
from tradespace.features.batch.events import read_events
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.online import OnlineInputs
from tradespace.features.stream.state import SqliteState

SECOND = 1_000_000
NOON = 1_714_564_800 * SECOND
DAY = 86_400 * SECOND
SOURCE = EventSource("log", time="at", id="id", decimals={"eur": 2})
VIEW = FeatureView("card", SOURCE, "card", [count("1h"), mean("eur", "1h")])


def event(i: int, **other: Any) -> dict[str, Any]:
    return {"id": i, "at": NOON + i * SECOND, "card": "a", "eur": 1.5} | other


def counted(engine: StreamEngine, *, at: int = NOON + 60 * SECOND) -> float:
    return float(engine.read("card", ["a"], now_us=at)[0, 0])


def test_an_event_of_the_future_makes_nothing_leave() -> None:
    engine = StreamEngine([VIEW], wall_us=lambda: NOON + 60 * SECOND)
    engine.push([event(1), event(2)])
    engine.push([event(3, at=NOON + DAY)])
    engine.push([event(4)])

    assert counted(engine) == 3


def test_a_changed_view_reads_the_stream_again_and_the_others_do_not_count_twice(
    tmp_path: Path,
) -> None:
    events = [event(i) for i in range(50)]
    path = tmp_path / "s.db"
    before = StreamEngine([VIEW], state=path)
    before.push(events)
    assert isinstance(before.state, SqliteState)
    before.state.close()
    other = FeatureView("other", SOURCE, "card", [count("2h"), sum_("eur", "2h")])
    engine = StreamEngine([VIEW, other], state=path)
    offset = engine.offset
    engine.push(events[offset:20])
    halfway = counted(engine)
    engine.push(events[engine.offset :])

    assert (offset, halfway) == (0, 50)
    assert counted(engine) == 50
    assert engine.read("other", ["a"], now_us=NOON + DAY // 24)[0].tolist() == [50.0, 75.0]
    assert engine.offset == 50


def test_one_process_writes(tmp_path: Path) -> None:
    first = StreamEngine([VIEW], state=tmp_path / "s.db", materialize=True)
    second = StreamEngine([VIEW], state=tmp_path / "s.db")
    first.push([event(0)])

    assert second.read_materialized("card", ["a"]).tolist() == [[1.0, 1.5]]
    with pytest.raises(StoreError, match=r"Process \d+ writes to the store .*s\.db"):
        second.push([event(1)])
    assert isinstance(first.state, SqliteState)
    first.state.close()
    with pytest.raises(StoreError, match="was written to since it was opened here"):
        second.commit()
    third = StreamEngine([VIEW], state=tmp_path / "s.db")
    third.push([event(1)])
    assert counted(third) == 2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (event(2, id="x"), "'id' of an event of source 'log' is 'x', a text; of others .* number"),
        (event(2, card=7), "'card' of an event .* is 7, a number; of others it is a text"),
        (event(2, eur=float("inf")), "'eur' .* is infinite"),
        (event(2, eur=1.005), "'eur' .* is 1.005; its source declares 2 decimals"),
        (event(2, at=NOON // SECOND), "which is of 1970 or before"),
        (event(2, at="noon"), "has the time 'noon'"),
        (event(1, at=NOON), "has the id 1 of another but not its time"),
        (event(4, at=NOON), "has the id 4 of another but not its time"),
        (event(2, card=None), "has no 'card'"),
        ("id=1", "An event is 'id=1', of type str"),
    ],
)
@pytest.mark.parametrize("durable", [False, True])
def test_what_batch_refuses_is_refused_and_leaves_nothing_behind(
    bad: Any, message: str, durable: bool, tmp_path: Path
) -> None:
    engine = StreamEngine([VIEW], state=tmp_path / "s.db" if durable else None)
    engine.push([event(1)])
    with pytest.raises(FeatureError, match=message) as caught:
        engine.push([event(3), event(4), bad])

    assert caught.value.remedy
    assert (counted(engine), engine.offset) == (1, 1)
    engine.push([event(3)])
    assert counted(engine) == 2


def test_a_rate_takes_truths_in_service_too() -> None:
    engine = StreamEngine(FeatureView("card", SOURCE, "card", [rate("fraud", "1h")]))
    engine.push([event(1, fraud=True), event(2, fraud=0), event(3, fraud=None)])

    assert engine.read("card", ["a"], now_us=NOON + 9 * SECOND)[0, 0] == 0.5
    with pytest.raises(FeatureError, match=r"'fraud' .* is 2, not true or false"):
        engine.push([event(4, fraud=2)])


def test_events_that_the_source_leaves_out_do_not_exist_in_service() -> None:
    paid = EventSource("log", time="at", id="id", decimals={"eur": 2}, where="eur > 1.0")
    engine = StreamEngine(FeatureView("card", paid, "card", [count("1h")]))
    engine.push([event(1), event(2, eur=0.5, card=None), event(3, eur=None), event(4)])

    assert counted(engine) == 2
    assert engine.offset == 4


def test_keys_are_remembered_over_a_restart(tmp_path: Path) -> None:
    first = SqliteState(tmp_path / "s.db")
    StreamEngine([VIEW], state=first).push([event(1)])
    first.close()
    engine = StreamEngine([VIEW], state=tmp_path / "s.db")

    with pytest.raises(FeatureError, match="of others it is a text"):
        engine.push([event(2, card=7)])
    with pytest.raises(FeatureError, match="has the id 1 of another"):
        engine.push([event(1, at=NOON)])


@pytest.mark.parametrize("events", [event(1), pl.DataFrame([event(1)]), "id=1"])
def test_events_that_are_no_list_are_refused(events: Any) -> None:
    with pytest.raises(FeatureError, match="Events came as one") as caught:
        StreamEngine(VIEW).push(events)
    assert "list of mappings" in caught.value.remedy


def test_rows_of_any_reader_are_taken_in_as_batch_takes_them() -> None:
    berlin = EventSource("log", time="at", id="id", decimals={"eur": 2}, time_zone="Europe/Berlin")
    early = count("1d", where=hour("at") < 3)
    view = FeatureView(
        "card", berlin, "card", [count("1d"), sum_("eur", "1d"), last("paid"), early]
    )
    start = dt.datetime(2024, 10, 27, 0, 30)
    rows = [
        {
            "id": np.int32(i),
            "at": start + dt.timedelta(minutes=20 * i),
            "card": np.int64(i % 2),
            "eur": Decimal(i) / 4,
            "paid": np.bool_(i % 3),
        }
        for i in range(12)
    ]
    plain = [{k: v.item() if isinstance(v, np.generic) else v for k, v in r.items()} for r in rows]
    frame = pl.DataFrame(plain, schema_overrides={"eur": pl.Decimal(10, 2)})
    events = read_events(berlin, frame)
    now = int(events.time_us.max())
    engine = StreamEngine(view, whole_columns=["paid"])
    engine.push(rows)
    expected = compute_at(view, events, pl.Series([0, 1]), np.full(2, now))

    np.testing.assert_array_equal(
        engine.read("card", np.array([0, 1]), now_us=now),
        np.column_stack([expected[name] for name in view.names]),
    )


def test_a_local_time_that_never_was_is_refused_in_service_too() -> None:
    berlin = EventSource("log", time="at", id="id", time_zone="Europe/Berlin")
    engine = StreamEngine(FeatureView("card", berlin, "card", [count("1h")]))

    with pytest.raises(FeatureError, match="does not exist in Europe/Berlin"):
        engine.push([event(1, at=dt.datetime(2024, 3, 31, 2, 30))])


@pytest.mark.parametrize(
    ("entities", "now_us", "message"),
    [
        ("a", NOON, "Entities are 'a', which is a text"),
        (["a", None], NOON, "Entity 1 of 2 is missing"),
        ([5], NOON, "Entity 5 asked of view 'card' is a number; those of its events are a text"),
        (["a"], NOON // SECOND, "moment of a read .* of 1970"),
        (["a"], 1e15, "moment of a read has the time"),
    ],
)
def test_a_read_that_cannot_mean_what_it_says_is_refused(
    entities: Any, now_us: Any, message: str
) -> None:
    engine = StreamEngine(VIEW)
    engine.push([event(1)])

    with pytest.raises(FeatureError, match=message) as caught:
        engine.read("card", entities, now_us=now_us)
    assert caught.value.remedy


def inputs() -> OnlineInputs:
    engine = StreamEngine(VIEW)
    engine.push([event(1)])
    clock = RowFeatures("clock", SOURCE, {"night": hour("at") < 3})
    names = ("card_count_1h", "night", "age")
    return OnlineInputs(
        InputSchema(tuple(InputColumn(name, "number") for name in names)), [engine], rows=[clock]
    )


def test_a_request_may_hold_a_datetime() -> None:
    at = dt.datetime(2024, 5, 1, 1, tzinfo=dt.UTC)
    found = inputs().read([{"card": "a", "at": at, "age": 3}], now_us=NOON + 2 * SECOND)

    assert found.numbers.tolist() == [[1.0, 1.0, 3.0]]


@pytest.mark.parametrize(
    ("requests", "mode", "message"),
    [
        ([{"card": "a", "age": 3}], "now", "A request lacks 'at'"),
        ([{"card": None, "at": NOON, "age": 3}], "now", "Entity 0 of 1 is missing"),
        ([{"card": "a", "at": NOON, "age": "3"}], "now", "'age' of a request is '3', not a number"),
        ({"card": "a", "at": NOON, "age": 3}, "now", "Requests came as one dict"),
        ([{"card": "a", "at": NOON, "age": 3}], "fast", "got mode 'fast'"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(
    requests: Any, mode: Any, message: str
) -> None:
    with pytest.raises(FeatureError, match=message):
        inputs().read(requests, now_us=NOON + 2 * SECOND, mode=mode)


def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for place in (tmp_path / "no" / "s.db", tmp_path):
        with pytest.raises(StoreError, match="cannot be opened"):
            SqliteState(place)


def test_a_store_that_was_closed_says_so(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "s.db")
    engine = StreamEngine(VIEW, state=state)
    state.close()

    with pytest.raises(StoreError, match="was closed"):
        engine.push([event(1)])
    with pytest.raises(StoreError, match="was closed"):
        engine.read_materialized("card", ["a"])


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "s.db")
    engine = StreamEngine(VIEW, state=state, materialize=True)
    engine.push([event(0)])
    pages = state._db.execute("PRAGMA page_count").fetchone()[0]
    state._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"disk of the store .* is full"):
        engine.push([event(i) for i in range(1, 3_000)])
    state._db.execute("PRAGMA max_page_count = 100000")
    engine.commit()
    state.close()
    again = StreamEngine(VIEW, state=tmp_path / "s.db")

    assert again.offset == 3_000
    assert counted(again, at=NOON + 2_999 * SECOND) == 3_000
    assert sqlite3.connect(tmp_path / "s.db").execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )
