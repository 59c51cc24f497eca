"""Every link of the README and the docs leads somewhere; every page is found from the index."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
FENCE = re.compile(r"^(```|~~~).*?^\1[ ]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
REMOTE = ("http://", "https://", "mailto:")


@cache
def prose(page: Path) -> str:
    """Return a page without its blocks and bits of code."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    text = re.sub(r"^ {4,}\S.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", lambda m: "x" * len(m[0]), text)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Give the file and the anchor of every relative link of a page."""
    for target in LINK.findall(prose(page)):
        if not target.startswith(REMOTE):
            path, _, anchor = target.partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that headings get, as GitHub makes them."""
    found: Counter[str] = Counter()
    names = set()
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return frozenset(names)


def label(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_a_relative_link_leads_somewhere(page: Path) -> None:
    broken = [
        f"{path}#{anchor}"
        for path, anchor in links(page)
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path))
    ]

    assert broken == []


def test_every_page_is_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [p for p, _ in links(page) if p.suffix == ".md" and DOCS in p.parents]

    lost = [label(p) for p in DOCS.rglob("*.md") if p not in reached]

    assert lost == [], "run: python docs/generate_index.py, or link them by hand"


def test_the_index_is_one_click_from_the_readme() -> None:
    assert DOCS / "index.md" in {path for path, _ in links(ROOT / "README.md")}


def test_an_anchor_is_made_as_github_makes_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b_c`: d, e\n## Twice\n## Twice\n```\n# no heading\n```\n")

    assert anchors(page) == {"a-b_c-d-e", "twice", "twice-1"}
