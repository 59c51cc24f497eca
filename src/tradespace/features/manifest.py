"""Builds on disk: a folder of Parquet files, one for each slice of time, and its manifest.

Files are named by the hash of what they were computed from. The manifest names the files
that make up the build and is replaced last, so that a reader sees the old build or the new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.definitions import EventSource, FeatureView, View

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
        manifest: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"The manifest of {str(folder)!r} is damaged: {error}."
        raise FeatureError(msg, remedy="Build again; what is complete is kept.") from error
    if manifest.get("version") != VERSION:
        msg = f"{str(folder)!r} is a build of version {manifest.get('version')}; wanted {VERSION}."
        raise FeatureError(msg, remedy="Build into another folder.")
    return manifest


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
        unfinished = out / f".{names[number]}"
        rows = order[begin:end]
        in_a_row = len(rows) and rows[-1] - rows[0] == len(rows) - 1
        part = frame.slice(int(rows[0]), len(rows)) if in_a_row else frame[rows]
        part.write_parquet(unfinished)
        unfinished.replace(out / names[number])
