"""Settings of plug-ins in a study file, checked against the registry, each at its own place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tradespace.core.candidates import SearchRange
from tradespace.core.errors import SettingError
from tradespace.core.settings import SettingSpec
from tradespace.files.checker import Checker
from tradespace.files.fields import show
from tradespace.files.yaml_tree import Path

_SCALES = ("log", "uniform", "int")
#: Points of a range if the study does not say.
_POINTS = 5
_MOST_POINTS = 1000


def checked_settings(
    checker: Checker,
    specs: Iterable[SettingSpec],
    given: Any,
    path: Path,
    *,
    owner: str,
    space: bool = False,
    more_keys: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the given settings of `owner` that are right; the others are noted.

    With `space`, lists become tuples (grids) and ranges become :class:`SearchRange`. Defaults
    are not filled in. `more_keys` are allowed beside the settings; the caller takes them.
    """
    by_name = {spec.name: spec for spec in specs}
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        checker.note(
            f"The settings of {owner} must be a mapping; got {show(given)}.",
            path,
            remedy=_example(owner, by_name),
        )
        return {}
    good: dict[str, Any] = {}
    for name, value in given.items():
        if name in more_keys:
            continue
        if name not in by_name:
            checker.unknown(f"setting of {owner}:", name, [*by_name, *more_keys], (*path, name))
            continue
        spec, at = by_name[name], (*path, name)
        checked = _space(checker, spec, value, at) if space else _plain(checker, spec, value, at)
        if checked is not None or value is None:
            good[name] = checked
    for spec in by_name.values():
        if spec.required and given.get(spec.name) is None:
            checker.note(
                f"{owner} needs the setting {spec.name!r}: {spec.wanted()}.",
                path,
                remedy=f"Add '{spec.name}:' to it. {spec.help}".strip(),
                key=True,
            )
    return good


def _example(owner: str, specs: Mapping[str, SettingSpec]) -> str:
    if not specs:
        return f"{owner} has no settings; write '{owner}: {{}}'."
    spec = next(iter(specs.values()))
    value = show(spec.default).strip("'") if spec.default is not None else "..."
    return f"Write for example '{owner}: {{{spec.name}: {value}}}'."


def _plain(checker: Checker, spec: SettingSpec, value: Any, path: Path) -> Any:
    try:
        return spec.check(value)
    except SettingError as error:
        checker.note(error.message, path, remedy=error.remedy or _advice(spec))
        return None


def _advice(spec: SettingSpec) -> str:
    if spec.required:
        return spec.help
    return f"{spec.help} The default is {show(spec.default)}.".strip()


def _space(checker: Checker, spec: SettingSpec, value: Any, path: Path) -> Any:
    """Return a plain value, a grid or a range, every value checked."""
    grid = isinstance(value, list) and (
        spec.type != "list" or any(isinstance(item, list) for item in value)
    )
    if grid:
        return _grid(checker, spec, value, path)
    if isinstance(value, dict) and spec.type != "map":
        return _range(checker, spec, value, path)
    return _plain(checker, spec, value, path)


def _grid(checker: Checker, spec: SettingSpec, values: list[Any], path: Path) -> Any:
    if not values:
        checker.note(
            f"The grid of {spec.name!r} is empty.",
            path,
            remedy="Give at least one value, or remove the key.",
        )
        return None
    before = len(checker.problems)
    good = [_plain(checker, spec, value, (*path, i)) for i, value in enumerate(values)]
    if len(checker.problems) > before:
        return None
    seen: list[Any] = []
    for index, value in enumerate(good):
        if any(type(value) is type(other) and value == other for other in seen):
            checker.note(
                f"The grid of {spec.name!r} holds {show(value)} twice.",
                (*path, index),
                remedy="Keep one of them.",
            )
            return None
        seen.append(value)
    return tuple(good)


def _range(checker: Checker, spec: SettingSpec, value: dict[str, Any], path: Path) -> Any:
    """Return a range from {log: [low, high], n: 6}."""
    named = [scale for scale in _SCALES if scale in value]
    for key in value:
        if key not in (*_SCALES, "n"):
            checker.unknown("key of a range:", key, (*_SCALES, "n"), (*path, key))
    if len(named) != 1:
        checker.note(
            f"A range of {spec.name!r} has one of log, uniform and int; got "
            f"{' and '.join(named) or 'none of them'}.",
            path,
            remedy="Write '{log: [0.01, 100], n: 6}', or a list for a grid.",
        )
        return None
    scale = named[0]
    ends = value[scale]
    if spec.type not in ("int", "float") or (spec.type == "int" and scale != "int"):
        remedy = "Write '{int: [1, 20], n: 5}'." if spec.type == "int" else "Use a list."
        checker.note(
            f"{spec.name!r} must be {spec.wanted()}; a range '{scale}' does not give that.",
            path,
            remedy=remedy,
        )
        return None
    if not (isinstance(ends, list) and len(ends) == 2 and all(_is_number(end) for end in ends)):
        checker.note(
            f"The range '{scale}' of {spec.name!r} takes two numbers; got {show(ends)}.",
            (*path, scale),
            remedy=f"Write '{{{scale}: [1, 20], n: 5}}'.",
        )
        return None
    low, high = float(ends[0]), float(ends[1])
    if low >= high or (scale == "log" and low <= 0):
        both = ", both positive" if scale == "log" else ""
        checker.note(
            f"The range of {spec.name!r} runs from {low:g} to {high:g}.",
            (*path, scale),
            remedy=f"Give a smaller and a larger number{both}.",
        )
        return None
    if scale == "int" and not (low.is_integer() and high.is_integer()):
        checker.note(
            f"The range 'int' of {spec.name!r} takes whole numbers; got {show(ends)}.",
            (*path, scale),
            remedy="Round them, or use uniform.",
        )
        return None
    before = len(checker.problems)
    for index, end in enumerate((low, high)):
        _plain(checker, spec, int(end) if spec.type == "int" else end, (*path, scale, index))
    n = _points(checker, value.get("n", _POINTS), (*path, "n"))
    return SearchRange(scale, low, high, n) if len(checker.problems) == before else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _points(checker: Checker, value: Any, path: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_POINTS:
        checker.note(
            f"'n' must be a whole number from 1 to {_MOST_POINTS}; got {show(value)}.", path
        )
        return 1
    return value
