"""The functions that define windowed features.

A window of a row at time t with window w and delay d holds the entity's events with event
time in (t - d - w, t - d] that had arrived by t. Without delay the row's own event is in it.
Missing values of the column are left out, as in SQL.
"""

from __future__ import annotations

from typing import Any

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown
from tradespace.features.define.expression_text import parse_expression
from tradespace.features.define.expressions import Expression
from tradespace.features.define.features import Feature
from tradespace.features.define.rules import check_k, shown
from tradespace.files.durations import parse_duration_us

OPTIONS = ("delay", "where", "empty", "name", "unit", "description")


def _feature(
    kind: str,
    *,
    window: str | None,
    column: str | None = None,
    delay: str | int = 0,
    where: Expression | str | None = None,
    empty: float | None = None,
    name: str = "",
    unit: str = "1",
    description: str = "",
    k: int = 1,
    half_life_us: int | None = None,
    share: bool = False,
    **others: Any,
) -> Feature:
    for option in others:
        raise unknown(FeatureError, f"option of {kind}", option, OPTIONS)
    window_us = None if window in (None, "all") else parse_duration_us(window, what="window")
    if window_us == 0:
        msg = f"The window of {kind} must be longer than 0."
        raise FeatureError(msg, remedy="Write it like '7d'.")
    named: object = column
    if named is not None and not isinstance(named, str):
        msg = f"The column of {kind} must be a name; got {shown(column)}."
        raise FeatureError(msg, remedy="Use where= for conditions.")
    return Feature(
        kind=kind,
        column=column,
        window_us=window_us,
        delay_us=parse_duration_us(delay, what="delay"),
        where=parse_expression(where) if isinstance(where, str) else where,
        empty=empty,
        name=name,
        unit=unit,
        description=description,
        k=k,
        half_life_us=half_life_us,
        share=share,
    )


def count(window: str | None, *, column: str | None = None, **options: Any) -> Feature:
    """Return the number of events, or of those where `column` is present.

    Parameters
    ----------
    window : str or None
        Length, like "7d"; None or "all" reaches back to the first event.
    column : str, optional
        Count only events where it is present.
    **options
        delay, where, empty, name, unit, description.

    Examples
    --------
    >>> count("7d", delay="7d").slug
    'count_7d_after_7d'

    """
    return _feature("count", window=window, column=column, **{"empty": 0.0, **options})


def sum_(column: str, window: str | None, **options: Any) -> Feature:
    """Return the sum of a column; 0 if there is nothing to add, unless `empty` says otherwise."""
    return _feature("sum", window=window, column=column, **{"empty": 0.0, **options})


def mean(column: str, window: str | None, **options: Any) -> Feature:
    """Return the mean of a column; missing if there is nothing, unless `empty` says otherwise."""
    return _feature("mean", window=window, column=column, **options)


def rate(label: str, window: str | None, **options: Any) -> Feature:
    """Return the share of events whose label is true; 0 if there were none.

    A label is known late: give its `delay`, or take it from a source of its own with a
    `created` time. The column holds booleans, or 1 and 0; of other numbers take the mean.
    """
    return _feature("mean", window=window, column=label, share=True, **{"empty": 0.0, **options})


def min_(column: str, window: str | None, **options: Any) -> Feature:
    """Return the smallest value of a column."""
    return _feature("min", window=window, column=column, **options)


def max_(column: str, window: str | None, **options: Any) -> Feature:
    """Return the largest value of a column."""
    return _feature("max", window=window, column=column, **options)


def std(column: str, window: str | None, **options: Any) -> Feature:
    """Return the sample standard deviation (n - 1); missing for fewer than two values."""
    return _feature("std", window=window, column=column, **options)


def distinct(column: str, window: str | None, **options: Any) -> Feature:
    """Return how many different values a column has."""
    return _feature("distinct", window=window, column=column, **{"empty": 0.0, **options})


def last(column: str, window: str | None = None, *, k: int = 1, **options: Any) -> Feature:
    """Return the k-th last value of a column, 1 the most recent (the row's own)."""
    check_k(k)
    return _feature("last", window=window, column=column, k=k, **options)


def last_k(column: str, k: int, window: str | None = None, **options: Any) -> list[Feature]:
    """Return the last k values of a column as k features, most recent first, for sequences.

    k is at most 1,000, and the list goes into the list of a view with a star: ``*last_k(...)``.

    Examples
    --------
    >>> [feature.slug for feature in last_k("amount", 2, "7d")]
    ['last_amount_7d', 'last_amount_7d_2']

    """
    check_k(k)
    return [last(column, window, k=i, **options) for i in range(1, k + 1)]


def since_last(window: str | None = None, **options: Any) -> Feature:
    """Return the seconds since the event before; the row's own event is left out."""
    return _feature("since_last", window=window, **{"unit": "s", **options})


def decayed_mean(column: str, half_life: str, window: str | None = None, **options: Any) -> Feature:
    """Return the mean with weights that halve with every `half_life` of age."""
    half_life_us = parse_duration_us(half_life, what="half-life")
    if half_life_us == 0:
        msg = "The half-life of decayed_mean must be longer than 0."
        raise FeatureError(msg, remedy="Write it like '3d'.")
    return _feature(
        "decayed_mean", window=window, column=column, half_life_us=half_life_us, **options
    )


def ratio(
    numerator: Feature,
    denominator: Feature,
    *,
    empty: float | None = None,
    name: str = "",
    unit: str = "1",
    description: str = "",
) -> Feature:
    """Return one feature divided by another; `empty` where the divisor is 0 or missing."""
    given: tuple[object, ...] = (numerator, denominator)
    for part in given:
        if not isinstance(part, Feature):
            msg = f"A ratio divides two features; got {shown(part)}."
            raise FeatureError(
                msg, remedy="Write ratio(mean('amount', '1d'), mean('amount', '30d'))."
            )
    return Feature(
        kind="ratio",
        parts=(numerator, denominator),
        empty=empty,
        name=name,
        unit=unit,
        description=description,
    )
