"""The pages on cost: their examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tradespace.hardware.profiles import processor, processors, region, regions

PAGES = sorted((Path(__file__).parents[2] / "docs" / "cost").glob("*.md"))
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{i}")
    for page in PAGES
    for i, block in enumerate(
        re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    )
]


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_of_a_page_runs(block: str) -> None:
    exec(compile(block, "page", "exec"), {})


def test_the_files_of_the_page_on_processors_are_read(tmp_path: Path) -> None:
    page = next(p for p in PAGES if p.stem == "processors").read_text(encoding="utf-8")
    board, roof = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "board.yaml").write_text(board, encoding="utf-8")
    (tmp_path / "roof.yaml").write_text(roof, encoding="utf-8")

    assert processor(tmp_path / "board.yaml").peak_ops_per_s["int8"] == 20e12
    assert region(tmp_path / "roof.yaml").carbon_g_per_kwh == 41
    assert f"({len(processors())} and {len(regions())})" in page
