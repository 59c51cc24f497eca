"""What is wrong with definitions and data is said with its place, cause and remedy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    hour,
    last,
    mean,
    since_last,
)
from tradespace.features.batch import compute_row_features, compute_rows
from tradespace.features.build import source_events
from tradespace.features.events import read_events
from tradespace.features.load import load_views
from tradespace.features.stream import StreamEngine

LOG = EventSource("log", time="at", id="id")
NOON = dt.datetime(2024, 1, 1, 12)
ROWS = pl.DataFrame(
    {"id": [1, 2], "at": [NOON, NOON], "card": [1, 1], "shop": ["a", "b"], "eur": [1.0, 2.0]}
)


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
