"""From the tree of a study file to a study; every problem is noted, none stops the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from tradespace.core import registry
from tradespace.core.candidates import CandidateSpec
from tradespace.core.studies import (
    BudgetSpec,
    EnvironmentSpec,
    MistakeSpec,
    ProjectSpec,
    Study,
    Task,
)
from tradespace.core.suggest import unknown_name
from tradespace.files.checker import Checker
from tradespace.files.fields import show
from tradespace.files.units import parse_quantity
from tradespace.files.yaml_tree import Path
from tradespace.study.candidates import read_candidates
from tradespace.study.constraints import read_constraints
from tradespace.study.objectives import read_objectives
from tradespace.study.qualities import QualityUses
from tradespace.study.rows import read_filters, read_split
from tradespace.study.schema import (
    BudgetSection,
    EnvironmentSection,
    MistakesSection,
    ProjectSection,
    StudyFile,
)
from tradespace.study.sources import item_path, once, read_columns, read_data, read_features


def build_study(checker: Checker) -> Study:
    """Return the study that a tree describes; problems are in the checker's collector."""
    value = checker.tree.value
    read = checker.read(StudyFile, value, ())
    task = None if read.task is None else Task(read.task)
    if read.purpose is None and "purpose" not in value:
        checker.note(
            "The study has no purpose.",
            ("purpose",),
            remedy="Add 'purpose:' with a sentence on what the component is for.",
        )
    data = read_data(checker, read.data)
    columns = read_columns(checker, read)
    if task is not None and task is not Task.BINARY and read.positive is not None:
        checker.note(
            f"'positive' has a meaning for two classes only; the task is {task.value!r}.",
            ("positive",),
            remedy="Remove it, or write 'task: binary'.",
            key=True,
        )
    qualities = QualityUses(checker, task=task)
    qualities.read(read.qualities)
    constraints = read_constraints(checker, qualities, read.constraints)
    objectives = read_objectives(checker, qualities, read.objectives)
    file = FilePath(checker.tree.file)
    return Study(
        name=read.name or _name(file, checker.folder),
        purpose=(read.purpose or "").strip(),
        task=task,
        data=data,
        columns=columns,
        positive=read.positive,
        split=read_split(checker, read.split, columns),
        exclude=read_filters(checker, read.exclude),
        features=read_features(checker, read.features),
        constraints=constraints,
        objectives=objectives,
        qualities=qualities.uses,
        environment=_environment(read.environment),
        project=_project(checker, read.project),
        candidates=_candidates(checker, read, task),
        budget=_budget(read.budget),
        seeds=read.seeds,
        confidence=read.confidence,
        mistakes=_mistakes(checker, read.mistakes, task),
        on_undecided=read.on_undecided,
        file=checker.tree.file,
        folder=checker.folder,
        marks=checker.tree.marks(),
        source=value,
    )


def _name(file: FilePath, folder: str) -> str:
    """Return the file's name, or the folder's if the file is just called study."""
    stem = file.stem
    return stem if stem != "study" else FilePath(folder).resolve().name or stem


def _environment(section: EnvironmentSection) -> EnvironmentSpec:
    """Return where the component will run."""
    default = EnvironmentSpec()
    price = section.price_per_hour
    return EnvironmentSpec(
        price_per_hour_usd=default.price_per_hour_usd if price is None else price,
        rows_per_batch=section.rows_per_batch or default.rows_per_batch,
        requests_per_s=section.requests_per_s or section.request_rate,
        processor=section.processor or default.processor,
    )


def _project(checker: Checker, section: ProjectSection) -> ProjectSpec:
    """Return the limits of the project."""
    families = None if section.families is None else once(section.families)
    known = registry.families()
    for name in families or ():
        if name not in known:
            message, remedy = unknown_name("family", name, known)
            at = item_path(checker, ("project", "families"), name)
            checker.note(message, at, remedy=remedy)
    return ProjectSpec(deadline=section.deadline, budget_usd=section.budget, families=families)


def _budget(section: BudgetSection) -> BudgetSpec:
    """Return how much work may be done."""
    default = BudgetSpec()
    return BudgetSpec(
        fits=section.fits,
        cpu_s=section.cpu or default.cpu_s,
        trial_cpu_s=section.trial_cpu,
        trial_wall_s=section.trial_time or default.trial_wall_s,
        trial_memory_bytes=section.trial_memory,
        workers=section.workers,
        finalists=section.finalists or default.finalists,
        bootstrap=section.bootstrap or default.bootstrap,
    )


def _mistakes(checker: Checker, value: Any, task: Task | None) -> MistakeSpec | None:
    """Return what each kind of mistake costs."""
    path: Path = ("mistakes",)
    if value is None:
        return None
    if task is Task.REGRESSION:
        checker.note(
            "'mistakes' has a meaning for classes only; the task is 'regression'.",
            path,
            remedy="Remove it.",
            key=True,
        )
        return None
    if isinstance(value, dict) and value and all(isinstance(row, dict) for row in value.values()):
        return MistakeSpec(per_class=_matrix(checker, value, path))
    section = checker.read(MistakesSection, value, path)
    default = MistakeSpec()
    wrong_alarm, miss = section.false_positive, section.false_negative
    if wrong_alarm == 0 and miss == 0:
        checker.note("All mistakes are free.", path, remedy="Give one of them a cost.", key=True)
    return MistakeSpec(
        default.false_positive_usd if wrong_alarm is None else wrong_alarm,
        default.false_negative_usd if miss is None else miss,
    )


def _matrix(
    checker: Checker, rows: Mapping[str, Mapping[str, Any]], path: Path
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for true, row in rows.items():
        for called, price in row.items():
            at: Path = (*path, true, called)
            what = f"The cost of calling {true!r} {called!r}"
            cost = checker.attempt(at, parse_quantity, price, unit="USD", what=what)
            if cost is not None and cost < 0:
                checker.note(f"{what} must not be negative; got {show(price)}.", at)
            found.setdefault(true, {})[called] = cost or 0.0
    return found


def _candidates(checker: Checker, read: StudyFile, task: Task | None) -> tuple[CandidateSpec, ...]:
    """Return the candidate specs."""
    if checker.tree.value.get("candidates") == []:
        checker.note(
            "The list of candidates is empty.",
            ("candidates",),
            remedy="Name families, or leave it out to let every family that fits take part.",
            key=True,
        )
    return read_candidates(checker, read.candidates, task=task)
