"""Durations as people write them ("7d", "90 min"), as whole microseconds."""

from __future__ import annotations

import re

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import nearest

MICROSECONDS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_WORDS = {
    **{unit: unit for unit in MICROSECONDS},
    **dict.fromkeys(("sec", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
}
#: No window reaches further; "all" reaches to the first event.
LONGEST_DAYS = 36_500
#: What has no fixed length, and what to write instead.
_CALENDAR = {
    **dict.fromkeys(("mo", "mon", "month", "months"), ("month", "30d")),
    **dict.fromkeys(("q", "quarter", "quarters"), ("quarter", "91d")),
    **dict.fromkeys(("y", "yr", "year", "years"), ("year", "365d")),
}
_PATTERN = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


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
    found = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        if isinstance(text, str) and text.strip() in {"0", "0.0"}:
            return 0
        msg = f"A {what} is a number and a unit; got {text!r}."
        raise FeatureError(msg, remedy="Write it like '7d', '12h' or '90 min'.")
    number, word = float(found[1]), found[2].lower()
    if found[2] == "M":
        msg = f"Unit 'M' in {what} {text!r} is ambiguous; allowed are: us, ms, s, min, h, d, w."
        raise FeatureError(
            msg,
            remedy=f"Write {found[1]}min for minutes, or {30 * number:g}d for months of 30 days.",
        )
    if word in _CALENDAR:
        name, instead = _CALENDAR[word]
        msg = f"A {name} has no fixed length, as in {what} {text!r}; "
        msg += "allowed are: us, ms, s, min, h, d, w."
        raise FeatureError(msg, remedy=f"Write it in days, like {instead!r}.")
    if word not in _WORDS:
        guess = nearest(word, _WORDS)
        msg = f"Unknown unit {found[2]!r} in {what} {text!r}; allowed are: us, ms, s, min, h, d, w."
        raise FeatureError(msg, remedy=f"Did you mean {guess!r}?" if guess else "Write it as '7d'.")
    if number < 0:
        msg = f"A {what} cannot be negative; got {text!r}."
        raise FeatureError(msg, remedy="A feature cannot look into the future; use 0 or more.")
    value = number * MICROSECONDS[_WORDS[word]]
    if value > LONGEST_DAYS * MICROSECONDS["d"]:
        msg = f"A {what} is at most {LONGEST_DAYS}d, a hundred years; got {text!r}."
        remedy = "Use a shorter one."
        if what == "window":
            remedy = "Use a shorter one, or 'all' to reach back to the first event."
        raise FeatureError(msg, remedy=remedy)
    if value != int(value):
        msg = f"A {what} is a whole number of microseconds; got {text!r}."
        raise FeatureError(msg, remedy="Use a smaller unit.")
    return int(value)


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
