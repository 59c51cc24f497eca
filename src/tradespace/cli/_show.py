"""``tradespace show``: everything known of one candidate."""

from __future__ import annotations

from typing import Annotated

import typer

from tradespace.cli._common import AsJson, Out, StudyFile, console, last_decision, load, print_json

app = typer.Typer(add_completion=False)


@app.command()
def show(
    study: StudyFile,
    candidate: Annotated[
        str | None,
        typer.Argument(help="Name, id or start of either.", show_default="the recommended one"),
    ] = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show everything known of one candidate: readings, checks, settings, versions."""
    from tradespace.core.errors import InputError
    from tradespace.core.suggest import unknown
    from tradespace.decide.record import decision_to_dict
    from tradespace.report.terminal import print_candidate

    decision, _ = last_decision(load(study), out)
    wanted = candidate or decision.recommended
    found = [a for a in decision.assessments if wanted in (a.candidate.id, a.candidate.name)] or [
        a
        for a in decision.assessments
        if wanted and (a.candidate.id.startswith(wanted) or a.candidate.name.startswith(wanted))
    ]
    if not found:
        names = [a.candidate.name for a in decision.assessments]
        raise unknown(InputError, "candidate", str(wanted), names)
    if len(found) > 1:
        shown = ", ".join(f"{a.candidate.name} ({a.candidate.id[:8]})" for a in found[:8])
        more = f" and {len(found) - 8} more" if len(found) > 8 else ""
        msg = f"{wanted!r} begins the name or id of {len(found)} candidates: {shown}{more}."
        raise InputError(msg, remedy="Give the whole name, or the id.")
    chosen = found[0]
    if as_json:
        records = decision_to_dict(decision, draws=False)["assessments"]
        print_json(next(r for r in records if r["candidate"]["id"] == chosen.candidate.id))
    else:
        print_candidate(decision, chosen, console())
