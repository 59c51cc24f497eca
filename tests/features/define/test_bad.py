"""What is wrong with definitions and data is said with its place, cause and remedy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import FeatureError
from tradespace.features import (
    ColumnRule,
    Contract,
    EventSource,
    FeatureView,
    RowFeatures,
    count,
    decayed_mean,
    hour,
    last,
    mean,
    ratio,
    since_last,
)
from tradespace.features.batch.compute import (
    compute_all,
    compute_at,
    compute_row_features,
    compute_rows,
)
from tradespace.features.batch.events import read_events
from tradespace.features.build.build import build, source_events
from tradespace.features.define.load import load_view, load_views
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.replay import backfill

LOG = EventSource("log", time="at", id="id")
NOON = dt.datetime(2024, 1, 1, 12)
ROWS = pl.DataFrame(
    {"id": [1, 2], "at": [NOON, NOON], "card": [1, 1], "shop": ["a", "b"], "eur": [1.0, 2.0]}
)

BACK = ROWS.with_columns(at=pl.Series([NOON, NOON - dt.timedelta(hours=1)]))


def compute(view: FeatureView, rows: pl.DataFrame = ROWS) -> None:
    compute_rows(view, read_events(view.source, rows))


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "unit": (lambda: count("7 dys"), "Unknown unit 'dys'.*Did you mean 'days'"),
    "window": (lambda: count("soon"), "A window is a number and a unit"),
    "zero window": (lambda: count("0d"), "must be longer than 0"),
    "negative delay": (lambda: count("7d", delay="-1d"), "cannot be negative"),
    "k": (lambda: last("eur", k=0), "must be 1 or more"),
    "no features": (lambda: FeatureView("v", LOG, "card", []), "needs a list of features"),
    "two names": (
        lambda: FeatureView("v", LOG, "card", [count("1d"), count("1d")]),
        "two features named",
    ),
    "not a feature": (lambda: FeatureView("v", LOG, "card", [hour("at")]), "is not a feature"),  # type: ignore[list-item]  # on purpose
    "zone": (lambda: EventSource("s", time_zone="Mars/Olympus"), "Unknown time zone"),
    "decimals": (lambda: EventSource("s", decimals={"eur": -1}), "must be 0 to 9"),
    "truth": (lambda: bool(hour("at") >= 3), "has no truth value"),
    "column": (
        lambda: compute(FeatureView("v", LOG, "card", [mean("eurr", "1d")])),
        "Unknown column 'eurr'.*Did you mean 'eur'",
    ),
    "entity": (
        lambda: compute(FeatureView("v", LOG, "cart", [count("1d")])),
        "Did you mean 'card'",
    ),
    "string": (lambda: compute(FeatureView("v", LOG, "card", [mean("shop", "1d")])), "not numbers"),
    "empty": (
        lambda: compute(FeatureView("v", LOG, "card", [count("1d")]), ROWS.head(0)),
        "has no events",
    ),
    "1970": (
        lambda: compute(
            FeatureView("v", LOG, "card", [count("1d")]),
            ROWS.with_columns(at=pl.lit(0).cast(pl.Datetime("us"))),
        ),
        "Row 0 .* 1970",
    ),
    "no times": (
        lambda: compute(
            FeatureView("v", LOG, "card", [count("1d")]), ROWS.with_columns(at=pl.lit("x"))
        ),
        "must hold times",
    ),
    "ties without id": (
        lambda: compute(FeatureView("v", EventSource("log", time="at"), "card", [count("1d")])),
        "no id that orders them",
    ),
    "infinite": (
        lambda: compute(
            FeatureView("v", LOG, "card", [mean("eur", "1d")]),
            ROWS.with_columns(eur=pl.lit(float("inf"))),
        ),
        "infinite values",
    ),
    "too many decimals": (
        lambda: compute(
            FeatureView(
                "v",
                EventSource("log", time="at", id="id", decimals={"eur": 0}),
                "card",
                [mean("eur", "1d")],
            ),
            ROWS.with_columns(eur=pl.lit(0.5)),
        ),
        "declared with 0 decimals",
    ),
    "hour of a string": (
        lambda: compute_row_features(RowFeatures("r", LOG, [hour("shop")]), ROWS),
        "do not fit their columns",
    ),
    "no vector": (
        lambda: StreamEngine([FeatureView("v", LOG, "card", [since_last()])]).read_materialized(
            "v", [1]
        ),
        "no stored vector",
    ),
    "contract": (
        lambda: read_events(
            EventSource("s", time="at", contract=Contract(columns={"eur": ColumnRule(high=1.5)})),
            ROWS,
        ),
        r"breaks its contract: eur: above 1.5: 1 rows \(for example 2.0\)",
    ),
    "changed schema": (
        lambda: read_events(
            EventSource(
                "s", time="at", contract=Contract(columns={"eur": ColumnRule(type="string")})
            ),
            ROWS,
        ),
        "Float64 instead of string",
    ),
    "unseen category": (
        lambda: read_events(
            EventSource(
                "s", time="at", contract=Contract(columns={"shop": ColumnRule(levels=["a"])})
            ),
            ROWS,
        ),
        "unseen category: 1 rows",
    ),
    "unordered": (
        lambda: read_events(EventSource("s", time="at", contract=Contract(ordered=True)), BACK),
        r"at: time going backwards: 1 rows",
    ),
    "repeated": (
        lambda: read_events(EventSource("s", time="at", contract=Contract(unique=["card"])), ROWS),
        r"card: repeated: 1 rows \(for example 1\)",
    ),
    "too many nulls": (
        lambda: read_events(
            EventSource("s", time="at", contract=Contract(columns={"eur": ColumnRule(nulls=0.2)})),
            ROWS.with_columns(eur=pl.Series([None, 1.0])),
        ),
        "eur: more than 20% missing: 1 rows",
    ),
    "dates to come": (
        lambda: read_events(
            EventSource("s", time="at", contract=Contract(until="2023-12-31")), ROWS
        ),
        "after 2023-12-31: 2 rows",
    ),
    "column of the contract": (
        lambda: read_events(
            EventSource("s", time="at", contract=Contract(columns={"usd": ColumnRule()})), ROWS
        ),
        "usd: missing column: 2 rows",
    ),
    "rule of nulls": (lambda: ColumnRule(nulls=1.5), "a share, 0 to 1"),
    "null entity": (
        lambda: compute(
            FeatureView("v", LOG, "card", [count("1d")]),
            ROWS.with_columns(card=pl.Series([1, None])),
        ),
        "Entity 'card' of view 'v' is missing in 1 rows",
    ),
    "null time": (
        lambda: compute(
            FeatureView("v", LOG, "card", [count("1d")]),
            ROWS.with_columns(at=pl.Series([NOON, None])),
        ),
        "lacks 1 times, first in row 1",
    ),
    "null id": (
        lambda: compute(
            FeatureView("v", LOG, "card", [count("1d")]),
            ROWS.with_columns(id=pl.Series([1, None])),
        ),
        "lacks 1 ids",
    ),
    "one id, two times": (
        lambda: compute(FeatureView("v", LOG, "card", [count("1d")]), BACK.with_columns(id=1)),
        r"share an id but not the time \(rows",
    ),
    "half-life": (lambda: decayed_mean("eur", "0d"), "must be longer than 0"),
    "ratio of numbers": (lambda: ratio(count("1d"), 3), "divides two features; got 3"),  # type: ignore[arg-type]  # on purpose
    "column that is a condition": (
        lambda: mean(hour("at") >= 3, "1d"),  # type: ignore[arg-type]  # on purpose
        "must be a name",
    ),
    "condition that is code": (
        lambda: count("1d", where="__import__('os')"),
        "holds something that is not allowed|part of a time",
    ),
    "entities of another type": (
        lambda: compute_at(
            FeatureView("v", LOG, "card", [count("1d")]),
            read_events(LOG, ROWS),
            pl.Series(["one"]),
            np.array([0]),
        ),
        "are Int64 in the source but String here",
    ),
    "two engines' sources": (
        lambda: StreamEngine(
            [
                FeatureView("v", LOG, "card", [count("1d")]),
                FeatureView("w", EventSource("other"), "card", [count("1d")]),
            ]
        ),
        "serves views of one source",
    ),
    "history without ids": (
        lambda: backfill(
            StreamEngine([FeatureView("v", EventSource("log", time="at"), "card", [count("1d")])]),
            read_events(LOG, ROWS),
        ),
        "names no id",
    ),
    "no path": (
        lambda: source_events({"v": FeatureView("v", LOG, "card", [count("1d")])}),
        "names no file",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_definition_or_bad_data_is_refused(name: str) -> None:
    work, message = CASES[name]

    with pytest.raises(FeatureError, match=message) as caught:
        work()
    assert caught.value.remedy


def test_an_error_in_a_file_of_features_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "features.py"
    path.write_text("from tradespace.features import count\n\nweek = count('7 dys')\n")

    with pytest.raises(FeatureError, match="dys") as caught:
        load_views(path)
    assert str(caught.value).startswith(f"{path.resolve()}:3")


def test_two_views_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "features.py"
    path.write_text(
        "from tradespace.features import *\n"
        "s = EventSource('s', time='t')\n"
        "a = FeatureView('v', s, 'e', [count('1d')])\n"
        "b = FeatureView('v', s, 'e', [count('2d')])\n"
    )

    with pytest.raises(FeatureError, match="Two views are named 'v'"):
        load_views(path)


FILE = """from tradespace.features import *

