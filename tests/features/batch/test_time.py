"""Event times, arrival times, time zones and the days on which clocks are changed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.errors import FeatureError
from tradespace.features import (
    EventSource,
    FeatureView,
    RowFeatures,
    clock_part,
    count,
    hour,
    rate,
    weekday,
)
from tradespace.features.batch.compute import compute_row_features, compute_rows
from tradespace.features.batch.events import read_events
from tradespace.features.stream.engine import StreamEngine

BRUSSELS = ZoneInfo("Europe/Brussels")
LOCAL = EventSource("log", time="at", id="id", time_zone="Europe/Brussels")
UTC = EventSource("log", time="at", id="id")


def log(times: list[dt.datetime]) -> pl.DataFrame:
    return pl.DataFrame({"id": range(len(times)), "at": times, "card": [1] * len(times)})


def counts(source: EventSource, times: list[dt.datetime], window: str) -> list[float]:
    view = FeatureView("card", source, "card", [count(window)])
    return compute_rows(view, read_events(source, log(times)))["card_count_" + window].tolist()


def test_windows_count_time_that_passed_not_what_clocks_said() -> None:
    # In the night of 31 March 2024 two o'clock became three: an hour passed, not two.
    spring = [dt.datetime(2024, 3, 31, 1, 30), dt.datetime(2024, 3, 31, 3, 29)]
    # In that of 27 October three became two: from half past one to half past three, three hours.
    autumn = [dt.datetime(2024, 10, 27, 1, 30), dt.datetime(2024, 10, 27, 3, 30)]

    assert counts(LOCAL, spring, "1h") == [1, 2]
    assert counts(UTC, spring, "1h") == [1, 1]
    assert counts(LOCAL, autumn, "3h") == [1, 1]
    assert counts(UTC, autumn, "3h") == [1, 2]


def test_a_local_time_that_never_was_is_refused() -> None:
    with pytest.raises(FeatureError, match=r"do not exist in Europe/Brussels \(row 1.*put forward"):
        counts(LOCAL, [dt.datetime(2024, 3, 31, 1), dt.datetime(2024, 3, 31, 2, 30)], "1h")


def test_a_local_time_that_was_twice_is_the_first_of_them() -> None:
    twice = dt.datetime(2024, 10, 27, 2, 30)
    events = read_events(LOCAL, log([twice]))

    assert events.time_us[0] == int(twice.replace(tzinfo=BRUSSELS, fold=0).timestamp()) * 10**6


def test_times_with_a_zone_need_no_other() -> None:
    times = [
        dt.datetime(2024, 3, 31, 1, 30, tzinfo=BRUSSELS),
        dt.datetime(2024, 3, 31, 1, tzinfo=dt.UTC),
    ]
    frame = log([]).clear()
    frame = pl.DataFrame(
        {"id": [0, 1], "at": pl.Series(times).dt.convert_time_zone("Asia/Tokyo"), "card": [1, 1]}
    )
    view = FeatureView("card", UTC, "card", [count("30min"), count("31min")])
    found = compute_rows(view, read_events(UTC, frame))

    assert found["card_count_30min"].tolist() == [1, 1]
    assert found["card_count_31min"].tolist() == [1, 2]


@given(
    st.lists(
        st.datetimes(dt.datetime(2023, 1, 1), dt.datetime(2025, 12, 31), timezones=st.just(dt.UTC)),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=20, deadline=None)
def test_hours_and_days_are_read_in_the_zone_of_the_source(times: list[dt.datetime]) -> None:
    parts = ("weekday", "hour", "minute", "day", "month")
    view = RowFeatures("clock", LOCAL, {part: clock_part(part, "at") for part in parts})
    frame = log([]).clear()
    frame = pl.DataFrame(
        {"id": range(len(times)), "at": times}, schema_overrides={"at": pl.Datetime("us", "UTC")}
    )
    batch = compute_row_features(view, frame)
    local = [time.astimezone(BRUSSELS) for time in times]

    assert batch["weekday"].tolist() == [time.weekday() for time in local]
    for part in parts[1:]:
        assert batch[part].tolist() == [getattr(time, part) for time in local]
    for expression in view.expressions:
        for time, value in zip(times, batch[expression.name], strict=True):
            micros = (time - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
            assert expression.evaluate({"at": micros}, time_zone="Europe/Brussels") == value


@pytest.mark.parametrize("part", ["weekday", "hour", "minute", "day", "month"])
def test_without_a_zone_of_the_source_hours_are_those_of_utc(part: str) -> None:
    times = [dt.datetime(1969, 12, 31, 23, 45), dt.datetime(2024, 3, 1, 0, 20)]
    tokyo = pl.Series("at", times).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    expression = clock_part(part, "at")
    view = RowFeatures("clock", UTC, {"part": expression})
    expected = [t.weekday() if part == "weekday" else getattr(t, part) for t in times]
    micros = [(t - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1) for t in times]

    assert compute_row_features(view, tokyo.to_frame())["part"].tolist() == expected
    assert compute_row_features(view, log(times))["part"].tolist() == expected
    assert [expression.evaluate({"at": t}) for t in micros] == expected


def test_weekdays_start_on_monday() -> None:
    monday = pl.DataFrame({"at": [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 7, 23)]})
    view = RowFeatures("c", UTC, {"day": weekday("at"), "hour": hour("at")})

    assert compute_row_features(view, monday)["day"].tolist() == [0, 6]
    assert compute_row_features(view, monday)["hour"].tolist() == [0, 23]


def test_labels_of_a_source_of_their_own_are_seen_from_their_arrival_on() -> None:
    labels = EventSource("labels", time="at", id="id", created="reported")
    view = FeatureView("shop", labels, "shop", [rate("fraud", "30d")])
    day = dt.datetime(2024, 1, 1)
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "at": [day, day + dt.timedelta(days=1), day + dt.timedelta(days=9)],
            "reported": [day + dt.timedelta(days=7), None, day + dt.timedelta(days=9)],
            "shop": ["a", "a", "a"],
            "fraud": [True, False, False],
        }
    )
    batch = compute_rows(view, read_events(labels, frame))["shop_mean_fraud_30d"]

    # The second row does not know of the first, whose label was reported a week later.
    assert batch.tolist() == [1.0, 0.0, 1 / 3]


def test_dates_are_times_at_midnight() -> None:
    frame = pl.DataFrame(
        {"id": [1, 2], "at": [dt.date(2024, 1, 1), dt.date(2024, 1, 2)], "card": [1, 1]}
    )
    view = FeatureView("card", UTC, "card", [count("1d"), count("25h")])
    found = compute_rows(view, read_events(UTC, frame))

    assert found["card_count_1d"].tolist() == [1, 1]
    assert found["card_count_25h"].tolist() == [1, 2]


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_the_unit_of_a_column_of_times_changes_nothing(unit: str) -> None:
    times = [dt.datetime(2024, 1, 1, 0, 0, s) for s in (0, 5, 9)]
    frame = log(times).with_columns(pl.col("at").cast(pl.Datetime(unit)))  # type: ignore[arg-type]  # a unit
    view = FeatureView("card", UTC, "card", [count("5s")])

    assert compute_rows(view, read_events(UTC, frame))["card_count_5s"].tolist() == [1, 1, 2]


def test_a_read_between_events_lets_old_events_leave() -> None:
    view = FeatureView("card", UTC, "card", [count("10s")])
    engine = StreamEngine([view])
    start, second = 1_714_521_600_000_000, 1_000_000
    engine.push([{"id": i, "at": start + i * second, "card": 1} for i in (1, 4)])
    found = [engine.read("card", [1], now_us=start + s * second)[0, 0] for s in (4, 10, 11, 13, 14)]

    np.testing.assert_array_equal(found, [2, 2, 1, 1, 0])
