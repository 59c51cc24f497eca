"""Units as people write and read them, without a units library.

Inside tradespace every value is in its quality's base unit (``s``, ``B``, ``USD``, ``1/s``,
``J``, ``g``, ``1``). This module turns such values into text; reading text with units is the
work of the study floor.
"""

from __future__ import annotations

import enum
import math


class Direction(enum.Enum):
    """Which way a quality gets better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"

    def better(self, a: float, b: float) -> bool:
        """Return whether `a` is strictly better than `b`.

        Examples
        --------
        >>> Direction.MINIMIZE.better(1.0, 2.0)
        True

        """
        return a < b if self is Direction.MINIMIZE else a > b


#: Scales for people: unit -> (factor, name) from large to small.
_SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "s": (
        (86400.0, "days"),
        (3600.0, "h"),
        (60.0, "min"),
        (1.0, "s"),
        (1e-3, "ms"),
        (1e-6, "µs"),
        (1e-9, "ns"),
    ),
    "B": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "J": ((1e9, "GJ"), (1e6, "MJ"), (1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ")),
    "g": ((1e6, "t"), (1e3, "kg"), (1.0, "g"), (1e-3, "mg")),
    "W": ((1e6, "MW"), (1e3, "kW"), (1.0, "W"), (1e-3, "mW")),
}


def _digits(value: float, significant: int) -> str:
    if value == 0:
        return "0"
    decimals = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(decimals, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_number(value: float, *, significant: int = 3) -> str:
    """Return a number for people: plain digits, thousands grouped, no false accuracy.

    Parameters
    ----------
    value : float
        Any number; nan prints as "unknown".
    significant : int
        Digits that count; the digits before the point are never dropped.

    Examples
    --------
    >>> format_number(0.65812), format_number(1234567.0), format_number(2.5e-9)
    ('0.658', '1,234,567', '2.5e-09')

    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value != 0 and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.{significant}g}"
    return _digits(value, significant)


def format_quantity(value: float, unit: str, *, significant: int = 3) -> str:
    """Return a value with its unit on the scale that people would use.

    Parameters
    ----------
    value : float
        In `unit`.
    unit : str
        A base unit: "s", "B", "USD", "1/s", "J", "g", "W" or "1".
    significant : int
        Digits that count.

    Examples
    --------
    >>> format_quantity(0.0123, "s"), format_quantity(3_500_000, "B"), format_quantity(0.658, "1")
    ('12.3 ms', '3.5 MB', '0.658')

    """
    if unit in ("1", "") or math.isnan(value) or math.isinf(value):
        return format_number(value, significant=significant)
    scales = _SCALES.get(unit)
    if scales is None:
        return f"{format_number(value, significant=significant)} {unit}"
    # Choose by the rounded value, so that 999.96 ms prints as 1 s.
    for factor, name in scales:
        scaled = value / factor
        if float(f"{abs(scaled):.{significant}g}") >= 1:
            return f"{_digits(scaled, significant)} {name}"
    factor, name = scales[-1]
    return f"{format_number(value / factor, significant=significant)} {name}"


def scale_for(value: float, unit: str, *, significant: int = 3) -> tuple[float, str]:
    """Return the factor and the name of the scale that people would use for a value.

    Several values shown together (a value and its interval, the ticks of an axis) share one.

    Examples
    --------
    >>> scale_for(0.0123, "s"), scale_for(0.658, "1"), scale_for(3.0, "1/s")
    ((0.001, 'ms'), (1.0, ''), (1.0, '1/s'))

    """
    scales = _SCALES.get(unit)
    if scales is None:
        return 1.0, "" if unit in ("1", "") else unit
    for factor, name in scales:
        if float(f"{abs(value) / factor:.{significant}g}") >= 1:
            return factor, name
    # Zero, nan and infinity have no scale of their own.
    return scales[-1] if value and math.isfinite(value) else (1.0, unit)
