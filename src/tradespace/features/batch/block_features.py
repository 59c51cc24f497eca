"""Features of one block: ranges of sorted events, and what aggregates say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.features.batch import compiled
from tradespace.features.batch.columns import Columns, choice
from tradespace.features.batch.ranges import Prefix, decayed_sums, range_distinct, range_extremes
from tradespace.features.define.features import Feature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ctypes import CDLL

    import numpy.typing as npt

    from tradespace.features.batch.blocks import Block

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

#: A fault of ours: features are made by functions that set what their kind needs.
_IMPOSSIBLE = AssertionError("a feature lacks what its kind needs")

#: Events written out at a time for rows that could not see all of their window.
_WRITTEN_OUT = 4_000_000


class _Chosen:
    """Those of some listed events that a feature counts, with their numbers.

    `events` are places in the block; `before` maps a place in the list to the number of chosen
    events before it, None: all are chosen. `values` and their running sums are made when they
    are asked for.
    """

    def __init__(
        self, block: Block, columns: Columns, key: str, events: Ints | None, segments: Ints
    ) -> None:
        self.block, self.columns = block, columns
        self.before: Ints | None = None
        valid = columns.valid[key]
        if valid is not None:
            mask = valid[block.order]
            mask = mask if events is None else mask[events]
            self.before = np.zeros(len(mask) + 1, np.int64)
            np.cumsum(mask, out=self.before[1:])
            events = np.flatnonzero(mask) if events is None else events[mask]
            segments = segments[mask]
        self.events, self.segments = events, segments
        self._values: dict[str, tuple[npt.NDArray[Any], int]] = {}
        self._sums: dict[tuple[str, bool], Prefix] = {}
        self._totals: dict[str, Ints] = {}

    def ranges(self, low: Ints, high: Ints) -> tuple[Ints, Ints]:
        """Return ranges of listed events as ranges of chosen ones."""
        return (low, high) if self.before is None else (self.before[low], self.before[high])

    def times(self) -> Ints:
        return self.block.time if self.events is None else self.block.time[self.events]

    def rows(self) -> Ints:
        return self.block.order if self.events is None else self.block.order[self.events]

    def codes(self, name: str) -> Ints:
        return self.columns.codes[name][self.rows()]

    def values(self, name: str) -> tuple[npt.NDArray[Any], int]:
        """Return numbers (int64 or float64) and what they have to be divided by."""
        if name not in self._values:
            numbers, divisor = self.columns.numbers[name]
            listed = numbers[self.rows()]
            if listed.dtype.kind in "bui":
                listed = listed.astype(np.int64)
            elif listed.dtype != np.float64:
                listed = listed.astype(np.float64)
            self._values[name] = listed, divisor
        return self._values[name]

    def sums(self, name: str, *, squared: bool = False) -> Prefix:
        key = (name, squared)
        if key not in self._sums:
            values = self.values(name)[0]
            self._sums[key] = Prefix(values * values if squared else values)
        return self._sums[key]

    def totals(self, library: CDLL, name: str) -> Ints:
        """Return running sums of whole numbers."""
        numbers = self.columns.numbers[name][0]
        if numbers.dtype not in (np.int32, np.int64):
            return self.sums(name).totals
        if name not in self._totals:
            self._totals[name] = compiled.running(library, numbers, self.rows())
        return self._totals[name]


class Computation:
    """The features of a view over one block."""

    def __init__(self, block: Block, columns: Columns) -> None:
        self.block, self.columns = block, columns
        self._windows: dict[tuple[int | None, int], tuple[Ints, Ints, Ints]] = {}
        self._chosen: dict[str, _Chosen] = {}

    def one(self, feature: Feature) -> Floats:
        """Return one feature in the order of the sorted queries."""
        if feature.parts is not None:
            above, below = (self.one(part) for part in feature.parts)
            empty = np.nan if feature.empty is None else feature.empty
            usable = (below != 0) & ~np.isnan(below) & ~np.isnan(above)
            return np.where(usable, above / np.where(usable, below, 1.0), empty)
        low, high, unseen = self._window(feature)
        result = _aggregate(feature, self._all(feature), low, high, self.block.query_time)
        for part, chosen, starts, ends in self._written_out(feature, low, high, unseen):
            asked = self.block.query_time[part]
            result[part] = _aggregate(feature, chosen, starts, ends, asked)
        return result

    def put(self, wanted: Iterable[tuple[Feature, Floats]]) -> None:
        """Put features at the places of the queries, as :meth:`one` gives them.

        Features of the same events share the work of writing them out.
        """
        alike: dict[Any, list[tuple[Feature, Floats]]] = {}
        places = self.block.query_order
        for feature, out in wanted:
            if feature.parts is not None:
                out[places] = self.one(feature)
            else:
                self._put_seen(feature, out)
                since = feature.kind == "since_last"
                events = (choice(feature), feature.window_us, feature.delay_us, since)
                alike.setdefault(events, []).append((feature, out))
        for group in alike.values():
            first = group[0][0]
            low, high, unseen = self._window(first)
            for part, chosen, starts, ends in self._written_out(first, low, high, unseen):
                asked = self.block.query_time[part]
                for feature, out in group:
                    out[places[part]] = _aggregate(feature, chosen, starts, ends, asked)

    def _put_seen(self, feature: Feature, out: Floats) -> None:
        """Put a feature as if all events had arrived."""
        places, library = self.block.query_order, compiled.LIBRARY
        low, high, _ = self._window(feature)
        chosen = self._all(feature)
        if library is None or not self._summed(feature):
            out[places] = _aggregate(feature, chosen, low, high, self.block.query_time)
            return
        _put(library, feature, chosen, *chosen.ranges(low, high), places=places, out=out)

    def _summed(self, feature: Feature) -> bool:
        """Return whether a feature is a count, or a sum or mean of whole numbers."""
        if feature.kind == "count":
            return True
        name = feature.column
        if feature.kind not in ("sum", "mean") or name is None:
            return False
        return self.columns.numbers[name][0].dtype.kind in "bui"

    def _all(self, feature: Feature) -> _Chosen:
        key = choice(feature)
        if key not in self._chosen:
            self._chosen[key] = _Chosen(self.block, self.columns, key, None, self.block.entity)
        return self._chosen[key]

    def _written_out(
        self, feature: Feature, low: Ints, high: Ints, unseen: Ints
    ) -> Iterator[tuple[Ints, _Chosen, Ints, Ints]]:
        """Yield queries that could not see all of their window, and what each of them saw."""
        for part in _portions(unseen, low, high):
            events, segments, starts, ends = self._visible(part, low, high, feature)
            listed = _Chosen(self.block, self.columns, choice(feature), events, segments)
            yield part, listed, starts, ends

    def _window(self, feature: Feature) -> tuple[Ints, Ints, Ints]:
        block = self.block
        key = (feature.window_us, feature.delay_us)
        if key not in self._windows:
            low, high = block.window(window_us=feature.window_us, delay_us=feature.delay_us)
            own_counts = block.own and feature.delay_us == 0
            self._windows[key] = low, high, block.unseen(low, high, own_counts=own_counts)
        low, high, unseen = self._windows[key]
        if feature.kind == "since_last" and block.own and feature.delay_us == 0:
            return np.minimum(low, high - 1), high - 1, unseen
        return low, high, unseen

    def _visible(
        self, queries: Ints, low: Ints, high: Ints, feature: Feature
    ) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the events that queries could see, one query after the other."""
        length = high[queries] - low[queries]
        ends = np.cumsum(length)
        segments = np.repeat(np.arange(len(queries)), length)
        events = np.arange(int(ends[-1])) - np.repeat(ends - length - low[queries], length)
        created = self.block.created
        if created is None:
            raise _IMPOSSIBLE
        seen = created[events] <= self.block.query_time[queries][segments]
        if self.block.own and feature.delay_us == 0:
            seen |= events == queries[segments]
        count = np.bincount(segments[seen], minlength=len(queries))
        ends = np.cumsum(count)
        return events[seen], segments[seen], ends - count, ends


