"""Where the rows of a study come from and what their columns mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tradespace.core.studies import BUNDLED, ColumnsSpec, DataSpec
from tradespace.core.suggest import unknown_name
from tradespace.files.checker import Checker
from tradespace.files.fields import show
from tradespace.files.references import check_reference, check_view, is_reference
from tradespace.files.yaml_tree import Path
from tradespace.study.schema import ColumnsSection, DataSection, StudyFile


def read_data(checker: Checker, value: Any) -> DataSpec:
    """Return where the rows come from."""
    path: Path = ("data",)
    if value is None:
        checker.note(
            "The study names no data.",
            path,
            remedy="Add 'data:' with a CSV or Parquet file, a glob, sklearn:NAME or "
            "file.py:function.",
        )
        return DataSpec("file", "")
    if isinstance(value, dict):
        before = len(checker.problems)
        section = checker.read(DataSection, value, path)
        if len(checker.problems) > before:
            return DataSpec("file", "")
        given = {
            kind: text
            for kind in ("path", "sklearn", "callable")
            if (text := getattr(section, kind)) is not None
        }
        if len(given) != 1:
            checker.note(
                f"The data need one of path, sklearn and callable; got "
                f"{' and '.join(given) or 'none of them'}.",
                path,
                remedy="Write for example 'data: {path: rows.csv}', or 'data: rows.csv'.",
            )
            return DataSpec("file", "")
        ((kind, text),) = given.items()
        if section.options and kind != "callable":
            checker.note(
                "Only a callable takes options.",
                (*path, "options"),
                remedy="Remove them, or name a callable.",
                key=True,
            )
        return _located(checker, kind, text, (*path, kind), section.options)
    if not isinstance(value, str) or not value.strip():
        remedy = "A glob names several files: 'data/*.parquet'."
        checker.note(f"'data' must be a path or a mapping; got {show(value)}.", path, remedy=remedy)
        return DataSpec("file", "")
    if value.startswith("sklearn:"):
        return _located(checker, "sklearn", value.removeprefix("sklearn:"), path, {})
    return _located(checker, "callable" if is_reference(value) else "path", value, path, {})


def _located(
    checker: Checker, kind: str, text: str, path: Path, options: Mapping[str, Any]
) -> DataSpec:
    if re.match(r"[a-z][a-z0-9+]+://", text):
        checker.note(
            f"Data are read from files, not from {text.partition(':')[0]} addresses.",
            path,
            remedy="Download them first, or name a function that does: file.py:function.",
        )
    elif kind == "sklearn" and text not in BUNDLED:
        message, remedy = unknown_name("scikit-learn set", text, BUNDLED)
        checker.note(message, path, remedy=remedy)
    elif kind == "callable":
        what = "The data function"
        checker.attempt(path, check_reference, text, folder=checker.folder, what=what)
    return DataSpec("file" if kind == "path" else kind, text, options)


def read_columns(checker: Checker, read: StudyFile) -> ColumnsSpec:
    """Return what the columns mean."""
    section: ColumnsSection = read.columns
    target = read.target or section.target
    if target is None and not _was_given(checker, ("target",), ("columns", "target")):
        checker.note(
            "The study names no target.",
            ("target",),
            remedy="Add 'target:' with the column to predict.",
        )
    if read.target and section.target and read.target != section.target:
        checker.note(
            f"The target is {read.target!r} at the margin and {section.target!r} here.",
            ("columns", "target"),
            remedy="Remove one of them.",
        )
    if section.entity and section.group and section.entity != section.group:
        checker.note(
            "'group' is another word for 'entity'; they name different columns.",
            ("columns", "group"),
            remedy="Keep one of them.",
            key=True,
        )
    columns = ColumnsSpec(
        target=target or "",
        features=None if section.features is None else once(section.features),
        never=once(section.never),
        entity=section.entity or section.group,
        time=section.time,
        id=section.id,
        protected=once(section.protected),
        types=section.types,
    )
    _overlaps(checker, columns)
    return columns


def _was_given(checker: Checker, *paths: Path) -> bool:
    """Return whether a key is in the file, so that its problem was named already."""
    return any(path in checker.tree.keys for path in paths)


def once(names: list[str] | None) -> tuple[str, ...]:
    """Return the names, each once, in their order."""
    return tuple(dict.fromkeys(names or ()))


def _overlaps(checker: Checker, columns: ColumnsSpec) -> None:
    """Note columns that are told to be two things at once."""
    base: Path = ("columns",)
    if columns.target:
        for key, what in (
            ("features", "among the features"),
            ("never", "among the columns never to use"),
            ("protected", "among the protected columns"),
        ):
            names = getattr(columns, key) or ()
            if columns.target in names:
                checker.note(
                    f"The target {columns.target!r} stands {what}.",
                    item_path(checker, (*base, key), columns.target),
                    remedy="Remove it: the target is what is predicted.",
                )
        for key in ("time", "entity", "id"):
            if getattr(columns, key) == columns.target:
                checker.note(
                    f"The target {columns.target!r} cannot be the {key} column as well.",
                    (*base, key),
                    remedy="Name another column, or correct 'target:'.",
                )
    for name in columns.features or ():
        if name in columns.never:
            checker.note(
                f"Column {name!r} is among the features and never to be used.",
                item_path(checker, (*base, "never"), name),
                remedy="Remove it from one of the lists.",
            )


def item_path(checker: Checker, path: Path, name: str) -> Path:
    """Return the path of a name in a list of the file, or of the list."""
    value: Any = checker.tree.value
    for step in path:
        value = value[step]
    listed = value if isinstance(value, list) else []
    return next(((*path, i) for i, item in enumerate(listed) if str(item) == name), path)


def read_features(checker: Checker, names: list[str] | None) -> tuple[str, ...]:
    """Return the feature views, each checked to be there."""
    views = once(names)
    for view in views:
        path = item_path(checker, ("features",), view)
        checker.attempt(path, check_view, view, folder=checker.folder, what="A feature view")
    return views
