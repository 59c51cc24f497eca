"""The catalogue: what views exist, what their values look like, how fresh, and who uses them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from tradespace.core.errors import TradespaceError
from tradespace.features.build.manifest import read_manifest, scan_build
from tradespace.features.define.views import FeatureView, View
from tradespace.files.durations import format_duration


def describe(view: View) -> dict[str, Any]:
    """Return what a definition says, as plain data.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, count
    >>> view = FeatureView("card", EventSource("log"), "card", [count("1d")], owner="risk")
    >>> record = describe(view)
    >>> record["owner"], record["entity"], list(record["features"])
    ('risk', 'card', ['card_count_1d'])

    """
    record: dict[str, Any] = {
        "name": view.name,
        "version": view.hash,
        "owner": view.owner or view.source.owner,
        "description": view.description,
        "source": {**view.source.to_dict(), "path": view.source.path},
    }
    versions = view.versions
    if isinstance(view, FeatureView):
        record["entity"] = view.entity
        record["freshness_limit"] = (
            None if view.freshness_us is None else format_duration(view.freshness_us)
        )
        record["features"] = {
            name: {
                **feature.to_dict(),
                "definition": replace(feature, name="").slug,
                "type": "number",
                "unit": feature.unit,
                "description": feature.description,
                "version": versions[name],
            }
            for name, feature in zip(view.names, view.features, strict=True)
        }
    else:
        record["features"] = {
            e.name: {
                "definition": e.text,
                "type": "number",
                "unit": "1",
                "description": e.description,
                "version": versions[e.name],
            }
            for e in view.expressions
        }
    return record


def statistics(build: str | Path, view: View) -> dict[str, Any]:
    """Return what a build says of a view: whether it is current, how fresh, and the values.

    Parameters
    ----------
    build : path
        Folder of a build.
    view : view

    Returns
    -------
    dict
        `current`: whether it was built from this very definition; `rows`; `newest`: the time
        of the newest event; and for each feature that was built the share missing, and least,
        mean, greatest value and standard deviation.

    """
    manifest = read_manifest(build)
    built = set(manifest["features"])
    scan = scan_build(build)
    names = [name for name in view.names if name in built]
    wanted = [pl.col(view.source.time).max().alias("__newest")]
    for name in names:
        values = pl.col(name).fill_nan(None)
        wanted += [
            (values.null_count() / pl.len()).alias(f"{name}|missing"),
            values.min().alias(f"{name}|min"),
            values.mean().alias(f"{name}|mean"),
            values.max().alias(f"{name}|max"),
            values.std().alias(f"{name}|std"),
        ]
    row = scan.select(wanted).collect().row(0, named=True)
    newest = row["__newest"]
    return {
        "build": str(build),
        "current": manifest["definitions"].get(view.name) == view.hash,
        "rows": manifest["rows"],
        "newest": newest.isoformat() if isinstance(newest, dt.date) else newest,
        "features": {
            name: {key: row[f"{name}|{key}"] for key in ("missing", "min", "mean", "max", "std")}
            for name in names
        },
    }


def uses(folder: str | Path, views: Mapping[str, View]) -> dict[str, list[dict[str, Any]]]:
    """Return which studies below a folder were decided on which views.

    The run store of a study keeps the versions of the views that its components were trained
    on. A study whose store cannot be read is listed with the reason.

    Returns
    -------
    dict
        For each view its uses: `study` (folder), `reference`, `version` and whether it is
        `current`.

    """
    from tradespace.store.run_store import RunStore

    found: dict[str, list[dict[str, Any]]] = {name: [] for name in views}
    for place in sorted(Path(folder).rglob("*.tradespace/run.sqlite")):
        try:
            store = RunStore(place)
            lineage = store.get_json("features") or {}
            store.close()
        except TradespaceError as error:
            for listed in found.values():
                listed.append({"study": str(place.parent), "unreadable": str(error)})
            continue
        for reference, record in lineage.items():
            name = record["view"]
            if name in views:
                found[name].append(
                    {
                        "study": str(place.parent),
                        "reference": reference,
                        "version": record["version"],
                        "current": record["version"] == views[name].hash,
                    }
                )
    return found
