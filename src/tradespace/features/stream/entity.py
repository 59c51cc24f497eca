"""The state of one entity: its recent events in order, with running sums of whole numbers.

Plain Python on purpose: an entity has tens to hundreds of events, where numpy costs more to
call than it saves. Formulas are those of the batch engine, operation by operation.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from tradespace.features.define.features import Feature

#: Values that one event contributes: for each distinct column and filter of a view, or None.
Payload = tuple[Any, ...]


class EntityState:
    """Events of one entity by time and id, and their running sums.

    Parameters
    ----------
    whole : sequence of bool
        Which slots of the payload hold whole numbers, and so get running sums.

    """

    __slots__ = (
        "created", "front", "ids", "late", "moments", "payloads", "sums", "times", "whole"
    )  # fmt: skip

    def __init__(self, whole: Sequence[bool]) -> None:
        self.whole = [slot for slot, is_whole in enumerate(whole) if is_whole]
        self.times: list[int] = []
        self.ids: list[Any] = []
        self.moments: dict[Any, int] = {}
        self.created: list[int] = []
        self.payloads: list[Payload] = []
        # Running (count, sum) of each whole slot, before the first event and after each.
        self.sums: list[tuple[int, ...]] = [(0,) * (3 * len(whole))]
        self.late = 0
        self.front = 0

    def insert(self, time: int, identity: Any, created: int, payload: Payload) -> bool:
        """Take in an event; return False if it was there already."""
        if identity in self.moments:
            return False
        self.moments[identity] = time
        times, ids = self.times, self.ids
        place = len(times)
        if place and times[-1] >= time:
            place = bisect_left(times, time)
            while place < len(times) and times[place] == time and ids[place] < identity:
                place += 1
        times.insert(place, time)
        ids.insert(place, identity)
        self.created.insert(place, created)
        self.payloads.insert(place, payload)
        self.late += created > time
        self.front = max(self.front, created)
        del self.sums[place + 1 :]
        for later in self.payloads[place:]:
            self.sums.append(self._after(self.sums[-1], later))
        return True

    def _after(self, before: tuple[int, ...], payload: Payload) -> tuple[int, ...]:
        after = list(before)
        for slot in self.whole:
            value = payload[slot]
            if value is not None:
                at = 3 * slot
                after[at] += 1
                after[at + 1] += value
                after[at + 2] += value * value
        return tuple(after)

    def expire(self, before: int) -> None:
        """Forget events at or before a time."""
        gone = bisect_right(self.times, before)
        if gone:
            self.late -= sum(
                c > t for c, t in zip(self.created[:gone], self.times[:gone], strict=True)
            )
            for identity in self.ids[:gone]:
                del self.moments[identity]
            del self.times[:gone], self.ids[:gone], self.created[:gone], self.payloads[:gone]
            del self.sums[:gone]

    def place_of(self, time: int, identity: Any) -> int:
        """Return where an event stands; without an id, the last one of that time."""
        if identity is None:
            return bisect_right(self.times, time) - 1
        place = bisect_left(self.times, time)
        while self.ids[place] != identity:
            place += 1
        return place

    def value(self, feature: Feature, slot: int, divisor: int, now: int, own: int | None) -> float:
        """Return a feature as of a time, microseconds; `own` is the place of the row's event."""
        times = self.times
        delay = feature.delay_us
        if own is not None and delay == 0:
            high = own + 1
            if feature.kind == "since_last":
                high = own
        else:
            high = bisect_right(times, now - delay)
        low = 0
        if feature.window_us is not None:
            low = bisect_right(times, now - delay - feature.window_us)
        empty = math.nan if feature.empty is None else feature.empty
        if low >= high:
            return 0.0 if feature.kind == "count" and feature.empty is None else empty
        if self.late and now < self.front:
            mine = own if delay == 0 else None
            seen = [i for i in range(low, high) if self.created[i] <= now or i == mine]
        elif slot in self.whole and feature.kind in ("count", "sum", "mean", "std"):
            before, after, at = self.sums[low], self.sums[high], 3 * slot
            count = after[at] - before[at]
            return _from_sums(
                feature,
                count,
                after[at + 1] - before[at + 1],
                after[at + 2] - before[at + 2],
                divisor,
                empty,
            )
        else:
            seen = list(range(low, high))
        return self._listed(feature, slot, divisor, now, seen, empty)

    def _listed(
        self, feature: Feature, slot: int, divisor: int, now: int, seen: list[int], empty: float
    ) -> float:
        payloads = self.payloads
        chosen = [i for i in seen if payloads[i][slot] is not None]
        values = [payloads[i][slot] for i in chosen]
        count = len(values)
        kind = feature.kind
        if not count:
            return 0.0 if kind == "count" and feature.empty is None else empty
        if kind == "distinct":
            return float(len(set(values)))
        if kind == "since_last":
            return (now - self.times[chosen[-1]]) / 1e6
        if kind == "last":
            return values[-feature.k] / divisor if count >= feature.k else empty
        if kind in ("min", "max"):
            return float(min(values) if kind == "min" else max(values)) / divisor
        if kind == "decayed_mean":
            half_life = feature.half_life_us or 1
            newest = self.times[chosen[-1]]
            weights = [2.0 ** (-(newest - self.times[i]) / half_life) for i in chosen]
            total = math.fsum(w * v for w, v in zip(weights, values, strict=True))
            return total / math.fsum(weights) / divisor
        if slot in self.whole or kind == "count":
            squares = sum(v * v for v in values) if kind == "std" else 0
            total = sum(values) if kind != "count" else 0
            return _from_sums(feature, count, total, squares, divisor, empty)
        if kind == "std":
            if count < 2:
                return empty
            mean = math.fsum(values) / count
            return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (count - 1.0))
        total = math.fsum(values)
        return total if kind == "sum" else total / count


def _from_sums(
    feature: Feature, count: int, total: int, squares: int, divisor: int, empty: float
) -> float:
    if feature.kind == "count":
        return float(count) if count else (0.0 if feature.empty is None else empty)
    if not count:
        return empty
    if feature.kind == "sum":
        return float(total) / divisor
    if feature.kind == "mean":
        return float(total) / float(count * divisor)
    if count < 2:
        return empty
    rough = float(count) * float(squares) - float(total) * float(total)
    spread = float(count * squares - total * total) if rough < 4e18 else rough
    return math.sqrt(spread / (count * (count - 1.0))) / divisor
