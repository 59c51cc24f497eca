"""The decision as a record that an architect would sign: ``decision.md``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tradespace.core.decisions import Assessment, Decision, Outcome, Standing
from tradespace.core.quantities import format_number, format_quantity
from tradespace.core.readings import ReadingKind
from tradespace.core.requirements import Objective, Verdict
from tradespace.report._numbers import (
    bound_text,
    difference_text,
    percent,
    reading_text,
)
from tradespace.report._record import record_items
from tradespace.report._words import (
    QualityFacts,
    counts_text,
    cuts,
    headline,
    name_of,
    on_validation,
    plural,
    qualities_of,
    tie_word,
    verdict_of,
    why_out,
)

_MARKS = {Verdict.MET: "met", Verdict.MISSED: "**missed**", Verdict.UNKNOWN: "*unknown*"}
_MOST_ROWS = 60


def escape(text: object) -> str:
    r"""Return text that Markdown shows as it stands, also inside a table.

    Examples
    --------
    >>> escape("a|b <script> *c*")
    'a\\|b &lt;script&gt; \\*c\\*'

    """
    plain = re.sub(r"\s+", " ", str(text)).replace("&", "&amp;")
    plain = plain.replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*\[\]|])", r"\\\1", plain)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, without a line end."""
    top, *lines = ("| " + " | ".join(row) + " |" for row in (head, *rows))
    return "\n".join([top, "|" + "---|" * len(head), *lines])


def _joined(blocks: Iterable[str]) -> str:
    """Return blocks with blank lines between them, but for the items of a list."""
    text = ""
    before = ""
    for block in filter(None, blocks):
        between = "\n" if block.startswith("- ") and before.startswith("- ") else "\n\n"
        text += (between if before else "") + block
        before = block
    return text


def decision_markdown(decision: Decision) -> str:
    """Return the decision record in Markdown.

    Parameters
    ----------
    decision : Decision
        What was decided.

    Returns
    -------
    str
        Context, requirements, alternatives, evidence, decision, consequences, what would
        change it, what is not known, and how to repeat it.

    """
    facts = qualities_of(decision)
    blocks = [f"# {escape(decision.study)}: decision record"]
    blocks.append(f"**Status:** {decision.outcome.value}. **{escape(headline(decision))}**")
    sections = (
        ("Context", _context(decision)),
        ("Requirements", _requirements(decision, facts)),
        ("Decision", _decision(decision, facts)),
        ("Alternatives", _alternatives(decision)),
        ("Evidence", _evidence(decision, facts)),
        ("Consequences", _consequences(decision, facts)),
        ("What would change this decision", _changes(decision, facts)),
        ("What is not known", _unknowns(decision)),
        ("Record", _record(decision)),
    )
    for title, body in sections:
        blocks += [f"## {title}", *body]
    return _joined(blocks) + "\n"


def _context(decision: Decision) -> Iterator[str]:
    yield escape(decision.purpose or "The study states no purpose.")
    context = decision.context
    words = []
    if task := context.get("task"):
        words.append(f"The task is {escape(task)}.")
    if rows := context.get("n_rows"):
        words.append(f"The data have {plural(int(rows), 'row')}.")
    if confidence := context.get("confidence"):
        words.append(f"Intervals hold at {percent(float(confidence))} confidence.")
    yield " ".join(words)
    yield from (f"- {escape(note)}" for note in context.get("notes", ()))


def _requirements(decision: Decision, facts: Mapping[str, QualityFacts]) -> Iterator[str]:
    if decision.constraints:
        yield "Constraints, which must hold with the whole interval:"
        for constraint in decision.constraints:
            yield f"- {escape(facts[constraint.quality].title)} {escape(bound_text(constraint))}"
    else:
        yield "There are no constraints: every candidate that could be measured is feasible."
    if decision.objectives:
        yield "Objectives:"
        heads = ("objective", "worth 0 at", "worth 1 at", "weight", "indifferent within")
        yield table(heads, (_objective_row(o, facts) for o in decision.objectives))
    else:
        yield "There are no objectives: feasible candidates are not ranked by preference."
    used = {o.quality for o in decision.objectives} | {c.quality for c in decision.constraints}
    defined = [facts[name] for name in facts if name in used and facts[name].definition]
    if defined:
        yield "As defined:"
        for item in defined:
            source = f" ({escape(item.source)})" if item.source else ""
            yield f"- {escape(item.title)}: {escape(item.definition)}{source}"


