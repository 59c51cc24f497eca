"""The page about the study file tells the truth: its examples parse, no key is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tradespace.features.define.load import load_view
from tradespace.study.load import parse_study
from tradespace.study.schema import SECTIONS, ObjectiveSection, StudyFile

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "study-file.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
FEATURES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_is_a_study(number: int, tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text(FEATURES[0])
    study = parse_study(EXAMPLES[number], folder=str(tmp_path))

    assert study.purpose
    assert all(load_view(name, folder=tmp_path).names for name in study.features)


def test_every_key_is_explained() -> None:
    keys = {field.alias or name for name, field in StudyFile.model_fields.items()}
    inner = {
        field.alias or name
        for model in (*SECTIONS.values(), ObjectiveSection)
        for name, field in model.model_fields.items()
    }
    table = set(re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE))

    assert table == keys
    assert {key for key in inner if not re.search(rf"\b{key}\b", TEXT)} == set()
