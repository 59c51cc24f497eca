"""The structure of the study file: which keys there are and what kind of value each takes.

What needs the registry or other parts of the file (qualities, families, bounds) is checked in
:mod:`tradespace.study.requirements` and :mod:`tradespace.study.candidates`; here such parts are
plain values. The JSON Schema for editors comes from these classes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tradespace.files.checker import Section, keys_of
from tradespace.files.fields import (
    Confidence,
    Cost,
    Date,
    Duration,
    Money,
    Name,
    Names,
    PartLength,
    PricePerHour,
    Rate,
    Seeds,
    Share,
    Size,
    refuse,
    show,
)

Count = Annotated[int, Field(ge=1)]
ColumnType = Literal["number", "boolean", "category", "text", "date"]
Part = Literal["train", "validation", "test"]
SplitMethod = Literal["auto", "stratified", "grouped", "dated", "prequential"]
TaskName = Literal["binary", "multiclass", "regression"]


class DataSection(Section):
    """Where the rows come from, at length."""

    path: Name | None = Field(None, description="CSV or Parquet file, or a glob of them.")
    sklearn: Name | None = Field(None, description="A set that comes with scikit-learn.")
    callable: Name | None = Field(None, description="package.module:function or file.py:function.")
    options: dict[str, Any] = Field({}, description="Keyword arguments of the callable.")


class ColumnsSection(Section):
    """What the columns mean."""

    target: Name | None = Field(None, description="The column to predict, if not said above.")
    features: Names | None = Field(None, description="The inputs; without it, all other columns.")
    never: Names | None = Field(None, description="Columns that no component may see.")
    entity: Name | None = Field(None, description="What repeats: customer, patient, speaker.")
    group: Name | None = Field(None, description="Another word for entity.")
    time: Name | None = Field(None, description="When a row came about.")
    id: Name | None = Field(None, description="What tells rows apart; never an input.")
    protected: Names | None = Field(None, description="Fairness is measured by these.")
    types: dict[str, ColumnType] = Field({}, description="How to read a column.")


class SplitSection(Section):
    """How rows are divided into train, validation and test."""

    method: SplitMethod | None = Field(None, description="Without it, as the columns suggest.")
    train: PartLength | None = None
    gap: Annotated[PartLength | None, Field(description="Between train and what is scored.")] = None
    validation: PartLength | None = None
    test: PartLength | None = None
    start: Date | None = Field(None, description="When training begins.")
    folds: Annotated[int, Field(ge=0, le=100, description="How many validation folds.")] = 0


class FilterSection(Section):
    """A named, documented filter of rows: a condition or a rule."""

    name: Name | None = Field(None, description="For the record.")
    why: Name | None = Field(None, description="One sentence.")
    where: Name | None = Field(
        None, description="SQL condition on columns; rows that meet it are left out."
    )
    parts: list[Part] | None = Field(None, description="Where it applies.")


class ObjectiveSection(Section):
    """A wish to push one quality."""

    maximize: Name | None = None
    minimize: Name | None = None
    worst: Any = Field(None, alias="from", description="Value worth 0, in the quality's unit.")
    best: Any = Field(None, alias="to", description="Value worth 1, in the quality's unit.")
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    log: bool = Field(default=False, description="Worth grows with the logarithm.")
    indifference: Any = Field(None, description="Differences up to this do not matter.")


class ConstraintSection(Section):
    """A bound on a quality, as a mapping."""

    quality: Name | None = None
    sense: Literal["<=", ">=", "<", ">"] | None = None
    bound: Any = None
    at_most: Any = None
    at_least: Any = None
    below: Any = None
    above: Any = None


class EnvironmentSection(Section):
    """Where the component will run."""

    price_per_hour: PricePerHour | None = Field(None, description="Of the machine.")
    rows_per_batch: Count | None = Field(None, description="Rows that come together.")
    requests_per_s: Rate | None = Field(None, description="Requests in a second.")
    request_rate: Rate | None = Field(None, description="The same, with a unit: 600/min.")
    processor: Name | None = None


class ProjectSection(Section):
    """Limits of the project."""

    deadline: Date | None = Field(None, description="The day of going into service.")
    budget: Money | None = Field(None, description="Money for the whole project.")
    families: Names | None = Field(None, description="Families that the team can maintain.")


class BudgetSection(Section):
    """How much work the exploration may do."""

    fits: Count | None = Field(None, description="Most trainings in all.")
    cpu: Duration | None = Field(None, description="CPU time in all; 10 min without it.")
    trial_cpu: Duration | None = Field(None, description="CPU time of one trial.")
    trial_time: Duration | None = Field(None, description="Wall time of one trial; 5 min.")
    trial_memory: Size | None = Field(None, description="Memory of one trial.")
    workers: Count | None = Field(None, description="Trials at a time; one a core.")
    finalists: Count | None = Field(None, description="Candidates measured on test; 5.")
    bootstrap: Annotated[int, Field(ge=50, le=100_000)] | None = Field(
        None, description="Resamples for intervals; 500."
    )


class MistakesSection(Section):
    """What each kind of mistake costs."""

    false_positive: Cost | None = None
    false_negative: Cost | None = None


def _version(value: Any) -> Any:
    if value != 1 or isinstance(value, bool):
        refuse(
            f"This tradespace reads version 1 of the study file; got version {show(value)}.",
            remedy="Write 'version: 1', or use the tradespace that wrote the file.",
        )
    return value


def _positive(value: Any) -> Any:
    if isinstance(value, dict | list):
        refuse(
            f"'positive' must be one label; got {show(value)}.",
            remedy="Write the label as it stands in the data: 'positive: 1' or 'positive: yes'.",
        )
    return value


class StudyFile(Section):
    """One question to decide."""

    version: Annotated[Literal[1], BeforeValidator(_version)] | None = Field(
        None, description="Version of the format."
    )
    name: Name | None = Field(None, description="Heads the report; the file's name without it.")
    purpose: Name | None = Field(None, description="What the component is for, in a sentence.")
    task: TaskName | None = Field(None, description="Found from the target without it.")
    data: Any = Field(None, description="Where the rows come from.")
    target: Name | None = Field(None, description="The column to predict.")
    positive: Annotated[Any, BeforeValidator(_positive)] = Field(
        None, description="The label of the positive class, if there are two."
    )
    columns: ColumnsSection = Field(default_factory=lambda: ColumnsSection.model_validate({}))
    split: Any = Field(None, description="How rows are divided.")
    exclude: list[Any] = Field([], description="Filters of rows.")
    features: Names | None = Field(None, description="Feature views: file.py:view.")
    constraints: list[Any] = Field([], description="Bounds that must be kept.")
    objectives: list[Any] = Field([], description="Wishes, weighed against each other.")
    qualities: Any = Field(None, description="Qualities with settings, under names of your own.")
    environment: EnvironmentSection = Field(
        default_factory=lambda: EnvironmentSection.model_validate({})
    )
    project: ProjectSection = Field(default_factory=lambda: ProjectSection.model_validate({}))
    candidates: list[Any] = Field([], description="Without it, every family that fits.")
    budget: BudgetSection = Field(default_factory=lambda: BudgetSection.model_validate({}))
    seeds: Seeds = (0, 1, 2)
    confidence: Confidence = 0.95
    mistakes: Any = Field(None, description="What each kind of mistake costs.")
    on_undecided: Literal["recommend", "refuse"] = Field(
        "recommend", description="What to do when the best is undecided."
    )


#: Sections that have one form as a mapping; a key that is unknown elsewhere may belong there.
SECTIONS: dict[str, type[Section]] = {
    "columns": ColumnsSection,
    "split": SplitSection,
    "environment": EnvironmentSection,
    "project": ProjectSection,
    "budget": BudgetSection,
    "mistakes": MistakesSection,
}

#: Keys at the left margin, and the section that each opens.
KEYS: dict[str, type[Section] | None] = {key: SECTIONS.get(key) for key in keys_of(StudyFile)}

__all__ = ["KEYS", "SECTIONS", "Section", "Share", "StudyFile"]
