"""Deals loads and stores to the segments of a schedule so that neither lane waits needlessly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tradespace.hardware.dlp.scheduler.work import Load, OutputBox, Store, Work

_Move = TypeVar("_Move", Load, Store)
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
    ticks_of = _Ticks(word_ticks, overhead_ticks)
    for load in reversed(work.loads):
        latest = segment[load.first] - 1
        earliest = max(segment[load.free] + 1 if load.free >= 0 else 0, latest - _REACH)
        _place(
            load, range(latest, min(earliest, latest) - 1, -1), room, loads, ticks_of, _split_load
        )
    for store in later:
        earliest = segment[store.done] + 1
        latest = segment[store.again] - 1 if store.again >= 0 else count - 1
        latest = min(latest, earliest + _REACH)
        places = range(earliest, max(earliest, latest) + 1)
        _place(store, places, room, stores, ticks_of, _split_store)
    moves = [arithmetic[s] - room[s] for s in range(count)]
    return Balanced(
        ticks=sum(map(max, moves, arithmetic)),
        moves=moves,
        computes=arithmetic,
        segment=segment,
        loads=loads,
        stores=stores,
    )


@dataclass(frozen=True, slots=True)
class _Ticks:
    """What moving words takes."""

    word: int
    overhead: int

    def of(self, words: int) -> int:
        return words * self.word + self.overhead


def _place(
    item: _Move,
    places: range,
    room: list[int],
    into: list[list[_Move]],
    ticks: _Ticks,
    split: Callable[[_Move, int, int], tuple[_Move | None, _Move | None]],
) -> None:
    """Put a move into the first segment if it fits there, else in parts where there is room."""
    first = places[0]
    if room[first] >= ticks.of(item.words):
        room[first] -= ticks.of(item.words)
        into[first].append(item)
        return
    left: _Move | None = item
    worth = ticks.of(-(-item.words // _PARTS))  # less is no part
    for s in places:
        if room[s] >= worth and left is not None:
            left, taken = split(left, item.words, (room[s] - ticks.overhead) // ticks.word)
            if taken is not None:
                room[s] -= ticks.of(taken.words)
                into[s].append(taken)
            if left is None:
                return
            worth = min(worth, ticks.of(left.words))
    if left is not None:
        best = max(places, key=room.__getitem__)
        room[best] -= ticks.of(left.words)
        into[best].append(left)


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
