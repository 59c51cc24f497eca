"""Specs of settings take what they say they take and refuse the rest in words."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.core import registry
from tradespace.core.errors import SettingError
from tradespace.core.registry.preprocessing import PREPROCESSING, resolve_preprocessing
from tradespace.core.settings import SettingSpec, SettingType, resolve_settings

ROWS = [
    *registry.families().values(),
    *registry.qualities().values(),
    *registry.scenarios().values(),
    *registry.exclude_rules().values(),
]
ALL_SPECS = [(row.name, spec) for row in ROWS for spec in row.settings]
ALL_SPECS += [("preprocessing", spec) for spec in PREPROCESSING]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", [0, 5, -3], [1.0, "1", True, None]),
        ("float", [0.5, 2, -1e9], ["0.5", True, math.nan, math.inf, None, 10**400]),
        ("bool", [True, False], [0, 1, "true", None]),
        ("str", ["a"], ["", 1, None]),
        ("list", [[1], (1, 2), []], ["a", 1, {}]),
        ("map", [{}, {"a": 1}], [[], "a", 1]),
    ],
)
def test_each_type_takes_its_own_values_only(
    kind: SettingType, good: list[Any], bad: list[Any]
) -> None:
    spec = SettingSpec("s", kind, None)

    for value in good:
        assert spec.check(value) == value
    for value in bad:
        with pytest.raises(SettingError, match="Setting 's' must be"):
            spec.check(value)


def test_whole_numbers_become_floats_where_a_float_is_wanted() -> None:
    value = SettingSpec("C", "float", 1.0).check(2)

    assert isinstance(value, float)


def test_a_choice_takes_its_words_and_no_look_alikes() -> None:
    spec = SettingSpec("per", "choice", "day", choices=("day", "week", 1))

    assert spec.check("day") == "day"
    for value in ("Day", "month", True, 1.0, None):
        with pytest.raises(SettingError, match="one of day, week, 1"):
            spec.check(value)


def test_words_can_stand_in_for_numbers() -> None:
    spec = SettingSpec("max_features", "float", "sqrt", low=0, high=1, choices=("sqrt",))

    assert (spec.check("sqrt"), spec.check(0.5)) == ("sqrt", 0.5)
    with pytest.raises(SettingError, match="a number from 0 to 1, or one of sqrt"):
        spec.check("log2")


@given(
    low=st.floats(-100, 100),
    width=st.floats(0.1, 100),
    value=st.floats(-300, 300),
    open_low=st.booleans(),
)
def test_a_range_takes_what_lies_in_it(
    low: float, width: float, value: float, open_low: bool
) -> None:
    spec = SettingSpec("s", "float", low, low=low, high=low + width, open_low=open_low)
    inside = (low < value if open_low else low <= value) and value <= low + width

    if inside:
        assert spec.check(value) == value
    else:
        with pytest.raises(SettingError):
            spec.check(value)


def test_null_is_taken_where_it_is_allowed() -> None:
    assert SettingSpec("s", "int", None, optional=True).check(None) is None


def test_settings_are_completed_with_defaults() -> None:
    specs = [SettingSpec("a", "int", 1), SettingSpec("b", "int", 2)]

    assert resolve_settings(specs, {"b": 5}, owner="x") == {"a": 1, "b": 5}


def test_an_unknown_setting_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="Unknown setting of x 'max_deph'") as caught:
        resolve_settings([SettingSpec("max_depth", "int", 1)], {"max_deph": 1}, owner="x")

    assert caught.value.remedy == "Did you mean 'max_depth'?"


def test_a_required_setting_must_be_given() -> None:
    spec = SettingSpec("path", "str", None, required=True, help="Path of the file.")

    with pytest.raises(SettingError, match="x needs the setting 'path': a text") as caught:
        resolve_settings([spec], {}, owner="x")
    assert caught.value.remedy == "Add 'path:' to it. Path of the file."


@pytest.mark.parametrize(
    ("owner", "spec"), ALL_SPECS, ids=[f"{owner}-{spec.name}" for owner, spec in ALL_SPECS]
)
def test_every_default_of_the_registry_is_allowed(owner: str, spec: SettingSpec) -> None:
    assert spec.required or spec.check(spec.default) == spec.default


@pytest.mark.parametrize("name", sorted(registry.families()))
def test_every_default_grid_of_the_registry_is_allowed(name: str) -> None:
    row = registry.family(name)
    required = {spec.name: "x" for spec in row.settings if spec.required}

    assert row.grid
    for settings in row.grid:
        full = resolve_settings(row.settings, {**required, **settings}, owner=name)
        assert full.items() >= settings.items()
    assert resolve_preprocessing({}, family=row)
