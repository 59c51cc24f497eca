"""What changed between two builds: definitions, rows and values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.build.manifest import read_manifest, read_slice

_EXAMPLES = 3


def diff(before: str | Path, after: str | Path, *, tolerance: float = 0.0) -> dict[str, Any]:
    """Return what changed between two builds, slice by slice of time.

    Parameters
    ----------
    before, after : path
        Folders of builds, with slices of one length.
    tolerance : float
        Values that differ by no more count as equal.

    Returns
    -------
    dict
        Views whose definition changed; rows removed and added; features removed and added;
        and for each feature the number of rows whose value changed, how many of these are
        missing in one of the builds, the greatest change of the others and the ids of the
        first few.

    Raises
    ------
    FeatureError
        If one of them is no build, names no id, or has slices of another length.

    """
    old, new = read_manifest(before), read_manifest(after)
    identity = old["source"]["id"]
    if identity is None or identity != new["source"]["id"]:
        msg = f"Builds are compared row by row, but their ids are {identity!r} and "
        msg += f"{new['source']['id']!r}."
        raise FeatureError(msg, remedy="Name the id of the source, the same in both.")
    if old["every"] != new["every"]:
        msg = f"One build has slices of {old['every']}, the other of {new['every']}."
        raise FeatureError(msg, remedy="Build both with the same --every.")
    shared = [name for name in old["features"] if name in set(new["features"])]
    changed: dict[str, dict[str, Any]] = {}
    removed, added = 0, 0
    slices = [{part["from"]: part for part in m["partitions"]} for m in (old, new)]
    for start in sorted({*slices[0], *slices[1]}):
        parts = [found.get(start) for found in slices]
        if parts[0] and parts[1] and parts[0]["file"] == parts[1]["file"]:
            continue
        frames = [
            None if part is None else read_slice(folder, part)
            for folder, part in zip((before, after), parts, strict=True)
        ]
        if frames[0] is None or frames[1] is None:
            removed += 0 if frames[0] is None else frames[0].height
            added += 0 if frames[1] is None else frames[1].height
            continue
        once = [
            frame.unique(identity, maintain_order=True) for frame in frames if frame is not None
        ]
        both = once[0].join(once[1], on=identity, suffix=" after", maintain_order="left")
        removed += frames[0][identity].n_unique() - both.height
        added += frames[1][identity].n_unique() - both.height
        for name in shared:
            _compare(both, name, identity, tolerance, changed)
    return {
        "definitions": sorted(
            name
            for name in {*old["definitions"], *new["definitions"]}
            if old["definitions"].get(name) != new["definitions"].get(name)
        ),
        "rows_removed": removed,
        "rows_added": added,
        "features_removed": [n for n in old["features"] if n not in set(new["features"])],
        "features_added": [n for n in new["features"] if n not in set(old["features"])],
        "values": changed,
    }


def _compare(
    both: pl.DataFrame, name: str, identity: str, tolerance: float, changed: dict[str, Any]
) -> None:
    old, new = both[name].to_numpy(), both[f"{name} after"].to_numpy()
    with np.errstate(invalid="ignore"):
        near = (old == new) | (np.abs(old - new) <= tolerance)
    differs = ~(near | (np.isnan(old) & np.isnan(new)))
    if not differs.any():
        return
    found = changed.setdefault(name, {"rows": 0, "missing": 0, "greatest": 0.0, "examples": []})
    found["rows"] += int(differs.sum())
    found["missing"] += int((np.isnan(old) != np.isnan(new)).sum())
    greatest = float(np.nanmax(np.abs(old - new)[differs], initial=0.0))
    found["greatest"] = max(found["greatest"], greatest)
    few = np.flatnonzero(differs)[: _EXAMPLES - len(found["examples"])]
    found["examples"] += both[identity].gather(few).to_list()
