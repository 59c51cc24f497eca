"""Verifying a part of the events: some entities, some last days, the same verdict."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tradespace.cli import run
from tradespace.core.errors import FeatureError
from tradespace.features import (
    EventSource,
    FeatureView,
    RowFeatures,
    count,
    hour,
    last,
    mean,
)
from tradespace.features.batch.compute import compute_all
from tradespace.features.batch.events import Events, read_events
from tradespace.features.define.views import View
from tradespace.features.stream.replay import verify
from tradespace.features.stream.sample import Portion

LOG = EventSource("log", time="at", id="id", created="known", decimals={"eur": 2})
START = dt.datetime(2024, 3, 1)
DAY_US = 86_400_000_000


def views(*, unbounded: bool = False) -> dict[str, View]:
    card = [count("1d"), mean("eur", "2d", delay="1d")]
    if unbounded:
        card.append(last("eur", None, k=2))
    return {
        "clock": RowFeatures("clock", LOG, {"night": hour("at") <= 6}),
        "card": FeatureView("card", LOG, "card", card),
        "shop": FeatureView("shop", LOG, "shop", [count("3d")]),
    }


def log(n: int = 800) -> Events:
    rng = np.random.default_rng(5)
    at = rng.integers(0, 10 * 86_400, n) * 1_000_000
    late = rng.integers(0, 2, n) * rng.integers(0, 7_200, n) * 1_000_000
    frame = pl.DataFrame(
        {
            "id": np.arange(n),
            "at": pl.Series(at).cast(pl.Duration("us")) + START,
            "known": pl.Series(at + late).cast(pl.Duration("us")) + START,
            "card": rng.integers(0, 40, n),
            "shop": pl.Series(rng.integers(0, 9, n)).cast(pl.String),
            "eur": rng.integers(0, 9_999, n) / 100,
        }
    )
    # Some are delivered twice.
    return read_events(LOG, pl.concat([frame, frame.head(30)]))


@pytest.mark.parametrize("unbounded", [False, True])
@pytest.mark.parametrize(
    "portion", [Portion(), Portion(5), Portion(last_us=2 * DAY_US), Portion(5, 3 * DAY_US)]
)
def test_a_part_of_the_events_agrees_as_all_do(portion: Portion, *, unbounded: bool) -> None:
    told: list[str] = []
    found = verify(views(unbounded=unbounded), log(), portion=portion, say=told.append)

    assert all(d.rows == 0 and d.compared > 0 for d in found)
    assert bool(told) == (portion != Portion())


def test_a_sample_takes_whole_entities_and_says_how_many() -> None:
    events = log()
    told: list[str] = []
    first = verify(views(), events, portion=Portion(5), say=told.append)
    again = verify(views(), events, portion=Portion(5))
    compared = {d.feature: d.compared for d in first}
    sizes = sorted(events.frame["card"].value_counts()["count"].to_list())

    assert first == again
    assert compared["night"] == compared["card_count_1d"]
    assert sum(sizes[:5]) <= compared["card_count_1d"] <= sum(sizes[-5:])
    assert told[0].startswith("Compares 5 of 40 entities (card) drawn by a hash: ")
    assert told[1].startswith("Compares 5 of 9 entities (shop) drawn by a hash: ")


def test_the_last_days_are_compared_with_the_history_that_their_windows_reach() -> None:
    events = log()
    found = verify(views(), events, portion=Portion(last_us=DAY_US))
    since = int(events.time_us.max()) - DAY_US

    assert {d.compared for d in found} == {int((events.time_us > since).sum())}


def test_a_difference_within_the_part_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = compute_all

    def wrong(wanted: dict[str, View], events: Events) -> dict[str, Any]:
        values = honest(wanted, events)
        newest = int(np.argmax(events.time_us))
        return {
            name: np.where(np.arange(len(a)) == newest, np.nan, a) for name, a in values.items()
        }

    monkeypatch.setattr("tradespace.features.stream.replay.compute_all", wrong)
    found = {d.feature: d for d in verify(views(), log(), portion=Portion(last_us=DAY_US))}

    assert (found["card_count_1d"].rows, found["card_count_1d"].missing) == (1, 1)
    assert found["card_count_1d"].greatest == 0.0


@pytest.mark.parametrize(
    ("entities", "last_us", "message"),
    [
        (0, None, "A sample is a whole number of entities, 1 or more; got 0"),
        (-3, None, "A sample is a whole number of entities, 1 or more; got -3"),
        (None, 0, "The last time to look at must be longer than 0"),
    ],
)
def test_a_part_that_is_nothing_is_refused(
    entities: int | None, last_us: int | None, message: str
) -> None:
    with pytest.raises(FeatureError, match=message):
        Portion(entities, last_us)


def test_a_sample_without_events_in_the_last_time_proves_nothing() -> None:
    with pytest.raises(FeatureError, match=r"There is nothing to compare: 1 of 40 .* 0 of them"):
        verify({"card": views()["card"]}, log(), portion=Portion(1, 1))


def test_progress_is_told_every_thousand_events_and_only_rises() -> None:
    told: list[float] = []
    verify(views(), log(3_000), progress=told.append)

    assert told == sorted(told)
    assert len(told) > 6
    assert told[-1] == pytest.approx(1.0)


def test_the_command_says_what_it_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    log().frame.write_parquet("log.parquet")
    (tmp_path / "features.py").write_text(
        "from tradespace.features import *\n"
        'log = EventSource("log", path="log.parquet", time="at", id="id", created="known")\n'
        'card = FeatureView("card", log, "card", [count("1d")])\n'
    )
    command = ["features", "verify", "features.py", "-q", "--sample", "5", "--last", "5d"]
    assert run(command) == 0
    told = capsys.readouterr()
    assert run(["features", "verify", "features.py", "--last", "0"]) == 2
    refused = capsys.readouterr().err

    assert "Compares 5 of 40 entities (card) drawn by a hash" in told.err
    assert " of them after 2024-03-05 " in told.err
    assert "card_count_1d: 0 of " in told.out
    assert "must be longer than 0" in refused
