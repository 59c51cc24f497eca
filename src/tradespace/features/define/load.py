"""Feature views from a person's file: ``features.py:view``, ``features.yaml:view`` or a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from tradespace.core.errors import FeatureError, Place
from tradespace.core.suggest import nearest, unknown
from tradespace.features.define.agree import refuse_two_sources
from tradespace.features.define.sources import EventSource
from tradespace.features.define.views import FeatureView, RowFeatures, View
from tradespace.files.code_rule import file_of, refuse_foreign_code
from tradespace.files.python_files import import_file, import_installed, parse_file

_YAML = (".yaml", ".yml")


def load_views(path: str | Path) -> dict[str, View]:
    """Return all views that a Python or YAML file defines, by name, in the order of the file.

    Raises
    ------
    FeatureError
        If it defines none, or two of one name.

    """
    given, path = path, Path(path).resolve()
    if not path.is_file():
        msg = f"There is no file {str(given)!r} of features."
        near = nearest(path.name, _definitions_beside(path))
        remedy = f"Did you mean {near!r}?" if near else "Name a .py or .yaml file of views."
        raise FeatureError(msg, remedy=remedy)
    if path.suffix not in (".py", *_YAML):
        msg = f"{str(given)!r} is not a file of views: it ends in {path.suffix!r}."
        raise FeatureError(msg, remedy="Views stand in a .py or .yaml file.")
    if path.suffix in _YAML:
        return {name: _resolved(view, path.parent) for name, view in _from_yaml(path).items()}
    views: dict[str, View] = {}
    seen: dict[str, View] = {}
    for variable, view in _views_in(import_file(path, FeatureError)):
        located = _located(view, path, variable)
        if seen.setdefault(view.name, view) is not view:
            msg = f"Two views are named {view.name!r}."
            raise FeatureError(msg, place=located.place, remedy="Names of views are unique.")
        views[view.name] = located
    if not views:
        msg = "The file defines no FeatureView and no RowFeatures."
        raise FeatureError(msg, place=Place(str(path)), remedy="Define one at the top of the file.")
    return {name: _resolved(view, path.parent) for name, view in views.items()}


def sources_of(views: Mapping[str, View]) -> dict[str, EventSource]:
    """Return the sources of views by name.

    Raises
    ------
    FeatureError
        If two that differ have one name.

    """
    refuse_two_sources(views.values())
    return {view.source.name: view.source for view in views.values()}


def _definitions_beside(path: Path) -> list[str]:
    if not path.parent.is_dir():
        return []
    return [p.name for p in path.parent.iterdir() if p.suffix in (".py", *_YAML)]


def _views_in(module: ModuleType) -> Iterator[tuple[str, View]]:
    """Yield the views of a module with the variable that holds them, also in lists of views."""
    for variable, value in vars(module).items():
        held: Any = value
        if isinstance(value, Mapping):
            held = list(value.values())
        for found in held if isinstance(held, list | tuple | set) else (held,):
            if isinstance(found, FeatureView | RowFeatures):
                yield variable, found


def _located(view: View, path: Path, variable: str) -> View:
    """Return a view with the place where a file gives its variable its last value."""
    if view.place is not None or path.suffix != ".py":
        return replace(view, place=view.place or Place(str(path)))
    lines = [
        node.lineno
        for node in parse_file(path, FeatureError).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else (node.target,))
        if isinstance(target, ast.Name) and target.id == variable
    ]
    return replace(view, place=Place(str(path), lines[-1] if lines else None))


def _from_yaml(path: Path) -> dict[str, View]:
    from tradespace.features.define.yaml_views import load_yaml

    return load_yaml(path)


def load_view(reference: str, *, folder: str | Path = ".") -> View:
    """Return the view that ``file.py:name``, ``file.yaml:name`` or ``module:name`` names.

    The name is that of the variable, or the view's own. A Python file lies in the folder; what
    else may run, :mod:`tradespace.files.code_rule` says.
    """
    place, _, name = reference.rpartition(":")
    if not place or not name:
        msg = f"A feature view is written file.py:name; got {reference!r}."
        raise FeatureError(msg, remedy="Write it like 'features.py:customer'.")
    path = (Path(folder) / place).resolve()
    if path.suffix in _YAML:
        return _resolved(_named(name, _from_yaml(path), place), path.parent)
    refuse_foreign_code(place, folder=folder, what="A feature view", error=FeatureError)
    file = file_of(place, folder)
    if file is None:
        module, base = import_installed(place, FeatureError), Path(folder)
        path = Path(getattr(module, "__file__", None) or place)
    else:
        path = file.resolve()
        module, base = import_file(path, FeatureError), path.parent
    views: dict[str, View] = {}
    named: dict[str, View] = {}
    for key, value in _views_in(module):
        view = _located(value, path, key)
        named[view.name] = view
        if vars(module)[key] is value:
            views[key] = view
    named |= views
    return _resolved(_named(name, named, place), base)


def _named(name: str, views: Mapping[str, View], place: str) -> View:
    if name not in views:
        raise unknown(FeatureError, "feature view", name, views, place=Place(place))
    return views[name]


def _resolved(view: View, folder: Path) -> View:
    path = view.source.path
    if path is None or Path(path).is_absolute():
        return view
    return replace(view, source=replace(view.source, path=str(folder / path)))
