"""Gantt charts of programs: transfer and compute lanes, and how full the memories are."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tradespace.core.errors import Place, ProcessorError
from tradespace.files.units import format_bytes, format_time
from tradespace.hardware.dlp.addresses import accesses, bytes_from, positions, unrolled
from tradespace.hardware.dlp.costs import Ticks, program_step
from tradespace.hardware.dlp.instructions import Compute, Move, Program, Sync, View
from tradespace.hardware.dlp.machine import Machine

_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One instruction: its lane, start and end in seconds, what it is, line, segment."""

    lane: str
    start_s: float
    end_s: float
    label: str
    line: int
    segment: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The bars of a program, the ends of its segments, and live bytes in each segment.

    ``live_bytes`` maps a memory to the bytes that hold data still to be read; empty for
    programs without addresses.
    """

    bars: tuple[Bar, ...]
    ends_s: tuple[float, ...]
    live_bytes: dict[str, tuple[int, ...]]
    capacity_bytes: dict[str, int]


def timeline(program: Program, machine: Machine) -> Timeline:
    """Return the timeline of a program by the segment rule.

    Raises
    ------
    ProcessorError
        If the program executes more than 20,000 instructions: nobody reads such a chart.

    """
    ticks = Ticks.of(machine)
    lanes = {"transfer": 0, "compute": 0}
    start, segment = 0, 0
    bars: list[Bar] = []
    ends: list[float] = []
    live = _Live(machine) if program.addressed else None
    for number, (item, counters) in enumerate((*unrolled(program.body), (Sync(), {}))):
        if number > _MOST:
            msg = f"The program executes more than {_MOST} instructions."
            raise ProcessorError(
                msg, place=Place(program.file), remedy="Shorten it, or only time it."
            )
        if isinstance(item, Sync):
            start += max(lanes.values())
            lanes = dict.fromkeys(lanes, 0)
            ends.append(ticks.seconds(start))
            segment += 1
            continue
        if isinstance(item, Move):
            lane, length = "transfer", ticks.move(item.size_bytes)
            label = f"{item.src.memory} to {item.dst.memory}, {format_bytes(item.size_bytes)}"
        else:
            lane, length = "compute", program_step(item, ticks)
            label = f"{item.count} {item.kind}"
        begin = start + lanes[lane]
        lanes[lane] += length
        end = ticks.seconds(begin + length)
        bars.append(Bar(lane, ticks.seconds(begin), end, label, item.line, segment))
        if live is not None:
            live.step(item, counters, segment)
    return Timeline(
        bars=tuple(bars),
        ends_s=tuple(ends),
        live_bytes=live.counts(segment) if live is not None else {},
        capacity_bytes={"NRAM": machine.nram_bytes, "WRAM": machine.wram_bytes},
    )


class _Live:
    """Counts, for each segment, the bytes that were written and will be read again."""

    def __init__(self, machine: Machine) -> None:
        sizes = {"NRAM": machine.nram_bytes, "WRAM": machine.wram_bytes}
        self.born = {name: np.full(size, -1, np.int64) for name, size in sizes.items()}
        self.last = {name: np.full(size, -1, np.int64) for name, size in sizes.items()}
        self.spans: dict[str, list[NDArray[np.int64]]] = {name: [] for name in sizes}

    def step(self, item: Move | Compute, counters: dict[str, int], segment: int) -> None:
        """Take note of what an instruction reads and writes."""
        reads, (target, size) = accesses(item)
        for view, piece in reads:
            if view.memory != "DRAM":
                self.last[view.memory][self.where(view, counters, piece)] = segment
        adds = isinstance(item, Compute) and item.accumulate
        if target.memory != "DRAM" and not adds:
            where = self.where(target, counters, size)
            self.close(target.memory, where)
            self.born[target.memory][where] = segment
            self.last[target.memory][where] = segment

    def where(self, view: View, counters: dict[str, int], size: int) -> NDArray[np.int64]:
        """Return the bytes of an operand."""
        return bytes_from(positions(view, counters), size)

    def close(self, memory: str, where: NDArray[np.int64]) -> None:
        """End the life of what lies in these bytes."""
        held = where[self.born[memory][where] >= 0]
        self.spans[memory].append(np.stack([self.born[memory][held], self.last[memory][held]]))

    def counts(self, segments: int) -> dict[str, tuple[int, ...]]:
        """Return live bytes by memory and segment."""
        made: dict[str, tuple[int, ...]] = {}
        for memory, born in self.born.items():
            self.close(memory, np.flatnonzero(born >= 0))
            spans = np.concatenate(self.spans[memory], axis=1)
            change = np.bincount(spans[0], minlength=segments + 1)
            change = change - np.bincount(spans[1] + 1, minlength=segments + 1)[: len(change)]
            made[memory] = tuple(int(v) for v in np.cumsum(change)[:segments])
        return made


def render_text(chart: Timeline, *, width: int = 72) -> str:
    """Return the chart for a terminal: a line for each lane, a column for each slice of time.

    A column shows ``#`` where the lane is busy for all of it, ``+`` for part, ``.`` for none.
    """
    total = chart.ends_s[-1] if chart.ends_s else 0.0
    if total == 0:
        return "nothing to show\n"
    lines = []
    for lane in ("transfer", "compute"):
        busy = np.zeros(width)
        for bar in chart.bars:
            if bar.lane == lane:
                edges = np.arange(width + 1) * total / width
                overlap = np.minimum(edges[1:], bar.end_s) - np.maximum(edges[:-1], bar.start_s)
                busy += np.maximum(overlap, 0) / (total / width)
        signs = ["#" if b > 1 - 1e-9 else "+" if b > 1e-9 else "." for b in busy]
        lines.append(f"{lane:>8} {''.join(signs)}")
    for memory, values in chart.live_bytes.items():
        signs = []
        for column in range(width):
            at = int(np.searchsorted(chart.ends_s, (column + 0.5) * total / width))
            share = values[min(at, len(values) - 1)] / chart.capacity_bytes[memory]
            signs.append(" 123456789"[min(9, int(np.ceil(share * 9)))])
        room = format_bytes(chart.capacity_bytes[memory])
        lines.append(f"{memory:>8} {''.join(signs)}  (ninths of {room})")
    lines.append(f"{'':8} 0 to {format_time(total)}")
    return "\n".join(lines) + "\n"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>__TITLE__</title><style>
body{font:14px system-ui,sans-serif;margin:24px;color:#1a1a1a;background:#fff}
svg{width:100%;height:auto;display:block}text{font:11px system-ui,sans-serif;fill:#444}
.load{fill:#c2703d;color:#c2703d}.store{fill:#b8922e;color:#b8922e}
.compute{fill:#3d6fc2;color:#3d6fc2}.live{fill:#7a9a5b;color:#7a9a5b}
line{stroke:#999;stroke-width:.5}td,th{text-align:right;padding:0 1em}
@media (prefers-color-scheme:dark){body{background:#151515;color:#ddd}text{fill:#bbb}}
</style></head><body><h1>__TITLE__</h1><p>__SUMMARY__</p>
<svg viewBox="0 0 1000 255" role="img" aria-label="timeline">__BARS__</svg>
<p><b class="load">&#9632;</b> load <b class="store">&#9632;</b> store
<b class="compute">&#9632;</b> compute <b class="live">&#9632;</b> bytes in memory that are still
needed, against their peak</p>
<p>Hover over a bar for its instruction. Zoom with your browser.</p>
<details><summary>Segments</summary><table><tr><th>segment</th><th>end</th></tr>__ROWS__</table>
</details><script type="application/json" id="data">__DATA__</script></body></html>
"""


