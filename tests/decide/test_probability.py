"""The probability beside an undecided verdict is that of the interval beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Sense, Verdict
from tradespace.decide.checks import probability_met


def share(value: float, low: float, high: float, *, draws: float | None = None) -> Reading:
    found = () if draws is None else (draws,) * 500
    return Reading("recall", value, low, high, "1", draws=found)


@pytest.mark.parametrize("n", [5, 24, 200])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_without_an_exception_it_is_nearly_the_posterior_of_a_uniform_prior(
    n: int, part: float
) -> None:
    width = float(stats.beta.ppf(0.975, 1, n))  # the exact interval of 0 of n
    none_found = share(0.0, 0.0, width, draws=0.0)
    all_found = share(1.0, 1 - width, 1.0, draws=1.0)
    bound = part * width
    exact = stats.beta.sf(bound, 1, n + 1)

    found = probability_met(Constraint("recall", Sense.AT_LEAST, bound, "1"), none_found)
    assert found == pytest.approx(exact, abs=0.08)
    found = probability_met(Constraint("recall", Sense.AT_LEAST, 1 - bound, "1"), all_found)
    assert found == pytest.approx(1 - exact, abs=0.08)


@given(
    st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 1), st.booleans(),
    st.sampled_from(Sense),
)  # fmt: skip
def test_no_undecided_verdict_stands_beside_certainty(
    value: float, down: float, up: float, bound: float, drawn: bool, sense: Sense
) -> None:
    reading = share(value, value - down, value + up, draws=value if drawn else None)
    constraint = Constraint("recall", sense, bound, "1")
    found = probability_met(constraint, reading)

    if constraint.check(reading) is Verdict.UNKNOWN:
        assert found is not None
        assert f"{found:.2f}" not in ("0.00", "1.00")
    else:
        assert found in (0.0, 1.0)


def test_a_wider_confidence_of_the_same_interval_makes_the_far_side_less_likely() -> None:
    bound = Constraint("recall", Sense.AT_LEAST, 0.65, "1")
    reading = share(0.6, 0.5, 0.7)

    assert probability_met(bound, reading, confidence=0.99) < probability_met(bound, reading)


def test_between_the_bounds_of_a_disturbed_time_no_probability_is_claimed() -> None:
    bound = Constraint("latency_p99", Sense.AT_MOST, 50e-6, "s")
    measured = Reading("latency_p99", 100e-6, 46e-6, 4e-3, "s")
    disturbed = Reading("latency_p99", 100e-6, 46e-6, 4e-3, "s", context={"unsettled": True})

    assert probability_met(bound, measured) is not None
    assert probability_met(bound, disturbed) is None
