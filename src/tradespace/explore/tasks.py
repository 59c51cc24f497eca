"""What workers are given to do, as plain records that cross the border between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tradespace.core.candidates import Candidate
from tradespace.core.studies import EnvironmentSpec, MistakeSpec, QualityUse, Task

if TYPE_CHECKING:
    from tradespace.components._base import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The data of a study, written where workers find them, and what a plan needs to know.

    Attributes
    ----------
    place : str
        Folder of the arrays.
    task : Task
        As stated or as found.
    shape : Shape
        Of the training rows of the first fold.
    n_rows : int
        Rows in all parts.
    inputs : list of dict
        The raw inputs, as `InputSchema.to_dict` gives them.
    classes : tuple of str
        Empty for regression.
    folds : Mapping
        Rows to train on and to score, by fold; "test" is the last.
    groups : int, optional
        How many entities; None if the study names none.
    hash : str
        Of all that a fit sees: inputs, labels, folds.
    parts : Mapping
        Hashes of what only qualities see: "__groups__", and columns by name.
    requires : Mapping
        Columns that each quality asks for, by the study's name of the quality.
    split, notes, features
        For the record.

    """

    place: str
    task: Task
    shape: Shape
    n_rows: int
    inputs: list[dict[str, str]]
    classes: tuple[str, ...]
    folds: Mapping[str, Mapping[str, int]]
    groups: int | None
    hash: str
    parts: Mapping[str, str] = field(default_factory=dict)
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    features: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setup:
    """What all tasks of a run share."""

    dataset: str
    artifacts: str
    task: Task
    environment: EnvironmentSpec
    mistakes: MistakeSpec | None
    confidence: float
    bootstrap: int
    folder: str


@dataclass(frozen=True, slots=True)
class FitTask:
    """One fit on one fold, whom it serves, the biggest first, and what is measured on it."""

    candidates: tuple[Candidate, ...]
    fold: str
    seed: int
    uses: tuple[QualityUse, ...] = ()

    @property
    def key(self) -> str:
        """Unique within a stage."""
        return f"{self.candidates[0].id}/{self.fold}/{self.seed}"


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Qualities to be measured on a component that was fitted before."""

    candidate: Candidate
    fold: str
    seed: int
    uses: tuple[QualityUse, ...]
    artifact: str
    n_columns: int

    @property
    def key(self) -> str:
        """Unique within a stage."""
        return f"{self.candidate.id}/{self.fold}/{self.seed}"

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The one candidate."""
        return (self.candidate,)


AnyTask = FitTask | ReadTask