log = EventSource("log", path="log.parquet", time="at", id="id")
clock = RowFeatures("clock", log, [hour("at") <= 6])
card = FeatureView(
    "card", log, "card", [mean("eurr", "7d")]
)
"""


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (FILE, 5, "Did you mean 'eur'"),
        (FILE.replace("eurr", "shop"), 5, "not numbers"),
        (FILE.replace('"card", [mean', '"cart", [mean').replace("eurr", "eur"), 5, "Did you mean"),
        (FILE.replace('hour("at")', 'hour("shop")').replace("eurr", "eur"), 4, "do not fit"),
        (FILE.replace('hour("at")', 'hour("att")').replace("eurr", "eur"), 4, "Did you mean 'at'"),
    ],
)
def test_what_does_not_fit_the_data_is_said_at_the_line_of_the_view(
    text: str, line: int, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "features.py"
    path.write_text(text)
    views = load_views(path)
    events = read_events(LOG, ROWS)

    with pytest.raises(FeatureError, match=message) as caught:
        compute_all(views, events)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert load_view("features.py:card", folder=tmp_path).place == views["card"].place


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.parquet", b"", "cannot read"),
        ("log.parquet", b"PAR1 and then nothing that is Parquet", "cannot read"),
        ("log.csv", b"", "cannot read"),
        ("log.csv", b"id,at,card\n", "has no events"),
        ("log.csv", b"id,at,card\n1,soon,2\n", "must hold times; got String"),
        ("log.csv", b"id,at\n1,2024-01-01T00:00:00\n", "Unknown column 'card'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    source = EventSource("log", path=str(tmp_path / name), time="at", id="id")
    view = FeatureView("v", source, "card", [count("1d")])

    with pytest.raises(FeatureError, match=message) as caught:
        build({"v": view}, tmp_path / "out")
    assert caught.value.remedy
    assert not list(tmp_path.glob("out/*.parquet"))
