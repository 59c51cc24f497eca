"""Prices as people write them: one, or the lowest and the highest found."""

from __future__ import annotations

import re

from tradespace.core.errors import ProcessorError
from tradespace.files.units import parse_quantity
from tradespace.hardware.profiles.records import Price

_RANGE = re.compile(r"\s*(?P<low>[\d_.]+(?:[eE][+-]?\d+)?)\s*(?:to|-|\.\.)\s*(?P<high>\S.*)")


def parse_price(text: str, *, per_hour: bool, what: str = "The price") -> Price:
    """Return a price or a range of prices, USD or USD an hour.

    Examples
    --------
    >>> parse_price("0.43 to 1.46 USD/h", per_hour=True)
    Price(low=0.43, high=1.46)

    """
    unit = "USD/h" if per_hour else "USD"
    ends = _RANGE.fullmatch(text)
    high = parse_quantity(
        ends["high"] if ends else text, unit=unit, what=what, bare=False, error=ProcessorError
    )
    low = parse_quantity(ends["low"], unit=unit, what=what, error=ProcessorError) if ends else high
    return Price(low, high)
