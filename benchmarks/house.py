"""Measure the source tree: lines of code by package, long files, crowded folders, import cycles.

A line of code is one that holds a token of the program: docstrings, comments and blank lines do
not count. An import counts wherever it stands, at the top, in a function or for types only.

    python benchmarks/house.py [--src src/tradespace] [--before OTHER_CHECKOUT/src/tradespace]
"""

from __future__ import annotations

import argparse
import ast
import statistics
import tokenize
from collections import defaultdict
from pathlib import Path

#: Folders that are tables: a file a network, a file a kind of plug-in.
TABLES = ("graph/zoo", "core/registry")
MOST_FILES, MOST_LINES, MEDIAN_LINES = 25, 400, 140


def files_of(src: Path) -> list[Path]:
    """Return the modules of a package, in order."""
    return sorted(src.rglob("*.py"))


def lines_of(file: Path) -> int:
    """Return how many lines a file has."""
    return len(file.read_text().splitlines())


def code_lines(file: Path) -> int:
    """Return how many lines of a file hold code."""
    idle = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENCODING, tokenize.ENDMARKER,
    }  # fmt: skip
    lines: set[int] = set()
    with tokenize.open(file) as stream:
        for token in tokenize.generate_tokens(stream.readline):
            if token.type not in idle:
                lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(file.read_text())):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for part in body:
            if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
                lines.difference_update(range(part.lineno, (part.end_lineno or 0) + 1))
    return len(lines)


def by_package(src: Path) -> dict[str, int]:
    """Return the lines of code of each package below `src`, ``.`` for files beside them."""
    found: dict[str, int] = defaultdict(int)
    for file in files_of(src):
        parts = file.relative_to(src).parts
        found[parts[0] if len(parts) > 1 else "."] += code_lines(file)
    return dict(sorted(found.items()))


def imports(src: Path) -> dict[str, set[str]]:
    """Return for each module which other modules of the package it imports."""
    names = {}
    for file in files_of(src):
        parts = (src.name, *file.relative_to(src).with_suffix("").parts)
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    found: dict[str, set[str]] = {name: set() for name in names}
    for name, file in names.items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = [f"{node.module}.{alias.name}" for alias in node.names]
                wanted = [full if full in names else node.module for full in inner]
            else:
                continue
            found[name].update(w for w in wanted if w in names and w != name)
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, however far round (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[-len(group) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for name in graph:
        if name not in index:
            visit(name)
    return groups


def full_folders(src: Path) -> dict[str, int]:
    """Return the folders that hold too many files to overview."""
    counts: dict[str, int] = defaultdict(int)
    for file in files_of(src):
        counts[str(file.parent.relative_to(src))] += 1
    return {k: n for k, n in counts.items() if n > MOST_FILES and k not in TABLES}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--src", type=Path, default=Path("src/tradespace"))
    parser.add_argument("--before", type=Path)
    options = parser.parse_args()
    now = by_package(options.src)
    before = by_package(options.before) if options.before else {}
    print(f"| {'package':<12} | {'before':>7} | {'now':>7} | {'change':>7} |")
    print(f"|{'-' * 14}|{'-' * 8}:|{'-' * 8}:|{'-' * 8}:|")
    for name in [*sorted({*now, *before}), "all"]:
        old, new = (sum(t.values()) if name == "all" else t.get(name, 0) for t in (before, now))
        print(f"| {name:<12} | {old:>7,} | {new:>7,} | {new - old:>+7,} |")
    lengths = {file: lines_of(file) for file in files_of(options.src)}
    long = {str(f): n for f, n in lengths.items() if n > MOST_LINES}
    print(f"\n{len(lengths)} files, median {statistics.median(lengths.values()):g} lines")
    print(f"over {MOST_LINES} lines: {long or 'none'}")
    print(f"folders of more than {MOST_FILES} files: {full_folders(options.src) or 'none'}")
    print(f"import cycles: {circles(imports(options.src)) or 'none'}")


if __name__ == "__main__":
    main()
