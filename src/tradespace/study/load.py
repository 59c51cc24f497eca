"""Read a study file: the text, its limits, its tree, and the study that it describes."""

from __future__ import annotations

from pathlib import Path

from tradespace.core.errors import Place, StudyError
from tradespace.core.studies import Study
from tradespace.files.problems import STUDY, Collector
from tradespace.files.text_files import read_text
from tradespace.files.yaml_tree import parse_tree

#: Endings of files that hold rows.
_DATA = (".csv", ".tsv", ".parquet", ".arrow", ".feather", ".xlsx", ".xls", ".jsonl")


def load_study(path: str | Path) -> Study:
    """Return the study that a file describes, checked and resolved.

    Parameters
    ----------
    path : str or Path
        A YAML file in UTF-8.

    Raises
    ------
    StudyError
        If it cannot be read or is wrong; a :class:`StudyProblemsError` holds every problem found,
        each with file, line and column.

    """
    _refuse_other_files(Path(path))
    text = read_text(Path(path), STUDY)
    return parse_study(text, file=str(path), folder=str(Path(path).resolve().parent))


def parse_study(text: str, *, file: str = "study.yaml", folder: str = ".") -> Study:
    """Return the study that a text describes.

    Parameters
    ----------
    text : str
        YAML.
    file : str
        What messages call it.
    folder : str
        What relative paths are relative to.

    Examples
    --------
    >>> study = parse_study('''
    ... purpose: Rank cells for a second look
    ... data: sklearn:breast_cancer
    ... target: target
    ... constraints: [average_precision >= 0.9]
    ... ''')
    >>> print(study.constraints[0], study.seeds)
    average_precision >= 0.9 (0, 1, 2)

    """
    from tradespace.files.checker import Checker
    from tradespace.study.parse import build_study
    from tradespace.study.schema import KEYS

    problems = Collector()
    tree = parse_tree(text, file=file, problems=problems)
    study = build_study(Checker(tree, problems, folder=folder, keys=KEYS))
    problems.raise_if_any()
    return study


def _refuse_other_files(path: Path) -> None:
    """Raise for what people give in place of a study: its folder, or a file of data."""
    place = Place(str(path))
    if path.is_dir() and (near := _inside(path)) is not None:
        msg = "A study is a file; this is a folder."
        raise StudyError(msg, place=place, remedy=f"Did you mean '{near}'?")
    if path.is_file() and path.suffix.lower() in _DATA:
        msg = "This is a file of data, not a study."
        remedy = f"Write a study for it: tradespace init {path} --target COLUMN."
        raise StudyError(msg, place=place, remedy=remedy)


def _inside(path: Path) -> Path | None:
    """Return the study file that a folder holds or belongs to, if there is one."""
    known = [path.with_suffix(".yaml")] if path.suffix == ".tradespace" else path.glob("*.yaml")
    files = [file for file in known if file.is_file()]
    return files[0] if len(files) == 1 else None
