"""Write families/NAME.md of every family from the registry: ``python docs/generate_families.py``.

What stands on a page after its table is written by hand and kept. A test compares the pages with
what this writes.
"""

from __future__ import annotations

import json
from pathlib import Path

from tradespace.components._base import Facts
from tradespace.components.component import family_named
from tradespace.core import registry
from tradespace.core.registry import FamilyRow
from tradespace.core.settings import SettingSpec

PAGES = Path(__file__).with_name("families")
END = "<!-- end: family -->"


def facts(row: FamilyRow) -> Facts:
    """Return what a family is known for, with settings that are not asked for left out."""
    return family_named(row.name).facts({spec.name: spec.default for spec in row.settings})


def setting(spec: SettingSpec) -> str:
    """Return the line of a setting."""
    given = "required" if spec.required else f"`{json.dumps(spec.default)}`".replace('"', "")
    return f"| `{spec.name}` | {given} | {spec.wanted()} | {spec.help or '-'} |"


def generated(row: FamilyRow) -> str:
    """Return the generated part of a page, down to its end."""
    known = facts(row)
    parts = [f"# {row.title} (`{row.name}`)", "", row.summary, ""]
    parts += [f"Tasks: {', '.join(task.value for task in row.tasks)}.", ""]
    if known.good_at:
        parts += [f"Good: {' '.join(known.good_at)}", ""]
    if known.bad_at:
        parts += [f"Less good: {' '.join(known.bad_at)}", ""]
    if row.extra:
        parts += [f"Needs: `pip install 'tradespace[{row.extra}]'`.", ""]
    if row.settings:
        parts += ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
        parts += [*map(setting, row.settings), ""]
    else:
        parts += ["It has no settings.", ""]
    return "\n".join([*parts, END])


def page(row: FamilyRow) -> str:
    """Return the page of a family with its generated part brought up to date."""
    place = PAGES / f"{row.name}.md"
    text = place.read_text(encoding="utf-8") if place.exists() else ""
    return f"{generated(row)}{text.partition(END)[2] or chr(10)}"


if __name__ == "__main__":
    for found in registry.families().values():
        (PAGES / f"{found.name}.md").write_text(page(found), encoding="utf-8")
