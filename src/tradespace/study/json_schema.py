"""The JSON Schema of the study file, for editors that complete and check as one types.

It is the schema of :mod:`tradespace.study.schema` with what the registry knows: families and
their settings, qualities, rules. It is looser than the parser, which also knows units, ranges
across keys and files; whatever the parser takes is valid by this schema.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from tradespace.core import registry
from tradespace.core.registry.preprocessing import PREPROCESSING
from tradespace.core.settings import SettingSpec
from tradespace.study.schema import (
    ConstraintSection,
    DataSection,
    FilterSection,
    MistakesSection,
    ObjectiveSection,
    Section,
    SplitSection,
    StudyFile,
)

Schema = dict[str, Any]

_URL = "https://json-schema.org/draft/2020-12/schema"
_QUANTITY: Schema = {"type": ["string", "number"]}
_TYPES = {
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "str": "string",
    "list": "array",
    "map": "object",
}


def json_schema() -> Schema:
    """Return the schema as plain data.

    Examples
    --------
    >>> schema = json_schema()
    >>> schema["required"]
    ['purpose', 'data']
    >>> "decision_tree" in schema["$defs"]["candidate"]["anyOf"][1]["properties"]
    True

    """
    schema = StudyFile.model_json_schema(by_alias=True)
    definitions = {name: _optional(section) for name, section in schema.pop("$defs", {}).items()}
    properties: Schema = schema["properties"]
    definitions |= {
        "quality_name": _quality_names(),
        "constraint": _constraint(),
        "objective": _objective(),
        "quality_use": _quality_use(),
        "candidate": _candidate(),
        "preprocessing": _settings(PREPROCESSING, space=False),
        "range": _range(),
        "filter": _filter(),
    }
    properties["data"] |= {
        "anyOf": [{"type": "string", "minLength": 1}, _section(DataSection)],
        "examples": ["rows.csv", "data/*.parquet", "sklearn:breast_cancer", "rows.py:load"],
    }
    methods = _section(SplitSection)["properties"]["method"]
    properties["split"] |= {"anyOf": [methods, _section(SplitSection)]}
    properties["exclude"] |= {"items": {"$ref": "#/$defs/filter"}}
    properties["constraints"] |= {"items": {"$ref": "#/$defs/constraint"}}
    properties["objectives"] |= {"items": {"$ref": "#/$defs/objective"}}
    properties["candidates"] |= {"items": {"$ref": "#/$defs/candidate"}, "minItems": 1}
    properties["positive"] |= {"type": ["string", "number", "boolean"]}
    properties["qualities"] |= {
        "anyOf": [
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/quality_use"}},
            {"type": "array", "items": {"type": ["string", "object"]}},
        ]
    }
    costs = {"type": "object", "additionalProperties": _QUANTITY}
    properties["mistakes"] |= {
        "anyOf": [_section(MistakesSection), {"type": "object", "additionalProperties": costs}]
    }
    for name in list(properties):
        properties[name] = _nullable(properties[name])
    _tidy(schema)
    _tidy(definitions)
    return {
        "$schema": _URL,
        "title": "tradespace study",
        "description": "One question to decide: purpose, data, requirements, candidates.",
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
        "required": ["purpose", "data"],
        "$defs": definitions,
    }


def _section(model: type[Section]) -> Schema:
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    if definitions:
        msg = f"Section {model.__name__} refers to definitions; keep sections flat."
        raise TypeError(msg)
    return _optional(schema)


def _optional(section: Schema) -> Schema:
    """Return a section whose keys may stand without a value."""
    properties = {name: _nullable(value) for name, value in section["properties"].items()}
    return {**section, "properties": properties}


def _nullable(schema: Schema) -> Schema:
    """Return a schema that also takes null: a key without a value counts as left out."""
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**rest, "anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}]}
    if "anyOf" in schema:
        null = {"type": "null"}
        return schema if null in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], null]}
    kinds = schema.get("type")
    if kinds is None or kinds == "null" or "null" in kinds:
        return schema
    kinds = [kinds] if isinstance(kinds, str) else kinds
    rest = {**schema, "type": [*kinds, "null"]}
    if "enum" in rest:
        rest["enum"] = [*rest["enum"], None]
    return rest


def _tidy(value: Any) -> None:
    """Drop the titles that pydantic makes of names, which editors would show as help."""
    if isinstance(value, dict):
        if isinstance(value.get("title"), str):
            del value["title"]
        if value.get("default", ...) is None:
            del value["default"]
        for item in value.values():
            _tidy(item)
    elif isinstance(value, list):
        for item in value:
            _tidy(item)


def _quality_names() -> Schema:
    rows = registry.qualities().values()
    return {
        "description": "A registered quality, or a name defined under 'qualities'.",
        "anyOf": [
            *(
                {"const": row.name, "description": f"{row.definition} Unit: {row.unit}."}
                for row in rows
            ),
            {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$"},
        ],
    }


def _constraint() -> Schema:
    names = "|".join(re.escape(name) for name in registry.qualities())
    return {
        "anyOf": [
            {
                "type": "string",
                "description": f"A quality, a sign and a bound. Qualities: {names}.",
                "pattern": r"^\s*[A-Za-z_][A-Za-z0-9_.-]*\s*(<=|>=|=<|=>|<|>|≤|≥)\s*\S",
                "examples": ["latency_p99 <= 10 ms", "accuracy >= 95 %"],
            },
            {**_section(ConstraintSection), "required": ["quality"]},
        ]
    }


def _objective() -> Schema:
    section = _section(ObjectiveSection)
    for way in ("maximize", "minimize"):
        section["properties"][way] = {"$ref": "#/$defs/quality_name"}
    for key in ("from", "to", "indifference"):
        section["properties"][key] |= _QUANTITY
    section["anyOf"] = [{"required": ["maximize"]}, {"required": ["minimize"]}]
    return {"anyOf": [{"type": "string", "pattern": r"^\s*(maximize|minimize):?\s+\S"}, section]}


def _quality_use() -> Schema:
    rows = registry.qualities().values()
    return {
        "anyOf": [
            {"type": "string", "enum": [row.name for row in rows]},
            {
                "type": "object",
                "description": "A registered quality with its settings.",
                "properties": {
                    row.name: {
                        **_settings(row.settings, space=False),
                        "description": row.definition,
                    }
                    for row in rows
                },
            },
            {"type": "null"},
        ]
    }


def _candidate() -> Schema:
    families = registry.families().values()
    extras: Schema = {
        "label": {"type": "string", "description": "What reports call it."},
        "preprocessing": {
            "anyOf": [{"const": "none"}, {"$ref": "#/$defs/preprocessing"}],
            "description": "What is fitted to turn raw columns into numbers.",
        },
    }
    properties: Schema = dict(extras)
    for row in families:
        settings = _settings(row.settings, space=True)
        settings["properties"] |= extras
        about = f"{row.title}. {row.summary}".strip()
        properties[row.name] = {**settings, "type": ["object", "null"], "description": about}
    return {
        "anyOf": [
            {"type": "string", "enum": [row.name for row in families]},
            {
                "type": "object",
                "properties": properties,
                "additionalProperties": False,
                "minProperties": 1,
            },
        ]
    }


def _filter() -> Schema:
    section = _section(FilterSection)
    for row in registry.exclude_rules().values():
        about = f"{row.title}. {row.summary}".strip()
        section["properties"][row.name] = {
            **_settings(row.settings, space=False),
            "description": about,
        }
    return {**section, "required": ["why"]}


def _range() -> Schema:
    ends = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    return {
        "type": "object",
        "description": "Sampled quasi-randomly: {log: [0.01, 100], n: 6}.",
        "properties": {
            "log": ends,
            "uniform": ends,
            "int": ends,
            "n": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5},
        },
        "additionalProperties": False,
        "minProperties": 1,
    }


def _settings(specs: Iterable[SettingSpec], *, space: bool) -> Schema:
    specs = list(specs)
    required = [spec.name for spec in specs if spec.required]
    schema: Schema = {
        "type": "object",
        "properties": {spec.name: _setting(spec, space=space) for spec in specs},
        "additionalProperties": False,
    }
    return {**schema, "required": required} if required else schema


def _setting(spec: SettingSpec, *, space: bool) -> Schema:
    value = _value(spec)
    about = f"{spec.help} {spec.wanted()[0].upper()}{spec.wanted()[1:]}.".strip()
    schema: Schema = {"description": about}
    if not spec.required and _is_plain(spec.default):
        schema["default"] = spec.default
    forms = [value]
    if space:
        forms.append({"type": "array", "items": value, "minItems": 1, "description": "A grid."})
    if space and spec.type in ("int", "float"):
        forms.append({"$ref": "#/$defs/range"})
    return {**schema, **value} if len(forms) == 1 else {**schema, "anyOf": forms}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | bool | int) or (
        isinstance(value, float) and math.isfinite(value)
    )


def _value(spec: SettingSpec) -> Schema:
    """Return the schema of one plain value of a setting."""
    forms: list[Schema] = []
    if spec.choices:
        forms.append({"enum": list(spec.choices)})
    if spec.type in _TYPES:
        form: Schema = {"type": _TYPES[spec.items or spec.type]}
        if spec.low is not None and math.isfinite(spec.low):
            form["exclusiveMinimum" if spec.open_low else "minimum"] = spec.low
        if spec.high is not None and math.isfinite(spec.high):
            form["maximum"] = spec.high
        forms.append({"type": "array", "items": form} if spec.items else form)
    if spec.optional:
        forms.append({"type": "null"})
    return forms[0] if len(forms) == 1 else {"anyOf": forms}
