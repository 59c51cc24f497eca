"""Events of a source as arrays: times in microseconds, each event once, checked at the door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown_name
from tradespace.features.batch.checks import check_contract
from tradespace.features.define.contracts import LEVELS_INSTEAD, Breach
from tradespace.features.define.expression_types import condition
from tradespace.features.define.sources import EventSource

if TYPE_CHECKING:
    import numpy.typing as npt

_YEAR_1971_US = 31_536_000_000_000
#: Times looked at together, so that they stay in the cache.
_AT_ONCE = 1 << 15


@dataclass(frozen=True, slots=True)
class Events:
    """Events in the order given.

    `time_us` and `created_us` (None: the same) are microseconds since 1970 UTC; `rank` orders
    simultaneous events (None: the source names no id). `kept` are the rows of `frame` that
    count: an event that was delivered twice counts once; None: all. `ordered` says that rows
    stand in the order of time and id, `unit_us` that all times are multiples of so much.
    `breaches` are the rules of the contract that rows break, if they are only reported.
    """

    source: EventSource
    frame: pl.DataFrame
    time_us: npt.NDArray[np.int64]
    created_us: npt.NDArray[np.int64] | None
    rank: npt.NDArray[np.int64] | None
    kept: npt.NDArray[np.int64] | None = None
    ordered: bool = False
    unit_us: int = 1
    breaches: tuple[Breach, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.time_us)

    def take(self, rows: npt.NDArray[np.int64]) -> Events:
        """Return the events of some rows, whose numbers increase."""
        kept = None
        if self.kept is not None:
            counts = np.zeros(len(self), bool)
            counts[self.kept] = True
            kept = None if counts[rows].all() else np.flatnonzero(counts[rows])
        return replace(
            self,
            frame=self.frame[rows],
            time_us=self.time_us[rows],
            created_us=None if self.created_us is None else self.created_us[rows],
            rank=None if self.rank is None else self.rank[rows],
            kept=kept,
        )


def require_columns(frame: pl.DataFrame, columns: Iterable[str], *, owner: str) -> None:
    """Raise FeatureError with the nearest name if a column is missing."""
    for name in columns:
        if name not in frame.columns:
            message, remedy = unknown_name("column", name, frame.columns)
            msg = f"{owner} needs it. {message}"
            raise FeatureError(msg, remedy=remedy)


def times_us(frame: pl.DataFrame, name: str, *, source: EventSource) -> npt.NDArray[np.int64]:
    """Return a column of times as microseconds since 1970 UTC.

    Raises
    ------
    FeatureError
        If it holds no times, missing ones, ones of 1970, or local times that do not exist.

    """
    series = frame[name]
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("us"))
    if not isinstance(series.dtype, pl.Datetime):
        msg = f"Column {name!r} of source {source.name!r} must hold times; got {series.dtype}."
        raise FeatureError(msg, remedy="Convert it to a date and time before it is stored.")
    if series.null_count():
        row = int(series.is_null().arg_max() or 0)
        msg = (
            f"Column {name!r} of source {source.name!r} lacks {series.null_count()} times, "
            f"first in row {row}."
        )
        raise FeatureError(
            msg,
            remedy="An event without a time cannot be placed; leave it out: "
            f"where='{name} is not None' in the source.",
        )
    if series.dtype.time_zone is None and source.time_zone is not None:
        series = frame.select(
            pl.col(name)
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone(source.time_zone, ambiguous="earliest", non_existent="null")
        )[name]
        if series.null_count():
            row = int(series.is_null().arg_max() or 0)
            msg = (
                f"{series.null_count()} times in {name!r} of source {source.name!r} do not "
                f"exist in {source.time_zone} (row {row}: {frame[name][row]}): "
                "the clocks were put forward."
            )
            raise FeatureError(msg, remedy="Store times in UTC, or correct the zone.")
    result = series.dt.epoch("us").to_numpy()
    if len(result) and result.min() < _YEAR_1971_US and source.contract is None:
        row = int(result.argmin())
        msg = f"Row {row} of source {source.name!r} has the time {frame[name][row]} in {name!r}."
        raise FeatureError(
            msg, remedy="A date of 1970 is mostly a missing one; a contract can allow it."
        )
    return result


def read_events(source: EventSource, frame: pl.DataFrame, *, columns: Iterable[str] = ()) -> Events:
    """Return the events of a frame that meet the condition of the source, each once.

    Raises
    ------
    FeatureError
        If a column is missing or of the wrong type, if there are no rows, or if two events of
        one id differ in time.

    """
    if not frame.height:
        msg = f"Source {source.name!r} has no events."
        raise FeatureError(msg, remedy="Check its path, and that the file was written completely.")
    frame = only_events(source, frame)
    if source.where is not None and not frame.height:
        msg = f"No event of source {source.name!r} meets its condition {source.where.text}."
        raise FeatureError(msg, remedy="Correct where= of the source.")
    named = [source.time, *(name for name in (source.id, source.created) if name)]
    require_columns(frame, [*named, *columns], owner=f"Source {source.name!r}")
    time_us = times_us(frame, source.time, source=source)
    _types_fit(source, frame)
    breaches = (*check_contract(source, frame), *_twice(source, frame))
    created = None
    if source.created is not None:
        arrived = frame.with_columns(pl.col(source.created).fill_null(pl.col(source.time)))
        created = np.maximum(times_us(arrived, source.created, source=source), time_us)
        if np.array_equal(created, time_us):
            created = None
    rank, kept = None, None
    if source.id is not None:
        if frame[source.id].null_count():
            n_null = frame[source.id].null_count()
            msg = f"Column {source.id!r} of source {source.name!r} lacks {n_null} ids."
            raise FeatureError(
                msg,
                remedy="Every event needs an id, or name no id column; or leave those "
                f"events out: where='{source.id} is not None' in the source.",
            )
        rank = _ranks(frame[source.id])
        kept = _first_deliveries(rank, time_us, created, source)
    ordered = kept is None and _in_order(time_us, rank)
    unit = coarsest_unit_us([time_us] if created is None else [time_us, created])
    return Events(source, frame, time_us, created, rank, kept, ordered, unit, breaches)


def only_events(source: EventSource, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that meet the condition of a source: the others exist for no view.

    Examples
    --------
    >>> source = EventSource("clicks", where="user is not None")
    >>> only_events(source, pl.DataFrame({"user": ["a", None, "b"]}))["user"].to_list()
    ['a', 'b']

    """
    if source.where is None:
        return frame
    kept = meets(source, frame)
    return frame if kept.all() else frame.filter(kept)