def _aggregate(feature: Feature, chosen: _Chosen, low: Ints, high: Ints, asked: Ints) -> Floats:
    """Return a feature over ranges of listed events, for queries at the times asked."""
    low, high = chosen.ranges(low, high)
    count = high - low
    empty = np.nan if feature.empty is None else feature.empty
    if feature.kind == "count":
        result = count.astype(np.float64)
        if empty != 0.0 and feature.empty is not None:
            result[count == 0] = empty
        return result
    if feature.kind == "since_last":
        some = count > 0
        result = np.full(len(low), empty)
        elapsed = asked[some] - chosen.times()[high[some] - 1]
        result[some] = elapsed * chosen.block.unit_us / 1e6
        return result
    name = feature.column
    if name is None:
        raise _IMPOSSIBLE
    if feature.kind == "distinct":
        found = range_distinct(chosen.codes(name), chosen.segments, low, high)
        return np.where(count > 0, found, empty)
    values, divisor = chosen.values(name)
    if feature.kind in ("sum", "mean"):
        totals = chosen.sums(name).sums(low, high)
        if feature.kind == "sum":
            return _or_empty(totals / divisor, count > 0, empty)
        return _or_empty(totals / (np.maximum(count, 1) * divisor), count > 0, empty)
    some = count >= {"last": feature.k, "std": 2}.get(feature.kind, 1)
    result = np.full(len(low), empty)
    if not some.any():
        return result
    match feature.kind:
        case "min" | "max":
            best = range_extremes(values, low, high, largest=feature.kind == "max")
            result[some] = best[some] / divisor
        case "last":
            result[some] = values[high[some] - feature.k] / divisor
        case "std":
            result[some] = _deviation(chosen, name, low[some], high[some]) / divisor
        case "decayed_mean":
            result[some] = _decayed(feature, chosen, values, low[some], high[some]) / divisor
    return result


