"""The data of a study, ready for trials: raw inputs, labels, groups and folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tradespace.core.studies import Task
    from tradespace.data.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows to train on and rows to score: indices into the dataset.

    `name` is "validation", "validation:0", ..., or "test".
    """

    name: str
    train: npt.NDArray[np.int64]
    score: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All rows of a study that passed its filters.

    Attributes
    ----------
    inputs : Inputs
        Raw inputs of all rows.
    y : ndarray of shape (n_rows,)
        Class codes (int64; binary: 1 is positive) or targets (float64).
    classes : tuple
        The label of each code, as strings; empty for regression.
    groups : ndarray of shape (n_rows,), optional
        Codes of the entity; None if the study names none.
    columns : Mapping
        Further columns that qualities asked for: numbers and codes as they are, times as
        float64 seconds since 1970, strings as codes; "__time__" is the study's time column.
    folds : tuple of Fold
        Validation folds first, "test" last.
    hash : str
        Hash of what a fit sees: inputs, labels, classes, folds.
    parts : Mapping
        Hashes of what only qualities see: "__groups__", and further columns by name.
    split : Mapping
        What the split came out as, for the record: method, sizes, dates, positives per part.
    notes : tuple of str
        What a person should know: dropped columns, suspicious ones, filters and their counts.
    """

    inputs: Inputs
    y: npt.NDArray[Any]
    task: Task
    classes: tuple[str, ...]
    groups: npt.NDArray[np.int64] | None
    columns: Mapping[str, npt.NDArray[Any]]
    folds: tuple[Fold, ...]
    hash: str
    parts: Mapping[str, str] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.inputs)

    def fold(self, name: str) -> Fold:
        """Return the fold of that name."""
        return next(fold for fold in self.folds if fold.name == name)
