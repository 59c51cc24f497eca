"""Expressions say the same in Polars, in DuckDB and event by event, or what does not fit."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.errors import FeatureError
from tradespace.features import EventSource, FeatureView, RowFeatures, column, count, hour, weekday
from tradespace.features.batch.compute import compute_row_features, compute_rows
from tradespace.features.batch.events import read_events
from tradespace.features.define.expression_text import parse_expression
from tradespace.features.define.expressions import Expression

LOG = EventSource("log", time="at", id="id", time_zone="Europe/Brussels")
START_US = 1_711_839_600_000_000  # an hour before the clocks of Europe go forward
NUMBERS = {"n": st.integers(-3, 3), "x": st.sampled_from([-1.5, 0.0, 0.5, 2.0, math.nan])}

numbers = st.recursive(
    st.sampled_from([column("n"), column("x"), column("b"), hour("at"), weekday("at")]),
    lambda inner: st.builds(
        lambda op, left, right: Expression(op, (left, right)),
        st.sampled_from(["+", "-", "*", "/"]),
        inner,
        inner | st.sampled_from([2, 0.5]).map(lambda value: Expression("literal", (value,))),
    ),
    max_leaves=4,
)
simple = st.one_of(
    st.builds(
        lambda op, left, right: Expression(op, (left, right)),
        st.sampled_from([">=", "<=", ">", "<", "==", "!="]),
        numbers,
        numbers,
    ),
    st.builds(lambda left: left.is_null(), numbers | st.just(column("s"))),
    st.builds(lambda left: left.is_in([0, 0.5, 2]), numbers),
    st.lists(st.sampled_from(["a", "b", "it's"]), min_size=1).map(lambda v: column("s").is_in(v)),
    st.sampled_from([column("s") == "a", column("s") < "b", column("b"), column("b") == 1]),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(lambda left, right: left & right, inner, inner),
        st.builds(lambda left, right: left | right, inner, inner),
        inner.map(lambda one: ~one),
    ),
    max_leaves=4,
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | NUMBERS["n"],
            "x": st.none() | NUMBERS["x"],
            "b": st.none() | st.booleans(),
            "s": st.none() | st.sampled_from(["a", "b", "c", "it's"]),
            "at": st.integers(0, 5).map(lambda hours: START_US + hours * 3_600_000_000),
        }
    ),
    min_size=1,
    max_size=8,
)


def table(events: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {"n": pl.Int8, "x": pl.Float64, "b": pl.Boolean, "s": pl.String}
    frame = pl.DataFrame({k: [e[k] for e in events] for k in schema}, schema=schema)
    times = pl.Series("at", [e["at"] for e in events]).cast(pl.Datetime("us", "UTC"))
    return frame.with_columns(times, id=pl.Series(range(len(events)), dtype=pl.Int64))


@given(condition=conditions, events=rows)
@settings(max_examples=60, deadline=None)
def test_a_condition_is_the_same_in_polars_in_duckdb_and_event_by_event(
    condition: Expression, events: list[dict[str, Any]]
) -> None:
    frame = table(events)
    found = compute_row_features(RowFeatures("r", LOG, {"c": condition}), frame)["c"]
    told = [condition.evaluate(event, time_zone=LOG.time_zone) for event in events]
    local = frame.with_columns(
        pl.col("x").fill_nan(None),
        pl.col("at").dt.convert_time_zone("Europe/Brussels").dt.replace_time_zone(None),
        pl.col("b").cast(pl.Int8),
    ).to_arrow()
    with duckdb.connect() as connection:
        connection.register("log", local)
        query = f"SELECT ({condition.to_sql()})::BOOLEAN AS c FROM log ORDER BY id"
        asked = connection.sql(query).pl()["c"]

    np.testing.assert_array_equal(found, [math.nan if one is None else one for one in told])
    assert asked.to_list() == told


@given(condition=conditions)
@settings(max_examples=60, deadline=None)
def test_the_text_of_an_expression_is_read_back_as_the_same(condition: Expression) -> None:
    assert parse_expression(condition.text).text == condition.text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("page in ['b', 'a']", column("page").is_in(["a", "b"])),
        ("page not in ('a',)", ~column("page").is_in(["a"])),
        ("page is None or page == None", column("page").is_null() | column("page").is_null()),
        ("page is not None", ~column("page").is_null()),
        ("is_null(price / qty)", (column("price") / column("qty")).is_null()),
        ("-price / 2 > 1", -column("price") / 2 > 1),
        (" 1 + price", 1 + column("price")),
        ("2 * price - 1 / qty", 2 * column("price") - 1 / column("qty")),
    ],
)
def test_python_and_text_say_the_same(text: str, same: Expression) -> None:
    assert parse_expression(text).text == same.text


def test_a_slug_of_new_operators_reads_well() -> None:
    assert (column("price") / column("qty")).slug == "price_per_qty"
    assert column("page").is_in(["b", "a"]).slug == "page_in_a_b"
    assert (~column("page").is_null()).slug == "is_null_page"


ROWS = pl.DataFrame(
    {
        "id": [1, 2],
        "at": [dt.datetime(2024, 1, 1, 12), dt.datetime(2024, 1, 1, 13)],
        "card": [1, 1],
        "page": ["a", None],
        "price": [1.0, math.nan],
    }
)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (column("page") > 1, r"page \(string\)"),
        ("page == 1", r"'==' takes two of a kind; got page \(string\) and 1 \(number\)"),
        (column("price"), "price is no condition, but a number"),
        (column("price") & (column("price") > 1), "'&' takes conditions"),
        (~column("price"), "'not' takes conditions"),
        (hour("page") < 6, "hour.page. reads 'page', which holds String"),
        (column("page") + 1 > 2, "'[+]' takes numbers"),
        (column("price").is_in(["a"]), "price .number. and strings"),
        (column("at") > "2024-01-01", r"at \(time\)"),
        (column("pages") == "a", "Unknown column 'pages'"),
    ],
)
def test_a_condition_that_does_not_fit_its_columns_is_refused(where: Any, message: str) -> None:
    view = FeatureView("v", LOG, "card", [count("1d", where=where)])

    with pytest.raises(FeatureError, match=message) as caught:
        compute_rows(view, read_events(LOG, ROWS))
    assert caught.value.remedy


@pytest.mark.parametrize("values", ["ab", [], [1, "a"], [None], [[1]]])
def test_membership_is_of_some_numbers_or_some_strings(values: Any) -> None:
    with pytest.raises(FeatureError, match="some numbers or of some strings"):
        column("page").is_in(values)


def test_an_event_that_does_not_fit_is_refused() -> None:
    with pytest.raises(FeatureError, match="cannot be told of an event that holds 'a' and 1"):
        (column("page") > 1).evaluate({"page": "a"})


def test_nothing_to_divide_by_is_missing() -> None:
    found = compute_row_features(
        RowFeatures("r", LOG, {"c": column("price") / column("qty")}),
        pl.DataFrame({"price": [1.0, 0.0, 3.0], "qty": [0, 0, 2]}),
    )

    np.testing.assert_array_equal(found["c"], [math.nan, math.nan, 1.5])


def test_not_a_number_meets_no_condition() -> None:
    view = FeatureView("v", LOG, "card", [count("1d", where=column("price") >= 0)])
    found = compute_rows(view, read_events(LOG, ROWS))

    np.testing.assert_array_equal(list(found.values()), [[1.0, 1.0]])
