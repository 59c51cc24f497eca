"""A person's own function, found by name: ``package.module:function`` or ``file.py:function``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tradespace.core.errors import SettingError
from tradespace.core.suggest import unknown_name
from tradespace.files.python_files import file_spec

#: Modules made from files get names that start so; a state may hold types of theirs.
PREFIX = "_tradespace_own_"


def find_function(location: str) -> Callable[..., Any]:
    """Return the function at a location; a file's path is absolute.

    Raises
    ------
    SettingError
        If there is no such module, file or function, or importing it fails.

    """
    target, _, name = location.rpartition(":")
    if not target or not name:
        msg = f"{location!r} must read 'package.module:function' or 'file.py:function'."
        raise SettingError(msg)
    try:
        module = (
            _module_of(Path(target)) if target.endswith(".py") else importlib.import_module(target)
        )
    except SettingError:
        raise
    except Exception as error:
        msg = f"{target!r} cannot be imported: {type(error).__name__}: {error}."
        raise SettingError(msg, remedy="Check its name and that it is installed.") from error
    function = getattr(module, name, None)
    if not callable(function):
        known = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        message, remedy = unknown_name(f"function of {target!r}", name, known)
        raise SettingError(message, remedy=remedy)
    found: Callable[..., Any] = function
    return found


def code_hash(location: str) -> str:
    """Return the hash of the file of a location; empty for an installed module."""
    target = location.rpartition(":")[0]
    if not target.endswith(".py"):
        return ""
    return hashlib.sha256(Path(target).read_bytes()).hexdigest()


def _module_of(path: Path) -> Any:
    if not path.is_file():
        msg = f"There is no Python file {str(path)!r}."
        raise SettingError(msg, remedy="Paths are relative to the study file.")
    name = PREFIX + hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    if name in sys.modules:
        return sys.modules[name]
    spec = file_spec(name, path)
    if spec is None or spec.loader is None:
        msg = f"{str(path)!r} cannot be read as a Python module."
        raise SettingError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
