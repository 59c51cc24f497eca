"""Published figures of training runs, each computed by our functions to its last digit."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tradespace.cost.price.arithmetic import (
    GRAMS_PER_LB,
    HOURS_PER_YEAR,
    JOULES_PER_KWH,
    carbon_of,
    chip_hours_of,
    electricity_of,
    energy_from_carbon,
    energy_of,
    flop_of,
    implied_carbon_g_per_kwh,
    petaflop_days,
    rent_of,
    training_flop,
)
from tradespace.cost.price.tables import equivalents, training_runs

GOLDEN: dict[str, Any] = YAML(typ="safe").load(
    Path(__file__).parents[2] / "golden" / "training_cost.yaml"
)
ROWS: list[dict[str, Any]] = GOLDEN["rows"]
AMOUNTS = st.floats(min_value=1e-3, max_value=1e9)


def by_id(row: dict[str, Any]) -> str:
    return str(row["id"])


def half_a_digit(text: str) -> float:
    """Half a unit of the last printed digit."""
    exponent = Decimal(text).as_tuple().exponent
    assert isinstance(exponent, int)
    return 0.5 * 10.0**exponent


def computed(given: dict[str, float]) -> dict[str, float]:
    """Everything that our functions make of the printed figures."""
    found: dict[str, float] = {}
    chips, rate = given.get("chips", 1.0), given.get("rate_flop_per_s")
    hours = given.get("hours", given.get("days", 0.0) * 24) or None
    if "parameters" in given:
        found["flop"] = training_flop(
            parameters=given["parameters"],
            tokens=given["tokens"],
            flop_per_parameter_token=given["flop_per_parameter_token"],
        )
        found["petaflop_days"] = petaflop_days(found["flop"])
    if rate and hours:
        found["flop"] = flop_of(chips=chips, hours=hours, rate_flop_per_s=rate)
    if rate and "flop" in given:
        found["chip_hours"] = chip_hours_of(flop=given["flop"], rate_flop_per_s=rate)
        found["chip_years"] = found["chip_hours"] / HOURS_PER_YEAR
        hours = found["chip_hours"]
    factor = 1e3 * given.get("carbon_kg_per_kwh", 0.0)
    factor = factor or GRAMS_PER_LB * given.get("carbon_lbs_per_kwh", 0.0)
    energy = None
    if "energy_given_kwh" in given:
        energy = given["energy_given_kwh"] * JOULES_PER_KWH
    elif hours and ("power_w" in given or "machine_power_w" in given):
        energy = energy_of(
            power_w=given.get("power_w", given.get("machine_power_w", 0.0)),
            hours=hours,
            chips=chips if "power_w" in given else 1.0,
            pue=given.get("pue", 1.0),
        )
    if energy is not None:
        carbon = carbon_of(energy_j=energy, carbon_g_per_kwh=factor)
        found["energy_kwh"] = energy / JOULES_PER_KWH
        found["carbon_lbs"], found["carbon_t"] = carbon / GRAMS_PER_LB, carbon / 1e6
    if "carbon_given_lbs" in given:
        carbon = given["carbon_given_lbs"] * GRAMS_PER_LB
        found["cars"] = carbon / equivalents()["car"].carbon_g
        if factor:
            used = energy_from_carbon(carbon_g=carbon, carbon_g_per_kwh=factor)
            found["electricity_usd"] = electricity_of(
                energy_j=used, usd_per_kwh=given["usd_per_kwh"]
            )
    if hours and "usd_low" in given:
        for end in ("low", "high"):
            found[f"rent_{end}_usd"] = rent_of(
                chip_hours=chips * hours, usd_per_hour=given[f"usd_{end}"]
            )
    return found


def printed(row: dict[str, Any]) -> dict[str, float]:
    return {name: float(text) for name, text in row["given"].items()}


def misses(row: dict[str, Any]) -> list[str]:
    """What the printed figures alone do not give to the last published digit."""
    found = computed(printed(row))
    return [
        name
        for name, text in row["published"].items()
        if abs(found[name] - float(text)) > half_a_digit(text) * (1 + 1e-9)
    ]


def test_the_golden_file_holds_every_computable_row() -> None:
    assert len(ROWS) == 45
    assert len({row["id"] for row in ROWS}) == 45


@pytest.mark.parametrize(
    "row",
    [r for r in ROWS if "rounded" not in r and r["id"] not in GOLDEN["not_met"]],
    ids=by_id,
)
def test_published_figures_follow_from_the_printed_ones(row: dict[str, Any]) -> None:
    assert misses(row) == []


@pytest.mark.parametrize("row", [r for r in ROWS if "rounded" in r], ids=by_id)
def test_published_figures_lie_within_the_rounding_of_the_printed_ones(
    row: dict[str, Any],
) -> None:
    ends = [
        [(name, sign * half_a_digit(row["given"][name])) for sign in (-1, 1)]
        for name in row["rounded"]
    ]
    corners = [
        computed({**printed(row), **{n: printed(row)[n] + d for n, d in corner}})
        for corner in itertools.product(*ends)
    ]

    assert misses(row), "it follows from the printed figures: take 'rounded' out"
    for name, text in row["published"].items():
        low, high = min(c[name] for c in corners), max(c[name] for c in corners)
        assert low <= float(text) + half_a_digit(text), name
        assert high >= float(text) - half_a_digit(text), name


@pytest.mark.parametrize("name", GOLDEN["not_met"])
def test_rows_named_as_not_met_are_not_met(name: str) -> None:
    assert misses(next(row for row in ROWS if row["id"] == name))


def test_hours_of_bert_to_the_tenth_give_all_its_figures() -> None:
    row = next(r for r in ROWS if r["id"] == "strubell-bert-gpu")

    assert misses({**row, "given": {**row["given"], "hours": "79.2"}}) == []


def test_the_printed_hours_of_the_search_on_a_tpu_are_a_misprint() -> None:
    row = next(r for r in ROWS if r["id"] == "strubell-nas-tpu")

    assert misses({**row, "given": {**row["given"], "hours": "32623"}}) == [
        "rent_low_usd",
        "rent_high_usd",
    ]


def test_every_run_that_the_golden_file_names_is_in_the_table() -> None:
    assert {row["run"] for row in ROWS if "run" in row} <= set(training_runs())


@given(power=AMOUNTS, hours=AMOUNTS, more=AMOUNTS)
def test_energy_and_carbon_of_two_runs_add_up(power: float, hours: float, more: float) -> None:
    parts = [energy_of(power_w=power, hours=h, pue=1.2) for h in (hours, more)]
    whole = energy_of(power_w=power, hours=hours + more, pue=1.2)
    emitted = [carbon_of(energy_j=part, carbon_g_per_kwh=400) for part in parts]

    assert math.isclose(sum(parts), whole, rel_tol=1e-9)
    assert math.isclose(sum(emitted), carbon_of(energy_j=whole, carbon_g_per_kwh=400), rel_tol=1e-9)


@given(carbon=AMOUNTS, factor=st.floats(1.0, 1e3))
def test_energy_from_carbon_undoes_carbon_from_energy(carbon: float, factor: float) -> None:
    energy = energy_from_carbon(carbon_g=carbon, carbon_g_per_kwh=factor)

    assert math.isclose(carbon_of(energy_j=energy, carbon_g_per_kwh=factor), carbon)
    assert math.isclose(implied_carbon_g_per_kwh(carbon_g=carbon, energy_j=energy), factor)


@given(chips=st.integers(1, 10_000), hours=AMOUNTS, rate=st.floats(1e9, 1e15))
def test_hours_of_operations_undo_operations_of_hours(
    chips: int, hours: float, rate: float
) -> None:
    flop = flop_of(chips=chips, hours=hours, rate_flop_per_s=rate)

    assert math.isclose(chip_hours_of(flop=flop, rate_flop_per_s=rate), chips * hours)
