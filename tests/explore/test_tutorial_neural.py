"""The page on neural candidates tells the truth: its studies parse, its table is printed."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tradespace.explore.preview import preview
from tradespace.report.terminal import print_plan
from tradespace.study.json_schema import json_schema
from tradespace.study.load import parse_study

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "neural-candidates.md"
TEXT = PAGE.read_text(encoding="utf-8")
STUDIES = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
PRINTED = re.findall(r"```text\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    folder = tmp_path / "plan"
    folder.mkdir()
    # Whether the machine of the test was calibrated must not matter.
    monkeypatch.setenv("TRADESPACE_HOME", str(tmp_path / "home"))
    return preview(parse_study(STUDIES[0], folder=str(folder)), folder)


@pytest.mark.parametrize("number", range(len(STUDIES)))
def test_its_studies_are_studies(number: int, tmp_path: Path) -> None:
    (tmp_path / "incumbent.onnx").write_bytes(b"not opened")

    assert parse_study(STUDIES[number], folder=str(tmp_path)).candidates


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_its_examples_run(number: int) -> None:
    exec(compile(PYTHON[number], str(PAGE), "exec"), {})


def test_its_table_is_what_check_prints(plan: dict[str, Any]) -> None:
    buffer = io.StringIO()
    print_plan(plan, Console(file=buffer, width=200))
    printed = {" ".join(line.split()) for line in buffer.getvalue().splitlines()}
    shown = [" ".join(line.split()) for line in PRINTED[0].splitlines()]

    assert [line for line in shown if line not in printed] == []


def test_an_editor_knows_that_layers_are_whole_numbers() -> None:
    text = json.dumps(json_schema())
    layers = {"type": "array", "items": {"type": "integer", "minimum": 1}}

    assert json.dumps({"type": "array", "items": layers})[:-1] in text


def test_its_study_cuts_what_it_says(plan: dict[str, Any]) -> None:
    assert plan["cut"] == {"model_size <= 64 kB": 3, "macs <= 10,000": 3}
    assert "at most 71.7 kB" in TEXT
