"""YAML text as plain values, with the place of every key and value.

Safe by construction: scalars become text, numbers, booleans or null and nothing else, aliases
may neither form a cycle nor unfold without end, and size and depth are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tradespace.core.errors import Place
from tradespace.core.quantities import format_quantity
from tradespace.files.problems import Collector, FileKind, ProblemsError
from tradespace.files.yaml_messages import syntax_error

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

Path = tuple[str | int, ...]

DEEPEST = 30
_DEEPEST_BRACKETS = 100
MOST_VALUES = 20_000
_CORE = "tag:yaml.org,2002:"
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed file.

    Attributes
    ----------
    value : dict
        Plain values: dict, list, str, int, float, bool, None.
    values, keys : Mapping
        Place of the value and of the key at a path; items of a list have no key.
    starts : Mapping
        Where the text of a one-line string begins, for pointing into it.

    """

    file: str
    value: dict[str, Any] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)
    starts: Mapping[Path, Place] = field(default_factory=dict)

    def at(self, path: Path, *, offset: int = 0) -> Place:
        """Return the place of a value, or of the nearest part around it.

        `offset` counts characters into a string.
        """
        if offset and (start := self.starts.get(path)) is not None:
            return Place(start.file, start.line, (start.column or 1) + offset)
        while path:
            if (place := self.values.get(path)) is not None:
                return place
            path = path[:-1]
        return Place(self.file, 1, 1) if self.values else Place(self.file)

    def at_key(self, path: Path) -> Place:
        """Return the place of a key, or of the value if it has none."""
        return self.keys.get(path) or self.at(path)

    def marks(self) -> dict[str, Place]:
        """Return dotted paths with the place that a message about them should name."""
        return {
            ".".join(map(str, path)): self.keys.get(path, place)
            if self._starts_below(path)
            else place
            for path, place in self.values.items()
        }

    def _starts_below(self, path: Path) -> bool:
        key = self.keys.get(path)
        return key is not None and key.line != self.values[path].line


def parse_tree(text: str, *, file: str, problems: Collector) -> Tree:
    r"""Return the tree of a YAML text; problems short of syntax are collected.

    Raises
    ------
    ProblemsError
        If the text is no YAML, is empty or is no mapping; of the collector's kind of file.

    Examples
    --------
    >>> tree = parse_tree("target: y\nseeds: [1]", file="s.yaml", problems=Collector())
    >>> tree.value, str(tree.at(("seeds", 0)))
    ({'target': 'y', 'seeds': [1]}, 's.yaml:2:9')

    """
    kind = problems.kind
    if len(text) > kind.largest_bytes:
        raise too_large(len(text), place=Place(file), kind=kind)
    node = _compose(text, file=file, kind=kind)
    if node is None:
        msg = f"The {kind.noun} is empty."
        raise kind.error(msg, place=Place(file), remedy=f"{kind.start} {kind.missing}".strip())
    builder = _Builder(file, problems)
    value = builder.build(node, ())
    if not isinstance(value, dict):
        msg = f"A {kind.noun} is a mapping of keys to values; found {_kind(value)}."
        raise kind.error(msg, place=Place(file, 1, 1), remedy=kind.start)
    return Tree(file, value, builder.values, builder.keys, builder.starts)


def too_large(size_bytes: int, *, place: Place, kind: FileKind) -> ProblemsError:
    """Return the error for a file that is too large for its kind."""
    size = format_quantity(float(size_bytes), "B")
    most = format_quantity(float(kind.largest_bytes), "B")
    msg = f"The file has {size}; a {kind.noun} has at most {most}."
    remedy = f"Give the path of the {kind.noun} (YAML), not of the data."
    return kind.error(msg, place=place, remedy=remedy)


def _compose(text: str, *, file: str, kind: FileKind) -> Node | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if bad := re.search(
        r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text
    ):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        msg = f"The file holds the control character U+{ord(bad.group()):04X}; "
        msg += f"a {kind.noun} is plain text."
        remedy = f"Give the path of the {kind.noun} (YAML), not of the data; "
        remedy += "or remove the character."
        raise kind.error(msg, place=Place(file, line, column), remedy=remedy)
    _check_brackets(text, file=file, kind=kind)
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise syntax_error(error, file=file, text=text, kind=kind) from None
    except RecursionError:
        raise _too_deep(Place(file), kind) from None
    return node


def _check_brackets(text: str, *, file: str, kind: FileKind) -> None:
    """Refuse brackets so deep that the parser would take minutes over them.

    Brackets in quotes and comments count as well, which matters only for absurd texts.
    """
    depth = 0
    for found in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if found.group() in "[{" else max(0, depth - 1)
        if depth > _DEEPEST_BRACKETS:
            line = text.count("\n", 0, found.start()) + 1
            column = found.start() - text.rfind("\n", 0, found.start())
            raise _too_deep(Place(file, line, column), kind)