def render_html(chart: Timeline, *, title: str) -> str:
    """Return one self-contained page with the chart; it needs no network."""
    total = chart.ends_s[-1] or 1.0
    scale = 880 / total
    parts: list[str] = []
    rows = {"transfer": 20, "compute": 70}
    for lane, y in rows.items():
        parts.append(f'<text x="0" y="{y + 22}">{lane}</text>')
    busy = {"transfer": 0.0, "compute": 0.0}
    for bar in chart.bars:
        width = max((bar.end_s - bar.start_s) * scale, 0.15)
        busy[bar.lane] += bar.end_s - bar.start_s
        tip = f"line {bar.line}: {bar.label}, {format_time(bar.end_s - bar.start_s)}"
        stores = bar.lane == "transfer" and " to DRAM" in bar.label
        kind = bar.lane if bar.lane == "compute" else "store" if stores else "load"
        parts.append(
            f'<rect class="{kind}" x="{110 + bar.start_s * scale:.3f}" y="{rows[bar.lane]}" '
            f'width="{width:.3f}" height="36"><title>{html.escape(tip)}</title></rect>'
        )
    for y, (memory, values) in zip((120, 170), chart.live_bytes.items(), strict=False):
        peak, room = max(values, default=0), format_bytes(chart.capacity_bytes[memory])
        parts.append(f'<text x="0" y="{y + 14}">{memory}: peak</text>')
        parts.append(f'<text x="0" y="{y + 27}">{format_bytes(peak)} of {room}</text>')
        for (begin, end), value in zip(pairwise((0.0, *chart.ends_s)), values, strict=True):
            height = 36 * value / max(1, peak)
            parts.append(
                f'<rect class="live" x="{110 + begin * scale:.3f}" y="{y + 36 - height:.2f}" '
                f'width="{(end - begin) * scale:.3f}" height="{height:.2f}">'
                f"<title>{format_bytes(value)} of {room}</title></rect>"
            )
    for part in range(6):
        x = 110 + 880 * part / 5
        anchor = "start" if part == 0 else "end" if part == 5 else "middle"
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="14" y2="222"/>')
        mark = format_time(total * part / 5)
        parts.append(f'<text x="{x:.1f}" y="240" text-anchor="{anchor}">{mark}</text>')
    table = "".join(
        f"<tr><td>{i}</td><td>{format_time(end)}</td></tr>" for i, end in enumerate(chart.ends_s)
    )
    data = json.dumps({"ends_s": chart.ends_s, "live_bytes": chart.live_bytes})
    fields = {
        "__TITLE__": html.escape(title),
        "__SUMMARY__": f"{format_time(chart.ends_s[-1])}, {len(chart.ends_s)} segments; "
        f"transfer busy {100 * busy['transfer'] / total:.1f} %, "
        f"compute {100 * busy['compute'] / total:.1f} %",
        "__BARS__": "".join(parts),
        "__ROWS__": table,
        "__DATA__": data.replace("<", "\\u003c"),
    }
    page = _PAGE
    for key, text in fields.items():
        page = page.replace(key, text)
    return page
