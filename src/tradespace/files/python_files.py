"""A person's Python: the one way to import it, with errors that say where in it they are.

What may run at all is decided in :mod:`tradespace.files.code_rule`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from tradespace.core.errors import InputError, Place
from tradespace.core.suggest import nearest, unknown

#: Modules made from files get names that start so; the state of a component may hold their types.
PREFIX = "_tradespace_own_"
#: Modules that a person's files imported from their folder.
_neighbors: set[str] = set()
#: Lines in these are not where a person looks for the cause.
_LIBRARIES = ("torch", "transformers", "sklearn", "polars", "pandas", "numpy")


class _Uncached(SourceFileLoader):
    """Reads the text every time and leaves nothing beside it.

    Python takes compiled code for current if the file has the same size and second of change,
    which a file edited twice in a second has.
    """

    def path_stats(self, path: Any) -> Any:
        """Raise OSError, which tells the import system to keep no compiled code."""
        raise OSError(path)


def import_file(path: str | Path, error: type[InputError] = InputError) -> ModuleType:
    """Return the module of a Python file as it stands now; while it is unchanged it runs once.

    At its top it may import its neighbors. After a failure, these are forgotten.

    Parameters
    ----------
    path : str or Path
        A file that ends in ``.py``.
    error : type of InputError
        What is raised.

    Raises
    ------
    InputError
        If there is no such file, or running it raises an exception; at the line.

    """
    file = Path(path)
    parse_file(file, error)
    root, dotted = _home(file)
    with _importing_from(root), reported(str(file), error):
        if "." in dotted:  # in a package, where it may import its neighbors by '.'
            module = importlib.import_module(dotted)
            if Path(module.__file__ or "").resolve() == file.resolve():
                return module
        return _executed(file)


def _executed(file: Path) -> ModuleType:
    name = PREFIX + hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(file.resolve()):
        return known
    place = str(file.resolve())
    loader = _Uncached(name, place)
    spec = ModuleSpec(name, loader, origin=place)
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def parse_file(file: Path, error: type[InputError]) -> ast.Module:
    """Return the syntax tree of a Python file; nothing of it runs.

    Raises
    ------
    InputError
        If there is no such file, or it is no Python; at the line.

    """
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.glob("*.py")])
        remedy = f"Did you mean {str(file.with_name(near))!r}?" if near else "Check the path."
        msg = f"{str(file)!r} is a folder" if file.is_dir() else f"There is no file {str(file)!r}"
        msg += "; a Python file is wanted."
        raise error(msg, remedy=remedy)
    try:
        return ast.parse(file.read_bytes())
    except SyntaxError as fault:
        place = Place(str(file), fault.lineno, fault.offset)
        msg = f"{file.name!r} is not valid Python: {fault.msg} in line {fault.lineno}."
        raise error(msg, remedy="Correct that line.", place=place) from None
    except (OSError, ValueError) as fault:
        msg = f"{file.name!r} is not a Python file: {fault}."
        raise error(msg, remedy="Give a text file that ends in .py.") from None


def neighbors_of(file: Path) -> list[Path]:
    """Return the files beside a Python file that its text imports, in order."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return []
    home, own = _home(file)
    package = own.split(".")[:-1]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*above, *filter(None, [node.module])])
            names += [start, *(f"{start}.{alias.name}".strip(".") for alias in node.names)]
    places = [home.joinpath(*name.split(".")) for name in dict.fromkeys(filter(None, names))]
    files = [f for place in places for f in (place.with_suffix(".py"), place / "__init__.py")]
    return [f for f in files if f.is_file()]