def _objective_row(objective: Objective, facts: Mapping[str, QualityFacts]) -> list[str]:
    unit = objective.unit
    ends = [objective.worst, objective.best]
    shown = ["not stated" if end is None else format_quantity(end, unit) for end in ends]
    indifference = format_quantity(objective.indifference, unit) if objective.indifference else "-"
    title = escape(facts[objective.quality].title)
    scale = " (log scale)" if objective.log else ""
    weight = format_number(objective.weight)
    return [f"{objective.direction.value} {title}{scale}", *shown, weight, indifference]


def _decision(decision: Decision, facts: Mapping[str, QualityFacts]) -> Iterator[str]:
    yield f"**{escape(headline(decision))}**"
    yield from (f"- {escape(reason)}" for reason in decision.reasons)
    best = decision.best
    if best is None or not best.checks:
        return
    heads = ("requirement", "reading", "verdict", "probability that it is met")
    rows = []
    for check in best.checks:
        chance = "" if check.probability is None else percent(check.probability)
        title = f"{facts[check.constraint.quality].title} {bound_text(check.constraint)}"
        reading = escape(reading_text(check.reading))
        rows.append([escape(title), reading, _MARKS[check.verdict], chance])
    yield table(heads, rows)


def _alternatives(decision: Decision) -> Iterator[str]:
    yield counts_text(decision)
    steps = cuts(decision)
    if steps:
        heads = ("step", "out by it", "left", "undecided")
        rows = (
            [escape(s.label), str(len(s.removed)), str(s.left), str(s.unknown) if s.unknown else ""]
            for s in steps
        )
        yield table(heads, rows)
    out = [a for a in decision.assessments if _is_out(a)]
    if not out:
        return
    yield "Out, and why:"
    if any(on_validation(decision, a) for a in out):
        yield (
            "Readings on validation data are not comparable to the last digit with those below, \n"
            "which are of the test split."
        )
    for assessment in out[:_MOST_ROWS]:
        yield f"- {escape(assessment.candidate.name)}: {_why(assessment)}"
    if len(out) > _MOST_ROWS:
        yield f"- and {len(out) - _MOST_ROWS} more, all in `decision.json`"


def _is_out(assessment: Assessment) -> bool:
    return assessment.standing not in (Standing.FEASIBLE, Standing.UNDECIDED)


def _why(assessment: Assessment) -> str:
    if assessment.evidence.cause:
        return escape(why_out(assessment))
    parts = []
    for check in assessment.checks:
        if check.verdict is Verdict.MISSED:
            by = ""
            if check.excess is not None and check.excess > 0:
                by = f" by {format_quantity(check.excess, check.constraint.unit)}"
            reading = reading_text(check.reading)
            parts.append(escape(f"misses {check.constraint}{by} (reading {reading})"))
    return "; ".join(parts) or "not known"


def _evidence(decision: Decision, facts: Mapping[str, QualityFacts]) -> Iterator[str]:
    asked = dict.fromkeys(
        [c.quality for c in decision.constraints] + [o.quality for o in decision.objectives]
    )
    names = list(asked) or list(facts)[:6]
    measured = [
        a for a in decision.assessments if a.standing not in (Standing.FAILED, Standing.EXCLUDED)
    ]
    if not measured:
        yield "No candidate was measured."
        return
    heads = ["candidate", "standing", *(escape(facts[n].title) for n in names), "utility", "front"]
    rows = (_evidence_row(decision, a, names) for a in measured[:_MOST_ROWS])
    yield table(heads, rows)
    if len(measured) > _MOST_ROWS:
        yield f"The first {_MOST_ROWS} of {len(measured)}; the others stand in `decision.json`."
    if decision.ties:
        yield "Paired differences:"
        heads = ["first minus second", "quality", "difference", "verdict"]
        yield table(
            heads,
            (
                [
                    escape(f"{name_of(decision, t.a)} - {name_of(decision, t.b)}"),
                    escape(facts[t.quality].title if t.quality in facts else t.quality),
                    escape(difference_text(t.difference, t.low, t.high, t.unit)),
                    tie_word(t) + ("" if t.paired else ", unpaired"),
                ]
                for t in decision.ties
            ),
        )
    methods = {
        (facts[name].title, reading.method)
        for a in measured
        for name, reading in a.evidence.readings.items()
        if name in names and reading.method
    }
    if methods:
        yield "How the values were found:"
        yield from (f"- {escape(title)}: {escape(method)}" for title, method in sorted(methods))


