"""Write the lists of families and decisions of index.md: ``python docs/generate_index.py``."""

from __future__ import annotations

import re
from pathlib import Path

from tables import filled

from tradespace.core import registry

PAGE = Path(__file__).with_name("index.md")


def families() -> str:
    """Return the table of families."""
    rows = [
        f"| [`{row.name}`](families/{row.name}.md) | {row.title} | {row.summary} |"
        for row in registry.families().values()
    ]
    return "\n".join(("| family | title | what it is |", "|---|---|---|", *rows))


def decisions() -> str:
    """Return the list of decisions on the design, by number."""
    lines = []
    for place in sorted(PAGE.with_name("decisions").glob("*.md")):
        heading = place.read_text(encoding="utf-8").splitlines()[0]
        found = re.fullmatch(r"# 0*(\d+)[.:] +(.+)", heading)
        if found is None:
            msg = f"{place.name} must begin with '# NUMBER: what was decided'; got {heading!r}."
            raise SystemExit(msg)
        title = found[2][0].upper() + found[2][1:]
        lines.append(f"- [{found[1]}. {title}](decisions/{place.name})")
    return "\n".join(lines)


#: Name of a list in the page -> what writes it.
LISTS = {"families": families, "decisions": decisions}


def page(text: str) -> str:
    """Return the page with its lists brought up to date."""
    return filled(text, LISTS)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
