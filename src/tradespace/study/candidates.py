"""The entries of ``candidates:``: families with settings, grids and ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tradespace.core import registry
from tradespace.core.candidates import CandidateSpec, SearchRange
from tradespace.core.errors import MissingExtraError
from tradespace.core.registry import FamilyRow
from tradespace.core.registry.preprocessing import PREPROCESSING, resolve_preprocessing
from tradespace.core.studies import Task
from tradespace.files.checker import Checker
from tradespace.files.fields import show
from tradespace.files.references import check_file, check_reference
from tradespace.files.yaml_tree import Path
from tradespace.study.settings import checked_settings

#: Keys beside the settings of a family.
EXTRAS = ("label", "preprocessing")
#: More candidates than this are a mistake in a grid.
MOST_CANDIDATES = 10_000


def read_candidates(
    checker: Checker, items: list[Any], *, task: Task | None
) -> tuple[CandidateSpec, ...]:
    """Return the specs that are right; what is wrong is noted."""
    specs = []
    total = 0
    for index, item in enumerate(items):
        path: Path = ("candidates", index)
        spec = _candidate(checker, item, path, task=task)
        if spec is None:
            continue
        specs.append(spec)
        total += _size(spec)
        if total > MOST_CANDIDATES:
            checker.note(
                f"The grids make {total:,} candidates up to here; at most {MOST_CANDIDATES:,} "
                "can take part.",
                path,
                remedy="Use shorter lists, or ranges: '{log: [0.01, 100], n: 6}'.",
            )
            break
    return tuple(specs)


def _size(spec: CandidateSpec) -> int:
    grids = math.prod(len(v) for v in spec.settings.values() if isinstance(v, tuple))
    points = [v.n for v in spec.settings.values() if isinstance(v, SearchRange)]
    return grids * max(points, default=1)


def _split(item: Any) -> tuple[str, Any, dict[str, Any]] | None:
    """Return family, settings and the extras that stand beside them."""
    if isinstance(item, str):
        return item, {}, {}
    if not isinstance(item, dict):
        return None
    beside = {key: value for key, value in item.items() if key in EXTRAS}
    families = [key for key in item if key not in EXTRAS]
    if len(families) != 1:
        return None
    return families[0], item[families[0]], beside


def _candidate(
    checker: Checker, item: Any, path: Path, *, task: Task | None
) -> CandidateSpec | None:
    parts = _split(item)
    if parts is None:
        several = isinstance(item, dict) and len(item) > 1
        checker.note(
            f"A candidate is one family with its settings; got {_found(item)}.",
            path,
            remedy="Start each family with '- ', and indent its settings below it."
            if several
            else "Write '- random_forest: {n_estimators: [25, 100]}'.",
        )
        return None
    family, given, beside = parts
    at: Path = (*path, family) if isinstance(item, dict) else path
    rows = registry.families()
    if family not in rows:
        checker.unknown("family", family, rows, at)
        return None
    row = rows[family]
    _check_fits(checker, row, at, task=task)
    inside = {k: v for k, v in given.items() if k in EXTRAS} if isinstance(given, Mapping) else {}
    before = len(checker.problems)
    settings = checked_settings(
        checker, row.settings, given, at, owner=family, space=True, more_keys=EXTRAS
    )
    label, label_path = _extra("label", inside, beside, at, path)
    preprocessing, preprocessing_path = _extra("preprocessing", inside, beside, at, path)
    prepared = _preprocessing(checker, preprocessing, preprocessing_path, row)
    if label is not None and (not isinstance(label, str) or not label.strip()):
        checker.note(
            f"'label' must be a text; got {show(label)}.",
            label_path,
            remedy="Put quotes around it.",
        )
        label = None
    if len(checker.problems) == before:
        _check_names(checker, row, settings, at)
    place = checker.tree.at_key(at) if isinstance(item, dict) else checker.tree.at(at)
    return CandidateSpec(family, settings, prepared, label or "", place)


def _found(item: Any) -> str:
    if isinstance(item, dict):
        return f"the keys {', '.join(item) or 'of an empty mapping'}"
    return show(item)


def _extra(
    name: str, inside: Mapping[str, Any], beside: Mapping[str, Any], at: Path, path: Path
) -> tuple[Any, Path]:
    if name in beside:
        return beside[name], (*path, name)
    return inside.get(name), (*at, name)


def _check_fits(checker: Checker, row: FamilyRow, path: Path, *, task: Task | None) -> None:
    if task is not None and task not in row.tasks:
        fits = [name for name, other in registry.families().items() if task in other.tasks]
        checker.note(
            f"Family {row.name!r} does not fit the task {task.value!r}.",
            path,
            remedy=f"Choose one of: {', '.join(fits)}.",
            key=True,
        )
    if row.library:
        from importlib.util import find_spec

        if find_spec(row.library) is None:
            error = MissingExtraError(row.library, extra=row.extra, needed_for=row.title)
            checker.problems.take(error, place=checker.tree.at_key(path))


def _preprocessing(checker: Checker, given: Any, path: Path, row: FamilyRow) -> dict[str, Any]:
    """Return the given preprocessing, checked; what is not given is resolved later."""
    if given is None:
        return {}
    if given == "none":
        return {"raw": True}
    if not isinstance(given, dict):
        checker.note(
            f"'preprocessing' must be a mapping of settings, or the word none; got {show(given)}.",
            path,
            remedy="Write for example 'preprocessing: {scale: standard}'.",
        )
        return {}
    before = len(checker.problems)
    good = checked_settings(checker, PREPROCESSING, given, path, owner="preprocessing")
    if len(checker.problems) == before:
        checker.attempt(path, resolve_preprocessing, good, family=row)
    return good


def _check_names(checker: Checker, row: FamilyRow, settings: Mapping[str, Any], path: Path) -> None:
    """Note files, functions and addresses that a candidate names and that cannot be."""
    for spec in row.settings:
        value = settings.get(spec.name)
        if not spec.names or value is None:
            continue
        here: Path = (*path, spec.name)
        for index, text in enumerate(value if isinstance(value, tuple) else [value]):
            at: Path = (*here, index) if isinstance(value, tuple) else here
            if spec.names == "code":
                facts: dict[str, Any] = {"folder": checker.folder, "what": f"An {spec.name}"}
                checker.attempt(at, check_reference, text, estimator=True, **facts)
            elif spec.names == "file":
                checker.attempt(at, check_file, text, folder=checker.folder, what=repr(spec.name))
            elif not re.match(r"https?://[^/\s]+", text):
                checker.note(
                    f"{spec.name!r} must be an address of the web; got {show(text)}.",
                    at,
                    remedy="Write it with http:// or https:// in front.",
                )
