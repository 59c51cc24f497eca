"""The report as one HTML file that works offline: template, style, script and plotly inside."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tradespace.core.decisions import Assessment, Decision
from tradespace.core.quantities import scale_for
from tradespace.core.readings import Reading, ReadingKind
from tradespace.report._numbers import (
    bound_text,
    difference_text,
    is_unlimited,
    percent,
    reading_parts,
    reading_text,
)
from tradespace.report._record import record_items
from tradespace.report._words import (
    counts_text,
    cuts,
    headline,
    name_of,
    on_validation,
    qualities_of,
    tie_word,
    why_out,
)

_HERE = Path(__file__).parent
#: So many candidates have their curves drawn, the best first.
_MOST_CURVES = 8


def report_html(decision: Decision) -> str:
    """Return the whole report.

    Everything that a user wrote is escaped: by the template in text, and in the embedded data
    by writing "<" as an escape that HTML does not read.

    Parameters
    ----------
    decision : Decision
        What was decided.

    Returns
    -------
    str
        HTML of about 2 MB, most of it the plotting library.

    """
    return render_page("report", report_data(decision))


def render_page(name: str, data: dict[str, Any]) -> str:
    """Return a page from a template and a script of one name, with its data inside.

    Text is escaped by the template, and in the embedded data by writing "<" as an escape that
    HTML does not read.
    """
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    page: str = environment.get_template(f"{name}.html.jinja").render(
        data=data,
        json_text=text,
        style=(_HERE / "report.css").read_text(encoding="utf-8"),
        script="\n".join(
            (_HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("plots", name)
        ),
        plotly=plotly_packed(),
    )
    return page


@cache
def plotly_packed() -> str:
    """Return plotly.js from the installed package, without importing its Python side.

    Returns
    -------
    str
        The script in gzip in base 64, two fifths of its size; the page unpacks it.

    """
    spec = find_spec("plotly")
    assert spec is not None and spec.origin is not None  # noqa: S101, PT018 - a declared dependency
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js"
    return base64.b64encode(gzip.compress(path.read_bytes(), 9, mtime=0)).decode("ascii")


def report_data(decision: Decision) -> dict[str, Any]:
    """Return everything that the report shows, as plain data."""
    facts = qualities_of(decision)
    best = decision.best
    asked = {constraint.quality for constraint in decision.constraints}
    asked |= {objective.quality for objective in decision.objectives}
    drawn: Counter[str] = Counter()
    candidates = [_candidate(decision, a, drawn) for a in decision.assessments]
    return {
        "study": decision.study,
        "purpose": decision.purpose,
        "outcome": decision.outcome.value,
        "headline": headline(decision),
        "reasons": list(decision.reasons),
        "counts": counts_text(decision),
        "recommended": decision.recommended,
        "best_checks": [] if best is None else _checks(best),
        "qualities": [
            {
                "name": name,
                "title": fact.title,
                "scale": _scale(decision, name, fact.unit),
                "direction": fact.direction.value,
                "asked": name in asked,
            }
            for name, fact in facts.items()
        ],
        "constraints": [
            {
                "text": f"{facts[c.quality].title} {bound_text(c)}",
                "quality": c.quality,
                "sense": c.sense.value,
                "bound": _number(c.bound),
            }
            for c in decision.constraints
        ],
        "objectives": [
            {
                "text": f"{o.direction.value} {facts[o.quality].title}",
                "quality": o.quality,
                "direction": o.direction.value,
                "weight": o.weight,
                "from": _number(o.worst),
                "to": _number(o.best),
            }
            for o in decision.objectives
        ],
        "candidates": candidates,
        "cuts": [
            {
                "label": step.label,
                "left": step.left,
                "removed": [a.candidate.name for a in step.removed],
                "missed": step.missed,
                "unknown": step.unknown,
            }
            for step in cuts(decision)
        ],
        "ties": [
            {
                "a": name_of(decision, tie.a),
                "b": name_of(decision, tie.b),
                "quality": facts[tie.quality].title if tie.quality in facts else tie.quality,
                "text": difference_text(tie.difference, tie.low, tie.high, tie.unit),
                "word": tie_word(tie),
                "paired": tie.paired,
            }
            for tie in decision.ties
        ],
        "relaxations": [
            {
                "constraint": str(item.constraint),
                "bound": bound_text(item.relaxed),
                "candidate": name_of(decision, item.candidate),
                "gain": item.gain,
            }
            for item in decision.relaxations
        ],
        "warnings": list(decision.warnings),
        "notes": [str(note) for note in decision.context.get("notes", ())],
        "record": [list(item) for item in record_items(decision)],
    }


def _scale(decision: Decision, name: str, unit: str) -> dict[str, Any]:
    """Return what the axes of a quality are divided by, and the name of the unit then."""
    readings = (a.evidence.readings.get(name) for a in decision.assessments)
    values = [abs(r.value) for r in readings if r is not None and math.isfinite(r.value)]
    factor, shown = scale_for(max(values, default=0.0), unit)
    return {"factor": factor, "unit": shown}


def _candidate(decision: Decision, assessment: Assessment, drawn: Counter[str]) -> dict[str, Any]:
    candidate, evidence = assessment.candidate, assessment.evidence
    aside = on_validation(decision, assessment)
    return {
        "id": candidate.id,
        "name": candidate.name,
        "family": candidate.family,
        "standing": assessment.standing.value,
        "why": "" if assessment.standing.value in ("feasible",) else why_out(assessment),
        "best": candidate.id == decision.recommended,
        "pareto": assessment.pareto,
        "utility": _number(assessment.utility),
        "utility_low": _number(assessment.utility_low),
        "utility_high": _number(assessment.utility_high),
        "readings": {name: _reading(r, aside=aside) for name, r in evidence.readings.items()},
        "validation": aside,
        "checks": _checks(assessment),
        "curves": _curves(evidence.facts.get("curves") or {}, drawn),
        "settings": {name: str(value) for name, value in candidate.settings.items()},
        "runtime": str(evidence.facts.get("runtime", "")),
    }


def _checks(assessment: Assessment) -> list[dict[str, Any]]:
    return [
        {
            "text": str(check.constraint),
            "quality": check.constraint.quality,
            "bound": bound_text(check.constraint),
            "reading": reading_text(check.reading),
            "verdict": check.verdict.value,
            "chance": "" if check.probability is None else percent(check.probability),
            "settle": check.settle,
        }
        for check in assessment.checks
    ]


def _curves(
    curves: Mapping[str, Mapping[str, Sequence[float]]], drawn: Counter[str]
) -> dict[str, dict[str, list[float]]]:
    """Return the curves that are drawn, as finely as a screen shows them."""
    drawn.update(curves.keys())
    return {
        kind: {letter: [float(f"{v:.4g}") for v in curve[letter]] for letter in ("x", "y")}
        for kind, curve in curves.items()
        if drawn[kind] <= _MOST_CURVES
    }


def _reading(reading: Reading, *, aside: bool) -> dict[str, Any]:
    predicted = reading.kind is ReadingKind.PREDICTED
    return {
        "value": _number(reading.value),
        "low": _number(reading.low),
        "high": _number(reading.high),
        "text": reading_text(reading),
        "short": reading_parts(reading)[0],
        "unsettled": is_unlimited(reading),
        "tag": "predicted" if predicted else "validation" if aside else "",
        "kind": reading.kind.value,
        "method": reading.method,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
