"""Deals loads and stores to the segments of a schedule so that neither lane waits needlessly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tradespace.hardware.dlp.scheduler.work import Work

_REACH = 48  # segments that a move may be brought forward or put off


@dataclass(frozen=True, slots=True)
class Balanced:
    """Which moves stand in which segment; ``segment`` is that of each task.

    ``loads`` and ``stores`` hold, for each segment, the numbers of its moves in the work.
    """

    ticks: int
    moves: list[int]
    computes: list[int]
    segment: list[int]
    loads: list[list[int]]
    stores: list[list[int]]


def balance(
    work: Work, computes: Sequence[int], *, word_ticks: int, overhead_ticks: int
) -> Balanced:
    """Return a distribution of the moves.

    Loads go as late as there is room beside a computation, stores as early; what finds no room
    goes where it lengthens the schedule least. Where a place in memory is taken until just
    before it is needed, a segment without computation is put in.

    Parameters
    ----------
    work : Work
        Tasks with their loads and stores.
    computes : sequence of int
        Ticks of each task.
    word_ticks, overhead_ticks : int
        Ticks of moving one word, and of one move besides.

    """
    waits = {load.first for load in work.loads if load.free >= load.first - 1 >= 0}
    waits |= {store.again for store in work.stores if store.again == store.done + 1}
    segment: list[int] = []
    at = 0
    for task in range(len(work.tasks)):
        at += 2 if task in waits else 1
        segment.append(at)
    count = at + 2
    room = [0] * count  # ticks left beside the computation; negative: transfer decides
    arithmetic = [0] * count
    for task, ticks in enumerate(computes):
        room[segment[task]] = arithmetic[segment[task]] = ticks
    loads: list[list[int]] = [[] for _ in range(count)]
    stores: list[list[int]] = [[] for _ in range(count)]
    for number in range(len(work.loads) - 1, -1, -1):
        load = work.loads[number]
        ticks = load.words * word_ticks + overhead_ticks
        latest = segment[load.first] - 1
        earliest = segment[load.free] + 1 if load.free >= 0 else 0
        best = latest
        if room[latest] < ticks:
            for s in range(latest - 1, max(earliest, latest - _REACH) - 1, -1):
                if room[s] > room[best] and room[best] < ticks:
                    best = s
        room[best] -= ticks
        loads[best].append(number)
    for number, store in enumerate(work.stores):
        ticks = store.words * word_ticks + overhead_ticks
        earliest = segment[store.done] + 1
        latest = segment[store.again] - 1 if store.again >= 0 else count - 1
        best = earliest
        if room[earliest] < ticks:
            for s in range(earliest + 1, min(latest, earliest + _REACH) + 1):
                if room[s] > room[best] and room[best] < ticks:
                    best = s
        room[best] -= ticks
        stores[best].append(number)
    moves = [arithmetic[s] - room[s] for s in range(count)]
    return Balanced(
        ticks=sum(map(max, moves, arithmetic)),
        moves=moves,
        computes=arithmetic,
        segment=segment,
        loads=loads,
        stores=stores,
    )
