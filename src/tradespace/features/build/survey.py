"""One pass over a source that says, for each slice of time, how many events and which.

The pass reads some hundred thousand events at a time and keeps nothing of them but a count
and a hash by slice, so that a source may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.core.hashing import content_hash
from tradespace.features.batch.checks import merge
from tradespace.features.batch.events import Events, only_events, read_events
from tradespace.features.batch.study_columns import (
    check_decimals_of,
    needed_columns,
    reading,
    scan_files,
)
from tradespace.features.define.contracts import Breach
from tradespace.features.define.sources import EventSource
from tradespace.features.define.views import FeatureView, View

if TYPE_CHECKING:
    import numpy.typing as npt

#: Events read at a time.
CHUNK = 1 << 19
#: The slices of a chunk that holds no event: the first lies after the last.
_NOWHERE = (1 << 62, -(1 << 62))


@dataclass(frozen=True, slots=True)
class Survey:
    """Where the events of a source lie in time.

    `rows` and `content` have an entry for each slice of `every_us` microseconds, by its
    number since 1970. `chunks` says which slices the n-th chunk of the source reaches over;
    `row_bytes` is what an event takes in memory.
    """

    source: EventSource
    path: str
    columns: tuple[str, ...]
    schema: Mapping[str, str]
    every_us: int
    rows: Mapping[int, int]
    content: Mapping[int, str]
    chunks: tuple[tuple[int, int], ...]
    row_bytes: float
    breaches: tuple[Breach, ...] = ()

    @property
    def n_rows(self) -> int:
        """Number of events, those delivered twice counted twice."""
        return sum(self.rows.values())

    def read(self, first: int, last: int) -> Iterator[tuple[int, Events, npt.NDArray[np.int64]]]:
        """Yield the chunks that reach into slices, with their number and the slice of each row."""
        owner = f"Source {self.source.name!r}"
        scan = scan_files(self.path, list(self.columns), owner=owner)
        for number, (low, high) in enumerate(self.chunks):
            if low <= last and high >= first:
                with reading(self.path, owner, list(self.columns)):
                    frame = scan.slice(number * CHUNK, CHUNK).collect()
                events = read_events(self.source, frame)
                yield number, events, events.time_us // self.every_us


def survey(source: EventSource, path: str, views: Mapping[str, View], *, every_us: int) -> Survey:
    """Read a source once and say what lies where.

    The hash of a slice does not depend on the order of its events.

    Raises
    ------
    FeatureError
        If the source has no events, or they break its contract.

    """
    columns = needed_columns(source, views.values())
    owner = f"Source {source.name!r}"
    check_decimals_of(source, path)
    scan = scan_files(path, columns, owner=owner)
    with reading(path, owner, columns):
        total = int(scan.select(pl.len()).collect().item())
    if not total:
        msg = f"Source {source.name!r} has no events in {path!r}."
        raise FeatureError(msg, remedy="Check that the file was written completely.")
    rows: dict[int, int] = {}
    hashes: dict[int, int] = {}
    chunks: list[tuple[int, int]] = []
    schema: dict[str, str] = {}
    row_bytes = 0.0
    breaches: list[Breach] = []
    for start in range(0, total, CHUNK):
        with reading(path, owner, columns):
            frame = scan.slice(start, CHUNK).collect()
        schema = {name: str(dtype) for name, dtype in frame.schema.items()}
        row_bytes = max(row_bytes, frame.estimated_size() / frame.height)
        frame = only_events(source, frame)
        if not frame.height:
            chunks.append(_NOWHERE)
            continue
        events = read_events(source, frame)
        breaches += events.breaches
        numbers = events.time_us // every_us
        chunks.append((int(numbers.min()), int(numbers.max())))
        # Sums of both halves of the hashes: no order, and no overflow.
        found = (
            pl.DataFrame({"slice": numbers, "hash": frame.hash_rows(seed=0)})
            .group_by("slice")
            .agg(
                pl.len().alias("rows"),
                (pl.col("hash") // 2**32).sum().alias("high"),
                (pl.col("hash") % 2**32).sum().alias("low"),
            )
        )
        for number, n, high, low in found.iter_rows():
            rows[number] = rows.get(number, 0) + n
            hashes[number] = hashes.get(number, 0) + (high << 32) + low
    if not rows:
        msg = f"No event of source {source.name!r} in {path!r} meets its condition."
        raise FeatureError(msg, remedy="Correct where= of the source.")
    content = {
        number: content_hash([rows[number], str(hashes[number]), schema]) for number in sorted(rows)
    }
    ordered = {number: rows[number] for number in sorted(rows)}
    return Survey(
        source, path, tuple(columns), schema, every_us, ordered, content, tuple(chunks), row_bytes,
        merge(breaches),
    )  # fmt: skip


def inputs_of(views: Mapping[str, View], found: Survey) -> dict[int, str]:
    """Return, for each slice, the hash of all that its features depend on.

    That is the definitions, and every event that the longest window can reach from there.
    """
    definitions = content_hash({name: view.hash for name, view in views.items()})
    reach = reach_slices(views, found.every_us)
    numbers = list(found.content)
    result: dict[int, str] = {}
    chain = definitions
    first = 0
    for place, number in enumerate(numbers):
        if reach is None:
            chain = content_hash([chain, number, found.content[number]])
            result[number] = chain
            continue
        while numbers[first] < number - reach:
            first += 1
        seen = [[k, found.content[k]] for k in numbers[first : place + 1]]
        result[number] = content_hash([definitions, found.every_us, seen])
    return result


def reach_slices(views: Mapping[str, View], every_us: int) -> int | None:
    """Return how many slices back the features look; None: to the first event."""
    horizons = [v.horizon_us for v in views.values() if isinstance(v, FeatureView)]
    if None in horizons:
        return None
    longest = max((h for h in horizons if h is not None), default=0)
    return -(-longest // every_us)
