"""Moments and keys in service: what an event or a request may say, as the engine holds it."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from tradespace.core.errors import FeatureError
from tradespace.features.define.sources import EventSource

#: The start of 1971: numbers below it are seconds or milliseconds rather than microseconds.
EARLIEST_US = 31_536_000_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_PLAIN = frozenset((int, str))
_BASIC = frozenset((int, float, str, bool, type(None)))


def micros(value: Any, zone: str | None) -> int | None:
    """Return a moment as microseconds since 1970 UTC, or None if it is none.

    A datetime without a zone is read in the zone of the source, in UTC if that names none; of
    a local time that was twice it is the first.

    Raises
    ------
    FeatureError
        If it is a local time that never was.

    Examples
    --------
    >>> micros(dt.datetime(1971, 1, 1, 1), "Europe/Berlin")
    31536000000000

    """
    if type(value) is int:
        return value
    if isinstance(value, dt.datetime):
        return (_zoned(value, zone) - _EPOCH) // _MICROSECOND
    return int(value) if isinstance(value, np.integer) else None


def _zoned(value: dt.datetime, zone: str | None) -> dt.datetime:
    if value.tzinfo is not None:
        return value
    if zone is None:
        return value.replace(tzinfo=dt.UTC)
    found = value.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(dt.UTC)
    if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) != value.replace(fold=0):
        msg = f"The time {value} does not exist in {zone}: the clocks were put forward."
        raise FeatureError(msg, remedy="Give times in UTC, or correct the zone.")
    return found


def moment(value: Any, source: EventSource, *, what: str) -> int:
    """Return a moment as microseconds, refusing what is none and what is of 1970.

    Raises
    ------
    FeatureError
        Naming `what` it should have been.

    """
    found = micros(value, source.time_zone)
    if found is None:
        msg = f"{what} has the time {value!r}."
        raise FeatureError(
            msg, remedy="Give microseconds since 1970 UTC as an integer, or a datetime."
        )
    if found < EARLIEST_US and source.contract is None:
        msg = f"{what} has the time {value!r}, which is of 1970 or before."
        raise FeatureError(
            msg, remedy="Are these seconds or milliseconds? Times count microseconds since 1970."
        )
    return found


def plain(value: Any, zone: str | None = None) -> Any:
    """Return a value as one of Python's own types: a datetime as microseconds."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return micros(value, zone) if isinstance(value, dt.datetime) else value


def held(row: Mapping[str, Any], zone: str | None) -> Mapping[str, Any]:
    """Return an event or request with values that expressions and stores can hold."""
    if _BASIC.issuperset(map(type, row.values())):
        return row
    return {name: plain(value, zone) for name, value in row.items()}


def plain_keys(entities: Iterable[Any]) -> list[Any]:
    """Return entities as they are held.

    Raises
    ------
    FeatureError
        If they are one text, or one is missing.

    """
    if isinstance(entities, str | bytes):
        msg = f"Entities are {entities!r}, which is a text and not a list of entities."
        raise FeatureError(msg, remedy=f"Give a list: [{entities!r}].")
    listed = list(entities)
    if _PLAIN.issuperset(map(type, listed)):
        return listed
    if any(entity is None for entity in listed):
        msg = f"Entity {listed.index(None)} of {len(listed)} is missing."
        raise FeatureError(msg, remedy="Ask for entities that have a name or number.")
    return [plain(entity) for entity in listed]


def kind_of(key: type) -> str:
    """Return the kind of keys of a type: those of two kinds are never equal, nor in an order.

    Examples
    --------
    >>> kind_of(int), kind_of(str)
    ('a number', 'a text')

    """
    if issubclass(key, int | float):
        return "a number"
    return "a text" if issubclass(key, str) else f"of type {key.__name__}"
