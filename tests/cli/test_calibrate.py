"""``tradespace calibrate``: what it prints, stores and lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cost.calibration.test_calibration import machine

from tradespace.cli import run
from tradespace.cost.calibration.record import HoldOut


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TRADESPACE_HOME", str(tmp_path))

    def fake(runtime: str, *, progress: Any, name: str, **more: Any) -> Any:
        if progress is not None:
            progress(1, 1, "done")
        held = (HoldOut("resnet18", 0.9, 1.0),)
        return machine(name=name or "x", holdout=held, wall_per_cpu=2.0, failures=("gelu: no",))

    monkeypatch.setattr("tradespace.cost.calibration.run.calibrate", fake)
    return tmp_path


def test_calibrate_prints_the_error_and_stores_the_calibration(
    measured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["calibrate"]) == 0
    text = " ".join(capsys.readouterr().out.split())

    assert "hold-out median absolute error 10 % on 1 network" in text
    assert "resnet18" in text
    assert "Others used the machine" in text
    assert "left out: gelu: no" in text
    assert (measured / "calibrations" / "x.json").is_file()


def test_calibrate_as_json_and_its_list(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate", "--list"]) == 0
    assert "No calibration is stored" in capsys.readouterr().out
    assert run(["calibrate", "--json", "--name", "mine"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert run(["calibrate", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert run(["calibrate", "--list"]) == 0

    assert found["name"] == "mine"
    assert Path(found["file"]).is_file()
    assert [row["name"] for row in listed] == ["mine"]
    assert listed[0]["median_error"] == pytest.approx(0.1)
    assert "mine: calibrated on Abacus" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["--runtime", "tensorflow"], ["--device", "cuda"], ["--format", "bf16"], ["--threads", "0"]],
)
def test_wrong_input_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err
