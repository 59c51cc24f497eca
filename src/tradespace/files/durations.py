"""Durations as people write them ("7d", "90 min"), as whole microseconds."""

from __future__ import annotations

from fractions import Fraction

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import nearest
from tradespace.files.units import AMBIGUOUS, known_unit, split_quantity

MICROSECONDS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
#: No window reaches further; "all" reaches to the first event.
LONGEST_DAYS = 36_500
#: What has no fixed length, and what to write instead.
_CALENDAR = {
    **dict.fromkeys(("mo", "mon", "month", "months"), ("month", "30d")),
    **dict.fromkeys(("q", "quarter", "quarters"), ("quarter", "91d")),
    **dict.fromkeys(("y", "yr", "year", "years"), ("year", "365d")),
}
_ALLOWED = f"allowed are: {', '.join(MICROSECONDS)}."
_WORDS = (*MICROSECONDS, "seconds", "minutes", "hours", "days", "weeks")


def parse_duration_us(text: str | int, *, what: str = "duration") -> int:
    """Return a duration in microseconds.

    Parameters
    ----------
    text : str or int
        A number and a unit: us, ms, s, min, h, d, w, or their words; 0 needs no unit.
    what : str
        What it is, for the message.

    Raises
    ------
    FeatureError
        If it is not a duration, or negative, or finer than a microsecond, or longer than a
        hundred years; if its unit has no fixed length (a month) or is ambiguous ("M").

    Examples
    --------
    >>> parse_duration_us("7d") == 7 * 24 * 3600 * 1_000_000
    True
    >>> parse_duration_us("7 dys", what="window")
    Traceback (most recent call last):
    ...
    tradespace.core.errors.FeatureError: Unknown unit 'dys' in window '7 dys'; allowed are: us, ms,
    s, min, h, d, w. Did you mean 'days'?

    """
    if text == 0 and not isinstance(text, bool):
        return 0
    parts = split_quantity(text) if isinstance(text, str) and len(text) <= 100 else None
    if parts is None or not (parts[1] or float(parts[0]) == 0):
        msg = f"A {what} is a number and a unit; got {text!r}."
        raise FeatureError(msg, remedy="Write it like '7d', '12h' or '90 min'.")
    number, unit = float(parts[0]), parts[1]
    if not unit:
        return 0
    known = known_unit(unit)
    if known is None or known[0] != "s":
        raise _unknown_unit(unit, text=str(text), number=parts[0], what=what)
    if number < 0:
        msg = f"A {what} cannot be negative; got {text!r}."
        raise FeatureError(msg, remedy="A feature cannot look into the future; use 0 or more.")
    if number * known[1] > LONGEST_DAYS * 86_400:
        msg = f"A {what} is at most {LONGEST_DAYS}d, a hundred years; got {text!r}."
        remedy = "Use a shorter one."
        if what == "window":
            remedy = "Use a shorter one, or 'all' to reach back to the first event."
        raise FeatureError(msg, remedy=remedy)
    value = Fraction(parts[0]) * known[1] * 1_000_000 if number else Fraction(0)
    if value.denominator != 1:
        msg = f"A {what} is a whole number of microseconds; got {text!r}."
        raise FeatureError(msg, remedy="Use a smaller unit.")
    return int(value)


def _unknown_unit(unit: str, *, text: str, number: str, what: str) -> FeatureError:
    """Return why something is no unit of a duration, and what to write."""
    if unit in AMBIGUOUS:
        remedy = f"Write {number}{AMBIGUOUS[unit]}."
        if unit == "M":
            months = f"{30 * float(number):g}d"
            remedy = f"Write {number}min for minutes, or {months} for months of 30 days."
        msg = f"Unit {unit!r} in {what} {text!r} is ambiguous; {_ALLOWED}"
        return FeatureError(msg, remedy=remedy)
    if (calendar := _CALENDAR.get(unit.lower())) is not None:
        name, instead = calendar
        msg = f"A {name} has no fixed length, as in {what} {text!r}; {_ALLOWED}"
        return FeatureError(msg, remedy=f"Write it in days, like {instead!r}.")
    guess = nearest(unit, _WORDS)
    msg = f"Unknown unit {unit!r} in {what} {text!r}; {_ALLOWED}"
    return FeatureError(msg, remedy=f"Did you mean {guess!r}?" if guess else "Write it as '7d'.")


def format_duration(microseconds: int) -> str:
    """Return the shortest exact text of a duration.

    Examples
    --------
    >>> format_duration(604_800_000_000), format_duration(5_400_000_000)
    ('7d', '90min')

    """
    for unit in ("d", "h", "min", "s", "ms"):
        if microseconds % MICROSECONDS[unit] == 0:
            return f"{microseconds // MICROSECONDS[unit]}{unit}"
    return f"{microseconds}us"
