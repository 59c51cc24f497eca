"""Events sorted by entity and time, and cut into blocks of whole entities that fit in a cache.

Sorting deals events out to their entities once; everything after that works on one block at a
time, so that its arrays stay near the processor and blocks can be computed side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import FeatureError
from tradespace.features.batch import compiled
from tradespace.features.batch.events import Events, coarsest_unit_us
from tradespace.features.batch.ranges import Finder

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

#: Entity and time share one sortable 64-bit number.
_MOST = 2**62
#: From so many rows on a counting sort is worth loading a library for.
_MANY = 1 << 17
#: Events of a block: its arrays of 64-bit numbers take a quarter of a megabyte each.
_BLOCK = 1 << 15


@dataclass(frozen=True, slots=True)
class Arranged:
    """Events, and the queries about them, in the order of entity and time.

    `order` lists the events by entity, time and id; the events of entity code `e` stand at
    ``starts[e]:starts[e + 1]`` of it. Times count units of `unit_us` microseconds from a
    little before the first event, in the order given. For queries that are the events
    themselves (`own`) the query at a place is the event at that place.
    """

    order: Ints
    starts: Ints
    time: npt.NDArray[Any]
    created: Ints | None
    query_order: Ints
    query_starts: Ints
    query_time: npt.NDArray[Any]
    own: bool
    ranked: bool
    span: int
    unit_us: int
    owner: str

    def cuts(self) -> list[tuple[int, int]]:
        """Return ranges of entity codes that make up blocks; an entity is never divided."""
        most = max(_MOST // self.span, 1)
        after = self.starts[1:] if self.own else self.starts[1:] + self.query_starts[1:]
        found, begin, total = [], 0, len(after)
        while begin < total:
            before = int(after[begin - 1]) if begin else 0
            end = int(np.searchsorted(after, before + _BLOCK, side="right"))
            end = min(max(end, begin + 1), begin + most, total)
            found.append((begin, end))
            begin = end
        return found

    def block(self, begin: int, end: int) -> Block:
        """Return the block of a range of entity codes.

        Raises
        ------
        FeatureError
            If simultaneous events of one entity cannot be put in order.

        """
        starts = self.starts[begin : end + 1]
        order = self.order[starts[0] : starts[-1]]
        time, key = _numbered(self.time, order, starts, self.span)
        if not self.ranked and self.own:
            self._refuse_twins(order, key)
        created = None if self.created is None else self.created[order]
        if self.own:
            asked, query_order, query_time, query_key = starts, order, time, key
        else:
            asked = self.query_starts[begin : end + 1]
            query_order = self.query_order[asked[0] : asked[-1]]
            query_time, query_key = _numbered(self.query_time, query_order, asked, self.span)
        return Block(
            order, key, time, created, starts - starts[0],
            query_order, query_key, query_time, asked - asked[0],
            own=self.own, span=self.span, unit_us=self.unit_us,
        )  # fmt: skip

    def _refuse_twins(self, order: Ints, key: Ints) -> None:
        twins = np.flatnonzero(key[1:] == key[:-1])
        if len(twins):
            rows = f"rows {order[twins[0]]} and {order[twins[0] + 1]}"
            msg = (
                f"{self.owner} has simultaneous events of one entity ({rows}) and no id "
                "that orders them."
            )
            raise FeatureError(msg, remedy="Name the column that identifies an event: id='...'.")


@dataclass(frozen=True)
class Block:
    """Whole entities: their events and queries, sorted, with codes from 0.

    `key` is entity times `span` plus time. The span is so wide that no window reaches from one
    entity into another.
    """

    order: Ints
    key: Ints
    time: Ints
    created: Ints | None
    starts: Ints
    query_order: Ints
    query_key: Ints
    query_time: Ints
    query_starts: Ints
    own: bool
    span: int
    unit_us: int

    @cached_property
    def entity(self) -> Ints:
        """Return the code of each event."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self.key)

    @cached_property
    def _found(self) -> dict[int, Ints]:
        return {}

    def window(self, *, window_us: int | None, delay_us: int) -> tuple[Ints, Ints]:
        """Return the half-open range of events in the window of each query."""
        if delay_us == 0 and self.own:
            high = np.arange(1, len(self.key) + 1)
        else:
            high = self._until(delay_us)
        if window_us is None:
            return np.repeat(self.starts[:-1], np.diff(self.query_starts)), high
        return self._until(window_us + delay_us), high

    def _until(self, back_us: int) -> Ints:
        """Return how many events there are up to so long before each query."""
        if back_us not in self._found:
            back, library = back_us // self.unit_us, compiled.LIBRARY
            if library is not None:
                self._found[back_us] = compiled.count_until(library, self.key, self.query_key, back)
            else:
                self._found[back_us] = self._finder.count_until(self.query_key - back)
        return self._found[back_us]

    def unseen(self, low: Ints, high: Ints, *, own_counts: bool) -> Ints:
        """Return the queries whose window holds an event that had not arrived by their time."""
        if self.created is None:
            return np.zeros(0, np.int64)
        late = np.flatnonzero(self.created > self.time)
        first = np.searchsorted(high, late, side="right")
        if own_counts:
            first = np.maximum(first, late + 1)
        arrival = self.key[late] - self.time[late] + np.minimum(self.created[late], self.span - 1)
        end = np.minimum(
            np.searchsorted(low, late, side="right"),
            np.searchsorted(self.query_key, arrival, side="left"),
        )
        some = first < end
        change = np.bincount(first[some], minlength=len(low) + 1)
        change = change - np.bincount(end[some], minlength=len(low) + 1)
        return np.flatnonzero(np.cumsum(change)[: len(low)] > 0)


