"""Constraints of a study file: bounds on qualities, as text or as mappings."""

from __future__ import annotations

import re
from typing import Any

from tradespace.core import registry
from tradespace.core.quantities import Direction, format_quantity
from tradespace.core.requirements import Constraint, Sense
from tradespace.core.studies import QualityUse
from tradespace.core.suggest import nearest
from tradespace.files.checker import Checker
from tradespace.files.fields import show
from tradespace.files.units import parse_quantity
from tradespace.files.yaml_tree import Path
from tradespace.study.qualities import NAME, QualityUses
from tradespace.study.schema import ConstraintSection

_SIGNS = r"<=|>=|==|=<|=>|!=|=|<|>|≤|≥"
_CONSTRAINT = re.compile(rf"\s*({NAME})\s*({_SIGNS})\s*(\S.*?)\s*")
_REVERSED = re.compile(rf"\s*(.*?[^<>=!≤≥\s])\s*({_SIGNS})\s*({NAME})\s*")
_CHAIN = re.compile(rf"\s*(\S.*?)\s*(?:{_SIGNS})\s*({NAME})\s*(?:{_SIGNS})\s*(\S.*?)\s*")
#: Longer texts are no constraints.
_LONGEST = 200
_SPELLED = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
_MIRRORED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}
_KEYS = {"at_most": "<=", "at_least": ">=", "below": "<", "above": ">"}


def read_constraints(
    checker: Checker, uses: QualityUses, items: list[Any]
) -> tuple[Constraint, ...]:
    """Return the bounds that are right."""
    found = []
    for index, item in enumerate(items):
        path: Path = ("constraints", index)
        constraint = (
            _from_text(checker, uses, item, path)
            if isinstance(item, str)
            else _from_mapping(checker, uses, item, path)
        )
        if constraint is not None:
            found.append(constraint)
    _contradictions(checker, found)
    return tuple(found)


def _from_text(checker: Checker, uses: QualityUses, text: str, path: Path) -> Constraint | None:
    match = _CONSTRAINT.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        checker.note(
            f"A constraint is a quality, a sign and a bound; got {show(text)}.",
            path,
            remedy=_rewritten(text[:_LONGEST]),
        )
        return None
    name, sign, bound = match.groups()
    sign = _SPELLED.get(sign, sign)
    if sign in ("==", "=", "!="):
        checker.note(
            f"'{sign}' cannot be checked: a measured value is never exactly a number.",
            path,
            remedy=f"Write '{name} >= {bound}' or '{name} <= {bound}', or both.",
            offset=match.start(2),
        )
        return None
    if (again := re.search(_SIGNS, bound)) is not None:
        checker.note(
            f"A constraint has one sign; got {show(text)}.",
            path,
            remedy="Make two constraints of it.",
            offset=match.start(3) + again.start(),
        )
        return None
    use = uses.find(name, path, offset=match.start(1))
    if use is None:
        return None
    return _bound(checker, uses, use, Sense(sign), bound, path, offset=match.start(3))


def _from_mapping(checker: Checker, uses: QualityUses, item: Any, path: Path) -> Constraint | None:
    example = "Write for example 'latency_p99 <= 10 ms'."
    if not isinstance(item, dict):
        checker.note(
            f"A constraint is a quality, a sign and a bound; got {show(item)}.",
            path,
            remedy=example,
        )
        return None
    if len(item) == 1 and (name := next(iter(item))) not in ConstraintSection.model_fields:
        checker.note(
            f"A constraint is written as one text; got '{name}: {show(item[name])}'.",
            path,
            remedy=f"Remove the ':': '{name} <= ...' or '{name} >= ...'.",
        )
        return None
    before = len(checker.problems)
    section = checker.read(ConstraintSection, item, path)
    if len(checker.problems) > before:
        return None
    given = {key: getattr(section, key) for key in _KEYS}
    given = {key: value for key, value in given.items() if value is not None}
    if section.sense is not None or section.bound is not None:
        given["bound"] = section.bound
    if section.quality is None or len(given) != 1 or None in given.values():
        checker.note(
            "A constraint as a mapping has a quality and one of at_least, at_most, above and "
            "below.",
            path,
            remedy=f"{example[:-1]} or '{{quality: latency_p99, at_most: 10 ms}}'.",
        )
        return None
    use = uses.find(section.quality, (*path, "quality"))
    ((key, bound),) = given.items()
    sign = _KEYS.get(key) or section.sense
    if use is None or sign is None:
        return None
    return _bound(checker, uses, use, Sense(sign), bound, (*path, key))


def _bound(
    checker: Checker,
    uses: QualityUses,
    use: QualityUse,
    sense: Sense,
    text: Any,
    path: Path,
    *,
    offset: int = 0,
) -> Constraint | None:
    what = f"The bound of {use.name}"
    bound = checker.attempt(path, parse_quantity, text, unit=use.unit, what=what, offset=offset)
    if bound is None or not uses.in_range(use, bound, what, path, offset=offset):
        return None
    row = registry.quality(use.quality)
    if (sense is Sense.ABOVE and bound >= row.high) or (sense is Sense.BELOW and bound <= row.low):
        checker.note(
            f"No value of {use.name} can be {'above' if sense is Sense.ABOVE else 'below'} "
            f"{format_quantity(bound, use.unit)}, the end of its range.",
            path,
            remedy=f"Write '{sense.value}=' to allow the end itself.",
            offset=offset,
        )
        return None
    place = checker.tree.at(path[:2])
    return Constraint(use.name, sense, bound, use.unit, place)


def _contradictions(checker: Checker, constraints: list[Constraint]) -> None:
    """Note pairs of bounds that no value can keep."""
    upper = [c for c in constraints if c.sense in (Sense.AT_MOST, Sense.BELOW)]
    lower = [c for c in constraints if c.sense in (Sense.AT_LEAST, Sense.ABOVE)]
    for low in lower:
        for high in upper:
            if low.quality != high.quality:
                continue
            strict = low.sense is Sense.ABOVE or high.sense is Sense.BELOW
            if low.bound > high.bound or (strict and low.bound == high.bound):
                later, other = sorted((low, high), key=constraints.index, reverse=True)
                line = f" (line {other.place.line})" if other.place else ""
                checker.problems.add(
                    f"No value can satisfy both '{later}' and '{other}'{line}.",
                    place=later.place,
                    remedy="Correct or remove one of them.",
                )


def _rewritten(text: str) -> str:
    """Return how a text that is no constraint should be written."""
    if (chain := _CHAIN.fullmatch(text)) is not None:
        return f"Make two of it: '{chain[2]} >= {chain[1]}' and '{chain[2]} <= {chain[3]}'."
    if (found := _REVERSED.fullmatch(text)) is not None:
        sign = _SPELLED.get(found[2], found[2])
        return f"Put the quality first: '{found[3]} {_MIRRORED.get(sign, '<=')} {found[1]}'."
    name = text.split()[0] if text.split() else ""
    guess = nearest(name, registry.qualities())
    if guess is not None:
        row = registry.quality(guess)
        sign = "<=" if row.direction is Direction.MINIMIZE else ">="
        return f"Write '{guess} {sign} ' and a bound."
    return "Write for example 'latency_p99 <= 10 ms'."
