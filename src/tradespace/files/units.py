"""Quantities as people write them ("10 ms", "5 MB", "0.2 USD/h") as numbers in base units.

A table knows the units that studies use; only for others is pint loaded, which takes half a
second.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tradespace.core.errors import RequirementError
from tradespace.core.suggest import nearest

#: What a person sees of a base unit, and examples.
EXAMPLES: dict[str, tuple[str, str]] = {
    "1": ("a plain number", "'0.95' or '95 %'"),
    "s": ("a time", "'10 ms', '2 min' or '7 days'"),
    "B": ("a size", "'5 MB', '2 GiB' or '300 kB'"),
    "USD": ("money", "'0.2 USD'"),
    "USD/s": ("a price of time", "'0.2 USD/h'"),
    "1/s": ("a rate", "'100/s' or '5000/min'"),
    "J": ("an energy", "'5 mJ' or '2 kWh'"),
    "g": ("a mass", "'20 kg' or '3 g'"),
    "W": ("a power", "'15 W' or '300 mW'"),
}

#: Base units whose bare numbers cannot be misread, because one scale is in use.
_BARE = ("1", "USD", "1/s")

_TIMES = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "hours": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "days": 86400.0,
    "week": 604800.0,
    "weeks": 604800.0,
}
_DECIMAL = (("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12))
_BINARY = (("Ki", 2.0**10), ("Mi", 2.0**20), ("Gi", 2.0**30), ("Ti", 2.0**40))


@cache
def _table() -> dict[str, tuple[str, float]]:
    table: dict[str, tuple[str, float]] = {"%": ("1", 0.01), "percent": ("1", 0.01)}
    table |= {name: ("s", factor) for name, factor in _TIMES.items()}
    table |= dict.fromkeys(("B", "byte", "bytes"), ("B", 1.0)) | {"KB": ("B", 1e3)}
    table |= {f"{prefix}B": ("B", factor) for prefix, factor in (*_DECIMAL, *_BINARY)}
    table |= dict.fromkeys(("USD", "$", "dollar", "dollars"), ("USD", 1.0))
    table |= {"mJ": ("J", 1e-3), "J": ("J", 1.0), "kJ": ("J", 1e3), "MJ": ("J", 1e6)}
    table |= {"Wh": ("J", 3600.0), "kWh": ("J", 3.6e6)}
    table |= {"mg": ("g", 1e-3), "g": ("g", 1.0), "kg": ("g", 1e3), "t": ("g", 1e6)}
    table |= {"mW": ("W", 1e-3), "W": ("W", 1.0), "kW": ("W", 1e3)}
    table |= {"Hz": ("1/s", 1.0), "kHz": ("1/s", 1e3), "MHz": ("1/s", 1e6)}
    for name, factor in _TIMES.items():
        table[f"USD/{name}"] = table[f"$/{name}"] = ("USD/s", 1 / factor)
        for counted in ("", "1", "row", "rows", "request", "requests", "prediction", "predictions"):
            table[f"{counted}/{name}"] = ("1/s", 1 / factor)
    return table


_QUANTITY = re.compile(
    r"\s*(?P<number>[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>\S.*?)?\s*"
)
#: Longer texts are no quantities.
_LONGEST = 100
#: What may be handed to pint: names, small powers, products and quotients; nothing to evaluate.
_PLAIN_UNIT = re.compile(
    r"[^\W\d]+(?:(?:\^|\*\*)?-?\d)?(?:\s*[*/]\s*[^\W\d]+(?:(?:\^|\*\*)?-?\d)?){0,3}"
)
_CURRENCIES = (
    "EUR",
    "€",
    "GBP",
    "£",
    "CHF",
    "JPY",
    "¥",
    "CNY",
    "INR",
    "CAD",
    "AUD",
    "euro",
    "euros",
)


def parse_quantity(value: Any, *, unit: str, what: str, bare: bool | None = None) -> float:
    """Return a quantity in its base unit.

    Parameters
    ----------
    value : str or number
        As written: "10 ms", "0.95", 0.95.
    unit : str
        The base unit wanted: "1", "s", "B", "USD", "USD/s", "1/s", "J", "g" or "W".
    what : str
        Whose quantity it is, for the message: "The bound of latency_p99".
    bare : bool, optional
        Whether a number without a unit is allowed; by default only where it cannot be misread
        (plain numbers, money, rates) and for 0.

    Raises
    ------
    RequirementError
        If it is no quantity, or of another dimension.

    Examples
    --------
    >>> parse_quantity("10 ms", unit="s", what="The bound")
    0.01
    >>> parse_quantity("95 %", unit="1", what="The bound")
    0.95
    >>> parse_quantity("5 MB", unit="s", what="The bound of latency_p99")
    Traceback (most recent call last):
    tradespace.core.errors.RequirementError: The bound of latency_p99 must be a time (unit s);
    got '5 MB'. Write for example '10 ms', '2 min' or '7 days'.

    """
    wanted, examples = EXAMPLES.get(unit, (f"a quantity in {unit}", f"'1 {unit}'"))
    suffix = "" if unit == "1" else f" (unit {unit})"
    message = f"{what} must be {wanted}{suffix}; got {value!r}."
    remedy = f"Write for example {examples}."
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RequirementError(message, remedy=remedy)
    written = str(value)
    if len(written) > _LONGEST:
        msg = f"{what} must be {wanted}; got a long text."
        raise RequirementError(msg, remedy=remedy)
    if re.match(r"\s*[-+]?\d+,\d", written):
        remedy = "Write numbers with a point and without separators: 0.5, 1000."
        raise RequirementError(message, remedy=remedy)
    found = _QUANTITY.fullmatch(re.sub(r"^\s*\$\s*([\d.]+)", r"\1 USD", written))
    if found is None:
        if isinstance(value, float):  # nan and infinities
            remedy = "Write a finite number."
        raise RequirementError(message, remedy=remedy)
    number = float(found["number"].replace("_", ""))
    text = re.sub(r"\s*/\s*", "/", re.sub(r"^per\s+|\s+per\s+", "/", found["unit"] or ""))
    if not text:
        if number == 0 or (bare if bare is not None else unit in _BARE):
            return _finite(number, message)
        msg = (
            f"{what} needs a unit, because {found['number']} could mean many things; "
            f"wanted is {wanted}."
        )
        raise RequirementError(
            msg,
            remedy=remedy,
        )
    if (known := _table().get(text)) is not None:
        base, factor = known
    else:
        base, factor = _by_pint(text, unit=unit, message=message, remedy=remedy)
    if base != unit:
        raise RequirementError(message, remedy=remedy)
    # Dividing by a whole number keeps "10 ms" at 0.01, where multiplying by 0.001 may not.
    inverse = 1 / factor
    exact = factor < 1 and abs(inverse - round(inverse)) < 1e-6 * inverse
    return _finite(number / round(inverse) if exact else number * factor, message)


def _finite(number: float, message: str) -> float:
    if number in (float("inf"), float("-inf")):
        raise RequirementError(message, remedy="Write a finite number.")
    return number


def _by_pint(text: str, *, unit: str, message: str, remedy: str) -> tuple[str, float]:
    """Return base unit and factor of a unit that the table does not know."""
    lower = {name.lower(): name for name in reversed(_table())}
    if text.lower() in lower:
        msg = f"Unknown unit {text!r}; upper and lower case differ."
        raise RequirementError(
            msg,
            remedy=f"Did you mean '{lower[text.lower()]}'?",
        )
    if text in _CURRENCIES or text.split("/")[0] in _CURRENCIES:
        msg = f"Unknown currency {text!r}; money is counted in USD."
        raise RequirementError(
            msg,
            remedy="Convert the amount to USD.",
        )
    if len(text) <= 40 and _PLAIN_UNIT.fullmatch(text):
        registry = _pint()
        try:
            quantity = registry.Quantity(1.0, text)
            base = registry.Quantity(1.0, _PINT_NAMES.get(unit, unit))
            fits = bool(quantity.dimensionality == base.dimensionality)
            factor = float(quantity.to(base.units).magnitude) if fits else 0.0
        except Exception as error:
            # pint raises many types for text that is no unit, not all of them its own.
            raise _unknown_unit(text, remedy=remedy) from error
        if not fits:
            raise RequirementError(message, remedy=remedy)
        return unit, factor
    raise _unknown_unit(text, remedy=remedy)


def _unknown_unit(text: str, *, remedy: str) -> RequirementError:
    guess = nearest(text, _table())
    return RequirementError(
        f"Unknown unit {text!r}.", remedy=f"Did you mean '{guess}'?" if guess else remedy
    )


_PINT_NAMES = {"1": "dimensionless", "B": "byte", "1/s": "1/second"}


@cache
def _pint() -> Any:
    import pint

    registry = pint.UnitRegistry()
    registry.define("USD = [currency] = dollar")
    return registry


def format_bare(value: float, unit: str) -> str:
    """Return a quantity as text that `parse_quantity` reads back exactly.

    Examples
    --------
    >>> format_bare(0.01, "s"), format_bare(0.95, "1")
    ('0.01 s', '0.95')

    """
    return repr(value) if unit == "1" else f"{value!r} {unit}"
