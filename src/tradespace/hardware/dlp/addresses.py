"""Where operands lie: extents for checking, positions for executing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from tradespace.hardware.dlp.instructions import (
    Affine,
    Compute,
    Instruction,
    Loop,
    Move,
    Sync,
    View,
)


def affine_range(value: Affine, counts: Mapping[str, int]) -> tuple[int, int]:
    """Return the least and greatest value over all iterations of the loops around.

    Examples
    --------
    >>> affine_range(Affine(8, (("i", 4), ("j", -1))), {"i": 3, "j": 5})
    (4, 16)

    """
    low = high = value.const
    for name, factor in value.terms:
        reach = factor * (counts[name] - 1)
        low += min(0, reach)
        high += max(0, reach)
    return low, high


def extent(view: View, element_bytes: int, counts: Mapping[str, int]) -> tuple[int, int]:
    """Return the first byte and the byte after the last that an operand may touch."""
    assert view.offset is not None  # noqa: S101 - what our own code guarantees
    low, high = affine_range(view.offset, counts)
    for axis in view.axes:
        steps = axis.count
        if axis.ring:
            first, last = affine_range(axis.phase, counts)
            whole = first != last or (first % axis.ring) + axis.count > axis.ring
            low += 0 if whole else (first % axis.ring) * axis.stride
            high += 0 if whole else (first % axis.ring) * axis.stride
            steps = axis.ring if whole else axis.count
        high += (steps - 1) * axis.stride
    return low, high + element_bytes


def positions(view: View, counters: dict[str, int]) -> NDArray[np.int64]:
    """Return the byte offset of each element, in the shape of the view.

    Examples
    --------
    >>> from tradespace.hardware.dlp.instructions import Axis
    >>> view = View("NRAM", Affine(100), (Axis(2, 8), Axis(3, 2, ring=4, phase=Affine(2))))
    >>> positions(view, {}).tolist()
    [[104, 106, 100], [112, 114, 108]]

    """
    assert view.offset is not None  # noqa: S101 - what our own code guarantees
    found = np.array(view.offset.at(counters), dtype=np.int64)
    for axis in view.axes:
        steps = np.arange(axis.count, dtype=np.int64)
        if axis.ring:
            steps = (steps + axis.phase.at(counters)) % axis.ring
        found = found[..., None] + steps * axis.stride
    return found


def operands(item: Compute) -> tuple[tuple[str, View], ...]:
    """Return the named operands that a compute instruction has."""
    named = (("out", item.out), ("in", item.source), ("w", item.weights), ("in2", item.other))
    return tuple((name, view) for name, view in named if view is not None)


def accesses(item: Move | Compute) -> tuple[list[tuple[View, int]], tuple[View, int]]:
    """Return the views that an item reads and the one it writes, each with its piece in bytes."""
    if isinstance(item, Move):
        reads = [(item.src, item.size_bytes // item.src.count)]
        return reads, (item.dst, item.size_bytes // item.dst.count)
    assert item.out is not None  # noqa: S101 - what our own code guarantees
    size = item.bits // 8
    reads = [(v, size) for name, v in operands(item) if name != "out" or item.accumulate]
    return reads, (item.out, size)


def bytes_from(starts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the addresses of all bytes of pieces of `size` bytes that begin at `starts`."""
    return (starts.reshape(-1)[:, None] + np.arange(size)).reshape(-1)


def unrolled(
    body: tuple[Instruction, ...], counters: dict[str, int] | None = None
) -> Iterator[tuple[Move | Compute | Sync, dict[str, int]]]:
    """Yield each instruction as it is executed, with the counters it sees."""
    counters = {} if counters is None else counters
    for item in body:
        if isinstance(item, Loop):
            for step in range(item.count):
                inner = {**counters, item.name: step} if item.name else counters
                yield from unrolled(item.body, inner)
        else:
            yield item, counters


def loop_counts(
    body: tuple[Instruction, ...], counts: dict[str, int] | None = None
) -> Iterator[tuple[Move | Compute | Sync, dict[str, int]]]:
    """Yield each instruction once, with the counts of the loops around it."""
    counts = {} if counts is None else counts
    for item in body:
        if isinstance(item, Loop):
            inner = {**counts, item.name: item.count} if item.name else counts
            yield from loop_counts(item.body, inner)
        else:
            yield item, counts


def dram_bytes(body: tuple[Instruction, ...]) -> int:
    """Return how much of DRAM an addressed program reaches."""
    reach = 0
    for item, counts in loop_counts(body):
        if isinstance(item, Move):
            for view in (item.src, item.dst):
                if view.memory == "DRAM" and view.offset is not None:
                    reach = max(reach, extent(view, item.size_bytes // view.count, counts)[1])
    return reach
