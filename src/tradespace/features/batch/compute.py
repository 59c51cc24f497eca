"""The batch engine: every feature of a view for many rows at once.

Events are dealt out to their entities once; windows are ranges found in sorted times;
aggregates come from prefix sums and their like, block by block of whole entities, on as many
threads as there are cores. Rows whose window holds an event that had not yet arrived are
computed again from the events they could see, written out one after the other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.batch.block_features import Computation
from tradespace.features.batch.blocks import Arranged, arrange
from tradespace.features.batch.columns import Columns
from tradespace.features.batch.events import Events, require_columns
from tradespace.features.define.agree import refuse_two_features, refuse_two_sources
from tradespace.features.define.expression_types import as_floats, kind_of, values_of
from tradespace.features.define.features import leaves
from tradespace.features.define.views import FeatureView, RowFeatures, View, located

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

#: More threads than this wait for memory rather than for each other's work.
_MOST_THREADS = 8
#: Fewer rows than this are computed sooner than threads are started.
_FEW = 1 << 15


def compute_all(
    views: Mapping[str, View], events: Events, *, threads: int | None = None
) -> dict[str, Floats]:
    """Return the features of all views for every event, each as of its own time.

    Parameters
    ----------
    views : Mapping of str to view
        All over the source of the events.
    events : Events
        In any order.
    threads : int, optional
        How many to compute with; None: one for each core that the process may use. Values do
        not depend on it.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        float64 in the order of the rows given; nan where there is nothing and no `empty`.

    Raises
    ------
    FeatureError
        If a column is missing or holds what cannot be aggregated, or two views make features
        of one name.

    """
    refuse_two_sources(views.values())
    refuse_two_features(views.values())
    windowed = [view for view in views.values() if isinstance(view, FeatureView)]
    with _pool(threads, len(events)) as pool:
        prepared = {view.name: pool.submit(_rows_of, view, events) for view in windowed}
        rows = {
            view.name: compute_row_features(view, events.frame)
            for view in views.values()
            if not isinstance(view, FeatureView)
        }
        started = {name: future.result().start(pool) for name, future in prepared.items()}
        done = {name: work.result() for name, work in started.items()}
    result: dict[str, Floats] = {}
    for view in views.values():
        result.update((done if isinstance(view, FeatureView) else rows)[view.name])
    return result


def compute_rows(
    view: FeatureView, events: Events, *, threads: int | None = None
) -> dict[str, Floats]:
    """Return the features of one view for every event; see :func:`compute_all`."""
    return compute_all({view.name: view}, events, threads=threads)


def compute_at(
    view: FeatureView,
    events: Events,
    entities: pl.Series,
    times_us: Ints,
    *,
    threads: int | None = None,
) -> dict[str, Floats]:
    """Return the features of entities as of given times; events at that very time count."""
    with located(view):
        return _at(view, events, entities, times_us, threads)


def _at(
    view: FeatureView, events: Events, entities: pl.Series, times_us: Ints, threads: int | None
) -> dict[str, Floats]:
    events = _each_once(events)
    columns = events.frame
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
    codes = codes_of(both, "entity", view)
    placed = arrange(
        codes[: columns.height],
        events,
        durations_us=_durations(view),
        horizon_us=_reach(view),
        queries=(codes[columns.height :], times_us),
        owner=f"View {view.name!r}",
    )
    work = _Work(view, placed, Columns(view, columns))
    with _pool(threads, len(events)) as pool:
        return work.start(pool).result()


def compute_row_features(view: RowFeatures, frame: pl.DataFrame) -> dict[str, Floats]:
    """Return the features of rows from their own columns, as float64 with nan for missing."""
    with located(view):
        return _of_rows(view, frame)


def _of_rows(view: RowFeatures, frame: pl.DataFrame) -> dict[str, Floats]:
    owner = f"Row features {view.name!r}"
    require_columns(frame, view.columns, owner=owner)
    for expression in view.expressions:
        kind = kind_of(expression, frame.schema, owner=owner)
        if kind in ("string", "other"):
            msg = f"{owner} do not fit their columns: {expression.text} is a {kind}, no number."
            raise FeatureError(msg, remedy="Compare it, like page == 'home'.")
    zone = view.source.time_zone
    result = values_of(view.expressions, frame, time_zone=zone, owner=owner)
    return {name: as_floats(result[name]) for name in result.columns}


class _Work:
    """One view over sorted events; `place` puts repeated events back where they stood."""

    def __init__(
        self, view: FeatureView, placed: Arranged, columns: Columns, place: Ints | None = None
    ) -> None:
        self.view, self.placed, self.columns, self.place = view, placed, columns, place
        self._result = {name: np.empty(len(placed.query_order)) for name in view.names}
        self._running: list[Future[None]] = []

    def start(self, pool: Executor) -> _Work:
        self._running = [pool.submit(self._compute, *cut) for cut in self.placed.cuts()]
        return self

    def result(self) -> dict[str, Floats]:
        for future in self._running:
            future.result()
        if self.place is None:
            return self._result
        return {name: values[self.place] for name, values in self._result.items()}

    def _compute(self, begin: int, end: int) -> None:
        with located(self.view):
            self._block(begin, end)

    def _block(self, begin: int, end: int) -> None:
        block = self.placed.block(begin, end)
        if not len(block.query_order):
            return
        computation = Computation(block, self.columns)
        outs = [self._result[name] for name in self.view.names]
        computation.put(zip(self.view.features, outs, strict=True))


class _Inline(Executor):
    """Does work when it is given, for what is too small for threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a future that is done."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def _pool(threads: int | None, n_rows: int) -> Executor:
    number = threads or min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    return _Inline() if number == 1 or n_rows < _FEW else ThreadPoolExecutor(number)


