"""Quantities as people write them ("10 ms", "5 MB", "0.2 USD/h", "20 TOPS") as numbers in one unit.

Every file and option of a person is read by this grammar, so that "2 w" or "1 kB" mean the same
everywhere: 1 kB is 1000 bytes, 1 KiB is 1024 bytes, and a lower-case ``b`` is a bit. A table
knows the units that people use here; only for others is pint loaded, which takes half a second.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from itertools import chain
from typing import Any

from tradespace.core.errors import InputError, RequirementError
from tradespace.core.suggest import nearest

#: What a person sees of a unit, and examples.
EXAMPLES: dict[str, tuple[str, str]] = {
    "1": ("a plain number", "'0.95' or '95 %'"),
    "s": ("a time", "'10 ms', '2 min' or '7 days'"),
    "B": ("a size", "'5 MB', '2 GiB' or '300 kB'"),
    "USD": ("money", "'0.2 USD'"),
    "USD/s": ("a price of time", "'0.2 USD/h'"),
    "USD/h": ("a price of time", "'0.2 USD/h'"),
    "1/s": ("a rate", "'100/s' or '5000/min'"),
    "J": ("an energy", "'5 mJ' or '2 kWh'"),
    "g": ("a mass", "'20 kg' or '3 g'"),
    "W": ("a power", "'15 W' or '300 mW'"),
    "Hz": ("a frequency", "'1 GHz'"),
    "B/s": ("a bandwidth", "'64 GB/s' or '59.6 GiB/s'"),
    "op/s": ("a rate of operations", "'1.28 TFLOP/s' or '20 TOPS'"),
    "J/B": ("an energy of a byte", "'162.5 pJ/B'"),
    "J/op": ("an energy of an operation", "'4.6 pJ/op'"),
    "g/kWh": ("carbon of energy", "'350 g/kWh' or '0.35 kg/kWh'"),
}

#: Units whose bare numbers cannot be misread, because one scale is in use.
_BARE = ("1", "USD", "USD/h", "1/s")

_SMALL = {
    name: Fraction(1, 10**power) for name, power in zip("munpf", range(3, 18, 3), strict=True)
}
_LARGE = {
    name: Fraction(10**power) for name, power in zip("kKMGTP", (3, 3, 6, 9, 12, 15), strict=True)
}
_BINARY = {
    f"{name}i": Fraction(2**power) for name, power in zip("KMGTP", range(10, 60, 10), strict=True)
}
_ONE = {"": Fraction(1)}

_TIMES = {
    unit: Fraction(factor)
    for names, factor in (
        ("ns", Fraction(1, 10**9)),
        ("us µs μs", Fraction(1, 10**6)),
        ("ms", Fraction(1, 1000)),
        ("s sec second seconds", 1),
        ("min m minute minutes", 60),
        ("h hr hour hours", 3600),
        ("d day days", 86_400),
        ("w week weeks", 604_800),
    )
    for unit in names.split()
}
#: Times that could be something else: months, megaseconds; and what to write.
AMBIGUOUS = {"M": "min", "Ms": "ms"}


def _scaled(
    base: str, names: str, *prefixes: dict[str, Fraction], factor: Fraction | int = 1
) -> dict[str, tuple[str, Fraction]]:
    scales = dict(chain.from_iterable(table.items() for table in (_ONE, *prefixes)))
    return {f"{p}{n}": (base, scale * factor) for n in names.split() for p, scale in scales.items()}


@cache
def _table() -> dict[str, tuple[str, Fraction]]:
    """Return base unit and factor of each unit by its name."""
    table = {"%": ("1", Fraction(1, 100)), "percent": ("1", Fraction(1, 100)), "1": ("1", _ONE[""])}
    table |= {name: ("s", factor) for name, factor in _TIMES.items()}
    sizes = _scaled("B", "B", _LARGE, _BINARY) | _scaled("B", "byte bytes")
    sizes |= _scaled("B", "b", _LARGE, _BINARY, factor=Fraction(1, 8))
    table |= sizes | {f"{name}/s": ("B/s", factor) for name, (_, factor) in sizes.items()}
    table |= _scaled("USD", "USD $ dollar dollars")
    table |= _scaled("J", "J", _SMALL, _LARGE) | _scaled("J", "Wh", _LARGE, factor=3600)
    table |= _scaled("J/B", "J/B", _SMALL, _LARGE) | _scaled("J/op", "J/op", _SMALL, _LARGE)
    grams = (
        _scaled("g", "mg", factor=Fraction(1, 1000))
        | _scaled("g", "g")
        | _scaled("g", "kg", factor=1000)
    )
    grams |= _scaled("g", "t", factor=10**6) | _scaled("g", "lb lbs", factor=Fraction("453.59237"))
    table |= grams | {f"{name}/kWh": ("g/kWh", factor) for name, (_, factor) in grams.items()}
    table |= _scaled("W", "W", {"m": _SMALL["m"]}, _LARGE)
    table |= _scaled("op/s", "FLOPS FLOP/s OPS OP/s op/s ops/s", _LARGE)
    table |= _scaled("1/s", "Hz", _LARGE)
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


def split_quantity(text: str) -> tuple[str, str] | None:
    """Return number and unit of a text, spaces and "per" taken out; None if it is no quantity.

    Examples
    --------
    >>> split_quantity("5000 per min"), split_quantity("1_000"), split_quantity("soon")
    (('5000', '/min'), ('1000', ''), None)

    """
    parts = _QUANTITY.fullmatch(re.sub(r"^\s*\$\s*([\d.]+)", r"\1 USD", text))
    if parts is None:
        return None
    unit = re.sub(r"^per\s+|\s+per\s+", "/", parts["unit"] or "")
    return parts["number"].replace("_", ""), re.sub(r"\s*/\s*", "/", unit)


def known_unit(text: str) -> tuple[str, Fraction] | None:
    """Return base unit and factor of a unit of the table; upper and lower case agree for times.

    Examples
    --------
    >>> known_unit("w"), known_unit("Days"), known_unit("furlong")
    (('s', Fraction(604800, 1)), ('s', Fraction(86400, 1)), None)

    """
    if text in _table():
        return _table()[text]
    if text.lower() in _TIMES and text not in AMBIGUOUS:
        return "s", _TIMES[text.lower()]
    return None


def parse_quantity(
    value: Any,
    *,
    unit: str,
    what: str,
    bare: bool | None = None,
    error: type[InputError] = RequirementError,
) -> float:
    """Return a quantity in the unit that is wanted.

    Parameters
    ----------
    value : str or number
        As written: "10 ms", "0.95", 0.95.
    unit : str
        The unit wanted, one of `EXAMPLES`: "1", "s", "B", "USD", "USD/h", "1/s", "op/s", ...
    what : str
        Whose quantity it is, for the message: "The bound of latency_p99".
    bare : bool, optional
        Whether a number without a unit is allowed; by default only where it cannot be misread
        (plain numbers, money, rates) and for 0.
    error : type of InputError
        What is raised.

    Raises
    ------
    InputError
        If it is no quantity, or of another dimension; a RequirementError unless `error` says
        otherwise.

    Examples
    --------
    >>> parse_quantity("10 ms", unit="s", what="The bound")
    0.01
    >>> parse_quantity("95 %", unit="1", what="The bound")
    0.95
    >>> parse_quantity("12.8 Gb/s", unit="B/s", what="The bandwidth")  # bits
    1600000000.0
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
        raise error(message, remedy=remedy)
    written = str(value)
    if len(written) > _LONGEST:
        msg = f"{what} must be {wanted}; got a long text."
        raise error(msg, remedy=remedy)
    if re.match(r"\s*[-+]?\d+,\d", written):
        remedy = "Write numbers with a point and without separators: 0.5, 1000."
        raise error(message, remedy=remedy)
    parts = split_quantity(written)
    if parts is None:
        # A float that has no digits is nan or an infinity.
        raise error(
            message, remedy="Write a finite number." if isinstance(value, float) else remedy
        )
    digits, text = parts
    number = float(digits)
    if abs(number) == float("inf"):
        raise error(message, remedy="Write a finite number.")
    if not text:
        if number == 0 or (bare if bare is not None else unit in _BARE):
            return number
        msg = f"{what} needs a unit, because {digits} could mean many things; wanted is {wanted}."
        raise error(msg, remedy=remedy)
    base, scale = _table().get(unit, (unit, Fraction(1)))
    known = known_unit(text)
    if known is None:
        try:
            known = base, _by_pint(text, unit=base, message=message, remedy=remedy)
        except InputError as fault:
            raise error(fault.message, remedy=fault.remedy) from fault
    if known[0] != base:
        raise error(message, remedy=remedy)
    if number == 0:
        return number
    try:
        # In fractions, so that "10 ms" is the number nearest to 0.01.
        return float(Fraction(digits) * known[1] / scale)
    except OverflowError:
        raise error(message, remedy="Write a finite number.") from None


