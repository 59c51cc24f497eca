"""Offline features: every feature of every event of a source, as partitioned Parquet.

A build is divided into slices of time. The file of a slice is named by the hash of all that
its values depend on, and appears whole or not at all. So a build that was killed goes on
where it was, new days cost only themselves, and an event that arrived late rebuilds the days
whose windows reach it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.core.hashing import content_hash
from tradespace.features.batch.compute import compute_all
from tradespace.features.batch.events import Events, read_events
from tradespace.features.batch.study_columns import needed_columns, read_files
from tradespace.features.build.by_entity import build_in_parts
from tradespace.features.build.folder import files_before, manifest_before, note_files, sweep
from tradespace.features.build.manifest import (
    MANIFEST,
    VERSION,
    key_columns,
    write_slices,
    writing,
)
from tradespace.features.build.survey import Survey, inputs_of, reach_slices, survey
from tradespace.features.define.agree import refuse_two_features
from tradespace.features.define.load import sources_of
from tradespace.features.define.rules import is_whole
from tradespace.features.define.sources import EventSource
from tradespace.features.define.views import FeatureView, View
from tradespace.files.durations import format_duration, parse_duration_us
from tradespace.store.files import write_atomically
from tradespace.store.lock import folder_lock

#: Called with the share that is done, 0 to 1, and what is being done.
Progress = Callable[[float, str], None]

#: Files that a folder may have to hold.
_MOST_SLICES = 100_000

#: Memory that events and their features may take at once.
_MEMORY_BYTES = 2 * 2**30


def _quiet(_share: float, _message: str) -> None:
    """Say nothing."""


def one_source(views: Mapping[str, View], *, data: str | None = None) -> tuple[EventSource, str]:
    """Return the source that all views share, and the files to read.

    Raises
    ------
    FeatureError
        If the views have several sources, or the source names no file.

    """
    sources = sources_of(views)
    if len(sources) != 1:
        msg = f"These views have several sources: {', '.join(sorted(sources))}."
        choices = [
            " ".join(f"--view {v.name}" for v in views.values() if v.source.name == name)
            for name in sources
        ]
        remedy = f"Take one source at a time: {', or '.join(choices)}."
        raise FeatureError(msg, remedy=remedy)
    source: EventSource = next(iter(sources.values()))
    path = data or source.path
    if path is None:
        msg = f"Source {source.name!r} names no file."
        raise FeatureError(msg, remedy="Add path='...' to the source, or give --data.")
    return source, path


def source_events(views: Mapping[str, View], *, data: str | None = None) -> Events:
    """Return all events of the one source that views share; see :func:`one_source`."""
    source, path = one_source(views, data=data)
    columns = needed_columns(source, views.values())
    return read_events(source, read_files(path, columns, owner=f"Source {source.name!r}"))


def events_of(views: Mapping[str, View], *, data: str | None) -> dict[str, Events] | None:
    """Return the events of the one source that views are joined from, read from given files.

    None if no files are given, or no view has windows: then each source is read by itself.
    """
    windowed = {name: view for name, view in views.items() if isinstance(view, FeatureView)}
    if data is None or not windowed:
        return None
    events = source_events(windowed, data=data)
    return {events.source.name: events}


def build(
    views: Mapping[str, View],
    out: str | Path,
    *,
    data: str | None = None,
    every: str = "1d",
    rows_at_once: int | None = None,
    progress: Progress = _quiet,
) -> dict[str, Any]:
    """Write the features of every event into a folder of Parquet files.

    Parameters
    ----------
    views : Mapping of str to view
        All over one source.
    out : path
        The folder; slices that it has already are kept.
    data : str, optional
        Files to read in place of the source's own.
    every : str
        Length of a slice of time, in UTC.
    rows_at_once : int, optional
        Events held in memory; None: as many as take two gigabytes. A source of more is read
        stretch by stretch of time or, where windows reach too far back for that, spread over
        parts by a hash of the entity, in files within the folder.
    progress : callable
        Told the share that is done, and what is being done.

    Returns
    -------
    dict
        The manifest: definitions, source, rows, range of time, features, partitions, and how
        many partitions were `computed` this time.

    Raises
    ------
    FeatureError
        If the views have several sources, the columns of the source have changed their types
        since the last build, the data break the contract, or the folder holds files that are
        not of a build, or a build of other views.

    """
    out = Path(out)
    source, path = one_source(views, data=data)
    refuse_two_features(views.values())
    every_us = _slice_us(every)
    if rows_at_once is not None and (not is_whole(rows_at_once) or rows_at_once < 1):
        msg = f"Events held in memory must be a whole number of 1 or more; got {rows_at_once!r}."
        raise FeatureError(msg, remedy="Leave --rows-at-once out to hold those of two gigabytes.")
    files_before(out, views, source, path)
    progress(0.0, "Reading the source.")
    found = survey(source, path, views, every_us=every_us)
    _refuse_dust(found, every)
    if rows_at_once is None:
        n_features = sum(len(view.names) for view in views.values())
        rows_at_once = int(_MEMORY_BYTES / (2 * found.row_bytes + 8 * n_features + 16))
    with writing(out), folder_lock(out):
        _same_schema(out, found)
        names = _file_names(inputs_of(views, found), found)
        known = files_before(out, views, source, path) | set(names.values())
        note_files(out, known, views)
        stale = [number for number, name in names.items() if not (out / name).is_file()]
        for group in _groups(stale, found, reach_slices(views, found.every_us), rows_at_once):
            if group is None:
                build_in_parts(views, found, stale, names, out, rows_at_once, progress)
                break
            _build_group(views, found, group, names, out)
            progress((stale.index(group[-1]) + 1) / len(stale), "Computing features.")
        manifest = _manifest(views, found, names)
        write_atomically(out / MANIFEST, json.dumps(manifest, indent=1).encode())
        sweep(out, known - set(names.values()))
    progress(1.0, "Done.")
    return {**manifest, "computed": len(stale)}


def _slice_us(every: str) -> int:
    every_us = parse_duration_us(every, what="length of a slice")
    if every_us == 0:
        msg = f"The length of a slice must be longer than 0; got {every!r}."
        raise FeatureError(msg, remedy="Write it like '1d', '6h' or '4w'.")
    return every_us


def _refuse_dust(found: Survey, every: str) -> None:
    if len(found.rows) > _MOST_SLICES:
        msg = f"Slices of {every!r} make {len(found.rows):,} files; at most {_MOST_SLICES:,}."
        raise FeatureError(msg, remedy="Give --every a longer time, like '1d'.")


def _file_names(inputs: Mapping[int, str], found: Survey) -> dict[int, str]:
    return {
        number: f"{_start(number, found.every_us):%Y-%m-%dT%H%M%S}-{digest}.parquet"
        for number, digest in inputs.items()
    }


def _start(number: int, every_us: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=number * every_us)


def _same_schema(out: Path, found: Survey) -> None:
    before = manifest_before(out)
    if before is None:
        return
    before = before["schema"]
    for name, dtype in found.schema.items():
        if name in before and before[name] != dtype:
            msg = (
                f"Column {name!r} of source {found.source.name!r} was {before[name]} in the last "
                f"build and is {dtype} now."
            )
            raise FeatureError(msg, remedy="Correct the source, or build into another folder.")


def _groups(
    stale: Sequence[int], found: Survey, reach: int | None, rows_at_once: int
) -> list[Sequence[int] | None]:
    """Divide slices so that each group and what its windows reach fit in memory.

    [None] if that would read most events again and again: the events are parted by entity.
    """
    numbers = list(found.rows)
    before = np.concatenate([[0], np.cumsum(list(found.rows.values()))])

    def rows(first: int, last: int) -> int:
        start = 0 if reach is None else int(np.searchsorted(numbers, first - reach))
        return int(before[np.searchsorted(numbers, last, side="right")] - before[start])

    groups: list[Sequence[int] | None] = []
    begin, read = 0, 0
    for place in range(len(stale)):
        if place > begin and rows(stale[begin], stale[place]) > rows_at_once:
            groups.append(stale[begin:place])
            read += rows(stale[begin], stale[place - 1])
            begin = place
    if stale:
        groups.append(stale[begin:])
        read += rows(stale[begin], stale[-1])
    once = rows(stale[0], stale[-1]) if stale else 0
    single = max((rows(number, number) for number in stale), default=0)
    return [None] if single > rows_at_once or read > 2 * once else groups


def _build_group(
    views: Mapping[str, View],
    found: Survey,
    group: Sequence[int],
    names: Mapping[int, str],
    out: Path,
) -> None:
    reach = reach_slices(views, found.every_us)
    first = min(found.rows) if reach is None else group[0] - reach
    frames, slices = [], []
    for _, events, numbers in found.read(first, group[-1]):
        near = (numbers >= first) & (numbers <= group[-1])
        frames.append(events.frame.filter(near))
        slices.append(numbers[near])
    frame, numbers = pl.concat(frames), np.concatenate(slices)
    values = compute_all(views, read_events(found.source, frame))
    keys = frame.select(key_columns(found.source, views)).with_columns(
        [pl.Series(name, array) for name, array in values.items()]
    )
    write_slices(keys, numbers, group, names, out)


def _manifest(views: Mapping[str, View], found: Survey, names: Mapping[int, str]) -> dict[str, Any]:
    partitions = [
        {
            "file": name,
            "from": _start(number, found.every_us).isoformat(),
            "rows": found.rows[number],
            "data": found.content[number],
        }
        for number, name in names.items()
    ]
    return {
        "version": VERSION,
        "definitions": {name: view.hash for name, view in views.items()},
        "data": content_hash(list(found.content.values())),
        "source": found.source.to_dict(),
        "path": found.path,
        "schema": dict(found.schema),
        "every": format_duration(found.every_us),
        "rows": found.n_rows,
        "from": partitions[0]["from"],
        "to": _start(max(names) + 1, found.every_us).isoformat(),
        "breaches": [str(breach) for breach in found.breaches],
        "features": [name for view in views.values() for name in view.names],
        "partitions": partitions,
    }