def arrange(
    entity: npt.NDArray[Any],
    events: Events,
    *,
    durations_us: tuple[int, ...],
    horizon_us: int,
    queries: tuple[npt.NDArray[Any], Ints] | None = None,
    owner: str = "",
) -> Arranged:
    """Return events and queries in order.

    Parameters
    ----------
    entity : ndarray of integers
        Codes from 0; queries of an entity without events have a code of their own.
    events : Events
        Each once.
    durations_us : tuple of int
        All windows and delays, so that the coarsest exact unit of time can be used.
    horizon_us : int
        The farthest that a window reaches back.
    queries : tuple of ndarray, optional
        Codes of entities and times to look from; None: from the events themselves.
    owner : str
        For messages.

    """
    time_us, created_us = events.time_us, events.created_us
    query_time_us = time_us if queries is None else queries[1]
    start = min(int(time_us.min()), int(query_time_us.min(initial=time_us.min())))
    found = (
        [events.unit_us] if queries is None else [events.unit_us, coarsest_unit_us([queries[1]])]
    )
    unit = math.gcd(*found, *durations_us)
    unit = next(u for u in (1_000_000, 1_000, 1) if unit % u == 0)
    time = _units(time_us, start, unit)
    query_time = time if queries is None else _units(query_time_us, start, unit)
    n_codes = int(entity.max()) + 1
    query_entity = entity
    if queries is not None:
        query_entity = queries[0]
        n_codes = max(n_codes, int(query_entity.max()) + 1)
    span = int(max(time.max(), query_time.max())) + horizon_us // unit + 3
    created = None if created_us is None else (created_us - start + unit - 1) // unit + 1
    order, starts = _deal(entity, n_codes, _by_time(time, events))
    ranked = events.rank is not None
    if queries is None:
        return Arranged(
            order, starts, time, created, order, starts, time,
            own=True, ranked=ranked, span=span, unit_us=unit, owner=owner,
        )  # fmt: skip
    by_time = np.argsort(query_time, kind="stable")
    query_order, query_starts = _deal(query_entity, n_codes, by_time)
    return Arranged(
        order, starts, time, created, query_order, query_starts, query_time,
        own=False, ranked=ranked, span=span, unit_us=unit, owner=owner,
    )  # fmt: skip


def _by_time(time: npt.NDArray[Any], events: Events) -> Ints | None:
    """Return the order of time and id; None: that is how events stand."""
    if events.ordered:
        return None
    if events.rank is None:
        return np.argsort(time, kind="stable")
    return np.lexsort((events.rank, time))


def _deal(entity: npt.NDArray[Any], n_codes: int, before: Ints | None) -> tuple[Ints, Ints]:
    """Deal rows out to their entities, in the order they have, and say where each starts."""
    codes = entity if before is None else entity[before]
    n, library = len(codes), compiled.LIBRARY
    if library is not None and n_codes < 1 << 31:
        dealt, starts = compiled.deal(library, codes, n_codes)
    elif _MANY <= n < 1 << 31:
        from scipy.sparse import coo_array

        # Making a sparse matrix of rows is a counting sort, twice as fast as a radix sort.
        places = np.arange(n, dtype=np.int32)
        rows = coo_array((np.ones(n, np.int8), (codes, places)), shape=(n_codes, n)).tocsr()
        dealt, starts = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    else:
        dealt = np.argsort(codes.astype(np.uint16) if n_codes <= 1 << 16 else codes, kind="stable")
        starts = np.zeros(n_codes + 1, np.int64)
        np.cumsum(np.bincount(codes, minlength=n_codes), out=starts[1:])
    return dealt if before is None else before[dealt], starts


def _numbered(time: npt.NDArray[Any], order: Ints, starts: Ints, span: int) -> tuple[Ints, Ints]:
    """Return the times of a run of entities, in their order, and entity times span plus time."""
    if compiled.LIBRARY is not None:
        return compiled.number(compiled.LIBRARY, time, order, starts, span)
    times = time[order].astype(np.int64)
    return times, np.repeat(np.arange(len(starts) - 1) * span, np.diff(starts)) + times


def _units(times_us: Ints, start: int, unit: int) -> npt.NDArray[Any]:
    """Return times in units, from 1; in 32 bits where they fit, which gathers faster."""
    few = (int(times_us.max(initial=start)) - start) // unit + 1 < 1 << 31
    found = np.empty(len(times_us), np.int32 if few else np.int64)
    for at in range(0, len(times_us), _BLOCK):
        part = times_us[at : at + _BLOCK] - start
        if unit > 1:
            part //= unit
        part += 1
        found[at : at + _BLOCK] = part
    return found
