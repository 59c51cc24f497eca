"""Builds on disk: a folder of Parquet files, one for each slice of time, and its manifest.

Files are named by the hash of what they were computed from. The manifest names the files
that make up the build and is replaced last, so that a reader sees the old build or the new.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.define.sources import EventSource
from tradespace.features.define.views import FeatureView, View

if TYPE_CHECKING:
    import numpy.typing as npt

MANIFEST = "manifest.json"
VERSION = 2


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a build.

    Raises
    ------
    FeatureError
        If the folder is not a build, or one of another version.

    """
    place = Path(folder) / MANIFEST
    if not place.is_file():
        msg = f"{str(folder)!r} is not a build of features: it has no {MANIFEST}."
        raise FeatureError(msg, remedy="Make it with: tradespace features build.")
    try:
        manifest: Any = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"The manifest of {str(folder)!r} is damaged: {error}."
        raise FeatureError(msg, remedy="Build again; what is complete is kept.") from error
    if not isinstance(manifest, dict) or "version" not in manifest:
        msg = f"{str(folder)!r} is not a build of features: its {MANIFEST} is of something else."
        raise FeatureError(
            msg, remedy="Make one with: tradespace features build, in another folder."
        )
    if manifest["version"] != VERSION:
        msg = f"{str(folder)!r} is a build of version {manifest['version']}; wanted {VERSION}."
        raise FeatureError(msg, remedy="Build into another folder.")
    found: dict[str, Any] = manifest
    return found


def scan_build(folder: str | Path) -> pl.LazyFrame:
    """Return the rows of a build, lazily, in the order of time slices.

    Examples
    --------
    >>> scan_build("nowhere")
    Traceback (most recent call last):
    ...
    tradespace.core.errors.FeatureError: 'nowhere' is not a build of features: it has no
    manifest.json. Make it with: tradespace features build.

    """
    manifest = read_manifest(folder)
    return pl.scan_parquet([Path(folder) / part["file"] for part in manifest["partitions"]])


def read_slice(folder: str | Path, part: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows of one partition of a build."""
    try:
        return pl.read_parquet(Path(folder) / part["file"])
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"File {part['file']!r} of build {str(folder)!r} cannot be read: {error}."
        raise FeatureError(msg, remedy="Build again; what is complete is kept.") from error


def key_columns(source: EventSource, views: Mapping[str, View]) -> list[str]:
    """Return the columns that a build keeps beside its features."""
    entities = [view.entity for view in views.values() if isinstance(view, FeatureView)]
    return list(dict.fromkeys(key for key in (source.id, source.time, *entities) if key))


def write_slices(
    frame: pl.DataFrame,
    numbers: npt.NDArray[np.int64],
    group: Sequence[int],
    names: Mapping[int, str],
    out: Path,
) -> None:
    """Write the rows of each slice to its file, whole or not at all."""
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[order], [[k, k + 1] for k in group])
    for number, (begin, end) in zip(group, bounds, strict=True):
        rows = order[begin:end]
        in_a_row = len(rows) and rows[-1] - rows[0] == len(rows) - 1
        part = frame.slice(int(rows[0]), len(rows)) if in_a_row else frame[rows]
        write_whole(out / names[number], part.write_parquet, unfinished=out / f".{names[number]}")


def write_whole(
    place: Path, write: Callable[[Path], object], *, unfinished: Path | None = None
) -> None:
    """Write a file that is whole or absent; nothing unfinished is left where writing fails.

    Parameters
    ----------
    place : path
    write : callable
        Given the path to write to.
    unfinished : path, optional
        Where it stands until it is whole; None: beside its place, under a name of this process.

    Raises
    ------
    FeatureError
        If it cannot be written.

    """
    unfinished = unfinished or place.with_name(f".{place.name}.{os.getpid()}.unfinished")
    with writing(place):
        try:
            write(unfinished)
            unfinished.replace(place)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise _refusal(place, error) from error
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def writing(place: str | Path) -> Iterator[None]:
    """Say of what the system refuses which file it was and what to do; no fault of ours.

    Examples
    --------
    >>> with writing("out.parquet"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    ...
    tradespace.core.errors.FeatureError: Cannot write 'out.parquet': No space left on device. Free
    some space and run again; what is complete is kept.

    """
    try:
        yield
    except OSError as error:
        raise _refusal(error.filename or place, error) from error


def _refusal(place: str | Path, error: Exception) -> FeatureError:
    reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
    reason = re.sub(r".*IO error: | \(os error \d+\).*", "", reason)
    msg = f"Cannot write {str(place)!r}: {reason}."
    remedy = "Give --out a place in a folder that exists and may be written."
    if not isinstance(error, OSError):
        remedy = "Check that the disk has space left, and run again; what is complete is kept."
    if any(word in reason.lower() for word in ("space", "quota", "too large")):
        remedy = "Free some space and run again; what is complete is kept."
    return FeatureError(msg, remedy=remedy)