def meets(source: EventSource, frame: pl.DataFrame) -> pl.Series:
    """Return for each row whether it is an event of a source that has a condition."""
    if source.where is None:
        return pl.repeat(value=True, n=frame.height, eager=True)
    owner = f"Conditions of source {source.name!r}"
    return condition(source.where, frame, time_zone=source.time_zone, owner=owner)


def _types_fit(source: EventSource, frame: pl.DataFrame) -> None:
    """Raise FeatureError if decimals or rules of the contract do not suit a column's type."""
    for name in source.decimals:
        if name in frame.columns:
            check_numeric(source, name, frame.schema[name])
    rules = {} if source.contract is None else source.contract.columns
    for name, rule in rules.items():
        if name not in frame.columns or rule.type is not None:
            continue
        dtype = frame[name].dtype
        of = f"column {name!r} of source {source.name!r}, which holds {dtype}"
        if (rule.low is not None or rule.high is not None) and not dtype.is_numeric():
            msg = f"The contract bounds {of}, not numbers."
            raise FeatureError(msg, remedy=LEVELS_INSTEAD)
        texts = {isinstance(level, str) for level in rule.levels or ()}
        if texts and texts != {dtype in (pl.String, pl.Categorical, pl.Enum)}:
            levels = list(rule.levels or ())
            msg = f"The contract gives levels like {levels[0]!r} to {of}."
            raise FeatureError(msg, remedy="Give levels of the column's own type.")


