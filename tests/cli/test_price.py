"""``tradespace price`` and the listings of processors, regions and runs."""

from __future__ import annotations

import json

import pytest

from tradespace.cli import run
from tradespace.cost.price.tables import training_runs
from tradespace.hardware.profiles import processors, regions


def test_price_prints_the_answer_the_published_figures_and_every_assumption(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["price", "transformer-big"]) == 0
    text = capsys.readouterr().out

    for said in ("201.1 kWh", "201 kWh (equal)", "192 lbs (equal)", "PUE", "Strubell et al. 2019"):
        assert said in text


def test_price_as_json_holds_exact_figures(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["gpt-3", "--flop", "3.14e23", "--on", "v100-pcie", "--rate", "28TFLOP/s"]
    assert run(["price", *arguments, "--usd-per-hour", "1.50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert round(found["chip_years"]) == 355
    assert round(found["rent_usd"][0] / 1e6, 2) == 4.67
    assert {row["what"] for row in found["assumptions"]} >= {"operations", "rate of a chip", "PUE"}


def test_price_as_markdown_is_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["price", "bert-base", "--markdown"]) == 0
    text = capsys.readouterr().out

    assert text.startswith("# BERT base\n")
    assert "| assumption | value | source |" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gtp-3"], "Did you mean 'gpt-3'"),
        (["--flop", "1e20", "--on", "t5"], "Unknown processor"),
        (["--flop", "1e20", "--on", "t4", "--power", "much"], "power"),
        (["--flop", "1e20", "--on", "t4", "--rate", "fast"], "rate"),
        (["--flop", "1e20", "--on", "t4", "--usd-per-hour", "cheap"], "price"),
        (["--on", "t4"], "Give --flop"),
        (["--flop", "lots"], "flop"),
    ],
)
def test_wrong_input_ends_with_2_and_one_message(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["price", *arguments]) == 2
    error = capsys.readouterr().err

    assert said in error
    assert "Traceback" not in error


def test_listings_hold_every_processor_region_and_run(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {
        "processors": list(processors()),
        "regions": [name.removeprefix("grid-") for name in regions()],
        "runs": list(training_runs()),
    }
    for what, names in wanted.items():
        assert run(["list", what, "--json"]) == 0
        listed = json.loads(capsys.readouterr().out)
        assert run(["list", what]) == 0
        shown = capsys.readouterr().out

        assert [row["name"] for row in listed] == names
        assert all("source" in json.dumps(row["detail"]) for row in listed)
        assert f"{len(names)} {what}" in shown
