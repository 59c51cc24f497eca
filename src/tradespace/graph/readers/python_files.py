"""Importing a person's Python file, with errors that say where in it something is wrong."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tradespace.core.errors import GraphError, Place
from tradespace.core.suggest import nearest
from tradespace.files.python_files import file_spec


@contextmanager
def import_source(source: str) -> Iterator[ModuleType]:
    """Give a module of Python from a file or by its dotted name.

    While it is used, the folder of the file (or the current folder) can be imported from.

    Raises
    ------
    GraphError
        If there is no such file or module, or importing it raises an exception.

    """
    file = Path(source).expanduser()
    as_file = source.endswith(".py") or file.is_file() or "/" in source
    folder, name = _home(file) if as_file else (Path.cwd(), source)
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield _from_file(file, name) if as_file else _by_name(source)
    finally:
        sys.path[:] = before


def _home(file: Path) -> tuple[Path, str]:
    """Return the folder to import from and the dotted name, packages followed upwards."""
    folder, parts = file.resolve().parent, [file.stem]
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def _from_file(file: Path, name: str) -> ModuleType:
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.glob("*.py")])
        remedy = f"Did you mean {str(file.with_name(near))!r}?" if near else "Check the path."
        what = "is a folder" if file.is_dir() else "does not exist"
        msg = f"File {str(file)!r} {what}."
        raise GraphError(msg, remedy=remedy)
    try:
        ast.parse(file.read_bytes())
    except SyntaxError as error:
        place = Place(str(file), error.lineno, error.offset)
        msg = f"This file is not Python: {error.msg}."
        raise GraphError(msg, remedy="Give a .py file that runs.", place=place) from None
    except ValueError:
        msg = f"File {str(file)!r} holds no text."
        raise GraphError(msg, remedy="Give a .py file, or an .onnx or .keras file alone.") from None
    if "." in name:  # in a package, where it may import its neighbors
        with reported(str(file)):
            found = importlib.import_module(name)
        if Path(found.__file__ or "").resolve() == file.resolve():
            return found
    resolved = str(file.resolve())
    unique = f"_inspected_{hashlib.sha256(resolved.encode()).hexdigest()[:12]}"
    spec = file_spec(unique, file)
    if spec is None or spec.loader is None:
        msg = f"File {str(file)!r} cannot be imported."
        raise GraphError(msg, remedy="Give a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        with reported(str(file)):
            spec.loader.exec_module(module)
    except GraphError:
        del sys.modules[unique]
        raise
    return module


def _by_name(name: str) -> ModuleType:
    try:
        known = importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        known = False
    if not known and name not in sys.modules:
        msg = f"There is no Python module {name!r}."
        remedy = "Give a file (my_model.py:MyNet) or the dotted name of what is installed."
        raise GraphError(msg, remedy=remedy)
    with reported(name):
        return importlib.import_module(name)


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn an exception in somebody's code into an error with its place."""
    try:
        yield
    except GraphError:
        raise
    except ModuleNotFoundError as error:
        msg = f"Importing {what} failed: there is no Python module {error.name!r}."
        remedy = f"Install {str(error.name).split('.')[0]!r}, or check its name."
        raise GraphError(msg, remedy=remedy, place=own_place(error)) from error
    except (Exception, SystemExit) as error:
        text = short_text(str(error).strip().splitlines()[0] if str(error).strip() else "")
        detail = f"{type(error).__name__}: {text}" if text else type(error).__name__
        msg = f"Importing {what} failed: {detail.rstrip('.')}."
        remedy = "Check that the file runs by itself."
        raise GraphError(msg, remedy=remedy, place=own_place(error)) from error


def own_place(error: BaseException) -> Place | None:
    """Return the last line of somebody's own code that ran, libraries and ourselves left out."""
    if isinstance(error, SyntaxError) and error.filename:
        return Place(error.filename, error.lineno, error.offset)
    inner = [Path(__file__).parents[2], *_libraries()]
    frames: list[Any] = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not f.filename.startswith("<") and not any(_within(f.filename, p) for p in inner)
    ]
    return Place(frames[-1].filename, frames[-1].lineno) if frames else None


def _libraries() -> list[Path]:
    standard = Path(importlib.__file__ or "").parents[1]
    torch = getattr(sys.modules.get("torch"), "__file__", None)
    transformers = getattr(sys.modules.get("transformers"), "__file__", None)
    return [standard, *(Path(f).parent for f in (torch, transformers) if f)]


def _within(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder)


def short_text(text: str, most: int = 240) -> str:
    """Return a text cut at a word."""
    return text if len(text) <= most else text[:most].rpartition(" ")[0] + " ..."