def _put(
    library: CDLL, feature: Feature, chosen: _Chosen, low: Ints, high: Ints,
    *, places: Ints, out: Floats,
) -> None:  # fmt: skip
    """Put a count, or a sum or mean of whole numbers, at its places by machine code."""
    if feature.kind == "count":
        empty = feature.empty or 0.0
        compiled.put_counts(library, low, high, empty=empty, places=places, out=out)
        return
    name = feature.column
    if name is None:
        raise _IMPOSSIBLE
    compiled.put_totals(
        library, chosen.totals(library, name), low, high,
        divisor=chosen.columns.numbers[name][1], mean=feature.kind == "mean",
        empty=np.nan if feature.empty is None else feature.empty, places=places, out=out,
    )  # fmt: skip


def _or_empty(result: npt.NDArray[Any], some: npt.NDArray[np.bool_], empty: float) -> Floats:
    if not some.all():
        result[~some] = empty
    return np.asarray(result)


def _decayed(
    feature: Feature, chosen: _Chosen, values: npt.NDArray[Any], low: Ints, high: Ints
) -> Floats:
    times, segments = chosen.times(), chosen.segments
    starts = np.ones(len(times), bool)
    starts[1:] = segments[1:] != segments[:-1]
    if feature.half_life_us is None:
        raise _IMPOSSIBLE
    half_life = feature.half_life_us / chosen.block.unit_us
    first = np.maximum(low - 1, 0)
    inside = (low > 0) & (segments[first] == segments[high - 1])
    # A first event of another segment is no age: it would overflow.
    age = np.where(inside, times[high - 1] - times[first], 0) / half_life
    fading = np.where(inside, np.exp2(-age), 0.0)
    sums = []
    for array in (values.astype(np.float64), np.ones(len(values))):
        running = decayed_sums(array, times, starts, half_life)
        sums.append(running[high - 1] - fading * running[first])
    return np.asarray(sums[0] / sums[1])


def _deviation(chosen: _Chosen, name: str, low: Ints, high: Ints) -> Floats:
    n = high - low
    values = chosen.values(name)[0]
    if values.dtype.kind == "i":
        total = chosen.sums(name).sums(low, high)
        squares = chosen.sums(name, squared=True).sums(low, high)
        rough = n.astype(np.float64) * squares - total.astype(np.float64) ** 2
        # Below 2^62 the difference is exact although its two terms may wrap around.
        spread = np.where(rough < 4e18, (n * squares - total * total).astype(np.float64), rough)
        exact: Floats = np.sqrt(spread / (n * (n - 1.0)))
        return exact
    # Squares of any floats lose what a small spread needs, so windows are written out instead.
    result = np.empty(len(low))
    for part in _portions(np.arange(len(low)), low, high):
        size = n[part]
        ends = np.cumsum(size)
        starts = ends - size
        listed = values[np.arange(int(ends[-1])) - np.repeat(starts - low[part], size)]
        mean = np.add.reduceat(listed, starts) / size
        squares = np.add.reduceat((listed - np.repeat(mean, size)) ** 2, starts)
        result[part] = np.sqrt(squares / (size - 1.0))
    return result


def _portions(queries: Ints, low: Ints, high: Ints) -> list[Ints]:
    """Divide queries so that the events of each portion fit in memory when written out."""
    if not len(queries):
        return []
    size = np.cumsum(high[queries] - low[queries]) // _WRITTEN_OUT
    return [part for part in np.split(queries, np.flatnonzero(np.diff(size)) + 1) if len(part)]
