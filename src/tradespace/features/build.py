"""Offline features: built for every event, joined onto labels, compared between builds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.apply import join_rows, read_files
from tradespace.features.batch import compute_all
from tradespace.features.definitions import EventSource, FeatureView, View
from tradespace.features.events import Events, read_events

Progress = Callable[[str], None]


def _quiet(_message: str) -> None:
    """Say nothing."""


def source_events(views: Mapping[str, View], *, data: str | None = None) -> Events:
    """Return the events of the one source that all views share.

    Parameters
    ----------
    views : Mapping of str to view
    data : str, optional
        Files to read in place of the source's own.

    Raises
    ------
    FeatureError
        If the views have several sources, or the source names no file.

    """
    sources = {view.source.name: view.source for view in views.values()}
    if len(sources) != 1:
        msg = f"These views have several sources: {', '.join(sorted(sources))}."
        raise FeatureError(msg, remedy="Build one source at a time, or join views onto a table.")
    source: EventSource = next(iter(sources.values()))
    path = data or source.path
    if path is None:
        msg = f"Source {source.name!r} names no file."
        raise FeatureError(msg, remedy="Add path='...' to the source, or give --data.")
    wanted = {source.time, *(name for name in (source.id, source.created) if name)}
    for view in views.values():
        wanted.update(view.columns)
        if isinstance(view, FeatureView):
            wanted.add(view.entity)
    frame = read_files(path, sorted(wanted), owner=f"Source {source.name!r}")
    return read_events(source, frame)


def build(
    views: Mapping[str, View],
    out: str | Path,
    *,
    data: str | None = None,
    progress: Progress = _quiet,
) -> dict[str, Any]:
    """Write the features of every event to a Parquet file, and return its manifest.

    The manifest stands beside the file: the hash of each definition and of the data, the
    number of rows and their range of time. A build whose hashes are those of the manifest is
    not done again. Nothing is ever half-written.
    """
    out = Path(out)
    beside = manifest_path(out)
    events = source_events(views, data=data)
    source = events.source
    manifest = {
        "version": 1,
        "definitions": {name: view.hash for name, view in views.items()},
        "data": _data_hash(events.frame),
        "source": source.to_dict(),
        "rows": len(events),
        "from": str(events.frame[source.time].min()),
        "to": str(events.frame[source.time].max()),
        "features": [name for view in views.values() for name in view.names],
    }
    if out.is_file() and beside.is_file() and json.loads(beside.read_text()) == manifest:
        progress("Nothing changed; the build is kept.")
        return manifest
    keys = [
        source.id,
        source.time,
        *(v.entity for v in views.values() if isinstance(v, FeatureView)),
    ]
    columns = list(dict.fromkeys(key for key in keys if key is not None))
    frame = events.frame.select(columns)
    for view in views.values():
        progress(f"Computing {view.name}.")
        values = compute_all({view.name: view}, events)
        frame = frame.with_columns([pl.Series(name, array) for name, array in values.items()])
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    frame.write_parquet(unfinished)
    unfinished.replace(out)
    unfinished.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    unfinished.replace(beside)
    return manifest


def manifest_path(out: Path) -> Path:
    """Return where the manifest of a build stands."""
    return out.with_name(out.name + ".manifest.json")


def _data_hash(frame: pl.DataFrame) -> str:
    digest = hashlib.sha256(repr(list(frame.schema.items())).encode())
    digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def join(views: Mapping[str, View], labels: pl.DataFrame, *, time: str) -> pl.DataFrame:
    """Return a table of entities and times with the features as of those times added."""
    added: list[pl.Series] = []
    for view in views.values():
        if isinstance(view, FeatureView):
            values = join_rows(view, labels, time=time)
            added.extend(pl.Series(name, array) for name, array in values.items())
    return labels.with_columns(added)


def diff(before: str | Path, after: str | Path, *, tolerance: float = 0.0) -> dict[str, Any]:
    """Return what changed between two builds: definitions, rows and values by feature.

    Raises
    ------
    FeatureError
        If a build or its manifest is missing, or it has no id.

    """
    manifests, frames = [], []
    for path in (Path(before), Path(after)):
        if not manifest_path(path).is_file():
            msg = f"{str(path)!r} is not a build: it has no manifest."
            raise FeatureError(msg, remedy="Make it with: tradespace features build.")
        manifests.append(json.loads(manifest_path(path).read_text()))
        frames.append(read_files(str(path), None, owner="A build"))
    identity = manifests[0]["source"]["id"]
    if identity is None:
        msg = "Builds of a source without an id cannot be compared row by row."
        raise FeatureError(msg, remedy="Name the id of the source.")
    both = frames[0].join(frames[1], on=identity, how="inner", suffix=" after")
    names = [set(manifest["features"]) for manifest in manifests]
    changed = {}
    for name in sorted(names[0] & names[1]):
        old, new = both[name].to_numpy(), both[f"{name} after"].to_numpy()
        differs = ~((np.abs(old - new) <= tolerance) | (np.isnan(old) & np.isnan(new)))
        if differs.any():
            examples = both[identity].gather(np.flatnonzero(differs)[:3]).to_list()
            changed[name] = {"rows": int(differs.sum()), "examples": examples}
    return {
        "definitions": sorted(
            name
            for name in {*manifests[0]["definitions"], *manifests[1]["definitions"]}
            if manifests[0]["definitions"].get(name) != manifests[1]["definitions"].get(name)
        ),
        "rows_removed": frames[0].height - both.height,
        "rows_added": frames[1].height - both.height,
        "features_removed": sorted(names[0] - names[1]),
        "features_added": sorted(names[1] - names[0]),
        "values": changed,
    }
