"""The streaming engine: the same definitions, event by event, and reads as of now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown_name
from tradespace.features._entity import EntityState, Payload
from tradespace.features.definitions import KINDS, Feature, FeatureView, leaves
from tradespace.features.state import MemoryState, StateStore

if TYPE_CHECKING:
    import numpy.typing as npt

#: How many commits pass before stored events are expired.
_EXPIRE_EVERY = 200


#: A feature, its slot and divisor, and the steps of a ratio.
_Step = tuple[Feature, int, int, "list[_Step] | None"]


class _Live:
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
        self.plan: dict[Feature, tuple[int, int]] = {}
        for feature in parts:
            self._slot(feature, whole, numeric=feature.column in numeric)
        # Hashing a feature costs more than computing it: what a read needs is looked up once.
        self.steps = [self._step(feature) for feature in view.features]
        self.entities: dict[Any, EntityState] = {}
        self.pending: list[tuple[Any, ...]] = []
        self.dirty: dict[Any, int] = {}
        state.open_view(self.key, len(self.readers))

    def _slot(self, feature: Feature, whole: set[str], *, numeric: bool) -> None:
        where = feature.where
        key = (feature.column, "" if where is None else where.text)
        name, zone = feature.column, self.view.source.time_zone
        digits = self.view.source.decimals.get(name or "")
        exact = name is None or digits is not None or name in whole
        if key not in self.slots:
            self.slots[key] = len(self.readers)
            read = _reader(name, digits, where, zone, owner=self.view.name, numeric=numeric)
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
    name: str | None, digits: int | None, where: Any, zone: str | None, *, owner: str, numeric: bool
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
        if numeric:
            if not isinstance(value, int | float | np.number):
                msg = f"{name!r} of an event for view {owner!r} is {value!r}, not a number."
                raise FeatureError(msg, remedy="Give numbers, as the source does.")
            if scale is not None:
                return round(value * scale)
        return int(value) if isinstance(value, bool) else value

    return read


class StreamEngine:
    """Computes views over one source as its events arrive.

    Parameters
    ----------
    views : sequence of FeatureView
        All over one source.
    state : StateStore, optional
        Where events survive; memory by default.
    whole_columns : iterable of str
        Columns of integers and booleans, whose sums are exact; those with declared decimals
        are exact anyway.
    lateness_us : int
        How long after its time an event may still arrive and get its own row, microseconds.
    materialize : bool
        Whether each commit stores the latest vector of the entities that changed.

    Raises
    ------
    FeatureError
        If two views have one name, or their sources differ.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, count
    >>> source = EventSource("clicks", time="at", id="id")
    >>> engine = StreamEngine([FeatureView("user", source, "user", [count("1h")])])
    >>> engine.push([{"at": 0, "id": 1, "user": "a"}, {"at": 1_000_000, "id": 2, "user": "a"}])
    >>> engine.read("user", ["a"], now_us=2_000_000)
    array([[2.]])

    """

    def __init__(
        self,
        views: Sequence[FeatureView],
        *,
        state: StateStore | None = None,
        whole_columns: Iterable[str] = (),
        lateness_us: int = 0,
        materialize: bool = False,
    ) -> None:
        sources = {view.source.name for view in views}
        if len(sources) != 1:
            msg = f"A streaming engine serves views of one source; got {sorted(sources)}."
            raise FeatureError(msg, remedy="Make one engine for each source.")
        names = [view.name for view in views]
        twins = sorted({name for name in names if names.count(name) > 1})
        if twins:
            msg = f"Two views are named {twins[0]!r}."
            raise FeatureError(msg, remedy="Names of views are unique.")
        self.views = tuple(views)
        self.source = views[0].source
        self.state: StateStore = MemoryState() if state is None else state
        self.materialize, self.lateness_us = materialize, lateness_us
        self._live = {view.name: _Live(view, set(whole_columns), self.state) for view in views}
        self.offset = self.state.offset()
        self._front = 0
        self._commits = 0

    def push(self, events: Iterable[Mapping[str, Any]], *, commit: bool = True) -> None:
        """Take in events: mappings of columns, times as microseconds since 1970 UTC.

        Raises
        ------
        FeatureError
            If an event lacks a time, an id, an entity or a column.

        """
        events = list(events)
        lives = list(self._live.values())
        # All events are looked at before one is taken in: a bad one leaves nothing behind.
        taken = [
            (self._known(event, self.offset + number), [live.taken(event) for live in lives])
            for number, event in enumerate(events)
        ]
        for place, live in enumerate(lives):
            self._load(live, [views[place][0] for _, views in taken])
        for (time, identity, created), views in taken:
            for live, (entity, payload) in zip(lives, views, strict=True):
                state = live.entities[entity]
                if state.insert(time, identity, created, payload):
                    live.pending.append((entity, time, identity, created, *payload))
                    live.dirty[entity] = max(created, live.dirty.get(entity, created))
                    if live.horizon_us is not None:
                        state.expire(state.front - live.horizon_us - self.lateness_us)
            self._front = max(self._front, created)
        self.offset += len(taken)
        if commit:
            self.commit()

    def _known(self, event: Mapping[str, Any], number: int) -> tuple[int, Any, int]:
        """Return the time, id and time of arrival of an event."""
        source = self.source
        time = event.get(source.time)
        if isinstance(time, bool) or not isinstance(time, int | np.integer):
            msg = f"An event of source {source.name!r} has the time {time!r}."
            raise FeatureError(msg, remedy="Give microseconds since 1970 UTC as an integer.")
        identity = number if source.id is None else event.get(source.id)
        if identity is None:
            msg = f"An event of source {source.name!r} has no {source.id!r}."
            raise FeatureError(msg, remedy="Every event needs its id.")
        time = int(time)
        arrived = None if source.created is None else event.get(source.created)
        return time, identity, time if arrived is None else max(int(arrived), time)

    def commit(self) -> None:
        """Make all events so far survive, with the vectors of what changed."""
        for live in self._live.values():
            self.state.add(live.key, live.pending)
            live.pending = []
            if self.materialize:
                self.state.put_vectors(live.key, self._vectors(live))
            live.dirty = {}
            if live.horizon_us is not None and self._commits % _EXPIRE_EVERY == _EXPIRE_EVERY - 1:
                before = self._front - live.horizon_us - self.lateness_us
                self.state.expire(live.key, before)
                # What has no event left is nothing that memory should hold.
                live.entities = {
                    entity: state
                    for entity, state in live.entities.items()
                    if state.times and state.times[-1] > before
                }
        self.state.commit(self.offset)
        self._commits += 1

    def _vectors(self, live: _Live) -> list[tuple[Any, int, bytes]]:
        rows = []
        for entity, time in live.dirty.items():
            vector = live.vector(live.entities[entity], time, None)
            rows.append((entity, time, np.array(vector).tobytes()))
        return rows

    def _load(self, live: _Live, entities: Iterable[Any]) -> None:
        """Bring entities into memory, those that are not there, all at once."""
        known = live.entities
        new = list(dict.fromkeys([e for e in entities if e not in known and e is not None]))
        if not new:
            return
        for entity in new:
            known[entity] = EntityState(live.whole)
        for entity, time, identity, created, *payload in self.state.load(live.key, new):
            known[entity].insert(time, identity, created, tuple(payload))

    def _entity(self, live: _Live, entity: Any) -> EntityState:
        if entity not in live.entities:
            self._load(live, [entity])
        return live.entities[entity]

    def row(self, view: str, event: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """Return the features of an event that was taken in, as of its own time."""
        live = self._named(view)
        time, identity, _ = self._known(event, 0)
        state = self._entity(live, event[live.view.entity])
        place = state.place_of(time, None if self.source.id is None else identity)
        return np.array(live.vector(state, time, place))

    def read(self, view: str, entities: Sequence[Any], *, now_us: int) -> npt.NDArray[np.float64]:
        """Return features as of now: (n_entities, n_features), in the order of the view.

        An entity without events has what its features say of nothing.
        """
        live = self._named(view)
        self._load(live, entities)
        known = live.entities
        return np.array(
            [live.vector(known[entity], now_us, None) for entity in entities], dtype=np.float64
        ).reshape(len(entities), len(live.view.features))

    def read_materialized(
        self, view: str, entities: Sequence[Any], *, now_us: int | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the vectors stored at the last commit that changed each entity.

        Raises
        ------
        FeatureError
            If an entity has none, or, with `now_us`, one older than the view's freshness.

        """
        live = self._named(view)
        entities = list(entities)
        found = self.state.vectors(live.key, entities)
        missing = [entity for entity in entities if entity not in found]
        if missing:
            msg = f"View {view!r} has no stored vector of {missing[:5]!r} ({len(missing)} in all)."
            raise FeatureError(msg, remedy="Read as of now, or backfill the history first.")
        limit = live.view.freshness_us
        if limit is not None and now_us is not None:
            stale = [entity for entity in entities if now_us - found[entity][0] > limit]
            if stale:
                age = (now_us - found[stale[0]][0]) / 1e6
                msg = f"The vector of {stale[0]!r} in view {view!r} is {age:g} s old."
                raise FeatureError(msg, remedy=f"The limit is {limit / 1e6:g} s; read as of now.")
        joined = b"".join([found[entity][1] for entity in entities])
        return np.frombuffer(joined).reshape(len(entities), -1)

    def _named(self, view: str) -> _Live:
        if view not in self._live:
            message, remedy = unknown_name("feature view", view, self._live)
            raise FeatureError(message, remedy=remedy)
        return self._live[view]
