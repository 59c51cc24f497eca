"""Objectives of a study file: wishes to push a quality, with what is worth 0 and 1."""

from __future__ import annotations

import re
from typing import Any

from tradespace.core import registry
from tradespace.core.errors import Place, RequirementError
from tradespace.core.quantities import Direction, format_quantity
from tradespace.core.requirements import Objective
from tradespace.core.studies import QualityUse
from tradespace.core.suggest import nearest
from tradespace.files.checker import Checker
from tradespace.files.fields import show
from tradespace.files.units import parse_quantity
from tradespace.files.yaml_tree import Path
from tradespace.study.qualities import QualityUses
from tradespace.study.schema import ObjectiveSection

_OBJECTIVE = re.compile(r"\s*(maximize|minimize):?\s+(\S+)\s*")


def read_objectives(checker: Checker, uses: QualityUses, items: list[Any]) -> tuple[Objective, ...]:
    """Return the wishes that are right."""
    found: dict[str, Objective] = {}
    for index, item in enumerate(items):
        path: Path = ("objectives", index)
        objective = _objective(checker, uses, item, path)
        if objective is None:
            continue
        if objective.quality in found:
            checker.note(
                f"There are two objectives for {objective.quality!r}.",
                path,
                remedy="Keep one, and give it the weight of both.",
            )
            continue
        found[objective.quality] = objective
    return tuple(found.values())


def _objective(checker: Checker, uses: QualityUses, item: Any, path: Path) -> Objective | None:
    if isinstance(item, str) and (match := _OBJECTIVE.fullmatch(item)):
        item = {match[1]: match[2]}
    if not isinstance(item, dict):
        checker.note(
            f"An objective says what to maximize or minimize; got {show(item)}.",
            path,
            remedy=_example(str(item)),
        )
        return None
    before = len(checker.problems)
    section = checker.read(ObjectiveSection, item, path)
    named = {way: name for way in ("maximize", "minimize") if (name := getattr(section, way))}
    if len(named) != 1:
        if len(checker.problems) > before:
            return None  # the key or the name was wrong, and that was said
        checker.note(
            f"An objective has either 'maximize' or 'minimize'; got "
            f"{'both' if named else 'neither'}.",
            path,
            remedy="Write '{maximize: average_precision}'.",
        )
        return None
    ((way, name),) = named.items()
    use = uses.find(name, (*path, way) if (*path, way) in checker.tree.values else path)
    if use is None:
        return None
    if Direction(way) is not use.direction:
        checker.note(
            f"{use.name!r} gets better the {_course(use.direction)} it is; the objective "
            f"would {way} it.",
            (*path, way),
            remedy=f"Write '{use.direction.value}: {use.name}'.",
            key=True,
        )
        return None
    return _made(checker, uses, section, use, path)


def _made(
    checker: Checker, uses: QualityUses, section: ObjectiveSection, use: QualityUse, path: Path
) -> Objective | None:
    before = len(checker.problems)
    ends: list[float | None] = []
    for key, given in (("from", section.worst), ("to", section.best)):
        value = None if given is None else _end(checker, uses, use, given, key, path)
        ends.append(value)
        if section.log and value is not None and value <= 0:
            checker.note(
                f"With 'log', '{key}' of {use.name} must be more than 0; got "
                f"{format_quantity(value, use.unit)}.",
                (*path, key),
                remedy="Give a small positive value, or remove 'log'.",
            )
    width = 0.0
    if section.indifference is not None:
        width = _indifference(checker, use, section.indifference, (*path, "indifference"))
    if len(checker.problems) > before:
        return None
    place = checker.tree.at(path)
    return checker.attempt(path, _objective_of, section, use, ends, width, place)


def _end(
    checker: Checker, uses: QualityUses, use: QualityUse, given: Any, key: str, path: Path
) -> float | None:
    what = f"'{key}' of {use.name}"
    at: Path = (*path, key)
    value = checker.attempt(at, parse_quantity, given, unit=use.unit, what=what)
    ok = value is not None and uses.in_range(use, value, what, at)
    return value if ok else None


def _indifference(checker: Checker, use: QualityUse, given: Any, path: Path) -> float:
    what = f"'indifference' of {use.name}"
    value = checker.attempt(path, parse_quantity, given, unit=use.unit, what=what)
    if value is not None and value < 0:
        checker.note(f"{what} must not be negative; got {show(given)}.", path)
    return value or 0.0


def _objective_of(
    section: ObjectiveSection,
    use: QualityUse,
    ends: list[float | None],
    width: float,
    place: Place,
) -> Objective:
    worst, best = ends
    if worst is not None and best is not None and not use.direction.better(best, worst):
        low, high = (format_quantity(end, use.unit) for end in (worst, best))
        if worst == best:
            msg = f"'from' and 'to' of {use.name!r} are both {low}: nothing lies between them."
            remedy = f"Give 'to' a {_course(use.direction)} value than 'from'."
            raise RequirementError(msg, place=place, remedy=remedy)
        msg = (
            f"To {use.direction.value} {use.name!r} from {low} to {high} is no improvement: "
            f"it gets better the {_course(use.direction)} it is."
        )
        raise RequirementError(msg, place=place, remedy="Exchange 'from' and 'to'.")
    return Objective(
        use.name,
        use.direction,
        use.unit,
        worst=worst,
        best=best,
        weight=section.weight,
        log=section.log,
        indifference=width,
        place=place,
    )


def _course(direction: Direction) -> str:
    return "larger" if direction is Direction.MAXIMIZE else "smaller"


def _example(text: str) -> str:
    row = registry.qualities().get(nearest(text, registry.qualities()) or "")
    if row is None:
        return "Write '{maximize: average_precision, from: 0.5, to: 0.8}'."
    return f"Write '{{{row.direction.value}: {row.name}}}'."
