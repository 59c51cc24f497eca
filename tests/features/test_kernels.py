"""The pieces of the batch engine, against numpy and plain loops."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.features import (
    EventSource,
    FeatureView,
    _blocks,
    batch,
    count,
    distinct,
    last,
    max_,
    mean,
    std,
)
from tradespace.features._kernels import Finder, Prefix, range_distinct, range_extremes
from tradespace.features.batch import compute_rows
from tradespace.features.events import read_events

KEYS = st.lists(st.integers(-(2**40), 2**40) | st.integers(0, 50), min_size=1, max_size=400)


@given(keys=KEYS, asked=KEYS)
@settings(max_examples=60, deadline=None)
def test_a_place_is_found_where_bisection_finds_it(keys: list[int], asked: list[int]) -> None:
    # Many keys more, so that the table is used, and some of them in a crowd.
    many = np.sort(np.concatenate([keys, np.arange(200), np.full(90, 7)]))
    wanted = np.sort(np.concatenate([asked, many - 3]))

    np.testing.assert_array_equal(
        Finder(many).count_until(wanted), np.searchsorted(many, wanted, side="right")
    )


def test_sums_of_floats_keep_what_a_running_sum_loses() -> None:
    values = np.array([1e16, 1.0, 1.0, -1e16, 0.5])

    assert Prefix(values).sums(np.array([1, 4]), np.array([3, 5])).tolist() == [2.0, 0.5]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_extremes_and_distinct_values_of_ranges_equal_a_plain_loop(
    values: list[int], width: int
) -> None:
    array = np.array(values)
    high = np.arange(1, len(array) + 1)
    low = np.maximum(high - width, 0)
    pairs = list(zip(low, high, strict=True))

    assert range_extremes(array, low, high, largest=True).tolist() == [
        max(values[a:b]) for a, b in pairs
    ]
    assert range_distinct(array, np.zeros_like(array), low, high).tolist() == [
        len(set(values[a:b])) for a, b in pairs
    ]


@pytest.mark.parametrize("entities", [1, 40, 100_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_and_threads_change_no_value(
    entities: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    n = 1_500
    frame = pl.DataFrame(
        {
            "id": np.arange(n),
            "at": rng.integers(1_600_000_000, 1_600_400_000, n) * 1_000_000,
            "late": rng.integers(0, 2, n) * rng.integers(0, 1_000, n) * 1_000_000,
            "card": rng.integers(0, entities, n) * 3,
            "cents": rng.integers(0, 9_999, n) / 100,
            "shop": rng.integers(0, 9, n),
        }
    ).with_columns(
        pl.col("at").cast(pl.Datetime("us")),
        (pl.col("at") + pl.col("late")).cast(pl.Datetime("us")).alias("known"),
    )
    source = EventSource("log", time="at", id="id", created="known", decimals={"cents": 2})
    view = FeatureView(
        "card",
        source,
        "card",
        [
            count("1h"),
            mean("cents", "6h", delay="1h"),
            std("cents", "3h"),
            max_("cents", "2h"),
            distinct("shop", "1h"),
            last("cents", None, k=2),
        ],
    )
    events = read_events(source, frame)
    whole = compute_rows(view, events, threads=1)
    monkeypatch.setattr(_blocks, "_BLOCK", 200)
    monkeypatch.setattr(_blocks, "_MANY", 0)
    monkeypatch.setattr(batch, "_FEW", 0)
    cut = compute_rows(view, events, threads=threads)

    for name, values in whole.items():
        np.testing.assert_array_equal(cut[name], values)
