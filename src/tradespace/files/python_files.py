"""Reading a person's Python file as it stands now."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any


class _Uncached(SourceFileLoader):
    """Reads the text every time and leaves nothing beside it.

    Python takes compiled code for current if the file has the same size and second of change,
    which a file edited twice in a second has.
    """

    def path_stats(self, path: Any) -> Any:
        """Raise OSError, which tells the import system to keep no compiled code."""
        raise OSError(path)


def file_spec(name: str, path: str | Path) -> ModuleSpec | None:
    """Return the specification by which a file is imported under a name.

    Examples
    --------
    >>> spec = file_spec("my_features", "features.py")
    >>> spec.name, spec.origin.endswith("features.py")
    ('my_features', True)

    """
    place = str(path)
    return importlib.util.spec_from_file_location(name, place, loader=_Uncached(name, place))
