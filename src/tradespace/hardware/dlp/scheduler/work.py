"""Work: computations in order, the loads that each needs and the stores that each allows.

A schedule has one computation a segment. A load may take place in any segment after its place
in memory has become free and before the computation that needs it; a store after its
computation, and before its place is written again. Which one is for ``balance``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class InputBox(NamedTuple):
    """A part of the input: groups, channels, rows, columns of one image."""

    g0: int
    g1: int
    c0: int
    c1: int
    r0: int
    r1: int
    x0: int
    x1: int
    image: int


class WeightBox(NamedTuple):
    """A part of the weights: groups, outputs, channels, window rows."""

    g0: int
    g1: int
    n0: int
    n1: int
    c0: int
    c1: int
    f0: int
    f1: int


class OutputBox(NamedTuple):
    """A part of the result: groups, outputs, rows, columns of one image."""

    g0: int
    g1: int
    n0: int
    n1: int
    y0: int
    y1: int
    x0: int
    x1: int
    image: int


class Task(NamedTuple):
    """One computation: what it writes, over which channels and window rows, in which slots."""

    out: OutputBox
    c0: int
    c1: int
    f0: int
    f1: int
    accumulate: bool
    slot: int
    operations: int
    weights_slot: int = 0


class Load(NamedTuple):
    """Data needed first by task ``first``, in a place free after task ``free`` (-1: always).

    ``origin`` is the first row of the tile that the data belong to.
    """

    first: int
    free: int
    box: InputBox | WeightBox
    slot: int
    words: int
    operand: int = 0
    origin: int = 0


@dataclass(slots=True)
class Store:
    """A result finished by task ``done``; its place is written again by task ``again``."""

    done: int
    box: OutputBox
    slot: int
    words: int
    again: int = -1


@dataclass(slots=True)
class Work:
    """What a plan does, in order."""

    tasks: list[Task] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    pending: dict[int, list[Store]] = field(default_factory=dict)

    def overwrite(self, cells: Iterable[int]) -> None:
        """Tell that the next task writes these cells of the result's memory afresh."""
        now = len(self.tasks)
        for cell in cells:
            for store in self.pending.pop(cell, ()):
                if store.again < 0:
                    store.again = now

    def store(self, box: OutputBox, slot: int, words: int, cells: Iterable[int]) -> None:
        """Store the result of the task that was added last."""
        made = Store(len(self.tasks) - 1, box, slot, words)
        self.stores.append(made)
        for cell in cells:
            self.pending.setdefault(cell, []).append(made)

    @property
    def words(self) -> int:
        """Words across the chip's edge."""
        return sum(load.words for load in self.loads) + sum(store.words for store in self.stores)


class Ring:
    """Slots that hold numbered things in turn: thing ``i`` lies in slot ``i mod size``."""

    __slots__ = ("holder", "last", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.holder = [-1] * size
        self.last = [-1] * size

    def need(self, things: Iterable[int], task: int) -> list[tuple[int, int]]:
        """Return the things that must be loaded for a task, each with when its slot is free."""
        size, holder, last = self.size, self.holder, self.last
        missing = []
        for thing in things:
            slot = thing % size
            if holder[slot] != thing:
                missing.append((thing, last[slot]))
                holder[slot] = thing
            last[slot] = task
        return missing


def runs(missing: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Join neighbors: (first, after last, free of the latest).

    Examples
    --------
    >>> runs([(4, -1), (5, 2), (9, 0)])
    [(4, 6, 2), (9, 10, 0)]

    """
    made: list[tuple[int, int, int]] = []
    for thing, free in missing:
        if made and made[-1][1] == thing:
            start, _, before = made[-1]
            made[-1] = (start, thing + 1, max(before, free))
        else:
            made.append((thing, thing + 1, free))
    return made


def blocks(total: int, size: int) -> list[tuple[int, int]]:
    """Return ranges of ``size`` that cover ``total``; the last may be shorter.

    Examples
    --------
    >>> blocks(5, 2)
    [(0, 2), (2, 4), (4, 5)]

    """
    return [(start, min(start + size, total)) for start in range(0, total, size)]


def growing(total: int, first: int, ratio: float, *, most: int) -> list[tuple[int, int]]:
    """Return ranges that cover ``total`` and grow as fast as loading them stays hidden.

    While a range is computed there is time to load ``ratio`` times as much. Half of what is
    over goes into larger ranges, half is left for other loads; little is all left.

    Examples
    --------
    >>> growing(12, 1, 3.0, most=4)
    [(0, 1), (1, 3), (3, 7), (7, 11), (11, 12)]

    """
    made, start, size, spare = [], 0, first, 0.0
    while start < total:
        end = min(total, start + size)
        made.append((start, end))
        start = end
        spare += size * (ratio - 1) / 2 if ratio > 1.15 else 0.0
        grown = min(int(spare), max(0, most - size))
        spare -= grown
        size += grown
    return made
