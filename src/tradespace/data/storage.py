"""A dataset in a folder of memory-mapped arrays, so that workers share its pages.

A folder holds one ``.npy`` file per array and ``dataset.json``, which is written last and
names them; a folder without it is no dataset. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tradespace.core.errors import StoreError
from tradespace.core.studies import Task
from tradespace.data.dataset import Dataset, Fold
from tradespace.data.inputs import Inputs, InputSchema, StringColumn

_MANIFEST = "dataset.json"
_VERSION = 1


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write a dataset into a folder; one of the same content is left as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / _MANIFEST
    if manifest.exists() and json.loads(manifest.read_text())["hash"] == dataset.hash:
        return
    manifest.unlink(missing_ok=True)
    _save(folder / "numbers.npy", dataset.inputs.numbers)
    _save(folder / "y.npy", dataset.y)
    if dataset.groups is not None:
        _save(folder / "groups.npy", dataset.groups)
    for i, column in enumerate(dataset.inputs.strings):
        _save(folder / f"codes-{i}.npy", column.codes)
    for i, values in enumerate(dataset.columns.values()):
        _save(folder / f"column-{i}.npy", values)
    for i, fold in enumerate(dataset.folds):
        _save(folder / f"train-{i}.npy", fold.train)
        _save(folder / f"score-{i}.npy", fold.score)
    content: dict[str, Any] = {
        "version": _VERSION,
        "hash": dataset.hash,
        "task": dataset.task.value,
        "classes": list(dataset.classes),
        "schema": dataset.inputs.schema.to_dict(),
        "levels": [column.levels.tolist() for column in dataset.inputs.strings],
        "columns": list(dataset.columns),
        "folds": [fold.name for fold in dataset.folds],
        "groups": dataset.groups is not None,
        "split": dict(dataset.split),
        "notes": list(dataset.notes),
    }
    scratch = folder / f"{_MANIFEST}.{os.getpid()}"
    scratch.write_text(json.dumps(content))
    scratch.replace(manifest)


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
            split=content["split"],
            notes=tuple(content["notes"]),
        )
    except (OSError, KeyError, ValueError) as error:
        msg = f"The folder {str(folder)!r} holds no whole dataset: {error}."
        raise StoreError(msg) from error


def _save(path: Path, array: np.ndarray[Any, Any]) -> None:
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    with scratch.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)
    scratch.replace(path)


def _load(path: Path) -> np.ndarray[Any, Any]:
    # An empty array cannot be mapped.
    mapped = path.stat().st_size > 4096
    array: np.ndarray[Any, Any] = np.load(path, mmap_mode="r" if mapped else None)
    return array
