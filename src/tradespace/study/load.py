"""Read a study file: the text, its limits, its tree, and the study that it describes."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from tradespace.core.errors import Place, StudyError
from tradespace.core.studies import Study
from tradespace.files.problems import Collector
from tradespace.files.yaml_tree import LARGEST_BYTES, parse_tree, too_large

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
    text = _read(Path(path))
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


def _read(path: Path) -> str:
    """Return the text of a file that is small enough and in UTF-8."""
    place = Place(str(path))
    try:
        status = path.stat()
        content = b"" if _no_study(path, status) else path.read_bytes()
    except FileNotFoundError as error:
        msg = "There is no such file."
        remedy = "Write one with 'tradespace init DATA --target COLUMN'."
        raise StudyError(msg, place=place, remedy=remedy) from error
    except (OSError, ValueError) as error:
        msg = f"The file cannot be read: {getattr(error, 'strerror', None) or error}."
        raise StudyError(msg, place=place, remedy="Check its name and permissions.") from error
    if refusal := _no_study(path, status):
        raise refusal
    return _decoded(content, place)


def _no_study(path: Path, status: os.stat_result) -> StudyError | None:
    """Return why something cannot be a study, before it is read."""
    place = Place(str(path))
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if path.is_dir() else "no regular file"
        msg = f"A study is a file; this is {kind}."
        return StudyError(msg, place=place, remedy=_inside(path))
    if path.suffix.lower() in _DATA:
        msg = "This is a file of data, not a study."
        remedy = f"Write a study for it: tradespace init {path} --target COLUMN."
        return StudyError(msg, place=place, remedy=remedy)
    return too_large(status.st_size, place=place) if status.st_size > LARGEST_BYTES else None


def _inside(path: Path) -> str:
    """Return which study file to give instead of a folder."""
    known = sorted(path.glob("*.yaml")) if path.is_dir() else []
    if path.suffix == ".tradespace":
        known = [path.with_suffix(".yaml")]
    if len(known) == 1 and known[0].is_file():
        return f"Did you mean '{known[0]}'?"
    return "Give the path of the study file (YAML)."


def _decoded(content: bytes, place: Place) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        msg = "The file is in UTF-16; a study is in UTF-8."
        raise StudyError(msg, place=place, remedy="Save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        msg = f"The file is not text in UTF-8: byte 0x{content[error.start]:02x}."
        remedy = "Save it as UTF-8, and give the path of the study (YAML), not of the data."
        where = Place(place.file, before.count(b"\n") + 1, column)
        raise StudyError(msg, place=where, remedy=remedy) from error
