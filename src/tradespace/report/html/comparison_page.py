"""The page of a comparison: networks by two quantities, and all rows side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tradespace.cost.inspection import Inspection
from tradespace.report.html.page import render_page
from tradespace.report.network_comparison import best_of, cell_text, comparison, comparison_name

_MOST_NAMED = 4


def comparison_page(found: Sequence[Inspection]) -> str:
    """Return a page that works offline; everything that a user wrote is escaped."""
    return render_page("comparison", page_data(found))


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
