"""A dataset on disk, memory-mapped, so that all workers share its pages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import DataError
from tradespace.core.studies import Task
from tradespace.data.dataset import Dataset, Fold
from tradespace.data.inputs import Inputs, InputSchema, StringColumn

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT = 1


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write a dataset into a folder, whole or not at all; what was there is replaced."""
    staging = folder.with_name(folder.name + ".new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    arrays: dict[str, npt.NDArray[Any]] = {"numbers": dataset.inputs.numbers, "y": dataset.y}
    if dataset.groups is not None:
        arrays["groups"] = dataset.groups
    for index, column in enumerate(dataset.inputs.strings):
        arrays[f"codes{index}"] = column.codes
    for index, values in enumerate(dataset.columns.values()):
        arrays[f"column{index}"] = values
    for fold in dataset.folds:
        name = fold.name.replace(":", "_")
        arrays[f"{name}.train"], arrays[f"{name}.score"] = fold.train, fold.score
    for name, array in arrays.items():
        np.save(staging / f"{name}.npy", array, allow_pickle=False)
    manifest = {
        "format": FORMAT,
        "schema": dataset.inputs.schema.to_dict(),
        "levels": [list(column.levels) for column in dataset.inputs.strings],
        "columns": list(dataset.columns),
        "task": dataset.task.value,
        "classes": list(dataset.classes),
        "folds": [fold.name for fold in dataset.folds],
        "grouped": dataset.groups is not None,
        "hash": dataset.hash,
        "split": dict(dataset.split),
        "notes": list(dataset.notes),
    }
    (staging / "manifest.json").write_text(json.dumps(manifest))
    shutil.rmtree(folder, ignore_errors=True)
    staging.replace(folder)


def open_dataset(folder: Path) -> Dataset:
    """Return a saved dataset; its arrays are read from disk as they are used.

    Raises
    ------
    DataError
        If the folder holds no dataset of this format.

    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        msg = f"The folder {str(folder)!r} holds no prepared data."
        raise DataError(msg, remedy="Run 'tradespace evaluate' again.") from error
    if manifest.get("format") != FORMAT:
        msg = f"The data in {str(folder)!r} have format {manifest.get('format')!r}, not {FORMAT}."
        raise DataError(msg, remedy="Run 'tradespace evaluate' again.")

    def load(name: str) -> npt.NDArray[Any]:
        array: npt.NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return array

    strings = tuple(
        StringColumn(load(f"codes{index}"), np.asarray(levels, dtype=object))
        for index, levels in enumerate(manifest["levels"])
    )
    folds = tuple(
        Fold(name, load(f"{name.replace(':', '_')}.train"), load(f"{name.replace(':', '_')}.score"))
        for name in manifest["folds"]
    )
    return Dataset(
        inputs=Inputs(InputSchema.from_dict(manifest["schema"]), load("numbers"), strings),
        y=load("y"),
        task=Task(manifest["task"]),
        classes=tuple(manifest["classes"]),
        groups=load("groups") if manifest["grouped"] else None,
        columns={name: load(f"column{i}") for i, name in enumerate(manifest["columns"])},
        folds=folds,
        hash=manifest["hash"],
        split=manifest["split"],
        notes=tuple(manifest["notes"]),
    )
