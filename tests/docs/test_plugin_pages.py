"""Pages on plug-ins are followed in a fresh process, the plug-in as an installed package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.test_pages import BLOCK, DOCS, matches, split

PAGES = sorted(DOCS.glob("howto/add-a-*.md"))
FILE = re.compile(r"# (\S+\.(py|yaml|toml))\n")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_on_plug_ins_can_be_followed(page: Path, tmp_path: Path) -> None:
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    for _, text in blocks:
        if name := FILE.match(text):
            (tmp_path / name[1]).write_text(text, encoding="utf-8")
    install(tmp_path)
    consoles = [text for kind, text in blocks if kind == "console"]

    assert consoles
    for command, expected in (shown for text in consoles for shown in split(text)):
        assert matches(expected, output_of(command, tmp_path)), command


def install(folder: Path) -> None:
    """Write what pip would write of the package in a folder."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"].replace("-", "_"), project["version"]
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n"
    (place / "METADATA").write_text(head, encoding="utf-8")
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()))
    ]
    (place / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def output_of(command: str, folder: Path) -> str:
    """Return what a command prints where the package of a folder is installed."""
    program, *arguments = command.split()
    module = {"tradespace": ["-m", "tradespace"], "python": []}[program]
    done = subprocess.run(
        [sys.executable, *module, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
