"""The page on the zoo tells the truth: its examples run, its tables are what the code counts.

Bring the page up to date with ``python docs/generate_zoo.py``.
"""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tradespace.graph.zoo import network_row, networks

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "zoo.md").read_text(encoding="utf-8")
STALE = "The page is out of date; run: python docs/generate_zoo.py"


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_zoo", DOCS / "generate_zoo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()
SOURCES = GENERATOR.sources()


def table(name: str) -> str:
    return TEXT.split(f"<!-- table: {name} -->")[1].split(f"<!-- end: {name} -->")[0]


def test_the_examples_run() -> None:
    failed, tried = doctest.testfile(str(DOCS / "zoo.md"), module_relative=False)

    assert tried
    assert not failed


def test_every_network_stands_on_the_page_once_in_its_order() -> None:
    found = re.findall(r"^\| `([^`]+)` \|", table("networks"), re.MULTILINE)

    assert found == list(networks()), STALE


@pytest.mark.parametrize("name", networks())
def test_a_line_says_what_the_code_counts(name: str) -> None:
    row = network_row(name)

    assert GENERATOR.line(row, SOURCES.index(row.source) + 1) in TEXT, STALE


def test_sources_are_numbered_as_the_lines_cite_them() -> None:
    numbered = "\n".join(f"{i}. {source}" for i, source in enumerate(SOURCES, start=1))

    assert numbered in table("networks"), STALE


def test_the_comparison_holds_every_published_row() -> None:
    assert GENERATOR.published_table() in TEXT, STALE