def check_numeric(source: EventSource, name: str, dtype: pl.DataType) -> None:
    """Raise FeatureError if a column with declared decimals holds no numbers."""
    if not dtype.is_numeric():
        msg = f"Decimals are declared of column {name!r} of source {source.name!r}, which holds "
        msg += f"{dtype}, not numbers."
        raise FeatureError(msg, remedy="Leave it out of decimals.")


def _twice(source: EventSource, frame: pl.DataFrame) -> list[Breach]:
    """Return how many local times were there twice, in autumn; they are taken as the first."""
    dtype = frame[source.time].dtype
    local = isinstance(dtype, pl.Datetime) and dtype.time_zone is None
    if source.contract is None or source.time_zone is None or not local:
        return []
    times = pl.col(source.time).cast(pl.Datetime("us"))
    first, second = (
        times.dt.replace_time_zone(source.time_zone, ambiguous=which, non_existent="null")
        for which in ("earliest", "latest")
    )
    found = frame.filter(first != second)[source.time]
    if not len(found):
        return []
    rule = f"was twice in {source.time_zone} and is taken as the first"
    return [Breach(rule, source.time, len(found), tuple(str(time) for time in found[:3]))]


def coarsest_unit_us(times_us: Iterable[npt.NDArray[np.int64]]) -> int:
    """Return a second or millisecond in microseconds if all times are multiples of it, or 1.

    Examples
    --------
    >>> coarsest_unit_us([np.array([5_000, 2_000_000])])
    1000

    """
    units: tuple[int, ...] = (1_000_000, 1_000)
    for times in times_us:
        for at in range(0, len(times), _AT_ONCE):
            part = times[at : at + _AT_ONCE]
            while units and not np.array_equal(part // units[0] * units[0], part):
                units = units[1:]
    return units[0] if units else 1


def _in_order(time_us: npt.NDArray[np.int64], rank: npt.NDArray[np.int64] | None) -> bool:
    """Return whether events stand in the order of time and, where simultaneous, of the id."""
    if not bool((time_us[1:] >= time_us[:-1]).all()):
        return False
    if rank is None or bool((rank[1:] > rank[:-1]).all()):
        return True
    tied = np.flatnonzero(time_us[1:] == time_us[:-1])
    return bool((rank[tied + 1] > rank[tied]).all())


def _ranks(ids: pl.Series) -> npt.NDArray[np.int64]:
    if ids.dtype.is_integer():
        return ids.to_numpy().astype(np.int64)
    return ids.rank("dense").cast(pl.Int64).to_numpy()


def _first_deliveries(
    rank: npt.NDArray[np.int64],
    time_us: npt.NDArray[np.int64],
    created: npt.NDArray[np.int64] | None,
    source: EventSource,
) -> npt.NDArray[np.int64] | None:
    if len(rank) < 2 or bool((rank[1:] > rank[:-1]).all()):
        return None
    order = np.argsort(rank, kind="stable") if created is None else np.lexsort((created, rank))
    twin = np.flatnonzero(rank[order][1:] == rank[order][:-1])
    if not len(twin):
        return None
    bad = twin[time_us[order[twin]] != time_us[order[twin + 1]]]
    if len(bad):
        where = f"rows {order[bad[0]]} and {order[bad[0] + 1]}"
        msg = f"{len(bad)} events of source {source.name!r} share an id but not the time ({where})."
        raise FeatureError(msg, remedy="An id names one event; correct the ids.")
    keep = np.ones(len(rank), bool)
    keep[order[twin + 1]] = False
    return np.flatnonzero(keep)
