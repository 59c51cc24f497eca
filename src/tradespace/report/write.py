"""Write what a person reads of a decision: report.html, decision.md and decision.json."""

from __future__ import annotations

from pathlib import Path

from tradespace.core.decisions import Decision
from tradespace.core.json_text import json_text
from tradespace.store.files import cannot_write, write_atomically


def write_reports(decision: Decision, folder: Path) -> dict[str, Path]:
    """Write all three and return where they are; each is whole or absent.

    Raises
    ------
    StoreError
        If the folder cannot be written.

    """
    from tradespace.decide.record import decision_to_dict
    from tradespace.report.html.page import report_html
    from tradespace.report.markdown import decision_markdown

    contents = {
        "report.html": report_html(decision),
        "decision.md": decision_markdown(decision),
        "decision.json": json_text(decision_to_dict(decision, draws=False)),
    }
    places = {}
    for name, text in contents.items():
        places[name] = folder / name
        try:
            write_atomically(places[name], text.encode())
        except OSError as error:
            raise cannot_write(places[name], error) from error
    return places
