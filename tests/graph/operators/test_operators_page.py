"""The page on operators tells the truth: its examples run, its tables are those of the registry.

Bring the page up to date with ``python docs/generate_operators.py``.
"""

from __future__ import annotations

import doctest
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.graph.operators.test_operators import forgotten
from tradespace.graph.operators import operator, operators
from tradespace.graph.readers.onnx.layers import HANDLERS

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "operators.md").read_text(encoding="utf-8")
STALE = "The page is out of date; run: python docs/generate_operators.py"


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "generate_operators", DOCS / "generate_operators.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()


@pytest.mark.parametrize("name", operators())
def test_a_line_says_what_the_registry_holds(name: str) -> None:
    assert GENERATOR.line(operator(name)) in TEXT, STALE


def test_the_page_is_what_the_generator_writes() -> None:
    assert GENERATOR.page(TEXT) == TEXT, STALE


def test_every_kind_of_work_has_a_table() -> None:
    assert {rule.kind for rule in operators().values()} <= set(GENERATOR.KINDS)


def test_the_examples_run_and_the_registered_operator_is_counted() -> None:
    with forgotten("low_rank_dense"):
        failed, tried = doctest.testfile(str(DOCS / "operators.md"), module_relative=False)
        HANDLERS.pop("acme.LowRank", None)

    assert tried > 20
    assert not failed
