"""Write the tables of qualities.md from the registry: ``python docs/generate_qualities.py``.

A test compares the page with what this writes.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path

from tables import filled

from tradespace.components._base import Shape
from tradespace.components.component import family_named
from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.quantities import Direction
from tradespace.core.readings import Reading
from tradespace.core.registry import QualityRow
from tradespace.core.settings import resolve_settings
from tradespace.core.studies import Study, Task
from tradespace.explore.plan import uses_of
from tradespace.explore.predict_network import network_readings
from tradespace.qualities._base import Resampling
from tradespace.study.load import parse_study

PAGE = Path(__file__).with_name("qualities.md")
#: First need of a row -> heading, and what the reading is taken on.
SECTIONS = {
    "predictions": (
        "Of predictions",
        "Measured on scored rows: the validation folds in the search, the test rows for finalists.",
    ),
    "artifact": (
        "Of the exported component",
        "Measured on the artifact, through the runtime that serves it, preprocessing included.",
    ),
    "readings": (
        "Of money in service",
        "Computed from the times of the artifact and the prices of the study's `environment`.",
    ),
    "fit": (
        "Of the training",
        "Measured while the component is fitted, on the machine at hand.",
    ),
    "network": (
        "Of a network",
        "Counted on the component's network before training, and on the trained one after it.",
    ),
    "refits": (
        "Of repeated trainings",
        "Measured on finalists that have missed no constraint: the candidate is trained again.",
    ),
    "perturbed": (
        "Of changed inputs",
        "Measured on finalists that have missed no constraint, on scored rows that are changed.",
    ),
    "training_rows": (
        "Of the training rows",
        "Measured on finalists that have missed no constraint, with the rows they were trained on.",
    ),
    "later_periods": (
        "Of later periods",
        "Measured on finalists that have missed no constraint, on rows from after the test period.",
    ),
}
COLUMNS = (
    "quality",
    "what it measures",
    "better",
    "unit, range",
    "before training",
    "by default",
    "source",
)
_STUDY = """
purpose: Show what is measured
data: rows.csv
target: y
mistakes: {false_positive: 1 USD, false_negative: 50 USD}
"""
#: A network and a table of a size that let everything be predicted that can be.
_SETTINGS = {"multilayer_perceptron": {"hidden_layer_sizes": [2000, 2000]}}
_SHAPE = Shape(n_rows=1_000_000, n_inputs=10, n_varying=10, n_columns=12, encoder_bytes=2000.0)


@cache
def study(*, mistakes: bool) -> Study:
    """Return a study that names nothing, with or without prices of mistakes."""
    lines = [line for line in _STUDY.splitlines() if mistakes or "mistakes" not in line]
    return parse_study("\n".join(lines))


def by_default(row: QualityRow) -> str:
    """Return whether a quality is measured where the study does not name it."""
    task = row.tasks[0]
    for mistakes, answer in ((False, "yes"), (True, "if the study states `mistakes`")):
        if row.name in {use.quality for use in uses_of(study(mistakes=mistakes), task)}:
            return answer
    return "no"


@cache
def predictions() -> dict[str, dict[str, Reading]]:
    """Return what is known before training: quality -> family -> reading."""
    found: dict[str, dict[str, Reading]] = {}
    for name in _probed():
        row = registry.family(name)
        family, task = family_named(row.name), row.tasks[0]
        settings = resolve_settings(row.settings, _SETTINGS.get(name, {}), owner=name)
        readings = (
            *family.predict_readings(settings, task=task, shape=_SHAPE),
            *network_readings(
                study(mistakes=False),
                Candidate(row.name, settings),
                family,
                task=task,
                shape=_SHAPE,
            ),
        )
        for reading in readings:
            found.setdefault(reading.quality, {})[row.name] = reading
    return found


def predicted(row: QualityRow) -> str:
    """Return what is known of a quality before training, and of which families."""
    known = predictions().get(row.name)
    if not known:
        return "-"
    kinds = sorted({_kind(reading) for reading in known.values()})
    lacking = [name for name in _probed() if name not in known]
    whose = "all families"
    if set(known) <= set(predictions()["parameters"]):
        whose = "networks"
    elif lacking:
        whose += f" but {', '.join(f'`{name}`' for name in lacking)}"
    return f"{' or '.join(kinds)}, {whose}"


def _probed() -> list[str]:
    """Return the families that can be asked without files or code of one's own."""
    return [
        row.name
        for row in registry.families().values()
        if row.trained and not any(spec.required for spec in row.settings)
    ]


def _kind(reading: Reading) -> str:
    if reading.high == float("inf"):
        return "at least"
    if reading.exact:
        return "exact"
    return "interval" if reading.low > 0 else "at most"


def interval(row: QualityRow) -> str:
    """Return how the interval of a quality is made, from the docstring that says so."""
    found = registry.load(row)
    kind = found if isinstance(found, type) else type(found)
    for base in (Resampling,) if row.needs == ("predictions",) else kind.__mro__:
        text = inspect.cleandoc(base.__doc__ or "")
        if (note := re.search(r"Notes\n-+\n(.*?)(?:\n\n[A-Z]\w+\n-+|\Z)", text, re.DOTALL)) is None:
            continue
        return " ".join(note[1].split())
    msg = f"The quality {row.name} does not say how its interval is made; add Notes to its class."
    raise SystemExit(msg)


def line(row: QualityRow) -> str:
    """Return the line of a quality."""
    better = "higher" if row.direction is Direction.MAXIMIZE else "lower"
    low, high = (f"{end:g}".replace("inf", "∞") for end in (row.low, row.high))
    unit = f"{row.unit}, " if row.unit != "1" else ""
    tasks = "" if len(row.tasks) == len(Task) else f" ({', '.join(t.value for t in row.tasks)})"
    cells = (
        f"`{row.name}`",
        f"{row.definition}{tasks}",
        better,
        f"{unit}{low} to {high}",
        predicted(row),
        by_default(row),
        row.source,
    )
    return f"| {' | '.join(cells)} |"


def settings(row: QualityRow) -> list[str]:
    """Return the lines that explain the settings of a quality."""
    return [
        f"| `{row.name}` | `{s.name}` | {'null' if s.default is None else s.default} | "
        f"{s.wanted()} | {s.help} |"
        for s in row.settings
    ]


def section(need: str) -> str:
    """Return the part of the page about the qualities that need one thing first."""
    heading, when = SECTIONS[need]
    rows = [row for row in registry.qualities().values() if row.needs[0] == need]
    if not rows:
        return ""
    parts = [
        f"## {heading}",
        "",
        when,
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---|---|---|---|---|---|---|",
        *map(line, rows),
        "",
    ]
    notes: dict[str, list[str]] = {}
    for row in rows:
        notes.setdefault(interval(row), []).append(f"`{row.name}`")
    for note, names in notes.items():
        whose = "" if len(notes) == 1 else f" of {', '.join(names)}"
        parts += [f"**Interval{whose}.** {note}", ""]
    set_ = [text for row in rows for text in settings(row)]
    if set_:
        parts += [
            "| quality | setting | default | allowed | what it does |",
            "|---|---|---|---|---|",
            *set_,
            "",
        ]
    return "\n".join(parts)


def tables() -> str:
    """Return the generated part of the page."""
    return "\n".join(filter(None, map(section, SECTIONS)))


def page(text: str) -> str:
    """Return the page with its generated part brought up to date."""
    return filled(text, {"qualities": tables})


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
