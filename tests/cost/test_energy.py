"""Energy of inference from power and from the energies of single operations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.core.errors import InputError
from tradespace.cost.energy import energy_from_operations, energy_from_power
from tradespace.cost.price.tables import operation_energies, operation_energy
from tradespace.graph.work import Work

COUNTS = st.integers(0, 10**12)


def work(macs: int = 0, operations: int = 0, moved: int = 0, fmt: str = "fp32") -> Work:
    return Work(
        name="x",
        operator="dense",
        kind="product",
        macs=macs,
        operations=operations,
        read_bytes=moved,
        format=fmt,
    )


def test_a_multiply_accumulate_takes_its_published_energy() -> None:
    published_pj = {"fp32": 3.7 + 0.9, "fp16": 1.1 + 0.4, "int8": 0.2 + 0.1}
    for fmt, pj in published_pj.items():
        found = energy_from_operations([work(macs=1)], technology="45nm", number_format=fmt)

        assert math.isclose(found.arithmetic_j, pj * 1e-12, rel_tol=1e-9), fmt


def test_dram_takes_a_range_of_energies() -> None:
    found = energy_from_operations([work(moved=8)])

    assert math.isclose(found.low_j, 1300e-12)
    assert math.isclose(found.high_j, 2600e-12)


def test_fetching_an_operand_from_dram_costs_more_than_computing_with_it() -> None:
    table = operation_energies()
    operand = 4 * table["h45-dram"].low_j_per_byte

    assert operand > 100 * table["h45-mac-fp32"].low_j


@given(a=COUNTS, b=COUNTS, moved=COUNTS, more=COUNTS)
def test_energy_of_operations_adds_up(a: int, b: int, moved: int, more: int) -> None:
    first, second = work(macs=a, moved=moved), work(operations=b, moved=more)
    parts = [energy_from_operations([w], technology="7nm", memory="hbm2") for w in (first, second)]
    whole = energy_from_operations([first, second], technology="7nm", memory="hbm2")

    assert math.isclose(whole.low_j, sum(p.low_j for p in parts), rel_tol=1e-9, abs_tol=1e-30)
    assert whole.low_j <= whole.high_j


def test_a_narrower_format_moves_fewer_bytes() -> None:
    wide = energy_from_operations([work(moved=1000)])
    narrow = energy_from_operations([work(moved=1000)], number_format="int8")

    assert math.isclose(narrow.memory_low_j, wide.memory_low_j / 4)


@given(power=st.floats(0.1, 1e3), time=st.floats(1e-6, 1e3), more=st.floats(1e-6, 1e3))
def test_energy_at_a_power_adds_up_over_time(power: float, time: float, more: float) -> None:
    parts = [energy_from_power(power_w=power, time_s=t) for t in (time, more)]

    assert math.isclose(sum(parts), energy_from_power(power_w=power, time_s=time + more))


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"technology": "45 nm"}, "45nm"),
        ({"memory": "dramm"}, "dram"),
        ({"number_format": "fp64"}, "format"),
    ],
)
def test_what_the_table_lacks_is_named(settings: dict[str, str], wanted: str) -> None:
    with pytest.raises(InputError, match=wanted):
        energy_from_operations([work(macs=1)], **settings)


def test_an_unknown_operation_is_met_with_the_nearest() -> None:
    with pytest.raises(InputError, match="h45-dram"):
        operation_energy("h45-drm")