def _rows_of(view: FeatureView, events: Events) -> _Work:
    with located(view):
        return _arranged(view, events)


def _arranged(view: FeatureView, events: Events) -> _Work:
    place = None
    if events.kept is not None and events.rank is not None:
        ranks = events.rank[events.kept]
        place = np.argsort(ranks, kind="stable")[np.searchsorted(np.sort(ranks), events.rank)]
        events = _each_once(events)
    placed = arrange(
        codes_of(events.frame, view.entity, view),
        events,
        durations_us=_durations(view),
        horizon_us=_reach(view),
        owner=f"View {view.name!r}",
    )
    return _Work(view, placed, Columns(view, events.frame), place)


def _each_once(events: Events) -> Events:
    """Return the events without those that were delivered before."""
    return events if events.kept is None else events.take(events.kept)


def _durations(view: FeatureView) -> tuple[int, ...]:
    parts = leaves(view.features)
    return tuple({part.delay_us for part in parts} | {part.window_us or 0 for part in parts})


def _reach(view: FeatureView) -> int:
    return max(part.delay_us + (part.window_us or 0) for part in leaves(view.features))


def codes_of(frame: pl.DataFrame, name: str, view: FeatureView) -> npt.NDArray[Any]:
    """Return numbers from 0 for the entities of a view, equal ones alike, in a column of a table.

    Raises
    ------
    FeatureError
        If the column or an entity is missing.

    """
    require_columns(frame, [name], owner=f"View {view.name!r}")
    series = frame[name]
    if series.null_count():
        msg = f"Entity {name!r} of view {view.name!r} is missing in {series.null_count()} rows."
        raise FeatureError(
            msg,
            remedy=f"Leave those events out with where='{name} is not None' in the source, or "
            "give them an entity of their own.",
        )
    if series.dtype.is_integer():
        low, high = int(series.min() or 0), int(series.max() or 0)  # type: ignore[arg-type]  # integers
        if high - low < max(4 * len(series), 1 << 16):
            codes = series.to_numpy()
            return codes if low == 0 else codes.astype(np.int64) - low
    return (series.rank("dense").cast(pl.Int64) - 1).to_numpy()
