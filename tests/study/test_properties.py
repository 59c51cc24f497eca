"""What is written out parses to the same again."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core import registry
from tradespace.core.candidates import SearchRange
from tradespace.core.errors import InputError
from tradespace.core.quantities import Direction
from tradespace.core.requirements import Sense
from tradespace.core.studies import Study
from tradespace.study.load import load_study, parse_study

SHORT: dict[str, Any] = {"purpose": "x", "data": "rows.csv", "target": "y"}
SLOW_START = settings(deadline=None)  # the first example imports
QUALITIES = sorted(registry.qualities())


def written(**parts: Any) -> str:
    """A study as JSON, which is YAML."""
    return json.dumps({**SHORT, **parts}, ensure_ascii=False)


def inside(quality: str) -> st.SearchStrategy[float]:
    row = registry.quality(quality)
    low = row.low if math.isfinite(row.low) else -1e6
    high = row.high if math.isfinite(row.high) else 1e12
    return st.floats(low, high)


@SLOW_START
@given(data=st.data(), quality=st.sampled_from(QUALITIES), sense=st.sampled_from(Sense))
def test_a_constraint_reads_back_as_it_is_written(
    data: st.DataObject, quality: str, sense: Sense
) -> None:
    row = registry.quality(quality)
    bound = data.draw(inside(quality))
    if (sense is Sense.ABOVE and bound >= row.high) or (sense is Sense.BELOW and bound <= row.low):
        return
    text = f"{quality} {sense.value} {bound!r} {row.unit}"
    (found,) = parse_study(written(constraints=[text])).constraints

    assert (found.quality, found.sense, found.bound, found.unit) == (
        quality,
        sense,
        bound,
        row.unit,
    )


@SLOW_START
@given(
    data=st.data(),
    quality=st.sampled_from(QUALITIES),
    weight=st.floats(1e-3, 1e3),
)
def test_an_objective_reads_back_as_it_is_written(
    data: st.DataObject, quality: str, weight: float
) -> None:
    row = registry.quality(quality)
    ends = sorted({data.draw(inside(quality)), data.draw(inside(quality))})
    if len(ends) < 2:
        return
    worst, best = ends if row.direction is Direction.MAXIMIZE else reversed(ends)
    item = {
        row.direction.value: quality,
        "from": f"{worst!r} {row.unit}",
        "to": f"{best!r} {row.unit}",
        "weight": weight,
    }
    (found,) = parse_study(written(objectives=[item])).objectives

    assert (found.worst, found.best, found.weight) == (worst, best, weight)
    assert found.direction is row.direction


@SLOW_START
@given(
    depths=st.lists(st.none() | st.integers(1, 50), min_size=1, max_size=6, unique=True),
    low=st.floats(1e-6, 1.0),
    times=st.floats(1.5, 1e6),
    n=st.integers(1, 1000),
)
def test_grids_and_ranges_read_back_as_they_are_written(
    depths: list[int | None], low: float, times: float, n: int
) -> None:
    high = low * times
    candidates = [
        {"decision_tree": {"max_depth": depths}},
        {"logistic_regression": {"C": {"log": [low, high], "n": n}}},
    ]
    tree, linear = parse_study(written(candidates=candidates)).candidates

    assert tree.settings == {"max_depth": tuple(depths)}
    assert linear.settings == {"C": SearchRange("log", low, high, n)}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "version", "name", "purpose", "task", "positive", "data", "target", "columns", "split",
        "exclude", "features", "constraints", "objectives", "qualities", "environment", "project",
        "candidates", "budget", "seeds", "confidence", "mistakes", "on_undecided",
    ]
)  # fmt: skip


@SLOW_START
@given(key=KEYS, value=VALUES)
def test_any_value_anywhere_is_a_study_or_an_error_of_the_input(key: str, value: Any) -> None:
    try:
        text = written(**{key: value})
        text.encode()
    except UnicodeEncodeError:
        return
    found: Study | InputError
    try:
        found = parse_study(text)
    except InputError as error:
        found = error

    assert isinstance(found, Study) or found.place is not None


SECTIONS = ("columns", "split", "environment", "project", "budget", "mistakes", "data")


@SLOW_START
@given(
    section=st.sampled_from(SECTIONS),
    key=st.sampled_from(
        ["features", "never", "types", "time", "method", "train", "gap", "start", "folds",
         "price_per_hour", "rows_per_batch", "deadline", "families", "cpu", "fits", "path",
         "false_positive", "options", "callable"]
    ),
    value=VALUES,
)  # fmt: skip
def test_any_value_in_any_section_is_a_study_or_an_error_of_the_input(
    section: str, key: str, value: Any
) -> None:
    try:
        text = written(**{section: {key: value}})
        text.encode()
    except UnicodeEncodeError:
        return
    found: Study | InputError
    try:
        found = parse_study(text)
    except InputError as error:
        found = error

    assert isinstance(found, Study) or found.place is not None


@SLOW_START
@given(
    kind=st.sampled_from(["constraints", "objectives", "candidates", "exclude", "qualities"]),
    name=st.sampled_from(
        ["quality", "at_most", "maximize", "from", "weight", "decision_tree", "sklearn", "http",
         "onnx", "label", "preprocessing", "where", "why", "parts", "known_positive_entities",
         "top_k_precision", "accuracy", "mine"]
    ),
    value=VALUES,
)  # fmt: skip
def test_any_entry_of_any_list_is_a_study_or_an_error_of_the_input(
    kind: str, name: str, value: Any
) -> None:
    try:
        text = written(**{kind: [{name: value}]})
        text.encode()
    except UnicodeEncodeError:
        return
    found: Study | InputError
    try:
        found = parse_study(text)
    except InputError as error:
        found = error

    assert isinstance(found, Study) or found.place is not None


def test_a_study_dumped_as_json_is_the_same_study(cancer: Path, fraud: Path) -> None:
    for file in (cancer, fraud):
        study = load_study(file)
        again = parse_study(json.dumps(study.source), file=str(file), folder=str(file.parent))

        assert again.hash == study.hash
        for part in ("data", "columns", "split", "environment", "budget", "qualities", "mistakes"):
            first, second = getattr(study, part), getattr(again, part)
            if part == "qualities":
                first = [(q.name, q.quality, q.settings) for q in first.values()]
                second = [(q.name, q.quality, q.settings) for q in second.values()]
            assert first == second
        assert [str(c) for c in study.constraints] == [str(c) for c in again.constraints]
        assert [(c.family, c.settings) for c in study.candidates] == [
            (c.family, c.settings) for c in again.candidates
        ]
