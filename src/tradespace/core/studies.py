"""The study: one question to decide, as the study file says it, checked and resolved.

All durations are seconds, sizes bytes, money USD. Paths are absolute. Nothing here reads a
file: the study floor parses the YAML, the data floor reads the data.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.candidates import CandidateSpec
from tradespace.core.errors import Place
from tradespace.core.hashing import content_hash
from tradespace.core.quantities import Direction
from tradespace.core.requirements import Constraint, Objective

#: Data sets that scikit-learn carries itself; the others would be downloaded.
BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


class Task(enum.Enum):
    """What is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class DataSpec:
    """Where the rows come from.

    `kind` is "file" (CSV or Parquet path or glob), "sklearn" (a bundled set) or "callable"
    (``package.module:function`` or ``file.py:function`` that returns a data frame or a mapping
    of columns). `options` are passed to the callable.
    """

    kind: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColumnsSpec:
    """What the columns mean; `features` None means every column not named otherwise.

    `types` overrides what is found in the data: number, boolean, category, text, date.
    """

    target: str
    features: tuple[str, ...] | None = None
    never: tuple[str, ...] = ()
    entity: str | None = None
    time: str | None = None
    id: str | None = None
    protected: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """How rows are divided.

    `method` is "auto", "stratified", "grouped", "dated" or "prequential". For stratified and
    grouped splits `train`, `validation`, `test` are fractions; for dated ones durations in
    seconds, as is `gap`, the time between train and what is scored whose labels are not yet
    known. `start` is the ISO date at which training begins (None: as late as the data allow).
    `folds` > 0 makes that many validation folds (cross-validation, or prequential periods).
    A validation of 0 means that every listed candidate is a finalist.
    """

    method: str = "auto"
    train: float | None = None
    gap: float = 0.0
    validation: float | None = None
    test: float | None = None
    start: str | None = None
    folds: int = 0


@dataclass(frozen=True, slots=True)
class ExcludeSpec:
    """A named, documented filter of rows.

    `where` is an SQL condition on columns, or `rule` names a registered rule with its settings.
    `parts` says where it applies.
    """

    name: str
    why: str = ""
    where: str | None = None
    rule: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[str, ...] = ("train", "validation", "test")
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class QualityUse:
    """A quality as this study uses it: its own name for it, the registered quality, settings."""

    name: str
    quality: str
    unit: str
    direction: Direction
    settings: Mapping[str, Any] = field(default_factory=dict)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """Where the component will run: price of the machine, batch size, request rate."""

    price_per_hour_usd: float = 0.10
    rows_per_batch: int = 1000
    requests_per_s: float | None = None
    processor: str = "this machine"


@dataclass(frozen=True, slots=True)
class ProjectSpec:
    """Limits of the project: days left, money left, families that the team can maintain."""

    deadline: str | None = None
    budget_usd: float | None = None
    families: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BudgetSpec:
    """How much work the exploration may do; work first, seconds second."""

    fits: int | None = None
    cpu_s: float = 600.0
    trial_cpu_s: float | None = None
    trial_wall_s: float = 300.0
    trial_memory_bytes: float | None = None
    workers: int | None = None
    finalists: int = 5
    bootstrap: int = 500


@dataclass(frozen=True, slots=True)
class MistakeSpec:
    """What each kind of mistake costs, USD; `per_class[true][predicted]` for several classes."""

    false_positive_usd: float = 1.0
    false_negative_usd: float = 1.0
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One question to decide.

    `marks` maps a dotted path of the file (``constraints.0``) to its place, so that upper
    floors can raise located errors. `candidates` empty means every family that fits the task.
    """

    name: str
    purpose: str
    task: Task | None
    data: DataSpec
    columns: ColumnsSpec
    positive: Any = None
    split: SplitSpec = SplitSpec()
    exclude: tuple[ExcludeSpec, ...] = ()
    features: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    objectives: tuple[Objective, ...] = ()
    qualities: Mapping[str, QualityUse] = field(default_factory=dict)
    environment: EnvironmentSpec = EnvironmentSpec()
    project: ProjectSpec = ProjectSpec()
    candidates: tuple[CandidateSpec, ...] = ()
    budget: BudgetSpec = BudgetSpec()
    seeds: tuple[int, ...] = (0, 1, 2)
    confidence: float = 0.95
    mistakes: MistakeSpec | None = None
    on_undecided: str = "recommend"
    version: int = 1
    file: str | None = None
    folder: str = "."
    marks: Mapping[str, Place] = field(default_factory=dict, repr=False, compare=False)
    source: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def place(self, *path: str | int) -> Place | None:
        """Return where a part of the study stands, or the nearest part around it."""
        parts = [str(part) for part in path]
        while parts:
            if (found := self.marks.get(".".join(parts))) is not None:
                return found
            parts.pop()
        return Place(self.file) if self.file else None

    @property
    def hash(self) -> str:
        """Hash of everything the file says."""
        return content_hash(self.source)
