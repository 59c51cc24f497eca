"""The schema for editors takes every study that the parser takes, and points out misspellings."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import tradespace.scenarios
from tradespace.core import registry
from tradespace.files.problems import Collector
from tradespace.files.yaml_tree import parse_tree
from tradespace.study.json_schema import json_schema
from tradespace.study.load import load_study, parse_study

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
KNOWN = {
    "$ref", "$defs", "$schema", "title", "description", "default", "examples", "format", "type",
    "enum", "const", "anyOf", "required", "properties", "additionalProperties", "minProperties",
    "items", "minItems", "maxItems", "minLength", "pattern", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum",
}  # fmt: skip


def complaints(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[str]:
    """What JSON Schema 2020-12 has against a value, for the words that our schema uses."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield from complaints(value, root["$defs"][name], root)
    if "anyOf" in schema and all(any(complaints(value, s, root)) for s in schema["anyOf"]):
        yield f"{value!r} fits none of {len(schema['anyOf'])} forms"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = [isinstance(value, TYPES[k]) and (k == "boolean" or value is not True) for k in kinds]
    if kinds and not any(fits):
        yield f"{value!r} is not {kinds}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not one of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{value!r} is not {schema['const']!r}"
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{value!r} does not match"
        if len(value) < schema.get("minLength", 0):
            yield "too short"
    if isinstance(value, int | float) and not isinstance(value, bool):
        inside = (
            schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and value > schema.get("exclusiveMinimum", value - 1)
            and value < schema.get("exclusiveMaximum", value + 1)
        )
        if not inside:
            yield f"{value!r} is out of range"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{len(value)} items"
        for item in value:
            yield from complaints(item, schema.get("items", {}), root)
    if isinstance(value, dict):
        yield from (f"{key} is missing" for key in schema.get("required", ()) if key not in value)
        if len(value) < schema.get("minProperties", 0):
            yield "empty"
        for key, item in value.items():
            more = schema.get("additionalProperties", True)
            if key in schema.get("properties", {}):
                yield from complaints(item, schema["properties"][key], root)
            elif more is False:
                yield f"unknown key {key!r}"
            elif more is not True:
                yield from complaints(item, more, root)


def plain(text: str) -> Any:
    return parse_tree(text, file="s.yaml", problems=Collector()).value


SCHEMA = json_schema()
SHORT = "purpose: x\ndata: rows.csv\ntarget: y\n"


def test_the_whole_studies_are_valid(cancer: Path, fraud: Path) -> None:
    for file in (cancer, fraud):
        assert load_study(file)
        assert list(complaints(plain(file.read_text()), SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize(
    "file", sorted(Path(tradespace.scenarios.__path__[0]).glob("*.yaml")), ids=lambda f: f.stem
)
def test_the_ready_scenarios_are_valid(file: Path) -> None:
    values = {"data": "rows.csv", "start": "2018-07-25", "least_precision": 0.5, "best_cards": 0.4}
    text = string.Template(file.read_text()).safe_substitute(values)

    assert list(complaints(plain(text), SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize(
    "part",
    [
        "split: {train: 7 days, gap: , test: 7 days}\ncolumns: {time: t}",
        "split: grouped\ncolumns: {group: who}",
        "seeds: [1, 2]",
        "seeds: 4",
        "qualities: [accuracy, {top_k_precision: {k: 3}}]",
        "qualities: {mine: recall, f1: {threshold: 0.3}, accuracy: }",
        "candidates: [constant, {decision_tree: }, {decision_tree: {max_depth: [1, null]}}]",
        "candidates: [{random_forest: {max_features: [sqrt, 0.2]}, label: forest}]",
        "candidates: [{logistic_regression: {preprocessing: {scale: none}}}]",
        "mistakes: {a: {b: 3 USD}}",
        "columns: {features: one, never: [1, two], protected: , types: {one: text}}",
        "budget:\nconstraints:\nobjectives:",
        "objectives: [maximize roc_auc, {minimize: log_loss, from: 0.7, to: 0.1, log: true}]",
        "constraints: [accuracy ≥ 90 %, {quality: latency_p99, at_most: 3 ms}]",
        "exclude: [{why: They are tests., where: y > 0, parts: [train]}]",
    ],
)
def test_what_the_parser_takes_the_schema_takes(part: str) -> None:
    assert parse_study(SHORT + part)

    assert list(complaints(plain(SHORT + part), SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize(
    "part",
    [
        "purpse: x",
        "split: stratifed",
        "split: {methd: dated}",
        "task: classification",
        "constraints: [accuracy]",
        "constraints: accuracy >= 1",
        "objectives: [{maximise: accuracy}]",
        "candidates: [{decision_tre: {}}]",
        "candidates: [{decision_tree: {max_deph: 3}}]",
        "candidates: [{decision_tree: {max_depth: 0}}]",
        "candidates: [{random_forest: {n_estimators: [1, 0]}}]",
        "candidates: [{logistic_regression: {C: {lgo: [1, 2]}}}]",
        "candidates: []",
        "columns: {types: {a: numbr}}",
        "on_undecided: maybe",
        "budget: {fits: 0}",
        "exclude: [{name: x, where: y > 0}]",
    ],
)
def test_editors_see_what_is_misspelt(part: str) -> None:
    with pytest.raises(ValueError, match=r"study\.yaml:"):
        parse_study(SHORT + part)

    assert list(complaints(plain(SHORT + part), SCHEMA, SCHEMA)) != []


def test_the_schema_is_plain_json_with_every_family_and_quality() -> None:
    text = json.dumps(SCHEMA, allow_nan=False)
    families = SCHEMA["$defs"]["candidate"]["anyOf"][1]["properties"]
    qualities = {form.get("const") for form in SCHEMA["$defs"]["quality_name"]["anyOf"]}

    assert json.loads(text) == SCHEMA
    assert set(registry.families()) <= set(families)
    assert set(registry.qualities()) <= qualities
    for name, row in registry.families().items():
        assert row.title in families[name]["description"]
        assert {spec.name for spec in row.settings} <= set(families[name]["properties"])


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    references = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(SCHEMA)))

    assert references <= set(SCHEMA["$defs"])
