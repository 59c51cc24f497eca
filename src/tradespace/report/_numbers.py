"""Readings as people read them: one scale for value and interval, no false accuracy."""

from __future__ import annotations

import math

from tradespace.core.quantities import format_number, format_quantity, scale_for
from tradespace.core.readings import Reading, ReadingKind
from tradespace.core.requirements import Constraint, Sense

_SENSES = {Sense.AT_MOST: "≤", Sense.AT_LEAST: "≥", Sense.BELOW: "<", Sense.ABOVE: ">"}
_MOST_DECIMALS = 6
_SCALES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def _decimals(value: float, width: float, *, significant: int = 3) -> int:
    """Return how many decimals show `significant` digits, and two of a narrower interval."""
    largest = abs(value)
    need = significant - 1 - math.floor(math.log10(largest)) if largest else significant - 1
    if 0 < width < math.inf:
        need = max(need, min(need + 2, 1 - math.floor(math.log10(width))))
    return min(max(need, 0), _MOST_DECIMALS)


def _text(value: float, decimals: int) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value and abs(value) < 0.5 * 10**-decimals:
        return f"{value:.2g}"
    text = f"{value:,.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def reading_parts(reading: Reading) -> tuple[str, str]:
    """Return the value with its unit, and the interval in the same scale (empty if a point).

    Examples
    --------
    >>> reading_parts(Reading("average_precision", 0.658, 0.604, 0.718, "1"))
    ('0.658', '0.604 to 0.718')
    >>> reading_parts(Reading("latency_p99", 9.8e-6, 9.51e-6, 1.04e-5, "s"))
    ('9.80 µs', '9.51 to 10.40')
    >>> reading_parts(Reading("training_time", float("nan"), float("-inf"), 2.0, "s"))
    ('≤ 2 s', '')
    >>> reading_parts(Reading("latency_p99", 1e-5, 0.0, float("inf"), "s"))
    ('unsettled, seen 10 µs', '')
    >>> reading_parts(Reading("cost", 3.56e-6, 3.54e-6, 3.66e-6, "USD"))
    ('3.56e-06 USD', '3.54e-06 to 3.66e-06')

    """
    if math.isnan(reading.value) or reading.is_bound:
        if math.isnan(reading.value) and not reading.is_bound:
            if reading.kind is ReadingKind.PREDICTED:
                return str(reading), ""
            return "unknown", f"{format_quantity(reading.low, reading.unit)} to " + format_quantity(
                reading.high, reading.unit
            )
        if math.isinf(reading.low) and math.isinf(reading.high):
            known = not math.isnan(reading.value)
            return (format_quantity(reading.value, reading.unit), "") if known else ("unknown", "")
        if is_unlimited(reading):
            return f"unsettled, seen {format_quantity(reading.value, reading.unit)}", ""
        return str(reading), ""
    factor, name = scale_for(reading.value or reading.high or reading.low, reading.unit)
    value, low, high = (x / factor for x in (reading.value, reading.low, reading.high))
    if reading.exact:
        return format_quantity(reading.value, reading.unit), ""
    if 0 < max(abs(low), abs(high)) < 10**-3:  # no smaller unit: digits, not decimals
        return format_quantity(reading.value, reading.unit), f"{low:.3g} to {high:.3g}"
    decimals = _decimals(value, high - low)
    shown = f"{_text(value, decimals)} {name}".strip()
    return shown, f"{_text(low, decimals)} to {_text(high, decimals)}"


def is_unlimited(reading: Reading) -> bool:
    """Return whether a value was seen of which it is not known how far off it may be.

    Examples
    --------
    >>> is_unlimited(Reading("latency_p99", 1e-5, 0.0, float("inf"), "s"))
    True

    """
    unlimited = reading.low <= 0 and math.isinf(reading.high)
    return unlimited and math.isfinite(reading.value)


def reading_text(reading: Reading | None) -> str:
    """Return value and interval in one line.

    Examples
    --------
    >>> reading_text(Reading("average_precision", 0.658, 0.604, 0.718, "1"))
    '0.658 [0.604 to 0.718]'
    >>> reading_text(None)
    'not measured'

    """
    if reading is None:
        return "not measured"
    value, interval = reading_parts(reading)
    return f"{value} [{interval}]" if interval else value


def bound_text(constraint: Constraint) -> str:
    """Return the sign and the bound of a constraint: "≤ 10 ms"."""
    return f"{_SENSES[constraint.sense]} {format_quantity(constraint.bound, constraint.unit)}"


def percent(probability: float) -> str:
    """Return a probability as a percentage that never claims certainty it has not.

    Examples
    --------
    >>> percent(0.8312), percent(0.9999), percent(1.0), percent(0.0004)
    ('83 %', '> 99 %', '100 %', '< 1 %')

    """
    if 0.0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1.0:
        return "> 99 %"
    return f"{probability:.0%}".replace("%", " %")


def difference_text(difference: float, low: float, high: float, unit: str) -> str:
    """Return a signed difference with its interval in one scale.

    Examples
    --------
    >>> difference_text(0.0523, 0.0217, 0.0902, "1")
    '+0.052 [+0.022 to +0.090]'
    >>> difference_text(-3.2e-5, float("-inf"), float("inf"), "s")
    'not known'

    """
    if math.isnan(difference) or (math.isinf(low) and math.isinf(high)):
        return "not known"
    largest = max((abs(x) for x in (difference, low, high) if math.isfinite(x)), default=0.0)
    factor, name = scale_for(largest, unit)
    if 0 < largest / factor < 10**-3:  # no smaller unit: digits, not decimals
        value, left, right = (f"{x / factor:+.2g}" for x in (difference, low, high))
        return f"{value} {name} [{left} to {right}]".replace("  ", " ")
    decimals = _decimals(largest / factor, 0.0, significant=2)
    value, left, right = (_signed(x / factor, decimals) for x in (difference, low, high))
    return f"{value} {name} [{left} to {right}]".replace("  ", " ")


def _signed(value: float, decimals: int) -> str:
    text = _text(value, decimals)
    return f"+{text}" if value > 0 else text


def short_count(number: float) -> str:
    """Return a count on the scale that people use.

    Examples
    --------
    >>> short_count(60_192_808), short_count(999), short_count(11_513_626_624), short_count(0)
    ('60.2 M', '999', '11.5 G', '0')

    """
    for factor, name in _SCALES:
        if number >= factor * 0.9995:
            return (
                f"{number / factor:.3g} {name}"
                if number < 999.5 * factor
                else (f"{number / factor:,.0f} {name}")
            )
    return f"{number:g}"


def bytes_text(number: float) -> str:
    """Return bytes on the scale that people use, decimal."""
    return format_quantity(number, "B")


def money_text(usd: tuple[float, float]) -> str:
    """Return a span of money."""
    low, high = (format_number(x) for x in usd)
    return f"{low} USD" if low == high else f"{low} to {high} USD"
