"""Definitions refuse what cannot be meant, and say what is allowed."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import FeatureError
from tradespace.core.hashing import content_hash
from tradespace.features import (
    ColumnRule,
    Contract,
    EventSource,
    Feature,
    FeatureView,
    OnBreach,
    RowFeatures,
    column,
    count,
    decayed_mean,
    hour,
    last,
    last_k,
    mean,
    rate,
)
from tradespace.features.batch.compute import compute_all, compute_rows
from tradespace.features.batch.events import read_events

LOG = EventSource("log", time="at", id="id", decimals={"eur": 2})
NOON = dt.datetime(2024, 1, 1, 12)
ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "at": [NOON, NOON + dt.timedelta(hours=1), NOON + dt.timedelta(hours=2)],
        "card": ["a", "b", "a"],
        "shop": ["x", "y", "x"],
        "eur": [1.0, 2.0, 3.0],
        "n": [0, 7, 1],
        "known": [True, None, False],
    }
)


def view(*features: Any, source: Any = LOG, name: Any = "v", entity: Any = "card") -> FeatureView:
    return FeatureView(name, source, entity, list(features))


def computed(made: FeatureView, rows: pl.DataFrame = ROWS) -> np.ndarray:
    return np.array(list(compute_rows(made, read_events(made.source, rows)).values()))


def checked(**rules: Any) -> EventSource:
    return EventSource("s", time="at", contract=Contract(columns=rules))


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "rate of a number": (
        lambda: computed(view(rate("n", "1d"))),
        "holds 1 numbers other than 0 and 1, like 7",
    ),
    "M": (lambda: count("1M"), "'M' in window '1M' is ambiguous; allowed are: us, ms, s, min"),
    "month": (lambda: count("1mo"), "A month has no fixed length"),
    "year": (lambda: count("2 years"), "A year has no fixed length"),
    "huge window": (lambda: count("99999999999d"), "at most 36500d.*or 'all'"),
    "entity of two": (
        lambda: view(count("1d"), entity=["card", "shop"]),
        r"entity of view 'v' is one column; got \['card', 'shop'\].*"
        r"with_columns\(key=pl.concat_str\(\['card', 'shop'\], separator='\|'\)\)",
    ),
    "no entity": (lambda: view(count("1d"), entity=None), "is the name of a column; got None"),
    "view as source": (
        lambda: view(count("1d"), source=view(count("1d"), name="other")),
        "must be an EventSource; got the view 'other'",
    ),
    "text as source": (lambda: view(count("1d"), source="log"), "EventSource; got 'log'"),
    "several paths": (
        lambda: EventSource("s", path=["a.parquet", "b.parquet"]),  # type: ignore[arg-type]  # on purpose
        "is one file or glob; got .'a.parquet'.*as a glob",
    ),
    "kind": (
        lambda: Feature(kind="median", column="eur"),
        "Unknown kind of feature 'median'; allowed are: count",
    ),
    "kind without its column": (lambda: Feature(kind="sum"), "reads a column; none is named"),
    "ratio of nothing": (lambda: Feature(kind="ratio"), "has two parts"),
    "window in a text": (lambda: Feature(kind="count", window_us="1d"), "whole number of micro"),  # type: ignore[arg-type]  # on purpose
    "empty": (lambda: mean("eur", "1d", empty="x"), "the number that stands for nothing; got 'x'"),
    "where": (lambda: count("1d", where=3), "where of count is a condition; got 3"),
    "option": (lambda: count("1d", filter="x"), "Unknown option of count 'filter'; allowed are: d"),
    "k of many": (lambda: last("eur", k=1001), "at most 1,000; got 1,001"),
    "many last": (lambda: last_k("eur", 5000), "at most 1,000; got 5,000"),
    "no last": (lambda: last_k("eur", -1), "must be 1 or more; got -1"),
    "list in a list": (
        lambda: view(last_k("eur", 2)),
        r"holds \[the feature last_eur_all, the feature .*write \*last_k",
    ),
    "column that is a feature": (lambda: mean(count("1d"), "1d"), "got the feature count_1d"),  # type: ignore[arg-type]  # on purpose
    "no name": (lambda: view(count("1d"), name=""), "cannot be the name of a view"),
    "name that leaves": (lambda: view(count("1d"), name="../x"), "cannot be the name of a view"),
    "name of rows": (lambda: RowFeatures("a/b", LOG, {"n": hour("at")}), "cannot be the name of r"),
    "name of a feature": (lambda: count("1d", name='a"b'), "cannot be the name of a feature"),
    "name that is a number": (lambda: count("1d", name=3), "must be a text; got 3"),
    "name of a column": (
        lambda: view(count("1d", name="eur")),
        "names a feature 'eur', like a column of its source",
    ),
    "name of the time": (lambda: view(count("1d", name="at")), "names a feature 'at'"),
    "freshness in a text": (
        lambda: FeatureView("v", LOG, "card", [count("1d")], freshness_us="1h"),  # type: ignore[arg-type]  # on purpose
        "a number of microseconds above 0; got '1h'.*freshness='5 min'",
    ),
    "freshness below 0": (
        lambda: FeatureView("v", LOG, "card", [count("1d")], freshness_us=-1),
        "above 0; got -1",
    ),
    "two freshnesses": (
        lambda: FeatureView("v", LOG, "card", [count("1d")], freshness="1h", freshness_us=1),
        "both freshness and freshness_us",
    ),
    "decimals of a string": (
        lambda: computed(
            view(
                count("1d", column="shop"), source=EventSource("s", time="at", decimals={"shop": 2})
            )
        ),
        "'shop' of source 's', which holds String, not numbers",
    ),
    "decimals in a list": (
        lambda: EventSource("s", decimals=["eur"]),  # type: ignore[arg-type]  # on purpose
        r"got \['eur'\].*decimals=\{'amount': 2\}",
    ),
    "condition of a source": (lambda: EventSource("s", where=3), "is a condition; got 3"),  # type: ignore[arg-type]  # on purpose
    "condition that none meets": (
        lambda: read_events(EventSource("s", time="at", where=column("n") > 99), ROWS),
        r"No event of source 's' meets its condition \(n > 99\)",
    ),
    "on breach": (
        lambda: Contract(on_breach="rapport"),  # type: ignore[arg-type]  # on purpose
        "Unknown choice of on_breach 'rapport'; allowed are: refuse, report. Did you mean 'report'",
    ),
    "contract that is none": (lambda: EventSource("s", contract=3), "must be a Contract; got 3"),  # type: ignore[arg-type]  # on purpose
    "key of a contract": (
        lambda: EventSource("s", contract={"colums": {}}),  # type: ignore[arg-type]  # on purpose
        "contract of source 's': Unknown key 'colums'.*Did you mean 'columns'",
    ),
    "key of a rule": (
        lambda: Contract(columns={"eur": {"lo": 0}}),  # type: ignore[dict-item]  # on purpose
        "rule of column 'eur': Unknown key 'lo'; allowed are: type, low",
    ),
    "rules in a list": (lambda: Contract(columns=["eur"]), "mapping of names to rules"),  # type: ignore[arg-type]  # on purpose
    "since": (lambda: Contract(since="last year"), "ISO date or time; got 'last year'"),
    "until": (lambda: Contract(until=3), "ISO date or time; got 3"),  # type: ignore[arg-type]  # on purpose
    "low above high": (lambda: ColumnRule(low=5, high=1), "low of a column rule is 5, above high"),
    "low of a string": (lambda: ColumnRule(type="string", low=0), "bounds of numbers; its type is"),
    "low that is a text": (lambda: ColumnRule(low="0"), "low of a column rule is a number"),  # type: ignore[arg-type]  # on purpose
    "levels in a text": (lambda: ColumnRule(levels="ab"), "list of the values allowed; got 'ab'"),
    "low on a column of strings": (
        lambda: read_events(checked(shop=ColumnRule(low=0)), ROWS),
        "bounds column 'shop' of source 's', which holds String.*levels=",
    ),
    "levels of another type": (
        lambda: read_events(checked(shop=ColumnRule(levels=[1, 2])), ROWS),
        "levels like 1 to column 'shop' of source 's', which holds String",
    ),
    "two sources of one name": (
        lambda: compute_all(
            {
                "a": view(count("1d"), name="a"),
                "b": view(count("1d"), name="b", source=EventSource("log", time="at", id="id")),
            },
            read_events(LOG, ROWS),
        ),
        "Two sources are named 'log': for view 'a' decimals is",
    ),
    "two features of one name": (
        lambda: compute_all(
            {
                "a": view(count("1d", name="x"), name="a"),
                "b": view(count("2d", name="x"), name="b"),
            },
            read_events(LOG, ROWS),
        ),
        "Views 'a' and 'b' both have a feature 'x'",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_meant_is_refused_with_what_is_allowed(name: str) -> None:
    work, message = CASES[name]

    with pytest.raises(FeatureError, match=message) as caught:
        work()
    assert caught.value.remedy


def test_a_contract_may_be_written_in_texts_and_mappings() -> None:
    written = EventSource(
        "s",
        contract={  # type: ignore[arg-type]  # a mapping of its settings
            "columns": {"eur": {"low": 0}},
            "since": dt.date(2024, 3, 31),
            "until": "2024-04-01T02:00:00+02:00",
            "unique": "click_id",
            "on_breach": "report",
        },
    )

    assert written.contract == Contract(
        columns={"eur": ColumnRule(low=0)},
        since="2024-03-31",
        until="2024-04-01T00:00:00",
        unique=("click_id",),
        on_breach=OnBreach.REPORT,
    )


def test_a_contract_that_says_refuse_in_a_text_refuses() -> None:
    rules = Contract(columns={"eur": ColumnRule(high=1)}, on_breach="refuse")  # type: ignore[arg-type]  # a text

    with pytest.raises(FeatureError, match="breaks its contract"):
        read_events(EventSource("s", time="at", contract=rules), ROWS)


def test_a_rate_takes_booleans_and_ones_and_zeros() -> None:
    found = computed(view(rate("known", "1d"), rate("n", "1d"), entity="shop"), ROWS[[0, 2]])

    np.testing.assert_array_equal(found, [[1.0, 0.5], [0.0, 0.5]])


def test_names_that_columns_can_have_are_kept() -> None:
    made = view(count("1d", name="a b"), mean("eur", "1d", name="Größe-7.d"), name="my view")

    assert made.names == ("a b", "Größe-7.d")


def test_freshness_is_a_duration() -> None:
    assert (
        FeatureView("v", LOG, "card", [count("1d")], freshness="5 min").freshness_us == 300_000_000
    )


def test_row_features_may_be_written_as_texts() -> None:
    texts: Any = {"night": "hour(at) <= 6"}

    assert (
        RowFeatures("r", LOG, texts).hash == RowFeatures("r", LOG, {"night": hour("at") <= 6}).hash
    )


def test_a_tiny_half_life_is_the_last_value_without_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = computed(view(decayed_mean("eur", "1us", "1d"), decayed_mean("eur", "1us")))

    np.testing.assert_array_equal(found, [[1.0, 2.0, 3.0]] * 2)


def test_a_local_time_that_was_twice_is_counted_and_refuses_nothing() -> None:
    autumn = dt.datetime(2024, 10, 27, 1, 30)
    times = [autumn + dt.timedelta(hours=hours) for hours in range(3)]
    source = EventSource("log", time="at", time_zone="Europe/Brussels", contract=Contract())
    events = read_events(source, pl.DataFrame({"at": times}))

    assert [str(breach) for breach in events.breaches] == [
        "at: was twice in Europe/Brussels and is taken as the first: 1 rows "
        "(for example 2024-10-27 02:30:00)"
    ]
    assert np.diff(events.time_us).tolist() == [3_600_000_000, 7_200_000_000]


FILTERED = EventSource("log", time="at", id="id", where=~column("card").is_null())


def test_events_that_fail_the_condition_of_a_source_exist_for_no_view() -> None:
    rows = ROWS.with_columns(card=pl.Series(["a", None, "a"]), id=pl.Series([1, 2, 3]))
    made = view(count("1d"), mean("eur", "1d"), source=FILTERED)
    events = read_events(FILTERED, rows)

    assert events.frame["id"].to_list() == [1, 3]
    np.testing.assert_array_equal(
        computed(made, rows), computed(view(count("1d"), mean("eur", "1d")), rows[[0, 2]])
    )


def test_the_condition_of_a_source_is_part_of_the_version() -> None:
    plain = EventSource("log", time="at", id="id")
    text: Any = "card is not None"
    made = {
        where: view(count("1d"), source=source).hash
        for where, source in {
            "none": plain,
            "python": FILTERED,
            "text": EventSource("log", time="at", id="id", where=text),
        }.items()
    }

    assert made["none"] != made["python"] == made["text"]
    assert "where" not in plain.to_dict()
    assert FILTERED == EventSource("log", time="at", id="id", where=text) != plain


def test_a_contract_asks_nothing_of_events_that_are_left_out() -> None:
    rules = Contract(columns={"card": ColumnRule(nulls=0), "eur": ColumnRule(high=2)})
    source = EventSource(
        "s", time="at", contract=rules, where=(column("eur") <= 2) & ~column("card").is_null()
    )

    assert len(read_events(source, ROWS)) == 2


def test_times_and_ids_that_are_missing_can_be_left_out() -> None:
    text: Any = "at is not None and id is not None"
    rows = ROWS.with_columns(
        at=pl.Series([NOON, None, NOON]), id=pl.Series([1, 2, None], dtype=pl.Int64)
    )

    assert len(read_events(EventSource("log", time="at", id="id", where=text), rows)) == 1


def test_many_last_values_are_keyed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = view(*last_k("eur", 50))
    asked: list[Any] = []

    def hashed(value: Any) -> str:
        asked.append(value)
        return content_hash(value)

    monkeypatch.setattr("tradespace.features.define.views.content_hash", hashed)
    for _ in range(3):
        assert len(dict.fromkeys(made.features, 1)) == 50

    assert len(asked) <= 50


def test_a_file_of_yaml_says_of_itself_what_it_must_be(tmp_path: Path) -> None:
    from tradespace.features.define.load import load_views

    (tmp_path / "f.yaml").write_text("- sources: {}\n")

    with pytest.raises(FeatureError, match=r"A file of features is a mapping.*'sources:'"):
        load_views(tmp_path / "f.yaml")
