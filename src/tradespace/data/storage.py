"""A dataset in a folder of memory-mapped arrays, so that workers share its pages.

A folder holds one ``.npy`` file per array and ``dataset.json``, which is written last and
names them with size and hash; a folder without it is no dataset. Nothing is pickled.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tradespace.core.errors import StoreError
from tradespace.core.studies import Task
from tradespace.data.dataset import Dataset, Fold
from tradespace.data.inputs import Inputs, InputSchema, StringColumn
from tradespace.store.files import HashedFile, cannot_write, sha256_of, write_atomically

_MANIFEST = "dataset.json"
_VERSION = 2


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write a dataset into a folder; one of the same content that is whole is left as it is.

    Raises
    ------
    StoreError
        If the folder cannot be written.

    """
    manifest = folder / _MANIFEST
    if _is_whole(folder, dataset):
        return
    arrays = {"numbers.npy": dataset.inputs.numbers, "y.npy": dataset.y}
    if dataset.groups is not None:
        arrays["groups.npy"] = dataset.groups
    for i, column in enumerate(dataset.inputs.strings):
        arrays[f"codes-{i}.npy"] = column.codes
    for i, values in enumerate(dataset.columns.values()):
        arrays[f"column-{i}.npy"] = values
    for i, fold in enumerate(dataset.folds):
        arrays[f"train-{i}.npy"], arrays[f"score-{i}.npy"] = fold.train, fold.score
    content: dict[str, Any] = {
        "version": _VERSION,
        "hash": dataset.hash,
        "parts": dict(dataset.parts),
        "task": dataset.task.value,
        "classes": list(dataset.classes),
        "schema": dataset.inputs.schema.to_dict(),
        "levels": [column.levels.tolist() for column in dataset.inputs.strings],
        "columns": list(dataset.columns),
        "folds": [fold.name for fold in dataset.folds],
        "groups": dataset.groups is not None,
        "split": dict(dataset.split),
        "notes": list(dataset.notes),
        "files": {},
    }
    place = manifest
    try:
        manifest.unlink(missing_ok=True)
        for name, array in arrays.items():
            place = folder / name
            written = write_atomically(place, partial(_write_array, array))
            content["files"][name] = [written.size_bytes, written.sha256]
        write_atomically(manifest, json.dumps(content).encode())
    except OSError as error:
        raise cannot_write(place, error) from error


def _is_whole(folder: Path, dataset: Dataset) -> bool:
    """Return whether a folder holds this dataset, every file of it as it was written."""
    try:
        content = json.loads((folder / _MANIFEST).read_text())
        same = (content["version"], content["hash"], content["parts"]) == (
            _VERSION,
            dataset.hash,
            dict(dataset.parts),
        )
        return same and all(
            (folder / name).stat().st_size == size and sha256_of(folder / name) == digest
            for name, (size, digest) in content["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _write_array(array: np.ndarray[Any, Any], file: HashedFile) -> None:
    np.lib.format.write_array(file, array, allow_pickle=False)


def open_dataset(folder: Path) -> Dataset:
    """Return the dataset of a folder, its arrays memory-mapped and read-only.

    Raises
    ------
    StoreError
        If the folder holds no whole dataset of this version.

    """
    try:
        content = json.loads((folder / _MANIFEST).read_text())
        if content["version"] != _VERSION:
            msg = f"The dataset in {str(folder)!r} is of another version; load it again."
            raise StoreError(msg)
        strings = tuple(
            StringColumn(_load(folder / f"codes-{i}.npy"), np.asarray(levels, dtype=object))
            for i, levels in enumerate(content["levels"])
        )
        schema = InputSchema.from_dict(content["schema"])
        return Dataset(
            inputs=Inputs(schema, _load(folder / "numbers.npy"), strings),
            y=_load(folder / "y.npy"),
            task=Task(content["task"]),
            classes=tuple(content["classes"]),
            groups=_load(folder / "groups.npy") if content["groups"] else None,
            columns={
                name: _load(folder / f"column-{i}.npy") for i, name in enumerate(content["columns"])
            },
            folds=tuple(
                Fold(name, _load(folder / f"train-{i}.npy"), _load(folder / f"score-{i}.npy"))
                for i, name in enumerate(content["folds"])
            ),
            hash=content["hash"],
            parts=content["parts"],
            split=content["split"],
            notes=tuple(content["notes"]),
        )
    except (OSError, KeyError, ValueError) as error:
        msg = f"The folder {str(folder)!r} holds no whole dataset: {error}."
        raise StoreError(msg) from error


def _load(path: Path) -> np.ndarray[Any, Any]:
    # An empty array cannot be mapped.
    mapped = path.stat().st_size > 4096
    array: np.ndarray[Any, Any] = np.load(path, mmap_mode="r" if mapped else None)
    return array
