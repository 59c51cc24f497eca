"""The report as one HTML file that works offline: template, style, script and plotly inside."""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tradespace.core.decisions import Assessment, Decision
from tradespace.core.readings import Reading
from tradespace.report._numbers import bound_text, difference_text, percent, reading_text
from tradespace.report._record import record_items
from tradespace.report._words import counts_text, cuts, headline, name_of, qualities_of, why_out

_HERE = Path(__file__).parent


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
        HTML of about 5 MB, most of it the plotting library.

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
        script=(_HERE / f"{name}.js").read_text(encoding="utf-8"),
        plotly=plotly_script(),
    )
    return page


@cache
def plotly_script() -> str:
    """Return plotly.js from the installed package, without importing its Python side."""
    spec = find_spec("plotly")
    assert spec is not None and spec.origin is not None  # noqa: S101, PT018 - a declared dependency
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js"
    return path.read_text(encoding="utf-8")


def report_data(decision: Decision) -> dict[str, Any]:
    """Return everything that the report shows, as plain data."""
    facts = qualities_of(decision)
    best = decision.best
    asked = {constraint.quality for constraint in decision.constraints}
    asked |= {objective.quality for objective in decision.objectives}
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
                "unit": fact.unit,
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
        "candidates": [_candidate(decision, a) for a in decision.assessments],
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
                "tied": tie.tied,
                "paired": tie.paired,
            }
            for tie in decision.ties
        ],
        "relaxations": [
            {
                "constraint": str(item.constraint),
                "bound": bound_text(
                    type(item.constraint)(
                        item.constraint.quality,
                        item.constraint.sense,
                        item.bound,
                        item.constraint.unit,
                    )
                ),
                "candidate": name_of(decision, item.candidate),
                "gain": item.gain,
            }
            for item in decision.relaxations
        ],
        "warnings": list(decision.warnings),
        "notes": [str(note) for note in decision.context.get("notes", ())],
        "record": [list(item) for item in record_items(decision)],
    }


def _candidate(decision: Decision, assessment: Assessment) -> dict[str, Any]:
    candidate, evidence = assessment.candidate, assessment.evidence
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
        "readings": {name: _reading(r) for name, r in evidence.readings.items()},
        "checks": _checks(assessment),
        "curves": evidence.facts.get("curves") or {},
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


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "value": _number(reading.value),
        "low": _number(reading.low),
        "high": _number(reading.high),
        "text": reading_text(reading),
        "kind": reading.kind.value,
        "method": reading.method,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
