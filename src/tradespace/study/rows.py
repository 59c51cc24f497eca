"""How the rows of a study are divided and which are left out."""

from __future__ import annotations

from typing import Any

from tradespace.core import registry
from tradespace.core.studies import ColumnsSpec, ExcludeSpec, SplitSpec
from tradespace.files.checker import Checker
from tradespace.files.fields import Length, show
from tradespace.files.units import parse_quantity
from tradespace.files.yaml_tree import Path
from tradespace.study.schema import FilterSection, SplitSection
from tradespace.study.settings import checked_settings

_PARTS = ("train", "validation", "test")


def read_split(checker: Checker, value: Any, columns: ColumnsSpec) -> SplitSpec:
    """Return how rows are divided."""
    path: Path = ("split",)
    if isinstance(value, str):
        value = {"method": value}
    section = checker.read(SplitSection, {} if value is None else value, path)
    parts = {name: length for name in _PARTS if (length := getattr(section, name)) is not None}
    timed = [name for name, length in parts.items() if length.is_time]
    shares = {n: x.value for n, x in parts.items() if not x.is_time and x.value > 0}
    if timed and shares:
        checker.note(
            f"The split mixes times ({', '.join(timed)}) and shares ({', '.join(shares)}).",
            path,
            remedy="Give all parts as times such as '7 days', or all as shares such as '60 %'.",
            key=True,
        )
    elif sum(shares.values()) > 1 + 1e-9:
        checker.note(
            f"The shares of the parts add up to {sum(shares.values()):g}, more than 1.",
            path,
            remedy="Write for example 'train: 60 %, validation: 20 %, test: 20 %'.",
            key=True,
        )
    for name in ("train", "test"):
        if name in parts and parts[name].value == 0:
            checker.note(
                f"The {name} part of the split is empty.",
                (*path, name),
                remedy="Give it rows; only 'validation' may be 0.",
            )
    if section.gap is not None and not section.gap.is_time and section.gap.value > 0:
        checker.note(
            "The gap of a split is a time, not a share.",
            (*path, "gap"),
            remedy="Write for example 'gap: 7 days'.",
        )
    method = section.method or ("dated" if timed or section.start else "auto")
    _check_method(checker, method, columns, path, timed=bool(timed), section=section)
    return SplitSpec(
        method=method,
        train=_value(parts.get("train")),
        gap=_value(section.gap) or 0.0,
        validation=_value(parts.get("validation")),
        test=_value(parts.get("test")),
        start=section.start,
        folds=section.folds,
    )


def _value(length: Length | None) -> float | None:
    return None if length is None else length.value


def _check_method(
    checker: Checker,
    method: str,
    columns: ColumnsSpec,
    path: Path,
    *,
    timed: bool,
    section: SplitSection,
) -> None:
    at = (*path, "method") if section.method is not None else path
    at = at if at in checker.tree.values else path
    column = {"dated": "time", "prequential": "time", "grouped": "entity"}.get(method)
    if column is not None and getattr(columns, column) is None:
        checker.note(
            f"A {method} split needs the {column} column.",
            at,
            remedy=f"Add '{column}:' under 'columns:'.",
        )
    if method in ("stratified", "grouped"):
        dated = [*(["a time"] if timed else []), *(["a start"] if section.start else [])]
        if section.gap is not None and section.gap.value > 0:
            dated.append("a gap")
        if dated:
            checker.note(
                f"A {method} split has shares of rows; got {' and '.join(dated)}.",
                at,
                remedy="Write 'method: dated', or shares such as '60 %'.",
            )
    if method == "prequential" and section.folds == 0 and section.method is None:
        checker.note("A prequential split needs folds.", at, remedy="Add 'folds: 4'.")


def read_filters(checker: Checker, items: list[Any]) -> tuple[ExcludeSpec, ...]:
    """Return the filters of rows."""
    rules = registry.exclude_rules()
    found: list[ExcludeSpec] = []
    for index, item in enumerate(items):
        path: Path = ("exclude", index)
        if not isinstance(item, dict):
            checker.note(
                f"A filter is a mapping; got {show(item)}.",
                path,
                remedy="Write '- {name: small, why: ..., where: \"amount < 1\"}'.",
            )
            continue
        rest = {key: value for key, value in item.items() if key not in rules}
        before = len(checker.problems)
        section = checker.read(FilterSection, rest, path, more_keys=tuple(rules))
        named = [rule for rule in rules if rule in item]
        if len(named) + (section.where is not None) != 1:
            if len(checker.problems) == before:
                checker.note(
                    "A filter has either 'where' or one rule.",
                    path,
                    remedy=f"Rules are: {', '.join(rules)}.",
                )
            continue
        if section.why is None:
            checker.note(
                "The filter does not say why.",
                path,
                remedy="Add 'why:' with a sentence for the record of the decision.",
            )
        settings: dict[str, Any] = {}
        if named:
            specs = rules[named[0]].settings
            at: Path = (*path, named[0])
            good = checked_settings(checker, specs, item[named[0]], at, owner=named[0])
            settings = {spec.name: spec.default for spec in specs} | good
            if isinstance(delay := settings.get("delay"), str):
                what = f"'delay' of {named[0]}"
                checker.attempt((*at, "delay"), parse_quantity, delay, unit="s", what=what)
        name = section.name or (named[0] if named else section.where) or ""
        if name in [other.name for other in found]:
            checker.note(f"Two filters are called {name!r}.", path, remedy="Rename one of them.")
        default = ("validation", "test") if named else _PARTS
        found.append(
            ExcludeSpec(
                name=name,
                why=section.why or "",
                where=section.where,
                rule=named[0] if named else None,
                settings=settings,
                parts=tuple(section.parts) if section.parts else default,
                place=checker.tree.at(path),
            )
        )
    return tuple(found)
