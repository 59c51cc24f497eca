"""Rates, powers and prices as people write them ("20 TOPS", "15 W", "0.5 to 0.8 USD/h")."""

from __future__ import annotations

import re

from tradespace.core.errors import ProcessorError
from tradespace.hardware.dlp.units import parse_amount
from tradespace.hardware.profiles.records import Price

_NUMBER = r"([0-9][0-9_]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?)"
_RATE = re.compile(rf"\s*{_NUMBER}\s*([kMGTP]?)(?:FLOPS|FLOP/s|OPS|OP/s|op/s|ops/s)\s*")
_POWER = re.compile(rf"\s*{_NUMBER}\s*(m|k|M)?W\s*")
_PRICE = re.compile(rf"\s*{_NUMBER}(?:\s*(?:to|-|\.\.)\s*{_NUMBER})?\s*USD(/h)?\s*")
_CARBON = re.compile(rf"\s*{_NUMBER}\s*(k?g|lbs?)/kWh\s*")
_PREFIX = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_GRAMS = {"g": 1.0, "kg": 1e3, "lb": 453.59237, "lbs": 453.59237}


def _wrong(what: str, text: str, example: str) -> ProcessorError:
    msg = f"The {what} {text!r} is no amount with its unit."
    return ProcessorError(msg, remedy=f"Write it with its unit, for example {example}.")


def _float(text: str) -> float:
    return float(text.replace("_", ""))


def parse_rate(text: str, *, what: str = "rate") -> float:
    """Return operations a second.

    Examples
    --------
    >>> parse_rate("1.28 TFLOP/s"), parse_rate("20 TOPS")
    (1280000000000.0, 20000000000000.0)

    """
    found = _RATE.fullmatch(text)
    if not found:
        raise _wrong(what, text, "1.28 TFLOP/s or 20 TOPS")
    return _float(found[1]) * _PREFIX[found[2]]


def parse_power(text: str, *, what: str = "power") -> float:
    """Return watts.

    Examples
    --------
    >>> parse_power("15 W"), parse_power("250 mW")
    (15.0, 0.25)

    """
    found = _POWER.fullmatch(text)
    if not found:
        raise _wrong(what, text, "15 W")
    return _float(found[1]) * _PREFIX[found[2] or ""]


def parse_price(text: str, *, per_hour: bool, what: str = "price") -> Price:
    """Return a price or a range of prices, USD or USD an hour.

    Examples
    --------
    >>> parse_price("0.43 to 1.46 USD/h", per_hour=True)
    Price(low=0.43, high=1.46)

    """
    found = _PRICE.fullmatch(text)
    if not found or bool(found[3]) != per_hour:
        raise _wrong(what, text, "0.50 USD/h or 0.50 to 0.80 USD/h" if per_hour else "249 USD")
    low = _float(found[1])
    return Price(low, _float(found[2]) if found[2] else low)


def parse_carbon(text: str, *, what: str = "carbon") -> float:
    """Return grams of CO2 equivalents for each kWh.

    Examples
    --------
    >>> parse_carbon("0.385 kg/kWh"), round(parse_carbon("0.954 lbs/kWh"), 5)
    (385.0, 432.72712)

    """
    found = _CARBON.fullmatch(text)
    if not found:
        raise _wrong(what, text, "350 g/kWh or 0.35 kg/kWh")
    return _float(found[1]) * _GRAMS[found[2]]


def parse_size(text: str, *, what: str) -> float:
    """Return bytes; 1 GB is 10^9 bytes, 1 GiB is 2^30."""
    return parse_amount(text, unit="B", what=what)


def parse_bandwidth(text: str, *, what: str) -> float:
    """Return bytes a second."""
    return parse_amount(text, unit="B/s", what=what)


def parse_time(text: str, *, what: str) -> float:
    """Return seconds; the text may be ``5 us``, ``0.1 ms`` or ``0 s``.

    Examples
    --------
    >>> parse_time("5 us", what="launch_overhead")
    5e-06

    """
    found = re.fullmatch(rf"\s*{_NUMBER}\s*(n|u|µ|m)?s\s*", text)
    if not found:
        raise _wrong(what, text, "5 us")
    return _float(found[1]) / {"": 1.0, "m": 1e3, "u": 1e6, "µ": 1e6, "n": 1e9}[found[2] or ""]
