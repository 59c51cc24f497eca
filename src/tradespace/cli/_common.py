"""What commands share: arguments, output, and the way a study is found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradespace.core.json_text import json_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from tradespace.core.decisions import Decision
    from tradespace.core.studies import Study

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]
StudyFile = Annotated[Path, typer.Argument(help="The study file (YAML).", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for what is written.", show_default="STUDY.tradespace"),
]


def console(*, error: bool = False) -> Console:
    """Return a console; plain text where nobody looks."""
    from rich.console import Console

    return Console(stderr=error, highlight=False)


def print_json(value: Any) -> None:
    """Print plain data as JSON; numbers that JSON lacks become null."""
    sys.stdout.write(json_text(value))


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn what the system says about a place that cannot be written into an error of input."""
    from tradespace.core.errors import InputError

    try:
        yield
    except OSError as error:
        msg = f"{place} cannot be written: {error.strerror or error}."
        remedy = "Give --out a place that can be made and written."
        raise InputError(msg, remedy=remedy) from error


def plain_table(*heads: str, left: Iterable[str] = (), rows: Iterable[Sequence[str]] = ()) -> Table:
    """Return a table without lines, figures to the right.

    Parameters
    ----------
    *heads : str
        Titles of the columns.
    left : iterable of str, optional
        Those that hold words.
    rows : iterable of sequences of str, optional
        The cells.

    """
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, justify="left" if head in left else "right")
    for row in rows:
        table.add_row(*row)
    return table


def print_wide(table: Table, *, least: int) -> None:
    """Print a table to a terminal that is taken to have so many columns at least."""
    from rich.console import Console

    Console(width=max(least, Console().width)).print(table)


@contextmanager
def progress_bar(first: str, *after: str, counted: bool = True) -> Iterator[Progress]:
    """Give a progress bar on standard error: a text, the bar, a count or a share, the time.

    Parameters
    ----------
    first : str
        Format of the column before the bar, in which ``{task}`` is rich's task.
    *after : str
        Formats of columns after the time.
    counted : bool, optional
        Whether steps are counted; otherwise the share that is done is shown.

    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    done = MofNCompleteColumn() if counted else TaskProgressColumn()
    parts = [TextColumn(first), BarColumn(bar_width=24), done, TimeElapsedColumn()]
    with Progress(*parts, *map(TextColumn, after), console=console(error=True)) as bar:
        yield bar


def load(path: Path) -> Study:
    """Return the study of a file."""
    from tradespace.study.load import load_study

    return load_study(path)


def last_decision(study: Study, out: Path | None) -> tuple[Decision, Path]:
    """Return the last decision of a study and the folder that it stands in.

    Raises
    ------
    InputError
        If the study was not evaluated yet.

    """
    from tradespace.core.errors import InputError
    from tradespace.decide.record import decision_from_dict
    from tradespace.explore.evaluate import default_folder
    from tradespace.store.run_store import RunStore

    folder = out or default_folder(study)
    record = None
    if (folder / "run.sqlite").exists():
        store = RunStore(folder / "run.sqlite")
        record = store.get_json("decision")
        store.close()
    if record is None:
        msg = f"There is no decision in {folder} yet."
        where = f" --out {out}" if out is not None else ""
        raise InputError(msg, remedy=f"Run: tradespace evaluate {study.file}{where}")
    return decision_from_dict(record), folder


def changed_since(study: Study, decision: Decision) -> bool:
    """Return whether the study file was edited after the decision."""
    return decision.context.get("study_hash") != study.hash
