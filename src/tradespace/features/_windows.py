"""Where the window of each query begins and ends among the sorted events of its entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tradespace.core.errors import FeatureError

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

#: Entity and time share one sortable 64-bit number.
_MOST = 2**62


@dataclass(frozen=True, slots=True)
class Sorted:
    """Events sorted by entity, time and id, and queries sorted by entity and time.

    All times count from a little before the first event, microseconds divided by `unit_us`.
    `key` is entity times `span` plus time. For queries that are the events themselves (`own`)
    the query at a place is the event at that place.
    """

    order: Ints
    key: Ints
    time: Ints
    created: Ints | None
    entity: Ints
    query_order: Ints
    query_key: Ints
    query_time: Ints
    own: bool
    span: int
    unit_us: int

    def window(self, *, window_us: int | None, delay_us: int) -> tuple[Ints, Ints]:
        """Return the half-open range of events in the window of each query."""
        base = self.query_key - self.query_time
        if delay_us == 0 and self.own:
            high = np.arange(1, len(self.key) + 1)
        elif delay_us == 0:
            high = np.searchsorted(self.key, self.query_key, side="right")
        else:
            back = _floor(delay_us, self.unit_us)
            high = np.searchsorted(
                self.key, base + np.maximum(self.query_time - back, 0), side="right"
            )
        if window_us is None:
            return np.searchsorted(self.key, base, side="right"), high
        back = _floor(window_us + delay_us, self.unit_us)
        low = np.searchsorted(self.key, base + np.maximum(self.query_time - back, 0), side="right")
        return np.minimum(low, high), high

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


def _floor(duration_us: int, unit_us: int) -> int:
    return duration_us // unit_us


def arrange(
    entity: Ints,
    time_us: Ints,
    *,
    rank: Ints | None,
    created_us: Ints | None,
    durations_us: tuple[int, ...],
    queries: tuple[Ints, Ints] | None = None,
    owner: str = "",
) -> Sorted:
    """Return events and queries sorted.

    Parameters
    ----------
    entity : ndarray of int64
        Codes from 0; queries of an entity without events have a code of their own.
    time_us : ndarray of int64
        Event times.
    rank : ndarray of int64, optional
        Order of simultaneous events.
    created_us : ndarray of int64, optional
        Times of arrival.
    durations_us : tuple of int
        All windows and delays, so that the coarsest exact unit of time can be used.
    queries : tuple of ndarray, optional
        Entities and times to look from; None: from the events themselves.
    owner : str
        For messages.

    Raises
    ------
    FeatureError
        If simultaneous events of one entity cannot be put in order.

    """
    query_time_us = time_us if queries is None else queries[1]
    start = min(int(time_us.min()), int(query_time_us.min(initial=time_us.min())))
    unit = _common_unit([time_us, query_time_us, created_us], start, durations_us)
    time = (time_us - start) // unit + 1
    query_time = time if queries is None else (query_time_us - start) // unit + 1
    span = int(max(time.max(), query_time.max(initial=1))) + 2
    query_entity = entity if queries is None else queries[0]
    codes = int(max(entity.max(), query_entity.max(initial=0))) + 1
    if codes * span > _MOST:
        msg = f"{owner} has too many entities ({codes}) over too long a time to be sorted at once."
        raise FeatureError(msg, remedy="Build it in parts: parts=16 or more.")
    key = entity * span + time
    order = _sort(entity, key, time, rank)
    sorted_key = key[order]
    if rank is None and queries is None and bool((sorted_key[1:] == sorted_key[:-1]).any()):
        at = int(np.flatnonzero(sorted_key[1:] == sorted_key[:-1])[0])
        msg = (
            f"{owner} has simultaneous events of one entity (rows {order[at]} and {order[at + 1]}) "
            "and no id that orders them."
        )
        raise FeatureError(msg, remedy="Name the column that identifies an event: id='...'.")
    created = None if created_us is None else ((created_us - start + unit - 1) // unit + 1)[order]
    sorted_time, sorted_entity = time[order], entity[order]
    if queries is None:
        return Sorted(
            order, sorted_key, sorted_time, created, sorted_entity, order, sorted_key, sorted_time,
            own=True, span=span, unit_us=unit,
        )  # fmt: skip
    query_key = query_entity * span + query_time
    query_order = np.argsort(query_key, kind="stable")
    return Sorted(
        order, sorted_key, sorted_time, created, sorted_entity, query_order,
        query_key[query_order], query_time[query_order], own=False, span=span, unit_us=unit,
    )  # fmt: skip


def _sort(entity: Ints, key: Ints, time: Ints, rank: Ints | None) -> Ints:
    """Sort by entity, time, rank; events that come in order of time need only be dealt out."""
    steps = np.diff(time)
    tied = steps == 0
    in_order = bool((steps >= 0).all()) and (rank is None or bool((np.diff(rank)[tied] > 0).all()))
    if in_order:
        low = np.argsort((entity & 0xFFFF).astype(np.uint16), kind="stable")
        if int(entity.max()) < 1 << 16:
            return low
        return low[np.argsort((entity[low] >> 16).astype(np.int64), kind="stable")]
    if rank is None:
        return np.argsort(key, kind="stable")
    return np.lexsort((rank, key))


def _common_unit(times: list[Ints | None], start: int, durations_us: tuple[int, ...]) -> int:
    for unit in (1_000_000, 1_000):
        whole = all(duration % unit == 0 for duration in durations_us)
        if whole and all(t is None or not np.any((t - start) % unit) for t in times):
            return unit
    return 1
