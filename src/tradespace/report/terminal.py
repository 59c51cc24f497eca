"""What the terminal shows: the decision, one candidate, a plan, a first look at a table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tradespace.core.decisions import Assessment, Decision, Outcome, Standing
from tradespace.core.readings import ReadingKind
from tradespace.core.requirements import Constraint, Verdict
from tradespace.report._numbers import (
    bound_text,
    difference_text,
    percent,
    reading_parts,
    reading_text,
)
from tradespace.report._words import (
    counts_text,
    headline,
    missed_before_training,
    name_of,
    on_validation,
    plural,
    qualities_of,
    tie_word,
    why_out,
)

if TYPE_CHECKING:
    from rich.console import Console

    from tradespace.core.profiles import TableProfile

_STYLE = {Verdict.MET: "green", Verdict.MISSED: "red", Verdict.UNKNOWN: "yellow"}
_SIGN = {Verdict.MET: "✓", Verdict.MISSED: "✗", Verdict.UNKNOWN: "?"}
_STANDING_STYLE = {
    Standing.FEASIBLE: "green",
    Standing.UNDECIDED: "yellow",
    Standing.INFEASIBLE: "red",
    Standing.EXCLUDED: "dim",
    Standing.FAILED: "red",
}
_OUTCOME_STYLE = {
    Outcome.RECOMMENDED: "bold green",
    Outcome.PROVISIONAL: "bold yellow",
    Outcome.NONE_FEASIBLE: "bold red",
    Outcome.REFUSED: "bold yellow",
}
MOST_ROWS = 15
#: From this width on the table has room for intervals.
WIDE = 120
_GAP = 2


def print_decision(
    decision: Decision, console: Console, *, places: Mapping[str, Path] | None = None
) -> None:
    """Print the answer first, then why, then everybody, then what would change it."""
    console.print()
    console.print(Text(headline(decision), style=_OUTCOME_STYLE[decision.outcome]))
    for reason in decision.reasons:
        console.print(f"  • {escape(reason)}")
    console.print()
    table, left_out = _candidates(decision, console.width)
    console.print(table)
    if left_out:
        many = plural(len(left_out), "column")
        console.print(
            f"[dim]too narrow for {many}, in the report: {escape(', '.join(left_out))}[/dim]"
        )
    shown = [a for a in decision.assessments if a.standing is not Standing.EXCLUDED]
    if len(shown) > MOST_ROWS:
        console.print(f"[dim]{len(shown) - MOST_ROWS} more in the report[/dim]")
    console.print(
        f"[dim]{escape(counts_text(decision))} ✓ met, ✗ missed, ? unknown, ★ Pareto[/dim]"
    )
    _section(console, "Excluded or failed", _excluded(decision))
    _section(console, "Differences to the recommended candidate", _differences(decision))
    _section(console, "What would settle the unknowns", _unknowns(decision))
    _section(console, "What would change the answer", _changes(decision))
    _section(console, "Notes", (escape(warning) for warning in decision.warnings))
    if places:
        console.print()
        for name, place in places.items():
            console.print(f"[dim]{name:<14}[/dim] {escape(str(place))}", soft_wrap=True)


def _section(console: Console, title: str, lines: Iterator[str]) -> None:
    found = list(lines)
    if found:
        console.print(f"\n[bold]{title}[/bold]")
        for line in found:
            console.print(f"  • {line}")


def _candidates(decision: Decision, width: int) -> tuple[Table, tuple[str, ...]]:
    """Return the table, and the titles of qualities for which the terminal is too narrow.

    No figure and no name is ever cut: where the room ends, intervals go first, then the
    columns that find no room; names wrap between words.
    """
    facts = qualities_of(decision)
    asked: dict[str, list[Constraint]] = {}
    for constraint in decision.constraints:
        asked.setdefault(constraint.quality, []).append(constraint)
    for objective in decision.objectives:
        asked.setdefault(objective.quality, [])
    shown = [a for a in decision.assessments if a.standing is not Standing.EXCLUDED][:MOST_ROWS]
    titles = {name: facts[name].title if name in facts else name for name in asked}
    bounds = {name: " and ".join(map(bound_text, found)) for name, found in asked.items()}
    names = [_name(decision, assessment) for assessment in shown]
    rows = [[Text(a.standing.value, style=_STANDING_STYLE[a.standing])] for a in shown]
    columns = [Column("standing", "", [row[0] for row in rows])]
    if decision.objectives:
        worths = ["-" if a.utility is None else f"{a.utility:.3f}" for a in shown]
        columns.append(Column("utility", "", [Text(worth) for worth in worths], right=True))
    longest = max((cell_len(word) for name in names for word in name.plain.split()), default=0)
    room = width - max(longest, cell_len("candidate")) - sum(c.width + _GAP for c in columns)
    found: dict[str, Column] = {}
    for narrow in (True,) if width < WIDE else (False, True):
        found = {
            name: Column(titles[name], bounds[name], [_cell(a, name, narrow=narrow) for a in shown])
            for name in asked
        }
        if sum(column.width + _GAP for column in found.values()) <= room:
            break
    left_out = []
    for name, column in list(found.items()):
        if column.width + _GAP > room:
            left_out.append(found.pop(name).title)
        else:
            room -= column.width + _GAP
    columns[1:1] = found.values()
    room = width - sum(column.width + _GAP for column in columns)
    natural = max([cell_len("candidate"), *(cell_len(name.plain) for name in names)])
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    table.add_column("candidate", width=max(min(natural, room), longest), overflow="fold")
    for column in columns:
        side: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(Text(column.head), justify=side, width=column.width, overflow="fold")
    for at, shown_name in enumerate(names):
        table.add_row(shown_name, *(column.cells[at] for column in columns))
    return table, tuple(left_out)


@final
@dataclass(frozen=True, slots=True)
class Column:
    """A column as wide as its widest cell and the longest word of its heading."""

    title: str
    bound: str
    cells: Sequence[Text]
    right: bool = False

    @property
    def width(self) -> int:
        """Cells of the terminal that it takes."""
        heads = [*self.title.split(), self.bound]
        texts = [*heads, *(cell.plain for cell in self.cells)]
        return max(map(cell_len, texts), default=0)

    @property
    def head(self) -> str:
        """The title, wrapped between words, above the bound."""
        lines = textwrap.wrap(self.title, self.width, break_long_words=False)
        return "\n".join([*lines, self.bound] if self.bound else lines)


def _name(decision: Decision, assessment: Assessment) -> Text:
    star = " ★" if assessment.pareto else ""
    best = assessment.candidate.id == decision.recommended
    return Text(assessment.candidate.name + star, style="bold" if best else "")


def _cell(assessment: Assessment, name: str, *, narrow: bool) -> Text:
    reading = assessment.evidence.readings.get(name)
    text = "-"
    if reading is not None:
        text = reading_parts(reading)[0] if narrow else reading_text(reading)
        text = text.removeprefix("unsettled, ") if narrow else text  # the sign says that
        if reading.kind is ReadingKind.PREDICTED:
            text += " (predicted)"
    worst = _worst([c.verdict for c in assessment.checks if c.constraint.quality == name])
    return Text(text) if worst is None else Text(f"{_SIGN[worst]} {text}", style=_STYLE[worst])


def _worst(verdicts: list[Verdict]) -> Verdict | None:
    for verdict in (Verdict.MISSED, Verdict.UNKNOWN, Verdict.MET):
        if verdict in verdicts:
            return verdict
    return None


def _excluded(decision: Decision) -> Iterator[str]:
    causes: dict[str, list[str]] = {}
    for assessment in decision.assessments:
        if assessment.standing in (Standing.EXCLUDED, Standing.FAILED):
            cause, name = _cause(assessment)
            causes.setdefault(cause, []).append(name)
    most_first = sorted(causes.items(), key=lambda item: -len(item[1]))
    for cause, names in most_first[:8]:
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        yield f"{escape(', '.join(names[:4]))}{more}: {escape(cause)}"
    if len(causes) > 8:
        yield f"{plural(len(causes) - 8, 'more cause')} in the report"


def _cause(assessment: Assessment) -> tuple[str, str]:
    """Return why a candidate is out, and its name with what was predicted of it."""
    foretold = missed_before_training(assessment)
    name = assessment.candidate.name
    if not foretold:
        return why_out(assessment), name
    missed = " and ".join(str(check.constraint) for check in foretold)
    verb = "is" if len(foretold) == 1 else "are"
    readings = ", ".join(reading_text(check.reading) for check in foretold)
    cause = f"{missed} {verb} certainly missed, as predicted before training"
    return cause, f"{name} ({readings})"


def _differences(decision: Decision) -> Iterator[str]:
    best = decision.recommended
    for tie in decision.ties:
        if best not in (tie.a, tie.b) or tie.quality == "utility":
            continue
        turned = tie.b == best
        difference = -tie.difference if turned else tie.difference
        low, high = (-tie.high, -tie.low) if turned else (tie.low, tie.high)
        other = name_of(decision, tie.a if turned else tie.b)
        words = "" if tie_word(tie) == "undecided" else f", {tie_word(tie)}"
        shown = difference_text(difference, low, high, tie.unit)
        yield f"{escape(tie.quality)}, against {escape(other)}: {escape(shown)}{words}"


def _unknowns(decision: Decision) -> Iterator[str]:
    for assessment in decision.assessments:
        if assessment.standing is not Standing.UNDECIDED:
            continue
        for check in assessment.checks:
            if check.verdict is not Verdict.UNKNOWN:
                continue
            chance = "" if check.probability is None else f" (met: {percent(check.probability)})"
            name = escape(assessment.candidate.name)
            yield f"{name}, {escape(str(check.constraint))}{chance}: {escape(check.settle)}"


def _changes(decision: Decision) -> Iterator[str]:
    for item in decision.relaxations:
        name = escape(name_of(decision, item.candidate))
        yield (
            f"{escape(str(item.relaxed))} instead of {escape(bound_text(item.constraint))} would "
            f"bring in {name}: {escape(item.gain)}"
        )


def print_candidate(decision: Decision, assessment: Assessment, console: Console) -> None:
    """Print everything known of one candidate."""
    candidate = assessment.candidate
    facts = qualities_of(decision)
    style = _STANDING_STYLE[assessment.standing]
    console.print()
    console.print(f"[bold]{escape(candidate.name)}[/bold]  [{style}]{assessment.standing.value}[/]")
    console.print(f"[dim]{candidate.family}, id {candidate.id}[/dim]")
    if assessment.evidence.cause:
        console.print(f"  {escape(why_out(assessment))}")
    if assessment.checks:
        table = _plain_table("constraint", "reading", "verdict", "probability")
        for check in assessment.checks:
            chance = "" if check.probability is None else percent(check.probability)
            verdict = Text(check.verdict.value, style=_STYLE[check.verdict])
            shown = Text(reading_text(check.reading))
            table.add_row(Text(str(check.constraint)), shown, verdict, chance)
        console.print()
        console.print(table)
    table = _plain_table("quality", "reading", "how")
    for name, reading in assessment.evidence.readings.items():
        title = facts[name].title if name in facts else name
        aside = reading.kind is ReadingKind.MEASURED and on_validation(decision, assessment)
        where = "on validation rows, " if aside else ""
        how = f"{where}{reading.kind.value}: {reading.method}"
        table.add_row(Text(title), Text(reading_text(reading)), Text(how, style="dim"))
    console.print()
    console.print(table)
    for title, values in (
        ("Settings", candidate.settings),
        ("Preprocessing", candidate.preprocessing),
        ("Facts", _plain_facts(assessment.evidence.facts)),
    ):
        if values:
            console.print(f"\n[bold]{title}[/bold]")
            for name, value in values.items():
                console.print(f"  {escape(str(name))}: {escape(str(value))}")


def _plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in ("curves", "training")}


def _plain_table(*heads: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def print_plan(plan: Mapping[str, Any], console: Console) -> None:
    """Print what a study would do and about what it would cost."""
    console.print(f"\n[bold]{escape(plan['study'])}[/bold]  {escape(plan['purpose'])}")
    classes = f", classes {', '.join(plan['classes'])}" if plan["classes"] else ""
    console.print(
        f"{plan['rows']:,} rows, {len(plan['inputs'])} inputs, {plan['task']}{escape(classes)}"
    )
    for name, sizes in plan["folds"].items():
        console.print(f"  fold {name}: {sizes['train']:,} rows to train, {sizes['score']:,} scored")
    for note in plan["notes"]:
        console.print(f"  • {escape(note)}")
    for title in ("constraints", "objectives"):
        for text in plan[title]:
            console.print(f"  {title[:-1]}: {escape(text)}")
    for text in plan["warnings"]:
        console.print(f"  [yellow]note: {escape(text)}[/yellow]")
    table = _plain_table("candidate", "predicted before training", "fit CPU, about", "note")
    shown = {*plan["asked"], "model_size", "parameters"}
    for row in plan["candidates"]:
        note = row["excluded"] or (
            f"served by the fit of {row['shares_fit_of']}" if row["shares_fit_of"] else ""
        )
        if row["misses"]:
            note = f"out: certainly misses {' and '.join(row['misses'])}"
        predicted = "; ".join(
            f"{name} {text}" for name, text in row["predicted"].items() if name in shown
        )
        cost = "-" if row["excluded"] or row["shares_fit_of"] else f"{row['fit_cpu_s']:.1f} s"
        style = "dim" if row["excluded"] else ""
        table.add_row(Text(row["name"], style=style), Text(predicted), cost, Text(note))
    console.print()
    console.print(table)
    out = sum(bool(row["excluded"]) for row in plan["candidates"])
    if out:
        by = "; ".join(f"{name} cuts {count}" for name, count in plan["cut"].items())
        console.print(
            f"\n{out} of {len(plan['candidates'])} candidates are out before anything is trained"
            f"{escape(f': {by}' if by else '')}."
        )
    fits = plan["fits"]
    search = f"{plural(fits['search'], 'fit')} in the search and " if fits["search"] else ""
    console.print(
        f"\n{search}{fits['final']} on the test split: about {plan['fit_cpu_s']:.0f} CPU seconds "
        f"of fitting, within a factor of ten (budget of the search: {plan['budget_cpu_s']:g})."
    )
    console.print(f"[dim]measured: {', '.join(plan['qualities'])}[/dim]")


def print_profile(profile: TableProfile, console: Console) -> None:
    """Print what a first look at a table found."""
    console.print(f"\n{profile.rows:,} rows, {len(profile.columns)} columns; {profile.task.value}")
    if profile.class_counts:
        total = sum(profile.class_counts.values()) or 1
        shares = ", ".join(
            f"{escape(label)} {count / total:.2%}"
            for label, count in list(profile.class_counts.items())[:6]
        )
        console.print(f"{escape(profile.target.name)}: {shares}")
    table = _plain_table("column", "values", "role", "missing", "why")
    for column in profile.columns:
        used = column.role.used or column is profile.target
        style = "" if used else "yellow"
        missing = f"{column.missing:.0%}" if column.missing else ""
        table.add_row(
            Text(column.name, style=style),
            column.kind,
            Text(column.role.value, style=style),
            missing,
            Text(column.reason),
        )
    console.print(table)
    for note in profile.notes:
        console.print(f"  • {escape(note)}")
