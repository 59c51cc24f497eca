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

    Parameters
    ----------
    tasks : tuple of Task
        What it can predict.
    default : bool
        Whether it takes part when the study lists no candidates.
    baseline : bool
        Whether it predicts without looking at the inputs, so that all others must beat it.
    trained : bool
        False for what is only measured (onnx, http).
    grid : tuple of dict
        Settings that take part by default, each a candidate.
    preprocessing : dict
        What the family wishes where a study says "auto".
    distributions : tuple of str
        Packages whose versions its fits depend on, beside those of every fit. The first that is
        installed brings the library.

    """

    tasks: tuple[Task, ...] = ALL_TASKS
    default: bool = True
    baseline: bool = False
    trained: bool = True
    grid: tuple[dict[str, object], ...] = ({},)
    preprocessing: dict[str, object] = field(default_factory=dict)
    distributions: tuple[str, ...] = ()


#: What a quality can need, in words for people.
NEEDS: dict[str, str] = {
    "predictions": "labels and scores of one part of the data",
    "artifact": "the exported component",
    "timing": "a quiet machine: it is taken last, one component at a time",
    "fit": "what was recorded while fitting",
    "network": "the component's network, if it is one",
    "readings": "readings of other qualities",
    "refits": "the component trained again, on other rows or with another seed",
    "perturbed": "the scored rows with changed inputs",
    "training_rows": "the rows that it was trained on",
    "later_periods": "rows from after the test period",
}

#: What a reading can depend on beside its fit, its quality and that quality's settings.
FACTS: dict[str, str] = {
    "confidence": "the study's confidence",
    "bootstrap": "how many resamples are drawn",
    "groups": "which rows belong to one entity",
    "mistakes": "what each kind of mistake costs",
    "price_per_hour": "what an hour of the machine costs",
    "rows_per_batch": "how many rows are predicted at once",
    "machine": "the machine it was taken on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow(Plugin):
    """A quality.

    Parameters
    ----------
    unit : str
        Base unit of its readings.
    direction : Direction
        Which way is better.
    definition, source : str
        What it is, in a sentence, and where that is defined.
    needs : tuple of str
        What has to be there to measure it, names of `NEEDS`; nothing else may be looked at.
    depends : tuple of str
        Facts that change its readings, names of `FACTS`; a stored reading holds until one of
        them changes. Columns that it asks for count too.
    tasks : tuple of Task
        Where it makes sense.
    low, high : float
        Range of possible values.
    default : bool
        Whether it is measured where a study does not name it. One that depends on what mistakes
        cost is left out all the same where the study does not say that.

    """

    unit: str
    direction: Direction
    definition: str
    source: str
    needs: tuple[str, ...] = ("predictions",)
    depends: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ALL_TASKS
    low: float = 0.0
    high: float = float("inf")
    default: bool = True

    def __post_init__(self) -> None:
        for kind, names, known in (("need", self.needs, NEEDS), ("depend on", self.depends, FACTS)):
            if unknown := [name for name in names if name not in known]:
                msg = f"Quality {self.name!r} cannot {kind} {unknown[0]!r}; known: {', '.join(known)}."
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRow(Plugin):
    """A ready study; `path` names a function that writes it into a folder."""

    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeRuleRow(Plugin):
    """A rule that excludes rows; `path` names a function of table, split and settings."""
