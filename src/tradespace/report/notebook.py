"""Small HTML fragments for notebooks, right on light and dark pages."""

from __future__ import annotations

from html import escape

from tradespace.core.decisions import Decision, Standing
from tradespace.core.studies import Study
from tradespace.core.trials import Trial
from tradespace.report._numbers import reading_text
from tradespace.report._words import counts_text, headline, qualities_of

_CELL = "padding:.2em .8em .2em 0;text-align:left"


def _table(head: list[str], rows: list[list[str]]) -> str:
    top = "".join(f'<th style="{_CELL}">{escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def decision_html(decision: Decision) -> str:
    """Return the answer, the reasons and a table of the candidates."""
    facts = qualities_of(decision)
    wanted = {item.quality for item in decision.constraints}
    wanted |= {item.quality for item in decision.objectives}
    asked = [name for name in facts if name in wanted]
    rows = [
        [a.candidate.name + (" ★" if a.pareto else ""), a.standing.value]
        + [reading_text(a.evidence.readings[n]) if n in a.evidence.readings else "-" for n in asked]
        for a in decision.assessments
        if a.standing is not Standing.EXCLUDED
    ]
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in decision.reasons)
    return (
        f"<div><p><b>{escape(headline(decision))}</b></p><ul>{reasons}</ul>"
        f"{_table(['candidate', 'standing', *(facts[n].title for n in asked)], rows)}"
        f"<p><small>{escape(counts_text(decision))}</small></p></div>"
    )


def study_html(study: Study) -> str:
    """Return what a study asks."""
    rows = [["data", study.data.location], ["target", study.columns.target]]
    rows += [["constraint", str(constraint)] for constraint in study.constraints]
    rows += [["objective", str(objective)] for objective in study.objectives]
    rows += [["candidates", ", ".join(spec.family for spec in study.candidates) or "all that fit"]]
    title = f"<p><b>{escape(study.name)}</b>: {escape(study.purpose)}</p>"
    return f"<div>{title}{_table(['', ''], rows)}</div>"


def trial_html(trial: Trial) -> str:
    """Return one trial's readings."""
    rows = [[r.quality, reading_text(r), r.method] for r in trial.readings]
    title = f"{trial.candidate} on {trial.split}, seed {trial.seed}: {trial.status.value}"
    cause = f"<p>{escape(trial.cause)}</p>" if trial.cause else ""
    table = _table(["quality", "reading", "how"], rows)
    return f"<div><p><b>{escape(title)}</b></p>{cause}{table}</div>"
