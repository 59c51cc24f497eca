"""Reading the text of a file that a person wrote, if it is small enough and in UTF-8."""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from tradespace.core.errors import Place
from tradespace.files.problems import FileKind, ProblemsError
from tradespace.files.yaml_tree import too_large


def read_text(path: Path, kind: FileKind) -> str:
    """Return the text of a file.

    Raises
    ------
    ProblemsError
        If there is none, or it is a folder, too large or not in UTF-8.

    """
    place = Place(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if path.is_dir() else "no regular file"
            msg = f"A {kind.noun} is wanted; this is {what}."
            raise kind.error(msg, place=place, remedy=f"Give the path of the {kind.noun} (YAML).")
        if status.st_size > kind.largest_bytes:
            raise too_large(status.st_size, place=place, kind=kind)
        content = path.read_bytes()
    except FileNotFoundError as error:
        msg = "There is no such file."
        raise kind.error(msg, place=place, remedy=kind.missing) from error
    except ProblemsError:
        raise
    except (OSError, ValueError) as error:
        msg = f"The file cannot be read: {getattr(error, 'strerror', None) or error}."
        raise kind.error(msg, place=place, remedy="Check its name and permissions.") from error
    return _decoded(content, place, kind)


def _decoded(content: bytes, place: Place, kind: FileKind) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        msg = f"The file is in UTF-16; a {kind.noun} is in UTF-8."
        raise kind.error(msg, place=place, remedy="Save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        msg = f"The file is not text in UTF-8: byte 0x{content[error.start]:02x}."
        remedy = f"Save it as UTF-8, and give the path of the {kind.noun} (YAML), not of the data."
        where = Place(place.file, before.count(b"\n") + 1, column)
        raise kind.error(msg, place=where, remedy=remedy) from error
