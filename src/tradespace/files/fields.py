"""The kinds of values in files: quantities, names, dates; as types for schemas."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from pydantic import BeforeValidator, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from tradespace.core.errors import InputError
from tradespace.core.suggest import unknown_name
from tradespace.files.units import EXAMPLES, parse_quantity

#: The type that marks errors which already have their final words.
OURS = "tradespace"


def refuse(message: str, *, remedy: str = "") -> NoReturn:
    """Raise an error that pydantic passes on as it is."""
    raise PydanticCustomError(OURS, "{text}", {"text": message, "remedy": remedy})


def show(value: Any) -> str:
    """Return a value as it would stand in the file, cut where it gets long.

    Examples
    --------
    >>> show(True), show(None), show("a")
    ('true', 'null', "'a'")

    """
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case dict():
            return "a mapping"
        case list() if len(value) > 6:
            return f"a list of {len(value)}"
        case list():
            return "[" + ", ".join(map(show, value)) + "]"
        case _:
            text = repr(value)
            return text if len(text) <= 60 else f"{text[:57]}..."


def quantity(
    unit: str, *, zero: bool = False, high: float | None = None, bare: bool | None = None
) -> Callable[[Any, ValidationInfo], float]:
    """Return what reads a positive quantity of a key in a unit; `zero` may be let in."""

    def check(value: Any, info: ValidationInfo) -> float:
        what = f"'{info.field_name}'" if info.field_name else "The value"
        try:
            number = parse_quantity(value, unit=unit, what=what, bare=bare)
        except InputError as error:
            refuse(error.message, remedy=error.remedy)
        if number < 0 or (number == 0 and not zero) or (high is not None and number > high):
            least = "at least 0" if zero else "more than 0"
            most = "" if high is None else f" and at most {high:g}"
            refuse(
                f"{what} must be {least}{most}; got {show(value)}.",
                remedy=f"Write for example {EXAMPLES[unit][1]}.",
            )
        return number

    return check


def _described(unit: str) -> WithJsonSchema:
    kind, examples = EXAMPLES[unit]
    listed = re.findall(r"'([^']+)'", examples)
    text = f"{kind[0].upper()}{kind[1:]}, such as {examples}."
    return WithJsonSchema({"type": ["string", "number"], "description": text, "examples": listed})


Duration = Annotated[float, PlainValidator(quantity("s")), _described("s")]
Money = Annotated[float, PlainValidator(quantity("USD")), _described("USD")]
Cost = Annotated[float, PlainValidator(quantity("USD", zero=True)), _described("USD")]
Size = Annotated[float, PlainValidator(quantity("B")), _described("B")]
Rate = Annotated[float, PlainValidator(quantity("1/s")), _described("1/s")]
Share = Annotated[float, PlainValidator(quantity("1", high=1.0)), _described("1")]


def _price_per_hour(value: Any, info: ValidationInfo) -> float:
    if isinstance(value, str) and ("/" in value or " per " in value):
        return quantity("USD/h", zero=True)(value, info)
    return quantity("USD", zero=True)(value, info)


PricePerHour = Annotated[
    float,
    PlainValidator(_price_per_hour),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "description": "Money for an hour, such as '0.2 USD' or '0.2 USD/h'.",
            "examples": ["0.2 USD", "0.2 USD/h"],
        }
    ),
]


@dataclass(frozen=True, slots=True)
class Length:
    """How long a part of a split is: a share of the rows, or a time in seconds."""

    value: float
    is_time: bool


def _length(value: Any, info: ValidationInfo) -> Length:
    """Return a length; only text with a unit of time is a time."""
    is_time = isinstance(value, str) and not re.fullmatch(
        r"[-+.\d_eE\s]+(%|percent)?\s*", value.strip()
    )
    if is_time:
        return Length(quantity("s", zero=True)(value, info), is_time=True)
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is not None and number > 1:
        refuse(
            f"'{info.field_name}' is a share from 0 to 1 or a time; got {show(value)}.",
            remedy=f"Write '{value} days' for a time, or '{value} %' for a share.",
        )
    return Length(quantity("1", zero=True, high=1.0)(value, info), is_time=False)


PartLength = Annotated[
    Length,
    PlainValidator(_length),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "description": "A share of the rows ('60 %', 0.6) or, for splits by time, a duration.",
            "examples": ["60 %", 0.2, "7 days"],
        }
    ),
]


def _date(value: Any, info: ValidationInfo) -> str:
    try:
        dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        refuse(
            f"'{info.field_name}' must be a date; got {show(value)}.",
            remedy="Write it as year-month-day: 2026-03-31.",
        )
    return str(value)


Date = Annotated[
    str,
    PlainValidator(_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-31"]}),
]


def _as_text(value: Any) -> Any:
    """Let names be numbers, as in columns that are called 0, 1, 2."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and not value.strip():
        refuse("A name must not be empty.", remedy="Write the name, or remove the key.")
    return value


Name = Annotated[
    str, BeforeValidator(_as_text), WithJsonSchema({"type": ["string", "number"], "minLength": 1})
]


def _as_line(value: Any) -> Any:
    """Return a text, or what is written like a number or a truth, without line breaks."""
    if isinstance(value, int | float):
        return show(value)
    return " ".join(value.split()) if isinstance(value, str) else value


#: A text of one line.
Line = Annotated[str, BeforeValidator(_as_line)]


def one_of(names: Iterable[str], what: str) -> PlainValidator:
    """Return what lets through these names only; `what` is said of others: "number format"."""

    def check(value: Any) -> str:
        if value not in names:
            message, remedy = unknown_name(what, str(value), names)
            refuse(message, remedy=remedy)
        return str(value)

    return PlainValidator(check)


def _as_names(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Names = Annotated[
    list[Name],
    BeforeValidator(_as_names),
    WithJsonSchema(
        {
            "type": ["array", "string"],
            "items": {"type": ["string", "number"]},
            "description": "A list of names; a single name counts as a list of one.",
        }
    ),
]


def _seeds(value: Any) -> tuple[int, ...]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and 1 <= value <= 100:
        return tuple(range(value))
    listed = isinstance(value, list) and value and len(value) <= 100
    if not listed or not all(
        isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**32 for v in value
    ):
        refuse(
            f"'seeds' must be a list of whole numbers >= 0, or how many (1 to 100); "
            f"got {show(value)}.",
            remedy="Write 'seeds: [0, 1, 2]' or 'seeds: 3'.",
        )
    if len(set(value)) < len(value):
        refuse(
            f"'seeds' repeats a seed: {show(value)}.",
            remedy="The same seed gives the same result; list each once.",
        )
    return tuple(value)


Seeds = Annotated[
    tuple[int, ...],
    PlainValidator(_seeds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 100},
                {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
            ],
            "description": "A list of seeds, or how many.",
            "default": 3,
        }
    ),
]


def _confidence(value: Any, info: ValidationInfo) -> float:
    number = quantity("1")(value, info)
    if not 0.5 <= number < 1:
        guess = f"Did you mean '{value} %'?" if 50 <= number < 100 else "Write 0.95 or '95 %'."
        refuse(
            f"'confidence' must be from 0.5 to below 1; got {show(value)}.",
            remedy=guess,
        )
    return number


Confidence = Annotated[
    float,
    PlainValidator(_confidence),
    WithJsonSchema({"type": ["string", "number"], "default": 0.95, "examples": [0.95, "95 %"]}),
]
