"""The page of a comparison: networks by two quantities, and all rows side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tradespace.core.quantities import scale_for
from tradespace.cost.inspection import Inspection
from tradespace.report.html.page import render_page
from tradespace.report.network_comparison import best_of, cell_text, comparison, comparison_name
from tradespace.report.network_terminal import assumed

_MOST_NAMED = 4
#: What a plot looks at first, where it is known: what is spent against what is got for it.
_ACROSS = ("latency", "MACs", "parameters", "inference memory")
_UP = ("top-1 accuracy", "energy", "USD a million samples", "inference memory", "parameters")
_AREA = ("parameters", "inference memory", "USD a million samples", "energy")
_MEANINGS = {
    "depth": "layers with weights on the longest path",
    "MACs backward": "multiply-accumulates of a backward pass",
    "operations": "arithmetic of a forward pass that is no multiply-accumulate",
    "intensity (op/B)": "operations for each byte moved, nothing fused",
    "receptive field": "how far the last signal sees into the input through windows",
    "weights": "bytes of the weights in the number format",
    "inference memory": "weights and the largest sum of signals that live at once",
    "training memory": "what a training step holds: weights, gradients, optimizer, activations",
    "time of a step": "forward and backward pass of a batch, predicted",
    "latency": "time of one forward pass of a batch, predicted from the processor's figures",
    "samples a second": "the batch divided by the latency",
    "energy": "of one forward pass of a batch",
    "USD a million samples": "rent of the processor for the time they take, at its lowest price",
    "top-1 accuracy": "as published: share of images whose first guess is right",
    "top-5 accuracy": "as published: share of images that are among the first five guesses",
}
_CONVENTIONS = {"parameters": "parameters", "neurons": "neurons", "MACs": "macs"}


def comparison_page(found: Sequence[Inspection]) -> str:
    """Return a page that works offline; everything that a user wrote is escaped."""
    return render_page("comparison", page_data(found))


def axes(rows: Sequence[tuple[str, Sequence[Any], str, int]]) -> dict[str, str]:
    """Return the rows that the plot starts with: two that trade, and a third as area.

    Two rows trade where what is better in the one is worse in the other.

    Examples
    --------
    >>> rows = [("latency", [1.0, 2.0], "s", -1), ("samples a second", [1.0, 0.5], "number", 1)]
    >>> axes([*rows, ("energy", [3.0, 2.0], "J", -1)])
    {'x-axis': 'latency', 'y-axis': 'energy', 'size': ''}

    """
    found = {row[0]: row for row in rows if sum(_is_number(v) for v in row[1]) > 1}
    if not found:
        return {"x-axis": "", "y-axis": "", "size": ""}
    across = next((title for title in _ACROSS if title in found), next(iter(found)))
    up = [title for title in _UP if title in found and title != across]
    up = up or [title for title in found if title != across] or [across]
    trading = [title for title in up if _trade(found[across], found[title])]
    chosen = (trading or up)[0]
    area = next((t for t in _AREA if t in found and t not in (across, chosen)), "")
    return {"x-axis": across, "y-axis": chosen, "size": area}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _trade(a: tuple[str, Sequence[Any], str, int], b: tuple[str, Sequence[Any], str, int]) -> bool:
    both = [(x * a[3], y * b[3]) for x, y in zip(a[1], b[1], strict=True) if x and y]
    return any(p[0] > q[0] and p[1] < q[1] for p in both for q in both)


def _meanings(first: Inspection, titles: Sequence[str]) -> dict[str, str]:
    """Return what each row that is shown means."""
    found = {}
    for title in titles:
        text = _MEANINGS.get(title) or first.conventions.get(_CONVENTIONS.get(title, ""), "")
        if text:
            found[title] = text
    return found


def page_data(found: Sequence[Inspection]) -> dict[str, Any]:
    """Return everything that the page shows, as plain data."""
    first = found[0]
    rows = []
    seen = comparison(found)
    for title, values, unit, direction in seen:
        best = best_of(values, direction)
        cells = [
            {
                "value": v if isinstance(v, int | float) else None,
                "text": cell_text(v, unit),
                "best": best is not None and v == best,
            }
            for v in values
        ]
        known = [abs(v) for v in values if isinstance(v, int | float)]
        plain = "%" if unit == "%" else ""  # counts and numbers say in their title what they count
        factor, shown = (1.0, plain)
        if unit in ("B", "s", "J"):
            factor, shown = scale_for(max(known, default=0.0), unit)
        rows.append({"title": title, "cells": cells, "factor": factor, "unit": shown})
    notes = []
    for one in found:
        if one.lower_bound:
            unknown = ", ".join(one.unknown)
            notes.append(f"{one.name}: lower bound; not counted: {unknown}")
        notes += [f"{one.name}: {text}" for text in assumed(one)]
        if one.running is not None:
            where = comparison_name(one)
            notes += [f"{where}: {text}" for text in one.running.assumptions]
    names = list(dict.fromkeys(one.name for one in found))
    return {
        "title": " · ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} networks",
        "shape": f"batch {first.network.batch}, {first.number_format}",
        "names": [comparison_name(one) for one in found],
        "rows": rows,
        "axes": axes(seen),
        "meanings": _meanings(first, [title for title, *_ in seen]),
        "notes": list(dict.fromkeys(notes)),
    }
