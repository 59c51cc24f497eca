"""A command that a page shows exists, with every option that it is shown with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tradespace.cli import COMMANDS, _load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: A line of a block, or a command in the running text.
SHOWN = re.compile(
    r"^(?:\$ | {4}|- run: )?(tradespace [^\n`]+)$|`(tradespace [^`\n]+)`", re.MULTILINE
)


@cache
def options() -> dict[str, set[str]]:
    """Return the options of every command by its words."""
    found: dict[str, set[str]] = {}
    for name, (module, _, _) in COMMANDS.items():
        command = _load(module, name)
        parts = getattr(command, "commands", {"": command})
        for part, inner in parts.items():
            names = {option for parameter in inner.params for option in parameter.opts}
            found[f"{name} {part}".strip()] = {*names, "--help"}
    return found


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Give the words of every command that a page shows, and the options after them."""
    for line, inline in SHOWN.findall(page.read_text(encoding="utf-8")):
        text = re.sub(r"[\[\]]|\s#.*", " ", line or inline)
        _, *words = shlex.split(text.replace("'", ""))
        yield " ".join(words), [word for word in words if word.startswith("-")]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_command_shown_exists_with_its_options(page: Path) -> None:
    for text, given in commands(page):
        if text.startswith(("COMMAND", "--version", "--help")):
            continue
        first, *rest = text.split()
        second = f"{first} {rest[0]}" if rest else first
        name = second if second in options() else first
        groups = {known.split()[0] for known in options() if " " in known}

        assert name in options() or (name in groups and not rest), text
        assert set(given) <= options().get(name, set()), text
