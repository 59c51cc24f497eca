"""The page of a network: totals, a map of where everything goes, the roofline, all layers."""

from __future__ import annotations

from typing import Any

from tradespace.core.quantities import format_quantity
from tradespace.cost.inspection import Inspection
from tradespace.report._numbers import bytes_text, short_count
from tradespace.report.html.page import render_page
from tradespace.report.network_terminal import (
    assumed,
    assumptions_of,
    blocks,
)


def network_page(found: Inspection) -> str:
    """Return a page that works offline; everything that a user wrote is escaped.

    Returns
    -------
    str
        HTML of about 5 MB, most of it the plotting library.

    """
    return render_page("network", page_data(found))


def page_data(found: Inspection) -> dict[str, Any]:
    """Return everything that the page shows, as plain data."""
    network = found.network
    return {
        "name": found.name,
        "task": str(network.facts.get("task", "")),
        "year": network.facts.get("year"),
        "source": network.source,
        "format": found.number_format,
        "batch": network.batch,
        "headline": f"{short_count(found.parameters['trainable'])} parameters, "
        f"{'at least ' if found.lower_bound else ''}{short_count(found.macs)} MACs, "
        f"{bytes_text(found.memory.peak_bytes)} to run"
        + (" (under an assumption)" if assumed(found) else ""),
        "assumed": list(assumed(found)),
        "lower_bound": found.lower_bound,
        "coverage": found.coverage,
        "unknown": list(found.unknown),
        "blocks": [
            {"title": title, "rows": [list(row) for row in rows]} for title, rows in blocks(found)
        ],
        "notes": list(dict.fromkeys([*network.notes, *assumptions_of(found)])),
        "layers": [
            {
                "name": layer.name.strip(".:") or "(root)",
                "operator": layer.operator,
                "shape": "x".join(map(str, layer.output_shape)),
                "parameters": layer.parameters,
                "macs": layer.macs,
                "outputs": layer.output_bytes,
                "saved": layer.saved_bytes,
                "intensity": layer.arithmetic_intensity,
                "operations": 2 * layer.macs + layer.operations,
                "time": layer.time_s,
                "time_text": "" if layer.time_s is None else format_quantity(layer.time_s, "s"),
                "bound": layer.bound,
                "formula": layer.formula,
                "numbers": layer.numbers,
                "unknown": layer.unknown,
            }
            for layer in found.layers
        ],
        "roofline": _roofline(found),
    }


def _roofline(found: Inspection) -> dict[str, Any] | None:
    if found.running is None:
        return None
    chip = found.running.processor
    peak = chip.peak_ops_per_s.get(found.number_format)
    bandwidth = chip.memory_bandwidth_bytes_per_s
    if peak is None or bandwidth is None:
        return None
    return {"peak": peak, "bandwidth": bandwidth, "processor": chip.name}
