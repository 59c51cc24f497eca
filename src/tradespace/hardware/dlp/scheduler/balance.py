"""Deals loads and stores to the segments of a schedule so that neither lane waits needlessly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tradespace.hardware.dlp.scheduler.work import Load, OutputBox, Store, Work

_REACH = 256  # segments that a move may be brought forward or put off
_PARTS = 32  # a part of a move is at least this fraction of it


@dataclass(frozen=True, slots=True)
class Balanced:
    """Which moves stand in which segment; ``segment`` is that of each task."""

    ticks: int
    moves: list[int]
    computes: list[int]
    segment: list[int]
    loads: list[list[Load]]
    stores: list[list[Store]]


def balance(
    work: Work, computes: Sequence[int], *, word_ticks: int, overhead_ticks: int
) -> Balanced:
    """Return a distribution of the moves.

    Loads go as late as there is room beside a computation, stores as early; a move that finds
    no room is split. What is left goes where it lengthens the schedule least. Where a place in
    memory is taken until just before it is needed, a segment without computation is put in.

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
    loads: list[list[Load]] = [[] for _ in range(count)]
    stores: list[list[Store]] = [[] for _ in range(count)]
    later: list[Store] = []
    for store in work.stores:  # those that have one place only go first
        at = segment[store.done] + 1
        if store.again >= 0 and segment[store.again] - 1 == at:
            room[at] -= store.words * word_ticks + overhead_ticks
            stores[at].append(store)
        else:
            later.append(store)
    for load in reversed(work.loads):
        latest = segment[load.first] - 1
        ticks = load.words * word_ticks + overhead_ticks
        if room[latest] >= ticks:
            room[latest] -= ticks
            loads[latest].append(load)
            continue
        earliest = max(segment[load.free] + 1 if load.free >= 0 else 0, latest - _REACH)
        left: Load | None = load
        worth = overhead_ticks + -(-load.words // _PARTS) * word_ticks  # less is no part
        for s in range(latest, earliest - 1, -1):
            if room[s] >= worth and left is not None:
                left, taken = _split_load(
                    left, load.words, (room[s] - overhead_ticks) // word_ticks
                )
                if taken is not None:
                    room[s] -= taken.words * word_ticks + overhead_ticks
                    loads[s].append(taken)
                if left is None:
                    break
                worth = min(worth, overhead_ticks + left.words * word_ticks)
        if left is not None:
            best = max(range(latest, earliest - 1, -1), key=room.__getitem__)
            room[best] -= left.words * word_ticks + overhead_ticks
            loads[best].append(left)
    for store in later:
        earliest = segment[store.done] + 1
        ticks = store.words * word_ticks + overhead_ticks
        if room[earliest] >= ticks:
            room[earliest] -= ticks
            stores[earliest].append(store)
            continue
        latest = segment[store.again] - 1 if store.again >= 0 else count - 1
        latest = min(latest, earliest + _REACH)
        rest: Store | None = store
        worth = overhead_ticks + -(-store.words // _PARTS) * word_ticks
        for s in range(earliest, latest + 1):
            if room[s] >= worth and rest is not None:
                rest, part = _split_store(
                    rest, store.words, (room[s] - overhead_ticks) // word_ticks
                )
                if part is not None:
                    room[s] -= part.words * word_ticks + overhead_ticks
                    stores[s].append(part)
                if rest is None:
                    break
                worth = min(worth, overhead_ticks + rest.words * word_ticks)
        if rest is not None:
            best = max(range(earliest, latest + 1), key=room.__getitem__)
            room[best] -= rest.words * word_ticks + overhead_ticks
            stores[best].append(rest)
    moves = [arithmetic[s] - room[s] for s in range(count)]
    return Balanced(
        ticks=sum(map(max, moves, arithmetic)),
        moves=moves,
        computes=arithmetic,
        segment=segment,
        loads=loads,
        stores=stores,
    )


def _units(words: int, whole: int, length: int, room: int) -> int:
    """Return how many of ``length`` equal units fit, or 0 if too few to be worth a move."""
    if words <= room:
        return length
    each = words // length
    count = min(room // each, length) if room > 0 else 0
    return count if count * each * _PARTS >= whole else 0


def _split_load(load: Load, whole: int, room: int) -> tuple[Load | None, Load | None]:
    """Return what is left of a load and the part of it that fits; its end goes first."""
    box = load.box
    low = 2 if box[3] - box[2] > 1 else 4  # outputs, then channels; or channels, then rows
    start, end = box[low], box[low + 1]
    count = _units(load.words, whole, end - start, room)
    if count == 0:
        return load, None
    if count == end - start:
        return None, load
    words = load.words // (end - start) * count
    middle = end - count
    first, free, _, slot, _, operand, origin = load
    kind = type(box)
    taken = kind._make((*box[:low], middle, *box[low + 1 :]))
    rest = kind._make((*box[: low + 1], middle, *box[low + 2 :]))
    return (
        Load(first, free, rest, slot, load.words - words, operand, origin),
        Load(first, free, taken, slot, words, operand, origin),
    )


def _split_store(store: Store, whole: int, room: int) -> tuple[Store | None, Store | None]:
    """Return what is left of a store and the part of it that fits; its beginning goes first."""
    box: OutputBox = store.box
    low, high = ("n0", "n1") if box.n1 - box.n0 > 1 else ("y0", "y1")
    start, end = getattr(box, low), getattr(box, high)
    count = _units(store.words, whole, end - start, room)
    if count == 0:
        return store, None
    if count == end - start:
        return None, store
    each = store.words // (end - start)
    taken = replace(store, box=box._replace(**{high: start + count}), words=each * count)
    rest = box._replace(**{low: start + count})
    return replace(store, box=rest, words=store.words - each * count), taken
