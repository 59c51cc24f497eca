"""The rule of what code may run for a study, so that a stranger's file cannot run just anything.

A study may name code in a file below its own folder, in a module there, and in what an
installed plug-in of tradespace brings; the `sklearn` family also takes estimators of
scikit-learn. All else is refused before anything is imported.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from tradespace.core.errors import InputError, SettingError
from tradespace.core.registry import ENTRY_POINT_GROUP
from tradespace.files.python_files import function_in, import_file, import_installed, neighbors_of

_REFERENCE = re.compile(r"(?P<module>[^:]+):(?P<name>[A-Za-z_]\w*)")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_PAGE = "See docs/howto/what-runs-code.md."


def split_reference(text: str) -> tuple[str, str] | None:
    """Return module and name of ``file.py:function`` or ``package.module:function``.

    Examples
    --------
    >>> split_reference("my_models.py:make"), split_reference("rows.csv")
    (('my_models.py', 'make'), None)

    """
    parts = _REFERENCE.fullmatch(text)
    if parts is None:
        return None
    module = parts["module"]
    return (module, parts["name"]) if module.endswith(".py") or _DOTTED.fullmatch(module) else None


def file_of(module: str, folder: str | Path) -> Path | None:
    """Return the file of a module of a study's folder: ``rows.py`` or ``package.rows``.

    None if it is a dotted name that no file there has.
    """
    if module.endswith(".py"):
        return Path(folder) / module
    place = Path(folder).joinpath(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


def refuse_foreign_code(
    module: str,
    *,
    folder: str | Path | None,
    what: str,
    error: type[InputError],
    estimator: bool = False,
) -> None:
    """Raise unless a study in a folder may run a module.

    Parameters
    ----------
    module : str
        A file relative to the folder, or a dotted name.
    folder : str or Path, optional
        The study's; None: no file may run.
    what : str
        Whose code it is, for the message: "The data function".
    error : type of InputError
        What is raised.
    estimator : bool
        Whether it is asked for an estimator, which scikit-learn may bring.

    """
    file = None if folder is None else file_of(module, folder)
    if file is not None and folder is not None:
        if not file.resolve().is_relative_to(Path(folder).resolve()):
            msg = f"{what} may not run {module!r}: it lies outside the study's folder."
            raise error(msg, remedy=f"Copy the file into the study's folder. {_PAGE}")
        return
    top = module.partition(".")[0]
    if top in plugin_modules() or (estimator and top == "sklearn"):
        return
    msg = f"{what} may not run {module!r}: it is no file beside the study and no installed plug-in."
    remedy = f"Write a function in a file beside the study and name that: 'file.py:NAME'. {_PAGE}"
    raise error(msg, remedy=remedy)


@cache
def plugin_modules() -> frozenset[str]:
    """Return the top-level modules of installed distributions that are plug-ins of tradespace."""
    from importlib.metadata import entry_points

    names: set[str] = set()
    for point in entry_points(group=ENTRY_POINT_GROUP):
        names.add(point.module.partition(".")[0])
        for file in (point.dist.files if point.dist else None) or ():
            if file.suffix == ".py":
                names.add(file.parts[0].removesuffix(".py"))
    return frozenset(names)


def find_function(
    reference: str,
    *,
    folder: str | Path | None,
    what: str,
    error: type[InputError],
    estimator: bool = False,
) -> Any:
    """Import what a study names and return the function, if it may run.

    Without a folder, the path of a file is absolute and was checked when the study was read.

    Raises
    ------
    InputError
        If it may not run, is not there, or importing it fails.

    """
    parts = split_reference(reference)
    if parts is None:
        msg = f"{what} must read 'file.py:function' or 'package.module:function'; "
        msg += f"got {reference!r}."
        raise error(msg, remedy="Put a ':' between the file or module and the function.")
    module, name = parts
    if folder is not None or not module.endswith(".py"):
        refuse_foreign_code(module, folder=folder, what=what, error=error, estimator=estimator)
    file = file_of(module, folder or ".") if folder or module.endswith(".py") else None
    found = import_installed(module, error) if file is None else import_file(file, error)
    function = function_in(found, name, module, error)
    if estimator and file is None and module.partition(".")[0] == "sklearn":
        from sklearn.base import BaseEstimator

        if not (isinstance(function, type) and issubclass(function, BaseEstimator)):
            msg = f"{reference!r} is no estimator of scikit-learn."
            raise error(msg, remedy="Name a class, like 'sklearn.ensemble:ExtraTreesClassifier'.")
    return function


def find_estimator(location: str) -> Any:
    """Return what makes an estimator, at a location that `located` gave."""
    what = "The estimator"
    return find_function(location, folder=None, what=what, error=SettingError, estimator=True)


def located(reference: str, folder: str | Path) -> str:
    """Return a reference with the whole path of its file; one to what is installed as it is."""
    parts = split_reference(reference)
    file = file_of(parts[0], folder) if parts else None
    return reference if parts is None or file is None else f"{file.resolve()}:{parts[1]}"


def code_hash(location: str) -> str:
    """Return the hash of a location's file and of the files beside it that it imports.

    Imports are found in the text, however deep; nothing is run. Empty for an installed module.
    """
    target = location.rpartition(":")[0]
    if not target.endswith(".py"):
        return ""
    digest, waiting, seen = hashlib.sha256(), [Path(target)], set[Path]()
    while waiting:
        file = waiting.pop(0)
        if file not in seen:
            seen.add(file)
            digest.update(file.read_bytes())
            waiting += neighbors_of(file)
    return digest.hexdigest()
