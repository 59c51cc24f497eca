"""Quantities come out in base units, whatever scale they were written on."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.errors import RequirementError
from tradespace.files.units import EXAMPLES, parse_quantity

NUMBERS = st.floats(min_value=1e-9, max_value=1e9)
#: Written unit, base unit and factor, from the definitions of the units.
UNITS = [
    ("ns", "s", 1e-9),
    ("us", "s", 1e-6),
    ("µs", "s", 1e-6),
    ("ms", "s", 1e-3),
    ("s", "s", 1.0),
    ("min", "s", 60.0),
    ("h", "s", 3600.0),
    ("hours", "s", 3600.0),
    ("days", "s", 86400.0),
    ("weeks", "s", 604800.0),
    ("B", "B", 1.0),
    ("kB", "B", 1e3),
    ("MB", "B", 1e6),
    ("GB", "B", 1e9),
    ("TB", "B", 1e12),
    ("KiB", "B", 1024.0),
    ("MiB", "B", 1024.0**2),
    ("GiB", "B", 1024.0**3),
    ("USD", "USD", 1.0),
    ("USD/h", "USD/s", 1 / 3600),
    ("$/h", "USD/s", 1 / 3600),
    ("/s", "1/s", 1.0),
    ("requests/min", "1/s", 1 / 60),
    ("per hour", "1/s", 1 / 3600),
    ("%", "1", 0.01),
    ("percent", "1", 0.01),
    ("mJ", "J", 1e-3),
    ("kWh", "J", 3.6e6),
    ("kg", "g", 1e3),
    ("t", "g", 1e6),
    ("mW", "W", 1e-3),
]


@pytest.mark.parametrize(("written", "unit", "factor"), UNITS, ids=[u[0] for u in UNITS])
@given(number=NUMBERS)
def test_a_quantity_is_its_number_times_its_unit(
    number: float, written: str, unit: str, factor: float
) -> None:
    value = parse_quantity(f"{number!r} {written}", unit=unit, what="It")

    assert math.isclose(value, number * factor, rel_tol=1e-12)


@pytest.mark.parametrize("written", ["ms", "us", "ns", "s", "kB", "MiB"])
@given(number=st.integers(0, 10**6))
def test_space_between_number_and_unit_does_not_matter(number: int, written: str) -> None:
    unit = "B" if "B" in written else "s"
    texts = (f"{number}{written}", f"{number} {written}", f"  {number}   {written} ")
    values = {parse_quantity(text, unit=unit, what="It") for text in texts}

    assert len(values) == 1


@given(milliseconds=st.integers(1, 10**9))
def test_decimal_prefixes_divide_exactly(milliseconds: int) -> None:
    value = parse_quantity(f"{milliseconds} ms", unit="s", what="It")

    assert value == milliseconds / 1000


@given(value=st.floats(allow_nan=False, allow_infinity=False), unit=st.sampled_from([*EXAMPLES]))
def test_what_is_written_in_base_units_reads_back_exactly(value: float, unit: str) -> None:
    assert parse_quantity(f"{value!r} {unit}", unit=unit, what="It") == value


@settings(deadline=None)  # a rare unit loads pint
@given(text=st.text(max_size=30), unit=st.sampled_from([*EXAMPLES]))
def test_any_text_is_a_finite_quantity_or_an_error_with_a_remedy(text: str, unit: str) -> None:
    remedy, value = "", math.nan
    try:
        value = parse_quantity(text, unit=unit, what="It")
    except RequirementError as error:
        remedy = error.remedy

    assert math.isfinite(value) != bool(remedy)


@pytest.mark.parametrize("unit", [*EXAMPLES])
def test_the_examples_of_every_message_are_right(unit: str) -> None:
    examples = EXAMPLES[unit][1].split("'")[1::2]

    assert examples
    assert all(parse_quantity(text, unit=unit, what="It") > 0 for text in examples)


@pytest.mark.parametrize(
    ("text", "unit", "cause", "remedy"),
    [
        ("5 MB", "s", "must be a time (unit s); got '5 MB'", "'10 ms'"),
        ("10 ms", "1", "must be a plain number; got '10 ms'", "'95 %'"),
        (10, "s", "needs a unit, because 10", "'10 ms'"),
        ("10", "B", "needs a unit, because 10", "'5 MB'"),
        ("5 mb", "B", "upper and lower case differ", "'MB'"),
        ("10 secnds", "s", "Unknown unit 'secnds'", "'seconds'"),
        ("5 EUR/h", "USD/s", "Unknown currency", "Convert"),
        ("0,5", "1", "got '0,5'", "with a point"),
        ("5 meter", "s", "must be a time", "'10 ms'"),
        ("5 degC", "s", "must be a time", "'10 ms'"),
        ("2 x**9**9**9**9", "s", "Unknown unit", "'10 ms'"),
        ("1 __import__('os')", "s", "Unknown unit", "'10 ms'"),
        (float("nan"), "1", "got nan", "finite"),
        (float("inf"), "1", "got inf", "finite"),
        ("1e999", "1", "got '1e999'", "finite"),
        (True, "1", "got True", "'95 %'"),
        (None, "s", "got None", "'10 ms'"),
        ("9" * 200, "1", "a long text", "'95 %'"),
    ],
)
def test_what_is_no_such_quantity_is_refused(
    text: object, unit: str, cause: str, remedy: str
) -> None:
    with pytest.raises(RequirementError) as caught:
        parse_quantity(text, unit=unit, what="It")

    assert cause in caught.value.message
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [(0, "s", 0.0), ("0", "B", 0.0), (3, "USD", 3.0), ("$ 3", "USD", 3.0), (50, "1/s", 50.0)],
)
def test_a_unit_is_needed_only_where_a_number_could_be_misread(
    value: object, unit: str, wanted: float
) -> None:
    assert parse_quantity(value, unit=unit, what="It") == wanted


@pytest.mark.parametrize(
    ("text", "unit", "wanted"),
    [
        ("3 milliseconds", "s", 0.003),
        ("1 fortnight", "s", 1209600.0),
        ("5 mebibyte", "B", 5 * 2.0**20),
        ("2 kilowatt*hour", "J", 7.2e6),
        ("1 horsepower", "W", 745.69987),
    ],
)
def test_rare_units_are_read_too(text: str, unit: str, wanted: float) -> None:
    assert math.isclose(parse_quantity(text, unit=unit, what="It"), wanted, rel_tol=1e-6)
