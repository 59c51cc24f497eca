"""Laws of the lookup of features that were computed before."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.errors import FeatureError
from tradespace.features import EventSource, FeatureView, count
from tradespace.features.batch import compiled as _compiled
from tradespace.features.build.joins import join_rows_of

VIEW = FeatureView(
    "card",
    EventSource("payments", time="paid", id="id"),
    entity="card",
    key="asked_card",
    features=[count("1d", name="n")],
)
START = dt.datetime(2024, 1, 1)
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=20)


def table_of(rows: list[tuple[int, int]], card: str = "card", paid: str = "paid") -> pl.DataFrame:
    times = [START + dt.timedelta(hours=hour) for _, hour in rows]
    columns = {card: pl.Series([c for c, _ in rows], dtype=pl.Int32)}
    return pl.DataFrame({**columns, paid: pl.Series(times, dtype=pl.Datetime("us"))})


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("text", [True, False])
@given(rows=ROWS, asked=ROWS)
@settings(max_examples=40)
def test_a_lookup_finds_the_last_row_of_the_entity_until_then(
    compiled: bool, text: bool, rows: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    rows = sorted(rows, key=lambda row: row[1])
    table = table_of(rows).with_columns(n=pl.Series(range(len(rows)), dtype=pl.Float64))
    labels = table_of(asked, "asked_card", "when")
    if text:
        table = table.with_columns(pl.col("card").cast(pl.String))
        labels = labels.with_columns(pl.col("asked_card").cast(pl.String))
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(_compiled, "LIBRARY", None)
        found = join_rows_of({"card": VIEW}, {"card": table}, labels, time="when")

    assert found.columns == ["asked_card", "when", "n"]
    for (card, hour), value in zip(asked, found["n"], strict=True):
        until = [place for place, row in enumerate(rows) if row[0] == card and row[1] <= hour]
        assert value == (until[-1] if until else None)


def test_times_of_another_unit_are_compared_as_times() -> None:
    table = table_of([(1, 2)]).with_columns(n=pl.lit(7.0))
    labels = table_of([(1, 2), (1, 1)], "asked_card").with_columns(
        pl.col("paid").cast(pl.Datetime("ms"))
    )

    assert join_rows_of({"card": VIEW}, {"card": table}, labels, time="paid")["n"].to_list() == [
        7.0,
        None,
    ]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("last_asked", [0, 9])
def test_a_table_out_of_order_is_refused_with_its_row(
    compiled: bool, last_asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(_compiled, "LIBRARY", None)
    table = table_of([(1, 1), (2, 3), (1, 2)]).with_columns(n=pl.lit(7.0))
    labels = table_of([(1, last_asked)], "asked_card")

    with pytest.raises(FeatureError, match=r"Row 2 .* earlier than the row before"):
        join_rows_of({"card": VIEW}, {"card": table}, labels, time="paid")


def test_a_feature_that_the_labels_have_already_is_refused() -> None:
    table = table_of([(1, 1)]).with_columns(n=pl.lit(7.0))
    labels = table_of([(1, 1)], "asked_card").with_columns(n=pl.lit(np.nan))

    with pytest.raises(FeatureError, match="has a column 'n' already"):
        join_rows_of({"card": VIEW}, {"card": table}, labels, time="paid")


def test_a_table_without_a_feature_is_refused() -> None:
    labels = table_of([(1, 1)], "asked_card")

    with pytest.raises(FeatureError, match="'n'"):
        join_rows_of({"card": VIEW}, {"card": table_of([(1, 1)])}, labels, time="paid")
