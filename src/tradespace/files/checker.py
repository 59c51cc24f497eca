"""Checks parts of a tree against a schema and turns every complaint into a located problem."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tradespace.core.errors import InputError
from tradespace.core.suggest import allowed_text, nearest, unknown_name
from tradespace.files.fields import OURS, show
from tradespace.files.problems import Collector, FileKind
from tradespace.files.text_files import read_text
from tradespace.files.yaml_tree import Path, Tree, parse_tree


class Section(BaseModel):
    """A mapping with known keys; every key may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


Model = TypeVar("Model", bound=Section)
T = TypeVar("T")

#: pydantic's name of a complaint -> what was wanted.
_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
}


class Checker:
    """A tree being checked: where things stand, and what is wrong so far.

    `keys` are those at the left margin, and which section each opens, for messages about keys
    that stand in the wrong place.
    """

    def __init__(
        self,
        tree: Tree,
        problems: Collector,
        *,
        folder: str = ".",
        keys: Mapping[str, type[Section] | None] = {},
    ) -> None:
        self.tree, self.problems, self.folder, self.keys = tree, problems, folder, keys

    @classmethod
    def open(cls, path: FilePath, kind: FileKind) -> Checker:
        """Return a file of a kind as a tree to be checked.

        Raises
        ------
        ProblemsError
            If it cannot be read or is no mapping.

        """
        problems = Collector(kind)
        tree = parse_tree(read_text(path, kind), file=str(path), problems=problems)
        return cls(tree, problems, folder=str(path.resolve().parent))

    def note(
        self, message: str, path: Path, *, remedy: str = "", key: bool = False, offset: int = 0
    ) -> None:
        """Note a problem at a value, at its key, or `offset` characters into its text."""
        place = self.tree.at_key(path) if key else self.tree.at(path, offset=offset)
        self.problems.add(message, place=place, remedy=remedy)

    def attempt(
        self, path: Path, work: Callable[..., T], *args: Any, offset: int = 0, **kwargs: Any
    ) -> T | None:
        """Return what `work` gives for these arguments, or note its error and return None."""
        try:
            return work(*args, **kwargs)
        except InputError as error:
            self.problems.take(error, place=self.tree.at(path, offset=offset))
            return None

    def unknown(self, what: str, name: str, allowed: Iterable[str], path: Path) -> None:
        """Note a name that is not known, at its key."""
        message, remedy = unknown_name(what, name, allowed)
        self.note(message, path, remedy=remedy, key=True)

    def read(
        self, model: type[Model], value: Any, path: Path, *, more_keys: Sequence[str] = ()
    ) -> Model:
        """Return a part of the file as a section; what is wrong is noted and left out.

        `more_keys` are further keys that are allowed there, for the message about others.
        """
        rest = _stated(copy.deepcopy(value), model)
        # Each round leaves out at least one wrong part, and an empty section is right.
        while True:
            try:
                return model.model_validate(rest)
            except ValidationError as error:
                for detail in error.errors(include_url=False):
                    self._translate(detail, model, path, more_keys)
                    rest = _without(rest, detail["loc"])

    def _translate(
        self, detail: Mapping[str, Any], model: type[Section], path: Path, more_keys: Sequence[str]
    ) -> None:
        steps = tuple(step for step in detail["loc"] if step != "[key]")
        where: Path = (*path, *steps)
        kind, context = str(detail["type"]), detail.get("ctx", {})
        name = next(
            (str(s) for s in reversed(where) if isinstance(s, str)), self.problems.kind.noun
        )
        got = show(detail["input"])
        if kind == OURS:
            key = "[key]" in detail["loc"]
            self.note(context["text"], where, remedy=context["remedy"], key=key)
        elif kind == "extra_forbidden":
            self._unknown_key(where, keys_of(_model_at(model, steps[:-1])), more_keys)
        elif kind == "literal_error":
            allowed = [word.strip("'") for word in _words(context["expected"])]
            message, remedy = unknown_name(f"value of {name!r}:", str(detail["input"]), allowed)
            self.note(message, where, remedy=remedy)
        elif kind in ("model_type", "model_attributes_type"):
            keys = keys_of(_model_at(model, steps))
            self.note(
                f"{name!r} must be a mapping; got {got}.",
                where,
                remedy=f"Its keys are: {allowed_text(keys, most=20)}.",
            )
        elif kind == "list_type":
            self.note(
                f"{name!r} must be a list; got {got}.",
                where,
                remedy="Start each entry on a line of its own with '- '.",
            )
        else:
            wanted = _WANTED.get(kind) or _limits(kind, context) or str(detail["msg"])
            remedy = _example(model, steps)
            if kind == "bool_type":
                remedy = "Write true or false."
            elif kind == "string_type":
                remedy = "Put quotes around it if it is a text."
            self.note(f"{name!r} must be {wanted}; got {got}.", where, remedy=remedy)

    def _unknown_key(self, where: Path, keys: list[str], more_keys: Sequence[str]) -> None:
        name = str(where[-1])
        parent = next((str(s) for s in reversed(where[:-1]) if isinstance(s, str)), "")
        what = f"key of {parent!r}:" if parent else "key"
        allowed = [*keys, *more_keys]
        message, remedy = unknown_name(what, name, allowed)
        homes = [home for home, model in self.keys.items() if model and name in keys_of(model)]
        if not parent and not self.keys.get(name) and homes:
            remedy = f"It belongs under '{homes[0]}:'."
        elif parent and name in self.keys and nearest(name, allowed) is None:
            remedy = f"'{name}:' belongs at the left margin."
        self.note(message, where, remedy=remedy, key=True)


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys of a section, as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _stated(value: Any, model: type[BaseModel]) -> Any:
    """Return a mapping without the known keys that have no value: they count as left out."""
    if not isinstance(value, dict):
        return value
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    rest = {key: item for key, item in value.items() if item is not None or key not in fields}
    for key, item in rest.items():
        kind = fields[key].annotation if key in fields else None
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            rest[key] = _stated(item, kind)
    return rest


def _model_at(model: type[Section], steps: Sequence[str | int]) -> type[BaseModel]:
    found: type[BaseModel] = model
    for step in steps:
        field = found.model_fields.get(str(step))
        kind = field.annotation if field is not None else None
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found = kind
    return found


def _example(model: type[Section], steps: Sequence[str | int]) -> str:
    """Return how a key may be written, if its field has an example."""
    field = _model_at(model, steps[:-1]).model_fields.get(str(steps[-1])) if steps else None
    return (
        f"Write for example '{steps[-1]}: {field.examples[0]}'." if field and field.examples else ""
    )


def _words(expected: str) -> list[str]:
    return expected.replace(" or ", ", ").split(", ")


def _limits(kind: str, context: Mapping[str, Any]) -> str:
    words = {
        "greater_than": ("gt", ">"),
        "greater_than_equal": ("ge", ">="),
        "less_than": ("lt", "<"),
        "less_than_equal": ("le", "<="),
    }
    if kind not in words:
        return ""
    key, sign = words[kind]
    return f"{sign} {context[key]:g}"


def _without(value: Any, steps: Sequence[str | int]) -> Any:
    """Return a value without the part at `steps`; of lists, the whole list goes."""
    if not steps or not isinstance(value, dict):
        return {}
    holder, *rest = steps
    if isinstance(value.get(str(holder)), dict) and rest and isinstance(rest[0], str):
        inner = _without(value[str(holder)], rest)
        return {**value, str(holder): inner}
    return {key: item for key, item in value.items() if key != holder}
