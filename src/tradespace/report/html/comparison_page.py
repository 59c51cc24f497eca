"""The page of a comparison: networks by two quantities, and all rows side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tradespace.cost.inspection import Inspection
from tradespace.report.html.page import plotly_script
from tradespace.report.network_comparison import best_of, cell_text, comparison, comparison_name

_MOST_NAMED = 4
_HERE = Path(__file__).parent


def comparison_page(found: Sequence[Inspection]) -> str:
    """Return a page that works offline; everything that a user wrote is escaped."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True)
    data = page_data(found)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    page: str = environment.get_template("comparison.html.jinja").render(
        data=data,
        json_text=text,
        style=(_HERE / "report.css").read_text(encoding="utf-8"),
        script=(_HERE / "comparison.js").read_text(encoding="utf-8"),
        plotly=plotly_script(),
    )
    return page


def page_data(found: Sequence[Inspection]) -> dict[str, Any]:
    """Return everything that the page shows, as plain data."""
    first = found[0]
    rows = []
    for title, values, unit, direction in comparison(found):
        best = best_of(values, direction)
        cells = [
            {
                "value": v if isinstance(v, int | float) else None,
                "text": cell_text(v, unit),
                "best": best is not None and v == best,
            }
            for v in values
        ]
        rows.append({"title": title, "cells": cells})
    notes = []
    for one in found:
        if one.lower_bound:
            unknown = ", ".join(one.unknown)
            notes.append(f"{one.name}: lower bound; not counted: {unknown}")
    names = list(dict.fromkeys(one.name for one in found))
    return {
        "title": " · ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} networks",
        "shape": f"batch {first.network.batch}, {first.number_format}",
        "names": [comparison_name(one) for one in found],
        "rows": rows,
        "conventions": dict(first.conventions),
        "notes": notes,
    }