def _evidence_row(decision: Decision, assessment: Assessment, names: Sequence[str]) -> list[str]:
    cells = []
    for name in names:
        reading = assessment.evidence.readings.get(name)
        cell = escape(reading_text(reading)) if reading else "-"
        if reading and reading.kind is not ReadingKind.MEASURED:
            cell += f" ({reading.kind.value})"
        verdicts = [verdict_of(assessment, c) for c in decision.constraints if c.quality == name]
        notes = [_MARKS[v] for v in verdicts if v in (Verdict.MISSED, Verdict.UNKNOWN)]
        cells.append(" ".join([cell, *notes]))
    utility = "-" if assessment.utility is None else format_number(assessment.utility)
    if assessment.utility_low is not None and assessment.utility_high is not None:
        low, high = format_number(assessment.utility_low), format_number(assessment.utility_high)
        utility += escape(f" [{low} to {high}]")
    name = escape(assessment.candidate.name)
    if assessment.candidate.id == decision.recommended:
        name = f"**{name}**"
    front = "yes" if assessment.pareto else ""
    return [name, assessment.standing.value, *cells, utility, front]


def _consequences(decision: Decision, facts: Mapping[str, QualityFacts]) -> Iterator[str]:
    best = decision.best
    if best is None:
        yield "Nothing is put in service on the strength of this study."
        return
    known = best.evidence.facts
    if decision.outcome is Outcome.NONE_FEASIBLE:
        yield "Nothing is put in service until a requirement is relaxed or a candidate is added."
    else:
        yield f"Whoever puts {escape(best.candidate.name)} in service gets:"
    for name, reading in best.evidence.readings.items():
        how = "" if reading.kind is ReadingKind.MEASURED else f", {reading.kind.value}"
        yield f"- {escape(facts[name].title)}: {escape(reading_text(reading))}{how}"
    for key, text in (
        ("incremental", "It can be updated with new rows without training anew."),
        ("interpretable", "Its reasoning can be read by people."),
        ("deterministic", "Training it again on the same rows gives the same component."),
    ):
        if known.get(key) is True:
            yield f"- {text}"
    if bad_at := known.get("bad_at"):
        yield f"- Known weaknesses of its family: {escape(' '.join(map(str, bad_at)))}"
    yield (
        "The same requirements are to be checked against readings in service; times hold only "
        "for the machine named below."
    )


def _changes(decision: Decision, facts: Mapping[str, QualityFacts]) -> Iterator[str]:
    if not decision.relaxations:
        yield "No single constraint, relaxed, would change the answer as far as was measured."
        return
    for item in decision.relaxations:
        constraint = item.constraint
        bound = format_quantity(item.bound, constraint.unit)
        amount = format_quantity(abs(item.amount), constraint.unit)
        gain = f": {item.gain.rstrip('.')}" if item.gain else ""
        title = (
            facts[constraint.quality].title if constraint.quality in facts else constraint.quality
        )
        name = name_of(decision, item.candidate)
        yield escape(
            f"- {title} {bound_text(constraint)}, relaxed by {amount} to {bound}, "
            f"would make it {name}{gain}."
        )


def _unknowns(decision: Decision) -> Iterator[str]:
    lines = []
    out = (Standing.INFEASIBLE, Standing.EXCLUDED)
    for assessment in decision.assessments:
        for check in assessment.checks:
            if check.verdict is not Verdict.UNKNOWN or assessment.standing in out:
                continue
            chance = "" if check.probability is None else f", met with {percent(check.probability)}"
            settle = f" To settle it: {check.settle.rstrip('.')}." if check.settle else ""
            seen = check.reading
            known = ": not measured" if seen is None else f" at {reading_text(seen)}"
            text = (
                f"- {assessment.candidate.name}: {check.constraint} is undecided{known}{chance}."
                f"{settle}"
            )
            lines.append(escape(text))
    left = [a for a in decision.assessments if a.evidence.cause.startswith("not a finalist")]
    if left:
        lines.append(
            f"- {plural(len(left), 'candidate')} went no further than validation data; "
            "a larger `budget: finalists` measures more of them."
        )
    lines += [f"- {escape(warning)}" for warning in decision.warnings]
    yield from lines or ["Every check of a candidate that is still in is decided."]


def _record(decision: Decision) -> Iterator[str]:
    yield table(
        ("what", "value"), ([escape(key), escape(value)] for key, value in record_items(decision))
    )
    file: Any = decision.context.get("study_file")
    if file:
        yield "To repeat it, with the versions above and the same data:"
        yield f"    tradespace evaluate {file}"
