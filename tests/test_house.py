"""The source tree stays easy to navigate: no import cycles, no crowded folders, no long files."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

from benchmarks import house

from tradespace.core import registry

SRC = Path(__file__).parents[1] / "src" / "tradespace"


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert house.circles(house.imports(SRC)) == []


def test_a_circle_however_far_round_is_found() -> None:
    assert house.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_folders_and_files_are_small() -> None:
    lengths = {file: house.lines_of(file) for file in house.files_of(SRC)}

    assert house.full_folders(SRC) == {}
    assert [str(file) for file, n in lengths.items() if n > house.MOST_LINES] == []
    assert statistics.median(lengths.values()) <= house.MEDIAN_LINES


def test_the_exploration_knows_no_plug_in_by_name() -> None:
    names = {*registry.families(), *registry.qualities()}
    asking = (ast.Compare, ast.MatchValue, ast.Dict, ast.Set)
    known = [
        f"{file.name}:{part.lineno}: {part.value}"
        for file in (SRC / "explore").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, asking)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in names
    ]

    assert known == []


def test_a_package_says_in_its_docstring_what_it_holds() -> None:
    empty = [
        str(file.relative_to(SRC))
        for file in SRC.rglob("__init__.py")
        if len(file.read_text().partition('"""')[2].partition('"""')[0]) < 15
        or "docs/architecture.md" in file.read_text()
    ]

    assert empty == []
