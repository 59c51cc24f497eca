"""Pages written from code equal what the code says; every plug-in and command has a page.

Bring a page up to date with the script that a failing test names.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from tradespace.core import registry
from tradespace.core.registry.preprocessing import PREPROCESSING
from tradespace.core.settings import SettingSpec
from tradespace.graph.operators import operators
from tradespace.graph.zoo import networks
from tradespace.hardware.profiles import processors, regions

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = ("qualities", "commands", "hardware", "index")
TUTORIALS = "\n".join(p.read_text(encoding="utf-8") for p in DOCS.glob("tutorials/*.md"))


@cache
def generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [f"generate_{what}" for what in WRITTEN])
def test_a_page_is_what_its_script_writes(name: str) -> None:
    module = generator(name)
    text = module.PAGE.read_text(encoding="utf-8")

    assert module.page(text) == text, f"out of date; run: python docs/{name}.py"


@pytest.mark.parametrize("row", registry.families().values(), ids=lambda row: row.name)
def test_a_page_of_a_family_is_what_its_script_writes(row: registry.FamilyRow) -> None:
    module = generator("generate_families")
    text = text_of(f"families/{row.name}.md")

    assert module.page(row) == text, "out of date; run: python docs/generate_families.py"


def test_no_page_is_left_of_a_family_that_is_gone() -> None:
    assert {p.stem for p in DOCS.glob("families/*.md")} == set(registry.families())


def region_names() -> list[str]:
    return [place.id.removeprefix("grid-") for place in regions().values()]


#: Kind of plug-in -> (what is registered, page, how it begins where it is explained).
PAGES: dict[str, tuple[Callable[[], object], str, str]] = {
    "quality": (registry.qualities, "qualities.md", "| `{}` |"),
    "processor": (processors, "reference/hardware.md", "| `{}` |"),
    "region": (region_names, "reference/hardware.md", "| `{}` |"),
    "network": (networks, "zoo.md", "| `{}` |"),
    "operator": (operators, "operators.md", "| `{}` |"),
    "rule that excludes rows": (registry.exclude_rules, "data.md", "`{}`"),
}


@pytest.mark.parametrize("kind", PAGES)
def test_everything_registered_stands_on_its_page(kind: str) -> None:
    registered, page, begins = PAGES[kind]
    names = list(registered())  # type: ignore[call-overload]  # mappings and lists alike
    text = text_of(page)

    assert names
    assert [name for name in names if begins.format(name) not in text] == []


@pytest.mark.parametrize("name", registry.scenarios())
def test_a_scenario_has_a_tutorial(name: str) -> None:
    assert f"tradespace init --scenario {name}" in TUTORIALS


@pytest.mark.parametrize("spec", PREPROCESSING, ids=lambda spec: spec.name)
def test_a_setting_of_the_preprocessing_is_explained(spec: SettingSpec) -> None:
    line = generator("generate_families").setting(spec)

    assert line in text_of("data.md")


def test_an_example_stands_for_every_command_and_no_other() -> None:
    module = generator("generate_commands")
    runnable = {name for name, found in module.commands() if not hasattr(found, "commands")}

    assert set(module.EXAMPLES) == runnable


def test_the_readme_counts_the_networks_and_the_published_rows() -> None:
    readme = " ".join((DOCS.parent / "README.md").read_text(encoding="utf-8").split())
    (rows,) = re.findall(r"^(\d+) rows are met", text_of("zoo.md"), re.MULTILINE)

    assert f"{len(networks())} networks, all {rows} rows of published figures" in readme