def _home(file: Path) -> tuple[Path, str]:
    """Return the folder to import from and the dotted name, packages followed upwards."""
    folder, parts = file.resolve().parent, [file.stem]
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let modules of a folder be imported, as they stand now.

    Those of an earlier folder are forgotten first, because names such as ``helper`` come again;
    those of this one are forgotten after a failure.
    """
    for name in _neighbors:
        sys.modules.pop(name, None)
    _neighbors.clear()
    path, known, silent = list(sys.path), set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # nothing is left beside a study
    importlib.invalidate_caches()
    try:
        yield
    except BaseException:
        for name in [name for name in sys.modules if name not in known]:
            if name.startswith(PREFIX) or _is_neighbor(name, folder):
                del sys.modules[name]
        raise
    finally:
        sys.path[:], sys.dont_write_bytecode = path, silent
        _neighbors.update(n for n in set(sys.modules) - known if _is_neighbor(n, folder))


def _is_neighbor(name: str, folder: Path) -> bool:
    """Return whether a module lies in a folder, and not just somewhere below it."""
    file = getattr(sys.modules[name], "__file__", None)
    top = name.partition(".")[0]
    if not file or top == "tradespace" or not Path(file).is_relative_to(folder):
        return False
    return Path(file).relative_to(folder).parts[0] in (top, f"{top}.py")


@contextmanager
def import_source(source: str, error: type[InputError] = InputError) -> Iterator[ModuleType]:
    """Give a module from a file or by its dotted name.

    While it is used, the folder of the file (or the current folder) can be imported from.

    Raises
    ------
    InputError
        If there is no such file or module, or importing it raises an exception.

    """
    file = Path(source).expanduser()
    as_file = source.endswith(".py") or file.is_file() or "/" in source
    with _importing_from(_home(file)[0] if as_file else Path.cwd()):
        yield import_file(file, error) if as_file else import_installed(source, error)


def import_installed(name: str, error: type[InputError] = InputError) -> ModuleType:
    """Return a module by its dotted name.

    Raises
    ------
    InputError
        If there is none, or importing it raises an exception.

    """
    try:
        known = name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        known = False
    if not known:
        msg = f"There is no Python module {name!r}."
        remedy = "Name a file ('file.py:NAME'), or a module that is installed."
        raise error(msg, remedy=remedy)
    with reported(name, error):
        return importlib.import_module(name)


def function_in(module: ModuleType, name: str, whose: str, error: type[InputError]) -> Any:
    """Return a function or class of a module by its name.

    Raises
    ------
    InputError
        If it has none, with the nearest name.

    """
    function: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(function):
        names = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise unknown(error, f"function of {whose!r}:", name, names)
    return function


@contextmanager
def reported(what: str, kind: type[InputError]) -> Iterator[None]:
    """Turn an exception in a person's code into an error with its place."""
    try:
        yield
    except InputError as error:
        place = error.place or own_place(error)
        raise kind(error.message, place=place, remedy=error.remedy) from error
    except SystemExit as error:
        code = "" if error.code is None else error.code
        msg = f"The file ends the program: sys.exit({code})."
        remedy = "Remove that call; the file only defines things."
        raise kind(msg, place=own_place(error), remedy=remedy) from error
    except ModuleNotFoundError as error:
        msg = f"Importing {what} failed: there is no Python module {error.name!r}."
        remedy = f"Install {str(error.name).split('.')[0]!r}, or check its name."
        raise kind(msg, place=own_place(error), remedy=remedy) from error
    except Exception as error:
        msg = f"Importing {what} failed: {described(error)}."
        remedy = "Check that the file runs by itself."
        raise kind(msg, place=own_place(error), remedy=remedy) from error


def described(error: BaseException, most: int = 240) -> str:
    """Return type and first line of an exception, without a full stop.

    Examples
    --------
    >>> described(ValueError("heads must divide the width.")), described(KeyError())
    ('ValueError: heads must divide the width', 'KeyError')

    """
    lines = str(error).strip().splitlines()
    name = type(error).__name__
    return f"{name}: {short_text(lines[0], most)}".rstrip(".") if lines else name


def own_place(error: BaseException) -> Place | None:
    """Return the last line of a person's own code that ran, libraries and ourselves left out."""
    if isinstance(error, SyntaxError) and error.filename:
        return Place(error.filename, error.lineno, error.offset)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_own(f.filename)]
    return Place(frames[-1].filename, frames[-1].lineno) if frames else None


def _is_own(file: str) -> bool:
    standard, ours = Path(importlib.__file__ or "").parents[1], Path(__file__).parents[1]
    if file.startswith("<") or Path(file).is_relative_to(ours):
        return False
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1] not in _LIBRARIES
    return not Path(file).is_relative_to(standard)


def short_text(text: str, most: int = 240) -> str:
    """Return a text cut at a word."""
    return text if len(text) <= most else text[:most].rpartition(" ")[0] + " ..."
