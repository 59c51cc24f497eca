"""``tradespace evaluate``: the main job."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tradespace.cli import DONE, NOT_MET
from tradespace.cli._common import AsJson, Out, StudyFile, console, load, print_json, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID

    from tradespace.core.decisions import Decision
    from tradespace.explore.events import Event, Listener

app = typer.Typer(add_completion=False)

_STAGES = {
    "data": "Reading the data",
    "search": "Training on validation folds",
    "final": "Finalists on the test split",
    "expensive": "Measuring what needs more training",
    "operation": "Timing components at work",
}


@app.command()
def evaluate(
    study: StudyFile,
    out: Out = None,
    workers: Annotated[
        int | None, typer.Option(help="Trials at a time.", min=1, show_default="one a core")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")] = False,
    open_report: Annotated[bool, typer.Option("--open", help="Open the report.")] = False,
    as_json: AsJson = False,
) -> int:
    """Decide a study: train, measure, compare, recommend.

    Prints which code of the study runs, before it runs. Interrupted or killed, run it again:
    what was finished is not repeated. Exits with 0 if a candidate meets every constraint, 1 if
    none does or the best is undecided.
    """
    from tradespace.explore.evaluate import default_folder
    from tradespace.explore.evaluate import evaluate as decide
    from tradespace.report.write import write_reports
    from tradespace.study.code import code_of, named

    question = load(study)
    if code := code_of(question):
        typer.echo(f"Running code of the study: {named(code)}.", err=True)
    folder = out or default_folder(question)
    with _progress(show=not (quiet or as_json)) as listen:
        decision = decide(question, out=folder, workers=workers, listen=listen)
    places = write_reports(decision, folder)
    if as_json:
        from tradespace.decide.record import decision_to_dict

        print_json(decision_to_dict(decision, draws=False))
    else:
        from tradespace.report.terminal import print_decision

        print_decision(decision, console(), places=places)
    if open_report:
        typer.launch(str(places["report.html"]))
    return exit_code(decision)


def exit_code(decision: Decision) -> int:
    """Return 0 if a candidate is recommended without doubt and all were measured, else 1."""
    from tradespace.core.decisions import Outcome

    unfinished = decision.context.get("unfinished")
    return DONE if decision.outcome is Outcome.RECOMMENDED and not unfinished else NOT_MET


@contextmanager
def _progress(*, show: bool) -> Iterator[Listener]:
    """Give a listener that draws one bar a stage, on standard error."""
    from tradespace.explore.events import silent

    if not show:
        yield silent
        return
    tasks: dict[str, TaskID] = {}
    with progress_bar("{task.description:<28}", "[dim]{task.fields[last]}") as bars:

        def listen(event: Event) -> None:
            title = _STAGES.get(event.stage, event.stage)
            if event.stage not in tasks:
                tasks[event.stage] = bars.add_task(title, total=event.total, last="")
            bars.update(
                tasks[event.stage],
                completed=event.done,
                total=event.total,
                last=event.text if event.done < event.total else "",
            )

        yield listen
