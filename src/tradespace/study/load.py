"""Read a study file: the text, its limits, its tree, and the study that it describes."""

from __future__ import annotations

from pathlib import Path

from tradespace.core.errors import Place, StudyError
from tradespace.core.studies import Study
from tradespace.study.problems import Collector
from tradespace.study.yaml_tree import parse_tree

#: A study is some hundred lines; a file beyond this is something else.
MOST_BYTES = 1_000_000


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
    place = Path(path)
    text = _read(place)
    return parse_study(text, file=str(path), folder=str(place.resolve().parent))


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
    from tradespace.study.parse import build_study
    from tradespace.study.structure import Checker

    problems = Collector()
    tree = parse_tree(text, file=file, problems=problems)
    study = build_study(Checker(tree, problems, folder=folder))
    problems.raise_if_any()
    return study


def _read(path: Path) -> str:
    place = Place(str(path))
    if path.is_dir():
        msg = "A study is a file; this is a directory."
        raise StudyError(
            msg,
            place=place,
            remedy="Give the path of the study file in it.",
        )
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            msg = (
                f"The file has {size / 1e6:.1f} MB; a study has at most {MOST_BYTES / 1e6:.0f} MB."
            )
            raise StudyError(
                msg,
                place=place,
                remedy="Give the path of the study (YAML), not of the data.",
            )
        content = path.read_bytes()
    except FileNotFoundError as error:
        msg = "There is no such file."
        raise StudyError(
            msg,
            place=place,
            remedy="Write one with 'tradespace init DATA --target COLUMN'.",
        ) from error
    except OSError as error:
        msg = f"The file cannot be read: {error.strerror or error}."
        raise StudyError(
            msg,
            place=place,
            remedy="Check its permissions.",
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        msg = f"The file is not UTF-8 text: byte 0x{content[error.start]:02x}."
        raise StudyError(
            msg,
            place=Place(str(path), line),
            remedy="Save it as UTF-8.",
        ) from error
