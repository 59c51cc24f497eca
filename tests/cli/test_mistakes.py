"""Mistakes that only the data, the folder or the profiles show: exit code 2, place, remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradespace.cli import run

STUDY = (
    "purpose: Tell cells apart\ndata: sklearn:breast_cancer\ntarget: target\n"
    "candidates: [constant]\n"
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "cells.yaml"
    path.write_text(STUDY)
    return path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run a command that must exit with 2, and return what it says."""
    code = run([str(argument) for argument in arguments])
    error = capsys.readouterr().err

    assert code == 2, error
    assert "fault of tradespace" not in error
    return error


def test_a_quality_of_another_task_is_refused_before_anything_is_trained(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.write_text(STUDY + "constraints:\n  - r2 >= 0.8\n")
    error = refused(capsys, "check", study)

    assert f"{study}:6:5: Quality 'r2' does not fit the task 'binary'" in error
    assert "Choose one of: accuracy" in error


def test_a_misspelled_processor_is_refused(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study.write_text(STUDY + "environment: {processor: jetson-nanoo}\n")
    error = refused(capsys, "check", study)

    assert f"{study}:5:26: Unknown processor 'jetson-nanoo'" in error
    assert "Did you mean 'jetson-nano'?" in error


def test_a_processor_that_is_like_no_profile_is_a_name_for_people_and_said_to_be(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.write_text(STUDY + "environment: {processor: the box in the cellar}\n")
    assert run(["check", str(study)]) == 0
    text = " ".join(capsys.readouterr().out.split())

    assert "No processor 'the box in the cellar' is known" in text


def test_check_says_what_can_hardly_be_meant_and_what_is_assumed(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.write_text(STUDY + "constraints:\n  - latency_p99 <= 0 ms\n")
    assert run(["check", str(study)]) == 0
    text = " ".join(capsys.readouterr().out.split())

    assert "can hardly be met" in text
    assert "maximize roc_auc from 0.5 is assumed" in text


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing/here"])
@pytest.mark.parametrize("command", ["evaluate", "init", "init --scenario card-fraud"])
def test_a_place_that_cannot_be_written_is_wrong_input(
    command: str, place: str, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (study.parent / "file").write_text("not a folder")
    out = study.parent / place
    if command == "evaluate":
        error = refused(capsys, "evaluate", study, "--quiet", "--out", out)
    elif command == "init":
        data = study.parent / "rows.csv"
        data.write_text("a,y\n" + "1,0\n2,1\n" * 30)
        error = refused(capsys, "init", data, "--target", "y", "--out", out)
    else:
        error = refused(capsys, *command.split(), "--out", out)

    assert str(out) in error
    assert "Give --out" in error


@pytest.mark.parametrize("command", ["evaluate", "show", "report"])
def test_a_damaged_run_store_is_named_with_a_remedy(
    command: str, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study.parent / "cells.tradespace"
    folder.mkdir()
    (folder / "run.sqlite").write_text("this was a database once " * 20)
    error = refused(capsys, command, study)

    assert "run.sqlite" in error
    assert "move the folder away and run again" in error


def test_a_listing_of_one_is_counted_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "rules"]) == 0
    assert "\n1 rule;" in capsys.readouterr().out


def test_show_refuses_to_pick_one_of_several(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.write_text(
        STUDY.replace("[constant]", "[{decision_tree: {max_depth: [1, 2]}}, constant]")
        + "seeds: 1\nsplit: {method: stratified, train: 80 %, validation: 0, test: 20 %}\n"
    )
    assert run(["evaluate", str(study), "--quiet"]) in (0, 1)
    capsys.readouterr()
    error = refused(capsys, "show", study, "decision")

    assert "'decision' begins the name or id of 2 candidates" in error
    assert "decision_tree (max_depth=1) (" in error
    assert run(["show", str(study), "decision_tree (max_depth=2)"]) == 0
    assert run(["show", str(study), "const"]) == 0
