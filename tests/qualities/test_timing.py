"""What is said of times on a quiet and on a busy machine, under a simulated clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.core import registry
from tradespace.core.clock import SimulatedClock
from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Sense, Verdict
from tradespace.core.studies import EnvironmentSpec, QualityUse, Task
from tradespace.qualities._base import Context, FitRecord, Subject
from tradespace.qualities._timing import quantile_interval
from tradespace.qualities.measure import measure, quality_of

TIMED = ("latency_p50", "latency_p95", "latency_p99", "throughput", "cost_per_million_predictions")


@dataclass(eq=False)
class Machine:
    """A component on a machine: `walls_s` of its calls in turn, each `cpu_s` of CPU time."""

    walls_s: list[float]
    cpu_s: float
    n_rows: int = 36
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    calls: int = 0
    runtime: str = "simulated"
    size_bytes: int = 1
    price_per_call_usd: float = 0.0

    asked: list[int] = field(default_factory=list)

    def prepare(self, start: int, stop: int) -> int:
        self.asked.append(stop - start)
        return stop - start

    def __call__(self, prepared: int) -> None:
        self.clock.advance(
            prepared * self.walls_s[self.calls % len(self.walls_s)], cpu_s=self.cpu_s
        )
        self.calls += 1


def use_of(name: str, **given_: Any) -> QualityUse:
    row = registry.quality(name)
    full = {spec.name: spec.default for spec in row.settings} | given_
    return QualityUse(name, name, row.unit, row.direction, full)


def read(machine: Machine, *uses: QualityUse, rows_per_batch: int = 1000) -> dict[str, Reading]:
    environment = EnvironmentSpec(rows_per_batch=rows_per_batch, price_per_hour_usd=3600.0)
    context = Context(Task.BINARY, environment, clock=machine.clock)
    found: dict[str, Reading] = {}
    subject = Subject(artifact=lambda: machine, readings=lambda: found)
    for use in uses or tuple(map(use_of, TIMED)):
        for name in quality_of(use).reads(use.settings):
            if name not in found:
                found[name] = measure([use_of(name)], subject, context)[0]
        found[use.name] = measure([use], subject, context)[0]
    return found


def busy() -> Machine:
    """A call takes 46 µs; one in fifty is held up to 100 µs; a third of it all is our CPU time."""
    return Machine([46e-6] * 49 + [100e-6], cpu_s=15e-6)


def verdict(reading: Reading, bound_s: float) -> Verdict:
    return Constraint(reading.quality, Sense.AT_MOST, bound_s, "s").check(reading)


def test_a_disturbed_latency_far_below_its_bound_is_met_and_one_near_it_is_undecided() -> None:
    p99 = read(busy())["latency_p99"]

    assert p99.value == pytest.approx(100e-6)
    assert verdict(p99, 10e-3) is Verdict.MET
    assert verdict(p99, 50e-6) is Verdict.UNKNOWN
    assert verdict(p99, 10e-6) is Verdict.MISSED


def test_percentiles_of_a_disturbed_latency_are_not_all_the_least() -> None:
    found = read(busy())

    assert found["latency_p50"].value == pytest.approx(46e-6)
    assert found["latency_p99"].value == pytest.approx(100e-6)
    assert found["latency_p50"].high < found["latency_p99"].high


def test_an_unsettled_time_says_so_and_what_settles_it() -> None:
    for reading in read(busy()).values():
        assert reading.context["unsettled"] is True
        assert "busy in 20 blocks" in reading.method
        assert "quieter" in reading.context["settle"]
    for reading in read(Machine([46e-6], cpu_s=46e-6), use_of("latency_p99")).values():
        assert "unsettled" not in reading.context


@given(
    quiet=st.lists(st.floats(1e-6, 1e-3), min_size=1, max_size=8),
    held=st.lists(st.floats(0.0, 1e-2), min_size=1, max_size=8),
)
def test_delays_by_others_never_push_the_upper_end_below_the_quiet_one(
    quiet: list[float], held: list[float]
) -> None:
    held = held + [0.0] * (math.lcm(len(quiet), len(held)) - len(held))
    both = [quiet[i % len(quiet)] + held[i % len(held)] for i in range(len(held))]
    calls = [both[i % len(both)] for i in range(2000)]
    alone = [quiet[i % len(quiet)] for i in range(2000)]
    for quantile in (0.5, 0.95, 0.99):
        _, _, high = quantile_interval(np.array(calls), quantile, 0.95)
        _, _, quiet_high = quantile_interval(np.array(alone), quantile, 0.95)

        assert high >= quiet_high


def test_quiet_blocks_give_the_value_where_there_are_too_few_of_them() -> None:
    machine = busy()
    machine.cpu_s = 46e-6
    machine.walls_s = [46e-6] * 200 + [92e-6] * 2000
    p50 = read(machine, use_of("latency_p50"))["latency_p50"]

    assert p50.value == pytest.approx(46e-6)
    assert p50.low == pytest.approx(46e-6)
    assert p50.high == pytest.approx(92e-6)
    assert "quiet calls" in p50.method


def test_cost_and_throughput_carry_the_interval_of_the_unsettled_time() -> None:
    found = read(busy())
    rate, cost = found["throughput"], found["cost_per_million_predictions"]

    assert 0 < rate.low < rate.high < math.inf
    assert rate.value == pytest.approx(1 / 46e-6)
    assert (cost.low, cost.value, cost.high) == pytest.approx(
        (1e6 / rate.high, 1e6 / rate.value, 1e6 / rate.low)
    )


def test_the_cost_of_single_requests_is_of_the_disturbed_mean_with_its_bounds() -> None:
    name = "cost_per_million_predictions"
    cost = read(busy(), use_of(name, mode="single"))[name]

    assert cost.value == pytest.approx(1e6 * (49 * 46e-6 + 100e-6) / 50)
    assert cost.low == pytest.approx(1e6 * 15e-6)
    assert cost.value < cost.high < math.inf
    assert cost.context["unsettled"] is True


@pytest.mark.parametrize("rows", [36, 5000])
def test_a_batch_has_the_rows_that_the_environment_states_however_few_the_sample_has(
    rows: int,
) -> None:
    machine = Machine([1e-6], cpu_s=1e-3, n_rows=rows)
    found = read(machine, use_of("throughput"), use_of("cost_per_million_predictions"))

    assert machine.asked == [1000]
    assert found["throughput"].value == pytest.approx(1e6)
    for reading in found.values():
        assert "batches of 1000 rows" in reading.method
        assert ("36 rows of the test data, repeated" in reading.method) == (rows == 36)


@pytest.mark.parametrize("name", ["training_time_wall", "training_cost"])
def test_a_disturbed_wall_time_of_a_fit_reaches_down_to_its_cpu_time(name: str) -> None:
    context = Context(Task.BINARY, EnvironmentSpec(price_per_hour_usd=3600.0))
    quiet, disturbed = (
        measure(
            [use_of(name)], Subject(fit=lambda wall=wall: FitRecord(2.0, wall, None, 10)), context
        )[0]
        for wall in (2.5, 8.0)
    )

    assert (quiet.low, quiet.value, quiet.high) == (2.5, 2.5, 2.5)
    assert (disturbed.low, disturbed.value, disturbed.high) == (2.0, 8.0, 8.0)
    assert "disturbed" in disturbed.method
