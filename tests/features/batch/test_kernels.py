"""The pieces of the batch engine, against numpy and plain loops."""

from __future__ import annotations

import _ctypes
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.features import (
    EventSource,
    FeatureView,
    count,
    distinct,
    last,
    max_,
    mean,
    std,
)
from tradespace.features.batch import blocks, compiled, compute
from tradespace.features.batch.compute import compute_rows
from tradespace.features.batch.events import read_events
from tradespace.features.batch.ranges import Finder, Prefix, range_distinct, range_extremes

needs_machine_code = pytest.mark.skipif(
    compiled.LIBRARY is None, reason="the package was installed without a C compiler"
)
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


@pytest.mark.skipif(shutil.which("cc") is None, reason="this machine has no C compiler")
def test_where_there_is_a_compiler_there_is_machine_code() -> None:
    assert compiled.LIBRARY is not None


def test_a_library_of_another_machine_or_version_is_not_used(tmp_path: Path) -> None:
    place = tmp_path / "_loops.so"
    place.write_bytes(b"for another machine")

    assert compiled.opened(place) is None
    assert compiled.opened(Path(_ctypes.__file__)) is None


@needs_machine_code
@given(keys=KEYS | st.just([]), asked=KEYS | st.just([]), back=st.integers(-9, 2**40))
@settings(max_examples=200, deadline=None)
def test_machine_code_counts_keys_as_bisection_does(
    keys: list[int], asked: list[int], back: int
) -> None:
    known, wanted = np.sort(np.array(keys, np.int64)), np.sort(np.array(asked, np.int64))
    found = compiled.count_until(compiled.LIBRARY, known, wanted, back)

    np.testing.assert_array_equal(found, np.searchsorted(known, wanted - back, side="right"))


@needs_machine_code
@given(codes=st.lists(st.integers(0, 9), max_size=60), more=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_machine_code_deals_numbers_and_adds_as_numpy_does(codes: list[int], more: int) -> None:
    entity = np.array(codes, np.uint8)
    n_codes = max(codes, default=-1) + 1 + more
    numbers = np.random.default_rng(0).integers(-9, 2**31, len(codes))
    order, starts = compiled.deal(compiled.LIBRARY, entity, n_codes)

    np.testing.assert_array_equal(order, np.argsort(entity, kind="stable"))
    np.testing.assert_array_equal(starts[1:], np.cumsum(np.bincount(entity, minlength=n_codes)))
    for time in (numbers, numbers.astype(np.int32)):
        times, key = compiled.number(compiled.LIBRARY, time, order, starts, 2**40)
        totals = compiled.running(compiled.LIBRARY, time, order)
        np.testing.assert_array_equal(times, time[order])
        np.testing.assert_array_equal(key, entity[order].astype(np.int64) * 2**40 + times)
        np.testing.assert_array_equal(totals, np.cumsum([0, *times]))


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
@pytest.mark.parametrize("machine_code", [True, False])
def test_blocks_and_threads_change_no_value(
    entities: int, threads: int, machine_code: bool, monkeypatch: pytest.MonkeyPatch
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
    if not machine_code:
        monkeypatch.setattr(compiled, "LIBRARY", None)
    monkeypatch.setattr(blocks, "_BLOCK", 200)
    monkeypatch.setattr(blocks, "_MANY", 0)
    monkeypatch.setattr(compute, "_FEW", 0)
    cut = compute_rows(view, events, threads=threads)

    for name, values in whole.items():
        np.testing.assert_array_equal(cut[name], values)
