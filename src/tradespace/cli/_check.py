"""``tradespace check``: what a study would do; trains nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradespace.cli._common import AsJson, StudyFile, console, load, print_json

if TYPE_CHECKING:
    from tradespace.core.studies import Study
    from tradespace.study.code import Code

app = typer.Typer(add_completion=False)


@app.command()
def check(
    study: StudyFile,
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Run the study's code for data and features.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Parse and resolve a study, look at its data, print candidates and predicted costs.

    Trains nothing. Says which candidates are certainly out before any training, which fits
    serve several, what will be measured, and about how long it would take. Code that the study
    names is run only with --run-code; what could not be checked without it is said.
    """
    from tradespace.explore.preview import preview
    from tradespace.report.terminal import print_plan
    from tradespace.study.code import code_of, data_need_code, without_views_in_python

    question = load(study)
    code = code_of(question)
    kept = [] if run_code else [one for one in code if one.use != "estimator"]
    facts = {"code": [str(one) for one in code], "not_run": [str(one) for one in kept]}
    if not run_code and data_need_code(question):
        _print_unread(question, facts, as_json=as_json)
    else:
        seen = without_views_in_python(question) if kept else question
        with tempfile.TemporaryDirectory(prefix="tradespace-check-") as folder:
            plan = preview(seen, Path(folder))
        if as_json:
            print_json({**plan, **facts})
        else:
            print_plan(plan, console())
    if not as_json:
        _print_code(code, kept)


def _print_unread(study: Study, facts: dict[str, Any], *, as_json: bool) -> None:
    """Print what is known of a study whose data only its code can give."""
    wishes = {
        "constraints": [str(constraint) for constraint in study.constraints],
        "objectives": [str(objective) for objective in study.objectives],
    }
    if as_json:
        print_json({"study": study.name, "purpose": study.purpose, **wishes, **facts})
        return
    typer.echo(f"\n{study.name}  {study.purpose}")
    for title, texts in wishes.items():
        for text in texts:
            typer.echo(f"  {title[:-1]}: {text}")
    typer.echo(
        "\nThe study file is right. Its data were not read, so columns, split, candidates and "
        "costs are not checked."
    )


def _print_code(code: tuple[Code, ...], kept: list[Code]) -> None:
    """Name the code that the study runs, and what was not run."""
    from tradespace.study.code import named

    if code:
        typer.echo(f"\nEvaluating this study runs {named(code)}.")
    if kept:
        typer.echo(
            f"Not run, so not checked: {named(kept)}. Add --run-code to run it, if you know "
            "who wrote it."
        )
