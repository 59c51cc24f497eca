"""Replay: events through the streaming engine in the order of their arrival, against batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.batch.compute import compute_all
from tradespace.features.batch.events import Events, times_us
from tradespace.features.define.views import FeatureView, RowFeatures, View
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.sample import ALL, Portion, portion_of

_AT_ONCE = 10_000
#: Events after which progress is told.
_TELL = 1_000


def _quiet(_share: float) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One feature: how many values are not the same bits, and the greatest difference.

    `compared` values were looked at; `missing` of the `rows` that differ are missing on one
    side.
    """

    feature: str
    rows: int
    greatest: float
    missing: int = 0
    compared: int = 0


def event_dicts(events: Events, order: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield events as the streaming engine takes them, some thousands at a time."""
    frame = events.frame.with_columns(pl.Series(events.source.time, events.time_us))
    if events.source.created is not None:
        created = events.time_us if events.created_us is None else events.created_us
        frame = frame.with_columns(pl.Series(events.source.created, created))
    named = (events.source.time, events.source.created)
    for name, dtype in events.frame.schema.items():
        if isinstance(dtype, pl.Datetime) and name not in named:
            frame = frame.with_columns(
                pl.Series(name, times_us(events.frame, name, source=events.source))
            )
    for start in range(0, len(order), _AT_ONCE):
        yield frame[order[start : start + _AT_ONCE]].to_dicts()


def whole_columns(frame: pl.DataFrame) -> set[str]:
    """Return the columns of integers and booleans."""
    return {n for n, dtype in frame.schema.items() if dtype.is_integer() or dtype == pl.Boolean}


def backfill(
    engine: StreamEngine,
    events: Events,
    *,
    offset: int = 0,
    progress: Callable[[float], None] = _quiet,
) -> int:
    """Take history into an engine, so that service starts with it; return how many events.

    Events older than the longest window can reach from the newest one are left out. Call it
    again after a kill: what is there already is not counted twice.

    Parameters
    ----------
    engine : StreamEngine
    events : Events
        Of the engine's source, in any order.
    offset : int
        The place in the stream from which the engine goes on; stored at the end.
    progress : callable
        Told the share that is done.

    Raises
    ------
    FeatureError
        If the source names no id, so that an event cannot be known again.

    """
    source = engine.source
    if source.id is None:
        msg = f"Source {source.name!r} names no id, so that history cannot be taken in safely."
        raise FeatureError(msg, remedy="Name it: EventSource(..., id='...').")
    arrival = events.time_us if events.created_us is None else events.created_us
    order = np.argsort(arrival, kind="stable")
    horizons = [view.horizon_us for view in engine.views]
    if None not in horizons:
        longest = max(horizon for horizon in horizons if horizon is not None)
        order = order[events.time_us[order] > arrival.max() - longest - engine.lateness_us]
    done = 0
    for part in event_dicts(events, order):
        engine.push(part, commit=False)
        # Until all is there, a start finds the place where it was.
        engine.offset = 0
        engine.commit()
        done += len(part)
        progress(done / len(order))
    engine.offset = offset
    engine.commit()
    return done


def verify(
    views: Mapping[str, View],
    events: Events,
    *,
    portion: Portion = ALL,
    progress: Callable[[float], None] = _quiet,
    say: Callable[[str], None] = lambda _text: None,
) -> list[Difference]:
    """Return how streaming differs from batch; each event's row is read as it arrives.

    Parameters
    ----------
    views : Mapping of str to view
        All over the source of the events. Row features are evaluated event by event.
    events : Events
    portion : Portion
        How much of them to look at; all unless it says otherwise.
    progress : callable
        Told the share that is done.
    say : callable
        Told in a sentence what is compared, where that is not everything.

    """
    groups = _groups(views)
    newest = int(events.time_us.max())
    since = None if portion.last_us is None else newest - portion.last_us
    parts = [portion_of(group, events, portion, since, say) for group in groups]
    total = sum(len(part) for part in parts)
    found: dict[str, Difference] = {}
    done = 0
    for group, part in zip(groups, parts, strict=True):
        before = done

        def listen(share: float, before: int = before, size: int = len(part)) -> None:
            progress((before + share * size) / total)

        found.update(_verified(group, part, since, listen))
        done += len(part)
    return [found[name] for view in views.values() for name in view.names]


def _groups(views: Mapping[str, View]) -> list[dict[str, View]]:
    """Divide views by their entity; row features go with the first."""
    groups: dict[str, dict[str, View]] = {}
    for name, view in views.items():
        if isinstance(view, FeatureView):
            groups.setdefault(view.entity, {})[name] = view
    first = next(iter(groups.values())) if groups else groups.setdefault("", {})
    for name, view in views.items():
        if isinstance(view, RowFeatures):
            first[name] = view
    return list(groups.values())


def _verified(
    views: Mapping[str, View],
    events: Events,
    since: int | None,
    progress: Callable[[float], None],
) -> dict[str, Difference]:
    windowed = [view for view in views.values() if isinstance(view, FeatureView)]
    plain = [view for view in views.values() if isinstance(view, RowFeatures)]
    if not len(events):
        return {name: Difference(name, 0, 0.0) for view in views.values() for name in view.names}
    arrival = events.time_us if events.created_us is None else events.created_us
    keys = (arrival,) if events.rank is None else (events.rank, events.time_us, arrival)
    order = np.lexsort(keys)
    engine = None
    if windowed:
        lateness = int((arrival - events.time_us).max())
        whole = whole_columns(events.frame)
        engine = StreamEngine(windowed, whole_columns=whole, lateness_us=lateness)
    asked = np.ones(len(events), bool) if since is None else events.time_us > since
    streamed = {v.name: np.full((len(events), len(v.names)), np.nan) for v in views.values()}
    done = 0
    for part in event_dicts(events, order):
        for row in part:
            place = order[done]
            if engine is not None:
                engine.push([row], commit=False)
            if asked[place]:
                for view in windowed:
                    if engine is not None:
                        streamed[view.name][place] = engine.row(view.name, row)
                for rows in plain:
                    streamed[rows.name][place] = _evaluated(rows, row)
            done += 1
            if done % _TELL == 0:
                progress(done / len(order))
        if engine is not None:
            engine.commit()
        progress(done / len(order))
    computed = compute_all(views, events)
    return {
        name: _difference(name, streamed[view.name][asked, place], computed[name][asked])
        for view in views.values()
        for place, name in enumerate(view.names)
    }


def _evaluated(view: RowFeatures, row: Mapping[str, Any]) -> list[float]:
    values = [e.evaluate(row, time_zone=view.source.time_zone) for e in view.expressions]
    return [np.nan if value is None else float(value) for value in values]


def _difference(name: str, got: Any, expected: Any) -> Difference:
    differs = ~((got == expected) | (np.isnan(got) & np.isnan(expected)))
    with np.errstate(invalid="ignore"):
        greatest = float(np.nanmax(np.abs(got - expected)[differs], initial=0.0))
    missing = int((np.isnan(got) != np.isnan(expected)).sum())
    return Difference(name, int(differs.sum()), greatest, missing, len(got))
