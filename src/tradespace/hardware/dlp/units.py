"""Amounts as people write them ("128 KiB", "64 GB/s", "1 GHz"), into base SI.

Decimal and binary prefixes are told apart: 1 kB is 1000 bytes, 1 KiB is 1024 bytes, and a
lower-case ``b`` is a bit, never a byte.
"""

from __future__ import annotations

import re

from tradespace.core.errors import ProcessorError

_PREFIX = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
}
_BASE = {"B": ("B", 1.0), "b": ("B", 0.125), "Hz": ("Hz", 1.0), "J": ("J", 1.0), "s": ("s", 1.0)}
_AMOUNT = re.compile(
    r"\s*([0-9][0-9_]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]*)(?:/(B|s|op))?\s*"
)
_EXAMPLES = {
    "B": "128 KiB or 131072 B",
    "B/s": "64 GB/s or 59.6 GiB/s",
    "Hz": "1 GHz",
    "J/B": "162.5 pJ/B",
    "J/op": "4.6 pJ/op",
    "J": "70 pJ",
}


def parse_amount(text: str, *, unit: str, what: str = "amount") -> float:
    """Return an amount in the base unit.

    Parameters
    ----------
    text : str
        A number with its unit, for example ``"128 KiB"``.
    unit : str
        The base unit wanted: ``"B"``, ``"B/s"``, ``"Hz"``, ``"J"``, ``"J/B"`` or ``"J/op"``.
    what : str
        Name of the amount, for the error.

    Returns
    -------
    float
        The amount in ``unit``.

    Raises
    ------
    ProcessorError
        If the text is no amount of that unit.

    Examples
    --------
    >>> parse_amount("128 KiB", unit="B")
    131072.0
    >>> parse_amount("12.8 Gb/s", unit="B/s")  # bits
    1600000000.0

    """
    matched = _AMOUNT.fullmatch(text)
    if matched:
        number, symbol, per = matched.groups()
        for base in sorted(_BASE, key=len, reverse=True):
            prefix = symbol.removesuffix(base)
            if symbol.endswith(base) and prefix in _PREFIX:
                name, factor = _BASE[base]
                if (f"{name}/{per}" if per else name) == unit:
                    return float(number.replace("_", "")) * _PREFIX[prefix] * factor
    msg = f"The {what} {text!r} is no amount in {unit}."
    raise ProcessorError(msg, remedy=f"Write it with its unit, for example {_EXAMPLES[unit]}.")


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
