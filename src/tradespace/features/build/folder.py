"""The folder of a build: what in it is ours, and so may be replaced and removed.

Only files that a manifest of ours names are removed, or the note of a build under way. A
folder with files of somebody else is not built into.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tradespace.core.errors import FeatureError
from tradespace.features.build.manifest import MANIFEST, VERSION, read_manifest, writing
from tradespace.features.define.sources import EventSource
from tradespace.features.define.views import View
from tradespace.store.files import write_atomically

#: Names the files of a build that is under way, or was killed.
_NOTE = ".building.json"
_SLICE = re.compile(r"\.?\d{4}-\d\d-\d\dT\d{6}-[0-9a-f]{16}\.parquet")
_WORK = re.compile(r"\.work-[0-9a-f]{16}")
_UNFINISHED = re.compile(r"\.(manifest|\.building)\.json\.\d+")
_EXAMPLES = 3


def files_before(out: Path, views: Mapping[str, View], source: EventSource, path: str) -> set[str]:
    """Return the files of builds before in a folder.

    Parameters
    ----------
    out : path
        The folder; it need not exist.
    views : Mapping of str to view
        Those to be built.
    source : EventSource
    path : str
        The files of the source.

    Raises
    ------
    FeatureError
        If it is a file, holds the source or files that are not ours, or a build of other views.

    """
    with writing(out):
        if not out.exists():
            return set()
        if not out.is_dir():
            msg = f"{str(out)!r} is a file; a build is a folder of files."
            raise FeatureError(msg, remedy="Give --out another name.")
        if out.resolve() in (Path(path).resolve(), Path(path).parent.resolve()):
            msg = f"The files of source {source.name!r} stand in {str(out)!r} themselves."
            raise FeatureError(msg, remedy="Give --out a folder of its own.")
        manifest, note = manifest_before(out), _note(out)
        if manifest is None and note is None:
            _refuse_others(out)
            return set()
    files: set[str] = set()
    for record in (manifest, note):
        if record is not None:
            _same_views(out, record, views, source)
            files |= {part["file"] for part in record["partitions"]}
    return {name for name in files if _SLICE.fullmatch(name)}


def manifest_before(out: Path) -> dict[str, Any] | None:
    """Return the manifest of the build in a folder; None: none, or a damaged one of a build."""
    if not (out / MANIFEST).is_file():
        return None
    try:
        return read_manifest(out)
    except FeatureError:
        try:
            json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        except ValueError:
            if any(_SLICE.fullmatch(place.name) for place in out.iterdir()):
                return None
        raise


def note_files(out: Path, files: Iterable[str], views: Mapping[str, View]) -> None:
    """Write down the files that this build makes or may remove, should it be killed."""
    note = {
        "version": VERSION,
        "definitions": {name: view.hash for name, view in views.items()},
        "source": next(iter(views.values())).source.to_dict(),
        "partitions": [{"file": name} for name in sorted(files)],
    }
    write_atomically(out / _NOTE, json.dumps(note).encode())


def sweep(out: Path, gone: Iterable[str]) -> None:
    """Remove files of builds before, and what a build that was killed left."""
    for name in gone:
        (out / name).unlink(missing_ok=True)
        (out / f".{name}").unlink(missing_ok=True)
    for place in list(out.iterdir()):
        if _UNFINISHED.fullmatch(place.name):
            place.unlink()
    remove_work(out)
    (out / _NOTE).unlink(missing_ok=True)


def remove_work(out: Path, *, but: Path | None = None) -> None:
    """Remove the folders in which builds in parts kept their events."""
    for place in list(out.iterdir()):
        if _WORK.fullmatch(place.name) and place != but:
            shutil.rmtree(place)


def _note(out: Path) -> dict[str, Any] | None:
    if not (out / _NOTE).is_file():
        return None
    note: dict[str, Any] = json.loads((out / _NOTE).read_text(encoding="utf-8"))
    return note


def _refuse_others(out: Path) -> None:
    """Raise FeatureError if a folder without a manifest holds what no build of ours left."""
    others = sorted(
        place.name
        for place in out.iterdir()
        if not (
            place.name in ("lock", MANIFEST)
            or any(p.fullmatch(place.name) for p in (_SLICE, _WORK, _UNFINISHED))
        )
    )
    if others:
        few = ", ".join(repr(name) for name in others[:_EXAMPLES])
        more = f" and {len(others) - _EXAMPLES} more" if len(others) > _EXAMPLES else ""
        msg = f"{str(out)!r} is no build of features and holds other files: {few}{more}."
        raise FeatureError(msg, remedy="Give --out a new or empty folder; these files are kept.")


def _same_views(
    out: Path, record: Mapping[str, Any], views: Mapping[str, View], source: EventSource
) -> None:
    """Raise FeatureError if a build holds views that the next one would drop."""
    held, name = record["definitions"], record["source"]["name"]
    if name != source.name:
        msg = f"{str(out)!r} holds a build of source {name!r}: views {', '.join(sorted(held))}."
        msg += f" These views are of source {source.name!r}."
        raise FeatureError(msg, remedy="Give --out a folder of its own.")
    dropped = sorted(set(held) - set(views))
    if dropped:
        msg = f"{str(out)!r} holds a build of views {', '.join(sorted(held))}; building "
        msg += f"{', '.join(sorted(views))} there would drop {', '.join(dropped)}."
        raise FeatureError(
            msg, remedy="Give --out a folder of its own, or remove the folder if it is not wanted."
        )
