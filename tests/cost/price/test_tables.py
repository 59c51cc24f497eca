"""The tables of this floor: every row can be used and says where it comes from."""

from __future__ import annotations

import pytest

from tradespace.cost.price.tables import (
    equivalents,
    nearest_run,
    operation_energies,
    training_run,
    training_runs,
)
from tradespace.hardware.profiles import processors


@pytest.mark.parametrize("name", sorted(training_runs()))
def test_every_run_has_a_source_and_a_known_processor(name: str) -> None:
    run = training_runs()[name]

    assert run.source
    assert run.processor is None or run.processor in processors()
    assert run.flop or run.parameters or (run.hours and run.chips)


def test_every_energy_has_a_source_and_a_range() -> None:
    for row in operation_energies().values():
        assert row.source, row.id
        assert 0 < row.low_j <= row.high_j, row.id


def test_what_carbon_compares_to_has_a_source() -> None:
    assert all(item.source and item.carbon_g > 0 for item in equivalents().values())


@pytest.mark.parametrize("name", ["gpt3", "GPT-3", "gpt_3", " gpt-3 ", "gpt-3-175b"])
def test_a_run_answers_to_the_spellings_that_people_use(name: str) -> None:
    found = training_run(name)

    assert found is not None
    assert found.id == "gpt-3"


def test_an_unknown_run_is_met_with_the_nearest() -> None:
    assert training_run("llama-7") is None
    assert nearest_run("llama-7") == "llama-7b"
