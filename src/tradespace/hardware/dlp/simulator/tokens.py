"""A finer order of time: an operation starts when its own data are ready.

The two lanes keep program order, and syncs are ignored: a move waits for the computations that
read what it overwrites, a computation for the moves that bring its operands, byte by byte.
What this gains over the segment rule is what the syncs of a program cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradespace.core.errors import Place, ProcessorError
from tradespace.hardware.dlp.addresses import (
    accesses,
    bytes_from,
    dram_bytes,
    positions,
    unrolled,
)
from tradespace.hardware.dlp.costs import Ticks, program_step
from tradespace.hardware.dlp.instructions import Move, Program, Sync, View
from tradespace.hardware.dlp.machine import Machine


@dataclass(frozen=True, slots=True)
class Event:
    """One executed instruction: lane, start and end in seconds, line of the program."""

    lane: str
    start_s: float
    end_s: float
    line: int


def simulate_tokens(program: Program, machine: Machine) -> tuple[float, tuple[Event, ...]]:
    """Return the time in seconds of an addressed program without its syncs, and its events.

    Loops are unrolled, so the cost grows with the work.

    Raises
    ------
    ProcessorError
        If the program has operands without addresses.

    """
    if not program.addressed:
        msg = "Without addresses it is not known which data an operation needs."
        raise ProcessorError(
            msg, place=Place(program.file), remedy="Write addresses, or use the segment rule."
        )
    ticks = Ticks.of(machine)
    sizes = {
        "DRAM": dram_bytes(program.body),
        "NRAM": machine.nram_bytes,
        "WRAM": machine.wram_bytes,
    }
    written = {name: np.zeros(size, np.int64) for name, size in sizes.items()}
    read = {name: np.zeros(size, np.int64) for name, size in sizes.items()}
    free = {"transfer": 0, "compute": 0}
    events: list[Event] = []
    for item, counters in unrolled(program.body):
        if isinstance(item, Sync):
            continue
        if isinstance(item, Move):
            lane, length = "transfer", ticks.move(item.size_bytes)
        else:
            lane, length = "compute", program_step(item, ticks)
        reads, written_to = accesses(item)
        sources = [_bytes(view, counters, size) for view, size in reads]
        target = _bytes(written_to[0], counters, written_to[1])
        start = free[lane]
        for memory, where in sources:
            start = max(start, int(written[memory][where].max()))
        memory, where = target
        start = max(start, int(written[memory][where].max()), int(read[memory][where].max()))
        end = start + length
        for source, place in sources:
            read[source][place] = np.maximum(read[source][place], end)
        written[memory][where] = end
        free[lane] = end
        events.append(Event(lane, ticks.seconds(start), ticks.seconds(end), item.line))
    return ticks.seconds(max(free.values())), tuple(events)


def _bytes(view: View, counters: dict[str, int], element: int) -> tuple[str, NDArray[np.int64]]:
    return view.memory, bytes_from(positions(view, counters), element)
