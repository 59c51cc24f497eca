"""Pages whose commands and examples are run: what a page shows is what a reader gets.

A block ``console`` holds commands after ``$`` and what they print; ``...`` stands for anything, and
``$ echo $?`` for the exit code of the command before. A block ``python``, ``yaml`` or ``text``
whose first line is ``# name.py``, ``# name.yaml`` or ``# name.dlp`` is the file that commands after
it read; a block ``python`` with ``>>>`` is run as a doctest.
"""

from __future__ import annotations

import doctest
import io
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tradespace.cli import run

DOCS = Path(__file__).parents[2] / "docs"
RUN = ("inspect/*.md", "features/*.md", "reference/commands.md", "howto/*.md", "deciding.md")
PAGES = sorted(
    page for pattern in RUN for page in DOCS.glob(pattern) if not page.stem.startswith("add-a")
)
FILES = ("python", "yaml", "text")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_shows_what_its_commands_print(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TRADESPACE_HOME", str(tmp_path / "home"))
    code, names = 0, dict[str, Any]()
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind in FILES and (name := re.match(r"# (\S+\.(py|yaml|dlp))\n", text)):
            Path(name[1]).write_text(text, encoding="utf-8")
        elif kind == "python" and ">>>" in text:
            if "torch" in text:
                pytest.importorskip("torch")
            check_example(text, page.name, names)
        elif kind == "console":
            for command, expected in split(text):
                if command == "echo $?":
                    assert expected.strip() == str(code)
                    continue
                if "my_" in command and "inspect" in command:
                    pytest.importorskip("torch")
                code, printed = output_of(command)
                if not expected.strip():  # shown for what it does, not for what it prints
                    assert code == 0, f"{command}\n{printed}"
                assert matches(expected, printed), f"{command}\n{printed}"


def split(text: str) -> list[tuple[str, str]]:
    """Return commands with what they are shown to print."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in found]


def output_of(command: str) -> tuple[int, str]:
    """Return the exit code of a command and what it prints."""
    program, *arguments = shlex.split(command)
    assert program == "tradespace"
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = run(arguments)
    return code, out.getvalue()


def matches(expected: str, printed: str) -> bool:
    """Return whether a text is what was printed, spaces at the ends of lines aside."""
    clean = [re.sub(r"\s+", " ", text).strip() for text in (expected, printed)]
    pattern = re.sub(r"(?:\\ )?(?:\\\.){3}(?:\\ )?", ".*?", re.escape(clean[0]))
    return re.search(pattern, clean[1], re.DOTALL) is not None


def check_example(text: str, name: str, names: dict[str, Any]) -> None:
    """Run an example; what it defines is there for those below it on the page."""
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    runner = doctest.DocTestRunner(
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, verbose=False
    )
    runner.run(test, clear_globs=False)
    names.update(test.globs)

    assert runner.failures == 0
