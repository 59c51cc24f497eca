"""``tradespace check``: what a study would do; trains nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from tradespace.cli._common import AsJson, StudyFile, console, load, print_json

app = typer.Typer(add_completion=False)


@app.command()
def check(study: StudyFile, as_json: AsJson = False) -> None:
    """Parse and resolve a study, look at its data, print candidates and predicted costs.

    Trains nothing. Says which candidates are certainly out before any training, which fits
    serve several, what will be measured, and about how long it would take.
    """
    from tradespace.explore.preview import preview
    from tradespace.report.terminal import print_plan

    question = load(study)
    with tempfile.TemporaryDirectory(prefix="tradespace-check-") as folder:
        plan = preview(question, Path(folder))
    if as_json:
        print_json(plan)
    else:
        print_plan(plan, console())
