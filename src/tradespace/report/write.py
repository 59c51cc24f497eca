"""Write what a person reads of a decision: report.html, decision.md and decision.json."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from tradespace.core.decisions import Decision
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

    record = _finite(decision_to_dict(decision, draws=False))
    contents = {
        "report.html": report_html(decision),
        "decision.md": decision_markdown(decision),
        "decision.json": json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n",
    }
    places = {}
    for name, text in contents.items():
        places[name] = folder / name
        try:
            write_atomically(places[name], text.encode())
        except OSError as error:
            raise cannot_write(places[name], error) from error
    return places


def _finite(value: Any) -> Any:
    """Return plain data in which numbers that JSON lacks are null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
