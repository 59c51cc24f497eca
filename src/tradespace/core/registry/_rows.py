"""The kinds of rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from tradespace.core.quantities import Direction
from tradespace.core.settings import SettingSpec
from tradespace.core.studies import Task

ALL_TASKS = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)
CLASSIFICATION = (Task.BINARY, Task.MULTICLASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What every row says.

    Parameters
    ----------
    name : str
        As written in study files.
    path : str
        ``module:attribute`` of the implementation.
    title : str
        For people.
    summary : str
        One sentence.
    settings : tuple of SettingSpec
        What can be set, with ranges and defaults.
    extra : str
        The extra that brings its library; empty if none is needed.
    library : str
        Name of that library's module.

    """

    name: str
    path: str
    title: str
    summary: str = ""
    settings: tuple[SettingSpec, ...] = ()
    extra: str = ""
    library: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRow(Plugin):
    """A family of components.

    `default` says whether it takes part when the study lists no candidates. `grid` is what
    then takes part: a tuple of settings, each a candidate. `trained` is False for what is only
    measured (onnx, http). `preprocessing` is what the family wishes where a study says "auto".
    """

    tasks: tuple[Task, ...] = ALL_TASKS
    default: bool = True
    trained: bool = True
    grid: tuple[dict[str, object], ...] = ({},)
    preprocessing: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow(Plugin):
    """A quality.

    `stage` says what is needed to measure it: "predictions" (labels and scores),
    "training" (a record of the fit), "artifact" (the exported component at work), "price"
    (computed from other readings and the environment), or "network" (its graph, if it has one). `low` and `high` are the range of
    possible values. `direction` tells which way is better. `timed` readings need a quiet
    machine, so they are taken last and one at a time. `default` says whether it is measured
    where a study does not name it.
    """

    unit: str
    direction: Direction
    definition: str
    source: str
    stage: str = "predictions"
    tasks: tuple[Task, ...] = ALL_TASKS
    low: float = 0.0
    high: float = float("inf")
    timed: bool = False
    default: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRow(Plugin):
    """A ready study; `path` names a function that writes it into a folder."""

    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeRuleRow(Plugin):
    """A rule that excludes rows; `path` names a function of table, split and settings."""
