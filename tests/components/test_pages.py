"""Every family has a page that names its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradespace.core import registry

PAGES = Path(__file__).parents[2] / "docs" / "families"


@pytest.mark.parametrize("row", registry.families().values(), ids=lambda row: row.name)
def test_a_family_has_a_page_with_its_settings(row: registry.FamilyRow) -> None:
    text = (PAGES / f"{row.name}.md").read_text(encoding="utf-8")

    assert row.title in text
    assert [spec.name for spec in row.settings if f"`{spec.name}`" not in text] == []
