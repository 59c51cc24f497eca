"""Builds of more events than memory holds: parted by entity, computed part by part.

First the events are spread over parts, by a hash of the entity, once for each kind of entity.
Then the views of an entity are computed on one part after the other. At last the values of
all parts are put side by side, slice by slice of time. Each step writes Parquet files that
appear whole, in a folder within the build; what is there is not done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.hashing import content_hash
from tradespace.features.batch.compute import compute_all, compute_row_features
from tradespace.features.batch.events import read_events
from tradespace.features.build.folder import remove_work
from tradespace.features.build.manifest import key_columns, write_slices, write_whole
from tradespace.features.build.survey import CHUNK, Survey, reach_slices
from tradespace.features.define.views import FeatureView, View

if TYPE_CHECKING:
    import numpy.typing as npt

_ROW, _SLICE = "__row", "__slice"
#: Rows of a group within a file: what is read at least.
_GROUP = 1 << 15


def build_in_parts(
    views: Mapping[str, View],
    found: Survey,
    stale: Sequence[int],
    names: Mapping[int, str],
    out: Path,
    rows_at_once: int,
    progress: Callable[[float, str], None],
) -> None:
    """Write the files of slices that are not there.

    Parameters
    ----------
    views : Mapping of str to view
    found : Survey
    stale : sequence of int
        Numbers of the slices to compute.
    names : Mapping of int to str
        The file of each slice.
    out : path
        Folder of the build.
    rows_at_once : int
        Events held in memory.
    progress : callable
        Told the share that is done, and what is being done.

    """
    reach = reach_slices(views, found.every_us)
    first = min(found.rows) if reach is None else stale[0] - reach
    n_rows = sum(n for number, n in found.rows.items() if first <= number <= stale[-1])
    n_parts = max(2 * n_rows // rows_at_once, 2)
    digest = content_hash([list(names.values()), n_parts, CHUNK])
    work = out / f".work-{digest}"
    remove_work(out, but=work)
    work.mkdir(exist_ok=True)
    by_entity: dict[str, dict[str, View]] = {}
    for name, view in views.items():
        if isinstance(view, FeatureView):
            by_entity.setdefault(view.entity, {})[name] = view
    entities = list(by_entity)
    n_chunks = sum(low <= stale[-1] and high >= first for low, high in found.chunks)
    for done in _spread(found, entities, first, stale[-1], n_parts, work):
        progress(0.3 * done / n_chunks, "Parting events by entity.")
    kept = pl.Series(stale)
    for place, group in enumerate(by_entity.values()):
        for part in range(n_parts):
            _compute(group, found, place, part, kept, work)
            share = (place * n_parts + part + 1) / (len(by_entity) * n_parts)
            progress(0.3 + 0.4 * share, "Computing features.")
    _assemble(views, found, stale, names, out, work, rows_at_once // 3, progress)
    shutil.rmtree(work)


def _write(frame: pl.DataFrame, place: Path) -> None:
    def write(file: Path) -> None:
        frame.write_parquet(file, compression="lz4", statistics=False, row_group_size=_GROUP)

    write_whole(place, write, unfinished=place.with_name(f".{place.name}"))


def _spread(
    found: Survey, entities: Sequence[str], first: int, last: int, n_parts: int, work: Path
) -> Iterator[int]:
    """Write each chunk of the source, divided by each kind of entity; yield how many are done."""
    for done, (number, events, slices) in enumerate(found.read(first, last), start=1):
        complete = work / f"chunk-{number}"
        if not complete.exists():
            frame = _numbered(number, events.frame, slices)
            frame = frame.filter((slices >= first) & (slices <= last))
            for place, entity in enumerate(entities):
                parts = (frame[entity].hash(seed=0) % n_parts).to_numpy()
                order = np.argsort(parts.astype(np.uint16), kind="stable")
                bounds = np.searchsorted(parts[order], np.arange(n_parts + 1))
                dealt = frame[order]
                for part in range(n_parts):
                    begin, end = int(bounds[part]), int(bounds[part + 1])
                    _write(
                        dealt.slice(begin, end - begin),
                        work / f"events-{place}-{part}-{number}.parquet",
                    )
            complete.touch()
        yield done


def _compute(
    views: Mapping[str, View], found: Survey, place: int, part: int, kept: pl.Series, work: Path
) -> None:
    target = work / f"values-{place}-{part}.parquet"
    if target.exists():
        return
    files = sorted(
        work.glob(f"events-{place}-{part}-*.parquet"), key=lambda f: int(f.stem.rsplit("-", 1)[1])
    )
    frame = pl.concat([pl.read_parquet(file) for file in files])
    if frame.height:
        values = compute_all(views, read_events(found.source, frame))
    else:
        values = {name: np.zeros(0) for view in views.values() for name in view.names}
    result = (
        frame.select(_ROW, _SLICE)
        .with_columns([pl.Series(name, array) for name, array in values.items()])
        .filter(pl.col(_SLICE).is_in(kept.implode()))
        .sort(_SLICE, _ROW)
    )
    _write(result, target)
    for file in files:
        file.unlink()


def _assemble(
    views: Mapping[str, View],
    found: Survey,
    stale: Sequence[int],
    names: Mapping[int, str],
    out: Path,
    work: Path,
    rows_at_once: int,
    progress: Callable[[float, str], None],
) -> None:
    n_done = 0
    keys = key_columns(found.source, views)
    features = [name for view in views.values() for name in view.names]
    computed = [_Values(place) for place in sorted(work.glob("values-*.parquet"))]
    for group in _by_rows(stale, found, rows_at_once):
        first, last = group[0], group[-1]
        kept = pl.col(_SLICE).is_in(pl.Series(group).implode())
        frames = [
            _numbered(number, events.frame, slices).filter(kept)
            for number, events, slices in found.read(first, last)
        ]
        rows = pl.concat([frame for frame in frames if frame.height])
        values: dict[str, npt.NDArray[Any]] = {}
        for view in views.values():
            if not isinstance(view, FeatureView):
                values.update(compute_row_features(view, rows))
        for entity in {file.entity for file in computed}:
            parts = pl.concat(
                [file.read(first, last) for file in computed if file.entity == entity]
            )
            parts = parts.filter(kept).sort(_ROW)
            values.update({name: parts[name].to_numpy() for name in parts.columns[2:]})
        result = rows.select(keys).with_columns(
            [pl.Series(name, values[name]) for name in features]
        )
        write_slices(result, rows[_SLICE].to_numpy(), group, names, out)
        n_done += len(group)
        progress(0.7 + 0.3 * n_done / len(stale), "Writing slices.")


class _Values:
    """Values of one part, in the order of slices."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.entity = place.name.split("-")[1]
        self._slices = pl.read_parquet(place, columns=[_SLICE])[_SLICE].to_numpy()

    def read(self, first: int, last: int) -> pl.DataFrame:
        begin, end = np.searchsorted(self._slices, [first, last + 1])
        return pl.scan_parquet(self.place).slice(int(begin), int(end - begin)).collect()


def _numbered(number: int, frame: pl.DataFrame, slices: npt.NDArray[np.int64]) -> pl.DataFrame:
    rows = np.arange(len(slices)) + number * CHUNK
    return frame.with_columns(pl.Series(_ROW, rows), pl.Series(_SLICE, slices))


def _by_rows(stale: Sequence[int], found: Survey, most: int) -> Iterator[Sequence[int]]:
    begin, total = 0, 0
    for place, number in enumerate(stale):
        if place > begin and total + found.rows[number] > most:
            yield stale[begin:place]
            begin, total = place, 0
        total += found.rows[number]
    yield stale[begin:]
