"""Finds what is wrong with a program before it runs: each finding has a line and a remedy.

Two kinds of checks: of each instruction on its own (:func:`verify`, its cost independent of
loops), and of data in memory (:func:`verify_data`, which unrolls loops): use before load, and
hazards between a move and a computation of the same segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from tradespace.core.errors import Place, ProcessorError
from tradespace.hardware.dlp.addresses import (
    accesses,
    bytes_from,
    extent,
    loop_counts,
    operands,
    positions,
    unrolled,
)
from tradespace.hardware.dlp.instructions import Compute, Move, Program, Sync, View
from tradespace.hardware.dlp.machine import Machine


def verify(program: Program, machine: Machine) -> None:
    """Check each instruction: memories, capacity, shapes, order of first use.

    Raises
    ------
    ProcessorError
        For the first finding, with line and remedy.

    Examples
    --------
    >>> from tradespace.hardware.dlp.assembler import assemble
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> verify(assemble("move DRAM NRAM 200000"), load_machine())
    Traceback (most recent call last):
        ...
    tradespace.core.errors.ProcessorError: program:1: 200000 bytes do not fit NRAM, which has
    131072. Move the data in tiles.

    """
    checker = _Checker(program.file, machine)
    state = _FirstUse(checker)
    for item, counts in loop_counts(program.body):
        checker.line = item.line
        if isinstance(item, Move):
            checker.move(item, counts)
        elif isinstance(item, Compute):
            checker.compute(item, counts)
    for step, _ in loop_counts(program.body):
        state.step(step)


@dataclass(slots=True)
class _Checker:
    file: str
    machine: Machine
    line: int = 0

    def error(self, message: str, remedy: str) -> ProcessorError:
        return ProcessorError(message, place=Place(self.file, self.line or None), remedy=remedy)

    def move(self, item: Move, counts: Mapping[str, int]) -> None:
        """Check a move."""
        if item.src.memory == item.dst.memory:
            msg = f"This move stays inside {item.src.memory}."
            raise self.error(msg, "Name two different memories.")
        for view in (item.src, item.dst):
            room = self.machine.capacity_bytes(view.memory)
            if item.size_bytes > room:
                msg = f"{item.size_bytes} bytes do not fit {view.memory}, which has {room}."
                raise self.error(msg, "Move the data in tiles.")
            if view.offset is not None:
                self.reach(view, item.size_bytes // view.count, counts)

    def reach(self, view: View, size: int, counts: Mapping[str, int]) -> None:
        """Check that an operand lies inside its memory."""
        low, high = extent(view, size, counts)
        room = self.machine.capacity_bytes(view.memory)
        if low < 0:
            msg = f"{view} begins at byte {low}."
            raise self.error(msg, "Use addresses from 0.")
        if high > room:
            msg = f"{view} reaches byte {high} of {view.memory}, which has {room}."
            raise self.error(msg, "Use a smaller tile or a lower address.")

    def compute(self, item: Compute, counts: Mapping[str, int]) -> None:
        """Check a computation."""
        self.rate(item)
        if item.out is None:
            return
        for name, view in operands(item):
            wanted = "WRAM" if name == "w" and item.operation == "MAC" else "NRAM"
            if view.memory != wanted:
                msg = f"Operand {name} of {item.kind} lies in {view.memory}."
                raise self.error(
                    msg, f"Move it to {wanted} first: weights belong in WRAM, neurons in NRAM."
                )
            if view.offset is not None:
                self.reach(view, item.bits // 8, counts)
        if item.operation == "MAC":
            self.product(item)
        else:
            self.vector(item)

    def rate(self, item: Compute) -> None:
        try:
            self.machine.per_cycle(item.operation, item.bits)
        except ProcessorError as error:
            raise error.at(Place(self.file, item.line or None)) from None

    def product(self, item: Compute) -> None:
        """Check the shapes of a matrix product or convolution."""
        assert item.out is not None  # noqa: S101 - what our own code guarantees
        assert item.source is not None  # noqa: S101 - what our own code guarantees
        assert item.weights is not None  # noqa: S101 - what our own code guarantees
        out, source, weights = item.out.shape, item.source.shape, item.weights.shape
        if (len(out), len(source), len(weights)) == (2, 2, 2):
            good = source == (out[0], weights[0]) and out[1] == weights[1]
            count = out[0] * out[1] * source[1]
        elif (len(out), len(source), len(weights)) == (4, 4, 5):
            good = (
                out[0] == source[0] == weights[0]
                and out[1] == weights[1]
                and source[1] == weights[2]
            )
            count = prod(out) * prod(weights[2:])
        else:
            msg = f"The operands have {len(source)}, {len(weights)} and {len(out)} axes."
            raise self.error(
                msg, "Give in, w, out 2, 2, 2 axes (product) or 4, 5, 4 (convolution)."
            )
        if not good:
            msg = f"in {source} and w {weights} do not make out {out}."
            raise self.error(msg, "Make the inner sizes equal, and out of the outer ones.")
        self.counted(item, count)

    def counted(self, item: Compute, count: int) -> None:
        """Check that an instruction says how many operations its operands need."""
        if count != item.count:
            msg = f"These operands need {count} operations; the instruction says {item.count}."
            raise self.error(msg, f"Write compute {item.kind} {count}.")

    def vector(self, item: Compute) -> None:
        """Check the shapes of an element-wise operation or a fold over windows."""
        assert item.out is not None  # noqa: S101 - what our own code guarantees
        assert item.source is not None  # noqa: S101 - what our own code guarantees
        if item.window is not None:
            count = item.out.count * prod(item.window)
        else:
            count = item.out.count
            if item.other is None and item.immediate is None:
                msg = f"{item.kind} has one operand only."
                raise self.error(msg, "Give in2=NRAM[...] or imm=.")
            for view in (item.source, item.other):
                if view is not None and view.shape != item.out.shape:
                    msg = f"{view} has shape {view.shape}, out has {item.out.shape}."
                    raise self.error(msg, "Give all operands the same shape.")
        self.counted(item, count)


@dataclass(slots=True)
class _FirstUse:
    """Order of first use, for programs without addresses: only what is surely wrong."""

    checker: _Checker
    filled: dict[str, int] = field(default_factory=dict)
    segment: int = 0

    def step(self, item: Move | Compute | Sync) -> None:
        """Look at the next instruction."""
        self.checker.line = item.line
        if isinstance(item, Sync):
            self.segment += 1
        elif isinstance(item, Move):
            if item.src.memory != "DRAM" and item.src.memory not in self.filled:
                msg = f"{item.src.memory} is read before anything was put there."
                raise self.checker.error(msg, "Load or compute the data first, then sync.")
            self.same_segment(item.src.memory, "moves")
            if item.dst.memory != "DRAM":
                self.filled.setdefault(item.dst.memory, self.segment)
        else:
            for memory in ("NRAM", "WRAM") if item.operation == "MAC" else ("NRAM",):
                if memory not in self.filled:
                    msg = f"{item.kind} uses {memory} before anything was loaded there."
                    raise self.checker.error(
                        msg, f"Add 'move DRAM {memory} ...' and a sync before it."
                    )
                self.same_segment(memory, "computes with")

    def same_segment(self, memory: str, verb: str) -> None:
        """Refuse to use what is loaded for the first time in the same segment."""
        if memory in self.filled and self.filled[memory] == self.segment:
            msg = f"This line {verb} what is being put into {memory} between the same two syncs."
            raise self.checker.error(msg, "Add a sync between the two.")


def verify_data(program: Program, machine: Machine) -> None:
    """Check an addressed program byte by byte: use before load, hazards within a segment.

    Loops are unrolled, so the cost grows with the work.

    Raises
    ------
    ProcessorError
        For the first finding, with line and remedy.

    """
    sizes = {"NRAM": machine.nram_bytes, "WRAM": machine.wram_bytes}
    states = {
        name: _Bytes(np.zeros(n, bool), np.zeros((4, n), np.int64)) for name, n in sizes.items()
    }
    checker = _Checker(program.file, machine)
    number = 1
    for item, counters in unrolled(program.body):
        checker.line = item.line
        if isinstance(item, Sync):
            number += 1
        else:
            _touch(item, counters, states, checker, number)


@dataclass(slots=True)
class _Bytes:
    """What is known of each byte: whether it holds data, and the last segments of its uses.

    Rows of ``marks``: written by a move, written by a computation, read by a move, read by a
    computation.
    """

    filled: NDArray[np.bool_]
    marks: NDArray[np.int64]


def _touch(
    item: Move | Compute,
    counters: dict[str, int],
    states: dict[str, _Bytes],
    checker: _Checker,
    number: int,
) -> None:
    lane = 0 if isinstance(item, Move) else 1
    reads, write = accesses(item)
    for view, size in reads:
        if view.memory == "DRAM":
            continue
        skip = item if isinstance(item, Compute) and view is item.source else None
        state, where = states[view.memory], _bytes(view, counters, size, skip)
        if not state.filled[where].all():
            msg = f"{view} is read before all of it was loaded or computed."
            raise checker.error(msg, "Load it first, and sync.")
        if (state.marks[1 - lane][where] == number).any():
            other = "a move" if lane else "a computation"
            msg = f"{view} is read while {other} between the same two syncs writes it."
            raise checker.error(msg, "Add a sync between the two.")
        state.marks[2 + lane][where] = number
    view, size = write
    if view.memory != "DRAM":
        state, where = states[view.memory], _bytes(view, counters, size)
        if (state.marks[3 - lane][where] == number).any() or (
            state.marks[1 - lane][where] == number
        ).any():
            other = "a move" if lane else "a computation"
            msg = f"{view} is written while {other} between the same two syncs uses it."
            raise checker.error(msg, "Add a sync between the two, or use another place.")
        state.filled[where] = True
        state.marks[lane][where] = number


def _bytes(
    view: View, counters: dict[str, int], size: int, skip: Compute | None = None
) -> NDArray[np.int64]:
    """Return the bytes of an operand; of the input of windows, only the rows that they touch."""
    start = positions(view, counters)
    if skip is not None and start.ndim >= 3:
        down, height = skip.stride[0], 1
        if skip.weights is not None:
            height = skip.weights.shape[3]
        elif skip.window is not None:
            height = skip.window[0]
        rows = np.arange(start.shape[-2]) + skip.pad[0]
        start = start[..., rows % down < height, :]
    return bytes_from(start, size)
