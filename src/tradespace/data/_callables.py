"""Tables from a person's own Python function."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tradespace.core.errors import DataError
from tradespace.core.suggest import unknown_name
from tradespace.files.python_files import file_spec


def call(location: str, options: Mapping[str, Any], *, folder: Path) -> pl.DataFrame:
    """Return the table that a function makes.

    Parameters
    ----------
    location : str
        ``package.module:function`` or ``file.py:function``.
    options : Mapping
        Keyword arguments of the function.
    folder : Path
        What a relative file is relative to.

    Raises
    ------
    DataError
        If it cannot be found, raises, or does not return a table.

    """
    function = _find(location, folder)
    try:
        table = function(**options)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        msg = (
            f"The data function {location!r} raised {type(error).__name__}: {error} "
            f"({Path(last.filename).name}, line {last.lineno})."
        )
        raise DataError(msg, remedy="Call it alone to see where it fails.") from error
    return to_frame(table, location)


def _find(location: str, folder: Path) -> Callable[..., Any]:
    target, _, name = location.rpartition(":")
    if not target or not name:
        msg = f"The data function {location!r} must read 'package.module:function'."
        raise DataError(msg, remedy="Or 'file.py:function' for a file beside the study.")
    try:
        module = _module_of_file(folder / target) if target.endswith(".py") else None
        module = module or importlib.import_module(target)
    except DataError:
        raise
    except Exception as error:
        msg = (
            f"The module of the data function {location!r} cannot be imported: "
            f"{type(error).__name__}: {error}."
        )
        raise DataError(msg, remedy="Check its name and that it is installed.") from error
    function = getattr(module, name, None)
    if not callable(function):
        functions = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        message, remedy = unknown_name(f"function in {target!r}:", name, functions)
        raise DataError(message, remedy=remedy)
    found: Callable[..., Any] = function
    return found


def _module_of_file(path: Path) -> Any:
    if not path.is_file():
        msg = f"There is no Python file {str(path)!r}."
        raise DataError(msg, remedy="Paths are relative to the study file.")
    name = f"_tradespace_user_{path.stem}"
    spec = file_spec(name, path)
    if spec is None or spec.loader is None:
        msg = f"The file {str(path)!r} is not a Python module."
        raise DataError(msg, remedy="Its name must end in '.py'.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def to_frame(table: Any, location: str) -> pl.DataFrame:
    """Return a Polars, pandas or Arrow table, or a mapping of columns, as a Polars frame.

    Examples
    --------
    >>> to_frame({"a": [1, 2]}, "here").shape
    (2, 1)

    """
    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    if isinstance(table, pl.DataFrame):
        return table
    library = type(table).__module__.partition(".")[0]
    try:
        if library == "pandas":
            return pl.from_pandas(table)
        if library == "pyarrow":
            frame = pl.from_arrow(table)
            return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()
        if isinstance(table, Mapping):
            return pl.DataFrame(dict(table))
    except Exception as error:
        msg = f"The table of {location!r} cannot be used: {type(error).__name__}: {error}."
        raise DataError(msg, remedy="All columns need the same length and plain types.") from error
    msg = (
        f"The data function {location!r} returned {type(table).__name__}; it must return a "
        "Polars, pandas or Arrow table, or a mapping of columns."
    )
    raise DataError(msg, remedy="For instance: return {'amount': [...], 'is_fraud': [...]}.")
