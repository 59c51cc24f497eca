"""Every command from end to end, as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tradespace.cli import COMMANDS, run
from tradespace.core import registry


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out

    for command in COMMANDS:
        assert command in text


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_a_misspelt_command_is_met_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evalute"]) == 2
    assert "Did you mean 'evaluate'?" in capsys.readouterr().err


def test_a_missing_study_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(tmp_path / "none.yaml")]) == 2
    error = capsys.readouterr().err

    assert "tradespace init" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("what", ["qualities", "families", "scenarios", "rules"])
def test_listings_hold_every_plug_in(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = {
        "qualities": registry.qualities,
        "families": registry.families,
        "scenarios": registry.scenarios,
        "rules": registry.exclude_rules,
    }[what]()
    assert run(["list", what, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)

    assert [row["name"] for row in listed] == list(rows)
    assert run(["list", what]) == 0


@pytest.mark.slow
def test_check_evaluate_show_and_report_follow_each_other(
    cancer_study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = str(cancer_study)
    assert run(["show", study]) == 2
    assert "tradespace evaluate" in capsys.readouterr().err
    assert run(["check", study, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert len(plan["candidates"]) == 5
    assert run(["check", study]) == 0
    assert run(["evaluate", study, "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "Use " in text
    assert run(["show", study]) == 0
    assert run(["show", study, "logistic"]) == 0
    assert "logistic_regression" in capsys.readouterr().out
    assert run(["show", study, "nobody"]) == 2
    capsys.readouterr()
    assert run(["report", study, "--json"]) == 0
    places = json.loads(capsys.readouterr().out)

    assert set(places) == {"report.html", "decision.md", "decision.json"}
    assert all(Path(place).stat().st_size > 500 for place in places.values())
    record = json.loads(Path(places["decision.json"]).read_text())
    assert record["outcome"] == "recommended"


@pytest.mark.slow
def test_a_study_that_nobody_meets_ends_with_1_and_names_what_to_relax(
    cancer_study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = cancer_study.read_text().replace("model_size <= 500 kB", "model_size <= 100 B")
    cancer_study.write_text(text)

    assert run(["evaluate", str(cancer_study), "--quiet"]) == 1
    assert "model_size" in capsys.readouterr().out