def _too_deep(place: Place, kind: FileKind) -> ProblemsError:
    msg = f"The file nests values more than {DEEPEST} deep."
    remedy = f"Close each bracket; a {kind.noun} needs five levels."
    return kind.error(msg, place=place, remedy=remedy)


def _kind(value: Any) -> str:
    match value:
        case list():
            return "a list"
        case str():
            return f"the text {value[:40]!r}"
        case _:
            return repr(value)


class _Builder:
    """Turns nodes into values and remembers places."""

    def __init__(self, file: str, problems: Collector) -> None:
        self._file, self._problems = file, problems
        self._open: set[int] = set()
        self._count = 0
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.starts: dict[Path, Place] = {}

    def _place(self, node: Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def build(self, node: Node, path: Path) -> Any:
        place = self._place(node)
        self._count += 1
        if self._count > MOST_VALUES:
            msg = f"The file unfolds to more than {MOST_VALUES:,} values."
            raise self._problems.kind.error(
                msg,
                place=self.keys.get(path[:1], place),
                remedy="Shorten its lists; write the values out where aliases multiply.",
            )
        if len(path) > DEEPEST:
            raise _too_deep(place, self._problems.kind)
        if id(node) in self._open:
            msg = f"The anchor {_anchor(node)} contains itself, so the file has no end."
            raise self._problems.kind.error(
                msg, place=place, remedy="Write the values out in place of the alias (*name)."
            )
        self.values.setdefault(path, place)
        self._open.add(id(node))
        try:
            if node.tag == _CORE + "map" and isinstance(node.value, list):
                return self._mapping(node, path)
            if node.tag == _CORE + "seq" and isinstance(node.value, list):
                return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
            return self._scalar(node, path, place)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node.value, str):
                self._problems.add(
                    "A key must be a word; found a list or a mapping.",
                    place=place,
                    remedy="Put quotes around a text that starts with [, { or ?.",
                )
                continue
            key = key_node.value
            if key_node.tag == _CORE + "merge":
                merged |= self._merge(value_node, path, place)
                continue
            if key in result:
                first = self.keys[*path, key]
                self._problems.add(
                    f"The key {key!r} stands twice; the first is in line {first.line}.",
                    place=place,
                    remedy="Keep one of them.",
                )
                continue
            self.keys[*path, key] = place
            result[key] = self.build(value_node, (*path, key))
        return {**merged, **result}

    def _merge(self, node: Node, path: Path, place: Place) -> dict[str, Any]:
        parts = node.value if node.tag == _CORE + "seq" else [node]
        result: dict[str, Any] = {}
        for part in reversed(parts):
            value = self.build(part, path)
            if isinstance(value, dict):
                result |= value
            else:
                self._problems.add(
                    f"'<<' merges mappings; found {_kind(value)}.",
                    place=place,
                    remedy="Name the anchor of a mapping, such as '<<: *defaults'.",
                )
        return result

    def _scalar(self, node: Node, path: Path, place: Place) -> Any:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_CORE)
        style = getattr(node, "style", None)
        if style in (None, "'", '"') and node.start_mark.line == node.end_mark.line:
            shift = 1 if style else 0
            self.starts[path] = Place(place.file, place.line, (place.column or 1) + shift)
        match kind:
            case "null":
                return None
            case "bool":
                return text in _TRUE if text in (*_TRUE, *_FALSE) else text
            case "int":
                return self._number(_integer(text), text, place)
            case "float":
                return self._number(_floating(text), text, place)
            case "str" | "timestamp" | "merge" | "value":
                return text
            case _:
                self._problems.add(
                    f"The tag {node.tag!s} has no meaning in a {self._problems.kind.noun}.",
                    place=place,
                    remedy="Remove the word that starts with '!'.",
                )
                return None

    def _number(self, value: float | None, text: str, place: Place) -> Any:
        if value is None:
            return text
        if isinstance(value, int) and abs(value) >= 2**63:
            self._problems.add(
                f"The number {text[:30]} is too large.",
                place=place,
                remedy="Whole numbers stay below 2**63; put quotes around it if it is a text.",
            )
            return None
        return value


def _anchor(node: Node) -> str:
    return f"'&{node.anchor}'" if getattr(node, "anchor", None) else "of this value"


def _integer(text: str) -> int | None:
    digits = text.replace("_", "")
    if len(digits) > 100:
        return 2**63
    try:
        return int(digits, 0 if re.match(r"[-+]?0[xob]", digits) else 10)
    except ValueError:
        return None


def _floating(text: str) -> float | None:
    digits = text.replace("_", "").lower()
    named = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
    try:
        return float(named.get(digits, digits))
    except ValueError:
        return None
