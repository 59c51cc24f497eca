"""What commands share: arguments, output, and the way a study is found."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from tradespace.core.decisions import Decision
    from tradespace.core.studies import Study

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
    sys.stdout.write(json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


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
