"""Tables from a person's own Python function."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tradespace.core.errors import DataError
from tradespace.files.code_rule import find_function
from tradespace.files.python_files import described, own_place


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
    function = find_function(location, folder=folder, what="The data function", error=DataError)
    try:
        table = function(**options)
    except Exception as error:
        place = own_place(error)
        where = f" ({Path(place.file).name}, line {place.line})" if place else ""
        msg = f"The data function {location!r} raised {described(error)}{where}."
        raise DataError(msg, remedy="Call it alone to see where it fails.") from error
    return to_frame(table, location)


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
