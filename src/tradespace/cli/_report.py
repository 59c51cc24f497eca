"""``tradespace report``: the report of the last decision again."""

from __future__ import annotations

from typing import Annotated

import typer

from tradespace.cli._common import (
    AsJson,
    Out,
    StudyFile,
    changed_since,
    console,
    last_decision,
    load,
    print_json,
)

app = typer.Typer(add_completion=False)


@app.command()
def report(
    study: StudyFile,
    out: Out = None,
    open_report: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of the last decision again: report.html, decision.md, decision.json."""
    from tradespace.report.write import write_reports

    question = load(study)
    decision, folder = last_decision(question, out)
    places = write_reports(decision, folder)
    if as_json:
        print_json({name: str(place) for name, place in places.items()})
    else:
        if changed_since(question, decision):
            console(error=True).print(
                "note: the study file was edited after this decision; "
                f"run 'tradespace evaluate {study}' to decide again."
            )
        for place in places.values():
            typer.echo(place)
    if open_report:
        typer.launch(str(places["report.html"]))
