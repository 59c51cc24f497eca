"""The definition of every feature, written as slowly and plainly as possible."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tradespace.features.define.features import Feature
from tradespace.features.define.views import FeatureView

Event = Mapping[str, Any]


def brute_force(view: FeatureView, events: Sequence[Event], row: Event) -> list[float]:
    """Return the features of one event by looking at all of them."""
    return [_value(feature, view, events, row) for feature in view.features]


def _created(view: FeatureView, event: Event) -> int:
    name = view.source.created
    if name is None or event[name] is None:
        return int(event[view.source.time])
    return max(int(event[name]), int(event[view.source.time]))


def _exact_sum(values: Sequence[float]) -> float:
    """Return the sum of numbers as they are written: 0.1 + 0.2 - 0.3 is nothing."""
    return float(sum(Fraction(repr(float(value))) for value in values))


def _value(feature: Feature, view: FeatureView, events: Sequence[Event], row: Event) -> float:
    empty = math.nan if feature.empty is None else feature.empty
    if feature.parts is not None:
        above, below = (_value(part, view, events, row) for part in feature.parts)
        return empty if below == 0 or math.isnan(above) or math.isnan(below) else above / below
    time, name = view.source.time, view.source.id
    now = row[time]
    seen = []
    for event in events:
        age = now - event[time] - feature.delay_us
        is_own = event[name] == row[name]
        if event[view.entity] != row[view.entity] or age < 0:
            continue
        if feature.window_us is not None and age >= feature.window_us:
            continue
        if feature.delay_us == 0:
            if event[time] == now and event[name] > row[name]:
                continue
            if feature.kind == "since_last" and is_own:
                continue
        if not is_own and _created(view, event) > now:
            continue
        if feature.where is not None and not feature.where.evaluate(event):
            continue
        if feature.column is not None and event[feature.column] is None:
            continue
        seen.append(event)
    seen.sort(key=lambda event: (event[time], event[name]))
    if not seen:
        return 0.0 if feature.kind == "count" and feature.empty is None else empty
    values = [event[feature.column] for event in seen] if feature.column else []
    match feature.kind:
        case "count":
            return float(len(seen))
        case "sum":
            return _exact_sum(values)
        case "mean":
            return _exact_sum(values) / len(values)
        case "min":
            return float(min(values))
        case "max":
            return float(max(values))
        case "distinct":
            return float(len(set(values)))
        case "std":
            return statistics.stdev(values) if len(values) > 1 else empty
        case "last":
            return float(values[-feature.k]) if len(values) >= feature.k else empty
        case "since_last":
            return (now - seen[-1][time]) / 1e6
    ages = [(seen[-1][time] - event[time]) / (feature.half_life_us or 1) for event in seen]
    weights = [2.0**-age for age in ages]
    total = math.fsum(w * v for w, v in zip(weights, values, strict=True))
    return total / math.fsum(weights)
