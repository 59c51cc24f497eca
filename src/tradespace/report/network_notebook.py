"""A network in a notebook: totals and the layers in groups."""

from __future__ import annotations

from html import escape

from tradespace.core.quantities import format_quantity
from tradespace.cost.inspection import Inspection
from tradespace.cost.layers import summary
from tradespace.report._numbers import bytes_text, short_count
from tradespace.report.network_terminal import totals_rows

_CELL = "padding:.15em .8em .15em 0;text-align:left;vertical-align:top"


def inspection_html(found: Inspection) -> str:
    """Return totals, and the layers as the terminal groups them."""
    totals = "".join(
        f'<tr><th style="{_CELL}">{escape(name)}</th>'
        f'<td style="{_CELL};text-align:right">{escape(value)}</td>'
        f'<td style="{_CELL}"><small>{escape(note)}</small></td></tr>'
        for name, value, note in totals_rows(found)
    )
    head = ["layer", "operator", "output", "parameters", "MACs", "outputs"]
    timed = found.running is not None
    top = "".join(f'<th style="{_CELL}">{h}</th>' for h in [*head, *(["time"] if timed else [])])
    body = ""
    for row in summary(found.layers):
        cells = [
            row.name,
            row.operator,
            "x".join(map(str, row.output_shape)),
            short_count(row.parameters),
            short_count(row.macs),
            bytes_text(row.output_bytes),
        ]
        if timed:
            cells.append("" if row.time_s is None else format_quantity(row.time_s, "s"))
        body += "<tr>" + "".join(f'<td style="{_CELL}">{escape(c)}</td>' for c in cells) + "</tr>"
    warning = ""
    if found.lower_bound:
        names = escape(", ".join(found.unknown))
        warning = f"<p><b>Lower bound:</b> {100 * found.coverage:.1f} % counted; not {names}</p>"
    return (
        f"<div><p><b>{escape(found.name)}</b></p>{warning}<table><tbody>{totals}</tbody></table>"
        f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
