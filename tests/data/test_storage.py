"""Rows on disk are whole and as they were written, or they are written again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tradespace.core.errors import StoreError
from tradespace.data.dataset import Dataset
from tradespace.data.load import load_dataset
from tradespace.data.storage import open_dataset, save_dataset
from tradespace.study.load import parse_study

STUDY = """
purpose: Tell tumors apart
data: sklearn:breast_cancer
target: target
positive: malignant
constraints: [accuracy >= 50 %]
"""


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset(parse_study(STUDY))


def permute(folder: Path) -> None:
    numbers = np.load(folder / "numbers.npy")
    np.save(folder / "numbers.npy", numbers[::-1])


def halve(folder: Path) -> None:
    for file in folder.glob("*.npy"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def lose(folder: Path) -> None:
    (folder / "y.npy").unlink()


def garble(folder: Path) -> None:
    (folder / "dataset.json").write_text('{"version": 2')


def age(folder: Path) -> None:
    (folder / "dataset.json").write_text('{"version": 1, "hash": ""}')


@pytest.mark.parametrize("damage", [permute, halve, lose, garble, age])
def test_damaged_rows_are_written_again(
    damage: Callable[[Path], None], dataset: Dataset, tmp_path: Path
) -> None:
    save_dataset(dataset, tmp_path)
    damage(tmp_path)
    save_dataset(dataset, tmp_path)
    opened = open_dataset(tmp_path)

    np.testing.assert_array_equal(opened.inputs.numbers, dataset.inputs.numbers)
    np.testing.assert_array_equal(opened.y, dataset.y)
    assert opened.parts == dataset.parts


def test_whole_rows_are_left_as_they_are(dataset: Dataset, tmp_path: Path) -> None:
    save_dataset(dataset, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    save_dataset(dataset, tmp_path)

    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


def test_a_full_disk_is_named_and_what_is_half_written_is_no_dataset(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    save_dataset(dataset, tmp_path)
    permute(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StoreError, match=r"numbers\.npy: No space left.*free some space"):
            save_dataset(dataset, tmp_path)

    with pytest.raises(StoreError, match="no whole dataset"):
        open_dataset(tmp_path)
    save_dataset(dataset, tmp_path)
    shutil.rmtree(tmp_path)
