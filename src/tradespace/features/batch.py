"""The batch engine: every feature of a view for many rows at once.

Events are sorted once per entity; windows are ranges found by binary search; aggregates come
from prefix sums and their like. Rows whose window holds an event that had not yet arrived are
computed again from the events they could see, written out one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features._kernels import decayed_sums, range_distinct, range_extremes, range_sums
from tradespace.features._windows import Sorted, arrange
from tradespace.features.definitions import Feature, FeatureView, RowFeatures, leaves
from tradespace.features.events import Events, require_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

#: A fault of ours: features are made by functions that set what their kind needs.
_IMPOSSIBLE = AssertionError("a feature lacks what its kind needs")

#: Events written out at a time for rows that could not see all of their window.
_WRITTEN_OUT = 4_000_000


def compute_rows(view: FeatureView, events: Events) -> dict[str, Floats]:
    """Return the features of every row of the source, as of its own time.

    Parameters
    ----------
    view : FeatureView
    events : Events
        In any order.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        float64 in the order of the rows given; nan where there is nothing and no `empty`.

    Raises
    ------
    FeatureError
        If a column is missing or holds what cannot be aggregated.

    """
    kept = events.kept
    entity = _codes(events.frame, view.entity, view)
    take = slice(None) if kept is None else kept
    placed = arrange(
        entity[take],
        events.time_us[take],
        rank=None if events.rank is None else events.rank[take],
        created_us=None if events.created_us is None else events.created_us[take],
        durations_us=_durations(view),
        owner=f"View {view.name!r}",
    )
    columns = events.frame if kept is None else events.frame[kept]
    computed = _Computation(view, placed, columns).all()
    if kept is None or events.rank is None:
        return computed
    place = np.searchsorted(np.sort(events.rank[kept]), events.rank)
    place = np.argsort(events.rank[kept], kind="stable")[place]
    return {name: values[place] for name, values in computed.items()}


def compute_at(
    view: FeatureView, events: Events, entities: pl.Series, times_us: Ints
) -> dict[str, Floats]:
    """Return the features of entities as of given times; events at that very time count."""
    kept = events.kept
    columns = events.frame if kept is None else events.frame[kept]
    take = slice(None) if kept is None else kept
    require_columns(columns, [view.entity], owner=f"View {view.name!r}")
    if not len(entities):
        return {name: np.zeros(0) for name in view.names}
    try:
        asked = entities.cast(columns[view.entity].dtype, strict=True)
    except pl.exceptions.PolarsError as error:
        msg = (
            f"Entities of view {view.name!r} are {columns[view.entity].dtype} in the source but "
            f"{entities.dtype} here."
        )
        raise FeatureError(msg, remedy="Convert one of them.") from error
    both = pl.concat([columns[view.entity].alias("entity"), asked.alias("entity")]).to_frame()
    codes = _codes(both, "entity", view)
    placed = arrange(
        codes[: columns.height],
        events.time_us[take],
        rank=None if events.rank is None else events.rank[take],
        created_us=None if events.created_us is None else events.created_us[take],
        durations_us=_durations(view),
        queries=(codes[columns.height :], times_us),
        owner=f"View {view.name!r}",
    )
    return _Computation(view, placed, columns).all()


def compute_row_features(view: RowFeatures, frame: pl.DataFrame) -> dict[str, Floats]:
    """Return the features of rows from their own columns, as float64 with nan for missing."""
    require_columns(frame, view.columns, owner=f"Row features {view.name!r}")
    source = view.source
    zone = source.time_zone
    if zone is not None:
        naive = [
            name
            for name in view.columns
            if isinstance(frame[name].dtype, pl.Datetime) and frame[name].dtype.time_zone is None  # type: ignore[attr-defined]  # a Datetime has a zone
        ]
        frame = frame.with_columns(
            pl.col(naive).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        )
    try:
        result = frame.select(
            e.to_polars(time_zone=zone).cast(pl.Float64).alias(e.name) for e in view.expressions
        )
    except pl.exceptions.PolarsError as error:
        msg = f"Row features {view.name!r} do not fit their columns: {str(error).splitlines()[0]}."
        raise FeatureError(
            msg, remedy="weekday and hour read times; comparisons need like types."
        ) from error
    return {name: result[name].fill_null(float("nan")).to_numpy() for name in result.columns}


def _durations(view: FeatureView) -> tuple[int, ...]:
    parts = leaves(view.features)
    return tuple({part.delay_us for part in parts} | {part.window_us or 0 for part in parts})


def _codes(frame: pl.DataFrame, name: str, view: FeatureView) -> Ints:
    require_columns(frame, [name], owner=f"View {view.name!r}")
    series = frame[name]
    if series.null_count():
        msg = f"Entity {name!r} of view {view.name!r} is missing in {series.null_count()} rows."
        raise FeatureError(
            msg, remedy="Leave those events out, or give them an entity of their own."
        )
    if series.dtype.is_integer():
        low, high = int(series.min() or 0), int(series.max() or 0)  # type: ignore[arg-type]  # integers
        if high - low < max(4 * len(series), 1 << 16):
            return series.to_numpy().astype(np.int64) - low
    return (series.rank("dense").cast(pl.Int64) - 1).to_numpy()


class _Columns:
    """Columns in sorted order, as integers where sums must be exact."""

    def __init__(self, view: FeatureView, frame: pl.DataFrame, order: Ints) -> None:
        require_columns(frame, view.columns, owner=f"View {view.name!r}")
        self.view, self.frame, self.order = view, frame, order
        self._numbers: dict[str, tuple[npt.NDArray[Any], int]] = {}
        self._valid: dict[tuple[str | None, str], npt.NDArray[np.bool_] | None] = {}

    def numbers(self, name: str) -> tuple[npt.NDArray[Any], int]:
        """Return a column, and what its values have to be divided by."""
        if name not in self._numbers:
            values, divisor = exact_numbers(self.frame[name], self.view)
            self._numbers[name] = values[self.order], divisor
        return self._numbers[name]

    def codes(self, name: str) -> Ints:
        """Return a column as codes of its values."""
        dense = self.frame[name].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
        return np.asarray(dense[self.order])

    def valid(self, feature: Feature) -> npt.NDArray[np.bool_] | None:
        """Return which events a feature counts; None: all."""
        where = feature.where
        key = (feature.column, "" if where is None else where.text)
        if key not in self._valid:
            mask = None
            if feature.column is not None:
                series = self.frame[feature.column]
                mask = series.is_not_null()
                if series.dtype.is_float():
                    mask = mask & series.is_not_nan().fill_null(value=False)
                mask = None if mask.all() else mask
            if where is not None:
                zone = self.view.source.time_zone
                chosen = self.frame.select(where.to_polars(time_zone=zone).alias("w"))["w"]
                chosen = chosen.fill_null(value=False)
                mask = chosen if mask is None else mask & chosen
            self._valid[key] = None if mask is None else mask.to_numpy()[self.order]
        return self._valid[key]


def exact_numbers(series: pl.Series, view: FeatureView) -> tuple[npt.NDArray[Any], int]:
    """Return a column as numbers, and the divisor that gives its values (cents: 100).

    Missing values become 0; they are left out by a mask.

    Raises
    ------
    FeatureError
        If it holds no numbers, infinite ones, or more decimals than declared.

    """
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        msg = (
            f"View {view.name!r} aggregates column {series.name!r}, which holds {series.dtype}, "
            "not numbers."
        )
        raise FeatureError(msg, remedy="Count it, or take its distinct values.")
    if series.dtype == pl.Boolean or series.dtype.is_integer():
        return series.cast(pl.Int64).fill_null(0).to_numpy(), 1
    values = series.cast(pl.Float64).fill_null(0.0).fill_nan(0.0).to_numpy()
    if not np.isfinite(values).all():
        msg = f"Column {series.name!r} of source {view.source.name!r} holds infinite values."
        raise FeatureError(msg, remedy="Make them missing, or leave those events out.")
    digits = view.source.decimals.get(series.name)
    if digits is None:
        return values, 1
    divisor = 10**digits
    scaled = np.rint(values * divisor)
    # A value that was computed may miss the decimal it means by a last bit or two.
    wrong = np.flatnonzero(np.abs(scaled / divisor - values) > 1e-12 * np.abs(values))
    if len(wrong):
        msg = (
            f"Column {series.name!r} of source {view.source.name!r} is declared with {digits} "
            f"decimals, but {len(wrong)} values have more, like {float(values[wrong[0]])!r}."
        )
        raise FeatureError(msg, remedy="Declare more decimals, or none.")
    return scaled.astype(np.int64), divisor


class _Computation:
    """One view over sorted events."""

    def __init__(self, view: FeatureView, placed: Sorted, frame: pl.DataFrame) -> None:
        self.view, self.placed = view, placed
        self.columns = _Columns(view, frame, placed.order)
        self._windows: dict[tuple[int | None, int], tuple[Ints, Ints, Ints]] = {}

    def all(self) -> dict[str, Floats]:
        result = {}
        for name, feature in zip(self.view.names, self.view.features, strict=True):
            values = np.empty(len(self.placed.query_order))
            values[self.placed.query_order] = self.one(feature)
            result[name] = values
        return result

    def one(self, feature: Feature) -> Floats:
        """Return one feature in the order of the sorted queries."""
        if feature.parts is not None:
            above, below = (self.one(part) for part in feature.parts)
            empty = np.nan if feature.empty is None else feature.empty
            usable = (below != 0) & ~np.isnan(below) & ~np.isnan(above)
            return np.where(usable, above / np.where(usable, below, 1.0), empty)
        low, high, unseen = self.window(feature)
        everything = np.arange(len(self.placed.key))
        asked = self.placed.query_time
        result = self.aggregate(feature, everything, self.placed.entity, low, high, asked=asked)
        for part in _portions(unseen, low, high):
            events, segments, starts, ends = self.visible(part, low, high, feature)
            result[part] = self.aggregate(
                feature, events, segments, starts, ends, asked=self.placed.query_time[part]
            )
        return result

    def window(self, feature: Feature) -> tuple[Ints, Ints, Ints]:
        placed = self.placed
        key = (feature.window_us, feature.delay_us)
        if key not in self._windows:
            low, high = placed.window(window_us=feature.window_us, delay_us=feature.delay_us)
            own_counts = placed.own and feature.delay_us == 0
            self._windows[key] = low, high, placed.unseen(low, high, own_counts=own_counts)
        low, high, unseen = self._windows[key]
        if feature.kind == "since_last" and placed.own and feature.delay_us == 0:
            return np.minimum(low, high - 1), high - 1, unseen
        return low, high, unseen

    def visible(
        self, queries: Ints, low: Ints, high: Ints, feature: Feature
    ) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the events that queries could see, one query after the other."""
        length = high[queries] - low[queries]
        ends = np.cumsum(length)
        segments = np.repeat(np.arange(len(queries)), length)
        events = np.arange(int(ends[-1])) - np.repeat(ends - length - low[queries], length)
        created = self.placed.created
        if created is None:
            raise _IMPOSSIBLE
        seen = created[events] <= self.placed.query_time[queries][segments]
        if self.placed.own and feature.delay_us == 0:
            seen |= events == queries[segments]
        count = np.bincount(segments[seen], minlength=len(queries))
        ends = np.cumsum(count)
        return events[seen], segments[seen], ends - count, ends

    def aggregate(
        self, feature: Feature, events: Ints, segments: Ints, low: Ints, high: Ints, *, asked: Ints
    ) -> Floats:
        """Return a feature over ranges of the listed events, for queries at the times asked."""
        valid = self.columns.valid(feature)
        everything = len(events) == len(self.placed.key) and self.placed.created is None
        if valid is not None:
            chosen = valid[events]
            before = np.zeros(len(events) + 1, np.int64)
            np.cumsum(chosen, out=before[1:])
            low, high, events, segments = (
                before[low],
                before[high],
                events[chosen],
                segments[chosen],
            )
            everything = False
        count = high - low
        some = count > 0
        empty = np.nan if feature.empty is None else feature.empty
        if feature.kind == "count":
            return np.where(some, count, 0.0 if feature.empty is None else empty)
        if feature.kind == "distinct":
            if feature.column is None:
                raise _IMPOSSIBLE
            codes = self.columns.codes(feature.column)[events]
            return np.where(some, range_distinct(codes, segments, low, high), empty)
        result = np.full(len(low), empty)
        if not some.any():
            return result
        if feature.kind == "since_last":
            elapsed = asked[some] - self.placed.time[events[high[some] - 1]]
            result[some] = elapsed * self.placed.unit_us / 1e6
            return result
        if feature.column is None:
            raise _IMPOSSIBLE
        values, divisor = self.columns.numbers(feature.column)
        values = values if everything else values[events]
        match feature.kind:
            case "sum":
                result[some] = range_sums(values, low, high)[some] / divisor
            case "mean":
                total = range_sums(values, low, high)
                np.divide(total, count * divisor, out=result, where=some)
            case "min" | "max":
                best = range_extremes(values, low, high, largest=feature.kind == "max")
                result[some] = best[some] / divisor
            case "last":
                some = count >= feature.k
                result[some] = values[high[some] - feature.k] / divisor
            case "std":
                some = count >= 2
                result[some] = _deviation(values, low[some], high[some]) / divisor
            case "decayed_mean":
                result[some] = (
                    self._decayed(feature, events, segments, values, low[some], high[some])
                    / divisor
                )
        return result

    def _decayed(
        self,
        feature: Feature,
        events: Ints,
        segments: Ints,
        values: npt.NDArray[Any],
        low: Ints,
        high: Ints,
    ) -> Floats:
        times = self.placed.time[events]
        starts = np.ones(len(events), bool)
        starts[1:] = segments[1:] != segments[:-1]
        if feature.half_life_us is None:
            raise _IMPOSSIBLE
        half_life = feature.half_life_us / self.placed.unit_us
        first = np.maximum(low - 1, 0)
        inside = (low > 0) & (segments[first] == segments[high - 1])
        fading = np.where(inside, np.exp2(-(times[high - 1] - times[first]) / half_life), 0.0)
        sums = []
        for array in (values.astype(np.float64), np.ones(len(values))):
            running = decayed_sums(array, times, starts, half_life)
            sums.append(running[high - 1] - fading * running[first])
        return np.asarray(sums[0] / sums[1])


def _deviation(values: npt.NDArray[Any], low: Ints, high: Ints) -> Floats:
    n = high - low
    if values.dtype.kind in "bui":
        total, squares = range_sums(values, low, high), range_sums(values * values, low, high)
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
