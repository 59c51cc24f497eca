"""One view at work in the streaming engine: what it takes from events, and who it knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown_name
from tradespace.features.define.features import KINDS, Feature, leaves
from tradespace.features.define.views import FeatureView
from tradespace.features.stream.entity import EntityState, Payload
from tradespace.features.stream.state import StateStore

#: A feature, its slot and divisor, and the steps of a ratio.
_Step = tuple[Feature, int, int, "list[_Step] | None"]


class Live:
    """One view at work."""

    def __init__(self, view: FeatureView, whole: set[str], state: StateStore) -> None:
        self.view = view
        self.key = view.hash
        self.horizon_us = view.horizon_us
        self.slots: dict[tuple[str | None, str], int] = {}
        self.readers: list[Callable[[Mapping[str, Any]], Any]] = []
        self.whole: list[bool] = []
        parts = leaves(view.features)
        numeric = {feature.column for feature in parts if KINDS[feature.kind]}
        self.shares = {feature.column for feature in parts if feature.share}
        self.plan: dict[Feature, tuple[int, int]] = {}
        for feature in parts:
            self._slot(feature, whole, numeric=feature.column in numeric)
        # Hashing a feature costs more than computing it: what a read needs is looked up once.
        self.steps = [self._step(feature) for feature in view.features]
        self.entities: dict[Any, EntityState] = {}
        self.pending: list[tuple[Any, ...]] = []
        self.dirty: dict[Any, int] = {}
        # How much of the stream the view took in, and of which type its keys are.
        self.offset = state.open_view(self.key, len(self.readers))
        stored = state.example(self.key)
        self.entity_type: type | None = None if stored is None else type(stored[0])
        self.id_type: type | None = None if stored is None else type(stored[1])

    def _slot(self, feature: Feature, whole: set[str], *, numeric: bool) -> None:
        where = feature.where
        key = (feature.column, "" if where is None else where.text)
        name, zone = feature.column, self.view.source.time_zone
        digits = self.view.source.decimals.get(name or "")
        exact = name is None or digits is not None or name in whole
        if key not in self.slots:
            self.slots[key] = len(self.readers)
            read = _reader(
                name, digits, where, zone,
                owner=self.view.name, numeric=numeric, share=name in self.shares,
            )  # fmt: skip
            self.readers.append(read)
            self.whole.append(exact)
        self.plan[feature] = (self.slots[key], 1 if digits is None else 10**digits)

    def taken(self, event: Mapping[str, Any]) -> tuple[Any, Payload]:
        """Return whose event it is, and what the view needs of it."""
        entity = event.get(self.view.entity)
        if entity is None:
            msg = f"An event for view {self.view.name!r} has no {self.view.entity!r}."
            raise FeatureError(msg, remedy="Every event of the source needs its entity.")
        return entity, tuple([read(event) for read in self.readers])

    def _step(self, feature: Feature) -> _Step:
        parts = None if feature.parts is None else [self._step(part) for part in feature.parts]
        slot, divisor = (0, 1) if parts else self.plan[feature]
        return feature, slot, divisor, parts

    def vector(self, state: EntityState, now: int, own: int | None) -> list[float]:
        """Return the values of the view for one entity, as of now."""
        return [_value(step, state, now, own) for step in self.steps]


def _value(step: _Step, state: EntityState, now: int, own: int | None) -> float:
    feature, slot, divisor, parts = step
    if parts is None:
        return state.value(feature, slot, divisor, now, own)
    above, below = (_value(part, state, now, own) for part in parts)
    if below == 0 or math.isnan(below) or math.isnan(above):
        return math.nan if feature.empty is None else feature.empty
    return above / below


def _reader(
    name: str | None,
    digits: int | None,
    where: Any,
    zone: str | None,
    *,
    owner: str,
    numeric: bool,
    share: bool,
) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function that takes from an event what a slot holds; None: nothing to count."""
    scale = None if digits is None else 10**digits

    def read(event: Mapping[str, Any]) -> Any:
        if where is not None and not where.evaluate(event, time_zone=zone):
            return None
        if name is None:
            return 1
        try:
            value = event[name]
        except KeyError:
            message, remedy = unknown_name("column", name, event)
            msg = f"An event for view {owner!r} lacks a value. {message}"
            raise FeatureError(msg, remedy=remedy) from None
        if value is None or value != value:
            return None
        if not numeric:
            return int(value) if isinstance(value, bool) else value
        if not isinstance(value, int | float):
            msg = f"{name!r} of an event for view {owner!r} is {value!r}, not a number."
            raise FeatureError(msg, remedy="Give numbers, as the source does.")
        if share and value not in (0, 1):
            msg = f"{name!r} of an event for view {owner!r} is {value!r}, not true or false."
            raise FeatureError(msg, remedy="A rate takes booleans, or 1 and 0; see mean().")
        if math.isinf(value):
            msg = f"{name!r} of an event for view {owner!r} is infinite."
            raise FeatureError(msg, remedy="Make it missing, or leave the event out.")
        if scale is None:
            return int(value) if isinstance(value, bool) else value
        whole = round(value * scale)
        # A value that was computed may miss the decimal it means by a last bit or two.
        if abs(whole / scale - value) > 1e-12 * abs(value):
            msg = f"{name!r} of an event for view {owner!r} is {value!r}; its source declares "
            msg += f"{digits} decimals."
            raise FeatureError(msg, remedy="Declare more decimals, or none.")
        return whole

    return read
