"""Grids, ranges, labels and defaults."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.core.candidates import CandidateSpec, SearchRange
from tradespace.core.errors import SettingError
from tradespace.core.studies import Task
from tradespace.explore.enumerate import default_specs, expand_spec, sample_ranges


def test_lists_span_a_grid() -> None:
    spec = CandidateSpec("decision_tree", {"max_depth": (2, 4), "criterion": ("gini", "entropy")})
    found = expand_spec(spec)

    assert len(found) == 4
    assert len({candidate.id for candidate in found}) == 4


@given(
    low=st.floats(1e-6, 1e3),
    factor=st.floats(1.5, 1e6),
    n=st.integers(1, 30),
    scale=st.sampled_from(["log", "uniform"]),
)
def test_sampled_points_stay_in_their_range_and_are_as_many_as_asked(
    low: float, factor: float, n: int, scale: str
) -> None:
    points = sample_ranges({"C": SearchRange(scale, low, low * factor, n)}, seed=0)

    assert len(points) == n
    for point in points:
        # Points are rounded to four digits.
        assert low * (1 - 1e-3) <= point["C"] <= low * factor * (1 + 1e-3)


def test_two_ranges_are_sampled_together() -> None:
    ranges = {
        "a": SearchRange("uniform", 0.0, 1.0, 64),
        "b": SearchRange("int", 1, 8, 64),
    }
    points = sample_ranges(ranges, seed=3)
    quarters = {(p["a"] > 0.5, p["b"] > 4) for p in points}

    assert len(points) == 64
    assert len(quarters) == 4
    assert points == sample_ranges(ranges, seed=3)
    assert points != sample_ranges(ranges, seed=4)


@given(st.integers(0, 20), st.integers(2, 40))
def test_points_mirror_the_digits_of_their_number(seed: int, n: int) -> None:
    ranges = {name: SearchRange("uniform", 0.0, 1.0, n) for name in "abc"}
    for index, point in enumerate(sample_ranges(ranges, seed=seed)):
        for base, unit in zip((2, 3, 5), point.values(), strict=True):
            digits, rest = [], index + 21 + 97 * seed
            while rest:
                rest, digit = divmod(rest, base)
                digits.append(digit)
            mirrored = math.fsum(d * base ** -(k + 1) for k, d in enumerate(digits))

            # Settings are rounded to four digits.
            assert unit == pytest.approx(mirrored, rel=1e-3)


def test_an_impossible_setting_is_refused() -> None:
    with pytest.raises(SettingError, match="max_depth"):
        expand_spec(CandidateSpec("decision_tree", {"max_depth": 0}))


@pytest.mark.parametrize("task", list(Task))
def test_without_candidates_every_family_that_fits_takes_part(task: Task) -> None:
    families = {spec.family for spec in default_specs(task)}

    assert {"constant", "decision_tree", "random_forest"} <= families
    assert ("logistic_regression" in families) == (task is not Task.REGRESSION)
