"""Specs of the settings of plug-ins: checked before any library is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tradespace.core.errors import SettingError
from tradespace.core.suggest import allowed_text, unknown

SettingType = Literal["int", "float", "bool", "str", "choice", "list", "map"]


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One setting of a plug-in.

    Parameters
    ----------
    name : str
        As written in the study file; the library's own name where there is one.
    type : str
        One of int, float, bool, str, choice, list, map.
    default : object
        Value when the study says nothing.
    low, high : float, optional
        Allowed range, ends included unless `open_low`; of the items of a list of whole numbers.
    items : str
        ``"int"`` if a list holds whole numbers; empty: anything.
    choices : tuple
        Allowed values of a choice (also extra words allowed for a number, such as "sqrt").
    optional : bool
        Whether null is allowed.
    names : str
        What a text names, so that it is checked before any work: ``"code"`` (a function that
        returns an estimator), ``"file"``, ``"url"``; empty: nothing.
    help : str
        One line.

    Examples
    --------
    >>> spec = SettingSpec("max_depth", "int", None, low=1, optional=True)
    >>> spec.check(3), spec.check(None)
    (3, None)
    >>> spec.check(0)
    Traceback (most recent call last):
    tradespace.core.errors.SettingError: Setting 'max_depth' must be a whole number >= 1, ...

    """

    name: str
    type: SettingType
    default: Any
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    choices: tuple[Any, ...] = ()
    optional: bool = False
    required: bool = False
    items: Literal["", "int"] = ""
    names: Literal["", "code", "file", "url"] = ""
    help: str = ""

    def wanted(self) -> str:
        """Return what is allowed, as a phrase."""
        words = {
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
            "str": "a text",
            "choice": "one of " + allowed_text(map(str, self.choices)),
            "list": "a list of whole numbers" if self.items else "a list",
            "map": "a mapping",
        }[self.type]
        if self.low is not None and self.high is not None:
            words += f" {'above' if self.open_low else 'from'} {self.low:g} to {self.high:g}"
        elif self.low is not None:
            words += f" {'>' if self.open_low else '>='} {self.low:g}"
        elif self.high is not None:
            words += f" <= {self.high:g}"
        if self.choices and self.type != "choice":
            words += ", or one of " + allowed_text(map(str, self.choices))
        if self.optional:
            words += ", or null"
        return words

    def check(self, value: Any) -> Any:
        """Return the value in its proper type, or raise SettingError."""
        if value is None and self.optional:
            return None
        if self.choices and any(type(value) is type(c) and value == c for c in self.choices):
            return value
        match self.type:
            case "int":
                ok = isinstance(value, int) and not isinstance(value, bool)
            case "float":
                ok = isinstance(value, int | float) and not isinstance(value, bool)
                ok = ok and abs(value) <= sys.float_info.max  # nan, infinities, huge integers
                value = float(value) if ok else value
            case "bool":
                ok = isinstance(value, bool)
            case "str":
                ok = isinstance(value, str) and bool(value)
            case "list":
                ok = isinstance(value, list | tuple) and (not self.items or self._whole(value))
            case "map":
                ok = isinstance(value, Mapping)
            case "choice":
                ok = False
        if ok and self.type in ("int", "float"):
            too_low = self.low is not None and (
                value < self.low or (self.open_low and value == self.low)
            )
            ok = not too_low and (self.high is None or value <= self.high)
        if not ok:
            msg = f"Setting {self.name!r} must be {self.wanted()}; got {value!r}."
            raise SettingError(msg)
        return value

    def _whole(self, values: Iterable[Any]) -> bool:
        """Return whether all items are whole numbers of the allowed range."""
        low = -sys.maxsize if self.low is None else self.low
        high = sys.maxsize if self.high is None else self.high
        return all(type(value) is int and low <= value <= high for value in values)


def positive(name: str, default: float, help: str) -> SettingSpec:  # noqa: A002 - as the field
    """Return the spec of a number above 0."""
    return SettingSpec(name, "float", default, low=0.0, open_low=True, help=help)


def share(name: str, default: float, help: str) -> SettingSpec:  # noqa: A002 - as the field
    """Return the spec of a number above 0 and up to 1."""
    return SettingSpec(name, "float", default, low=0.0, high=1.0, open_low=True, help=help)


def limit(name: str, default: int | None, help: str) -> SettingSpec:  # noqa: A002 - as the field
    """Return the spec of a whole number from 1, or null for no limit."""
    return SettingSpec(name, "int", default, low=1, optional=True, help=help)


def resolve_settings(
    specs: Iterable[SettingSpec], given: Mapping[str, Any], *, owner: str
) -> dict[str, Any]:
    """Return all settings of `owner`, the given ones checked and the others at their defaults.

    Raises
    ------
    SettingError
        If a name is unknown, a value impossible or a required setting missing.

    Examples
    --------
    >>> resolve_settings([SettingSpec("k", "int", 5, low=1)], {}, owner="k_nearest_neighbors")
    {'k': 5}

    """
    by_name = {spec.name: spec for spec in specs}
    for name in given:
        if name not in by_name:
            raise unknown(SettingError, f"setting of {owner}", name, by_name)
    settings: dict[str, Any] = {}
    for name, spec in by_name.items():
        if name in given:
            settings[name] = spec.check(given[name])
        elif spec.required:
            msg = f"{owner} needs the setting {name!r}: {spec.wanted()}."
            raise SettingError(msg, remedy=f"Add '{name}:' to it. {spec.help}".strip())
        else:
            settings[name] = spec.default
    return settings