def _by_pint(text: str, *, unit: str, message: str, remedy: str) -> Fraction:
    """Return the factor of a unit that the table does not know."""
    if text in AMBIGUOUS:
        msg = f"Unit {text!r} is ambiguous."
        raise InputError(msg, remedy=f"Write '{AMBIGUOUS[text]}' if that is what it means.")
    lower = {name.lower(): name for name in reversed(_table())}
    if text.lower() in lower:
        msg = f"Unknown unit {text!r}; upper and lower case differ."
        raise InputError(msg, remedy=f"Did you mean '{lower[text.lower()]}'?")
    if text in _CURRENCIES or text.split("/")[0] in _CURRENCIES:
        msg = f"Unknown currency {text!r}; money is counted in USD."
        raise InputError(msg, remedy="Convert the amount to USD.")
    if len(text) > 40 or not _PLAIN_UNIT.fullmatch(text):
        raise _unknown_unit(text, remedy=remedy)
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
        raise InputError(message, remedy=remedy)
    return Fraction(factor)


def _unknown_unit(text: str, *, remedy: str) -> InputError:
    guess = nearest(text, _table())
    return InputError(
        f"Unknown unit {text!r}.", remedy=f"Did you mean '{guess}'?" if guess else remedy
    )


_PINT_NAMES = {"1": "dimensionless", "B": "byte", "B/s": "byte/s", "1/s": "1/second"}


@cache
def _pint() -> Any:
    import pint

    registry = pint.UnitRegistry()
    registry.define("USD = [currency] = dollar")
    return registry


def format_time(seconds: float) -> str:
    """Return a time for people.

    Examples
    --------
    >>> format_time(4.102e-6)
    '4.102 us'
    >>> format_time(33.0625e-9)
    '33.0625 ns'

    """
    for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return f"{seconds / scale:.7g} {name}"
    return f"{seconds / 1e-9:.7g} ns"


def format_bytes(amount: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> format_bytes(131072)
    '128 KiB'

    """
    for scale, name in ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB")):
        if amount >= scale:
            return f"{amount / scale:.5g} {name}"
    return f"{amount:.5g} B"
