"""The streaming engine: the same definitions, event by event, and reads as of now."""

from __future__ import annotations

import time as _time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown
from tradespace.features.define.views import FeatureView
from tradespace.features.stream.entity import EntityState, Payload
from tradespace.features.stream.moments import held, kind_of, moment, plain_keys
from tradespace.features.stream.state import MemoryState, SqliteState, StateStore
from tradespace.features.stream.view import Live

if TYPE_CHECKING:
    import numpy.typing as npt

#: How many commits pass before stored events are expired.
_EXPIRE_EVERY = 200


def _system_us() -> int:
    """Return the time of this machine, microseconds since 1970 UTC."""
    return _time.time_ns() // 1000


class StreamEngine:
    """Computes views over one source as its events arrive.

    Parameters
    ----------
    views : sequence of FeatureView
        All over one source.
    state : StateStore or path, optional
        Where events survive, a path naming a file of SQLite; memory by default.
    whole_columns : iterable of str
        Columns of integers and booleans, whose sums are exact; those with declared decimals
        are exact anyway.
    lateness_us : int
        How long after its time an event may still arrive and get its own row, microseconds.
    materialize : bool
        Whether each commit stores the latest vector of the entities that changed.
    wall_us : callable
        Tells the time, microseconds since 1970 UTC. An event of the future makes nothing leave
        that a read as of now still needs.

    Raises
    ------
    FeatureError
        If two views have one name, or their sources differ.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, count
    >>> source = EventSource("clicks", time="at", id="id")
    >>> engine = StreamEngine([FeatureView("user", source, "user", [count("1h")])])
    >>> noon_us = 1_714_564_800_000_000
    >>> engine.push([{"at": noon_us, "id": 1, "user": "a"},
    ...              {"at": noon_us + 1_000_000, "id": 2, "user": "a"}])
    >>> engine.read("user", ["a"], now_us=noon_us + 2_000_000)
    array([[2.]])

    """

    def __init__(
        self,
        views: Sequence[FeatureView] | FeatureView,
        *,
        state: StateStore | str | Path | None = None,
        whole_columns: Iterable[str] = (),
        lateness_us: int = 0,
        materialize: bool = False,
        wall_us: Callable[[], int] = _system_us,
    ) -> None:
        views = [views] if isinstance(views, FeatureView) else list(views)
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
        if isinstance(state, str | Path):
            state = SqliteState(state)
        self.state: StateStore = MemoryState() if state is None else state
        self.materialize, self.lateness_us = materialize, lateness_us
        self._live = {view.name: Live(view, set(whole_columns), self.state) for view in views}
        self._wall_us = wall_us
        self._front = 0
        self._commits = 0

    @property
    def offset(self) -> int:
        """Return from which event on the stream has to be read: every view took in all before.

        A view that was added or changed since took in none; what the others know already is
        left out when it comes again.
        """
        return min(live.offset for live in self._live.values())

    @offset.setter
    def offset(self, offset: int) -> None:
        for live in self._live.values():
            live.offset = offset

    def push(self, events: Iterable[Mapping[str, Any]], *, commit: bool = True) -> None:
        """Take in events, all of them or none.

        Parameters
        ----------
        events : iterable of Mapping
            Columns by name; times as microseconds since 1970 UTC, or as datetimes.
        commit : bool
            Whether they are to survive from here on.

        Raises
        ------
        FeatureError
            If an event lacks a time, an id, an entity or a column, or batch would refuse it:
            an infinite number, a time of 1970, an id that has come with another time.

        """
        events = [held(event, self.source.time_zone) for event in _listed(events)]
        lives = list(self._live.values())
        base = self.offset
        # All events are looked at before one is taken in: a bad one leaves nothing behind.
        taken = [
            (number, self._known(event, number), [live.taken(event) for live in lives])
            for number, event in enumerate(events, start=base)
            if self._exists(event)
        ]
        for place, live in enumerate(lives):
            self._load(live, [views[place][0] for _, _, views in taken])
        self._agree(lives, taken)
        wall = self._wall_us()
        for number, (time, identity, created), views in taken:
            for live, (entity, payload) in zip(lives, views, strict=True):
                state = live.entities[entity]
                if number >= live.offset and state.insert(time, identity, created, payload):
                    live.pending.append((entity, time, identity, created, *payload))
                    live.dirty[entity] = max(created, live.dirty.get(entity, created))
                    if live.horizon_us is not None:
                        front = min(state.front, wall)
                        state.expire(front - live.horizon_us - self.lateness_us)
            self._front = max(self._front, created)
        for live in lives:
            live.offset = max(live.offset, base + len(events))
        if commit:
            self.commit()

    def _exists(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event is one that the source lets through."""
        where = self.source.where
        return where is None or bool(where.evaluate(event, time_zone=self.source.time_zone))

    def _agree(
        self,
        lives: list[Live],
        taken: list[tuple[int, tuple[int, Any, int], list[tuple[Any, Payload]]]],
    ) -> None:
        """Refuse events that do not go with each other or with those that are there."""
        new: dict[Any, int] = {}
        entity_types, id_type = [live.entity_type for live in lives], lives[0].id_type
        for _, (time, identity, _), views in taken:
            before = new.setdefault(identity, time)
            if type(identity) is not id_type:
                id_type = self._alike(id_type, identity, self.source.id or "")
            for place, (live, (entity, _)) in enumerate(zip(lives, views, strict=True)):
                before = live.entities[entity].moments.get(identity, before)
                if type(entity) is not entity_types[place]:
                    entity_types[place] = self._alike(entity_types[place], entity, live.view.entity)
            if before != time:
                msg = f"An event of source {self.source.name!r} has the id {identity!r} of another "
                msg += "but not its time."
                raise FeatureError(msg, remedy="An id names one event; correct the ids.")
        for live, entity_type in zip(lives, entity_types, strict=True):
            live.entity_type, live.id_type = entity_type, id_type

    def _alike(self, known: type | None, key: Any, column: str) -> type:
        """Return the type of a key, which is of the kind of those that are known."""
        if known is not None and kind_of(known) != kind_of(type(key)):
            msg = f"{column!r} of an event of source {self.source.name!r} is {key!r}, "
            msg += f"{kind_of(type(key))}; of others it is {kind_of(known)}."
            raise FeatureError(msg, remedy="Give keys of one kind, as the source does.")
        return type(key)

    def _known(self, event: Mapping[str, Any], number: int) -> tuple[int, Any, int]:
        """Return the time, id and time of arrival of an event."""
        source = self.source
        identity = number if source.id is None else event.get(source.id)
        if identity is None:
            msg = f"An event of source {source.name!r} has no {source.id!r}."
            raise FeatureError(msg, remedy="Every event needs its id.")
        what = f"An event of source {source.name!r}"
        time = moment(event.get(source.time), source, what=what)
        arrived = None if source.created is None else event.get(source.created)
        if arrived is None:
            return time, identity, time
        return (
            time,
            identity,
            max(moment(arrived, source, what=f"{what} in {source.created!r}"), time),
        )

    def commit(self) -> None:
        """Make all events so far survive, with the vectors of what changed.

        Raises
        ------
        StoreError
            If the store cannot; nothing is lost, and it can be tried again.

        """
        sweep = self._commits % _EXPIRE_EVERY == _EXPIRE_EVERY - 1
        front = min(self._front, self._wall_us())
        lives = self._live.values()
        try:
            for live in lives:
                self.state.add(live.key, live.pending)
                if self.materialize:
                    self.state.put_vectors(live.key, self._vectors(live))
                if sweep and live.horizon_us is not None:
                    self.state.expire(live.key, front - live.horizon_us - self.lateness_us)
            self.state.commit({live.key: live.offset for live in lives})
        except BaseException:
            self.state.rollback()
            raise
        for live in lives:
            live.pending, live.dirty = [], {}
            if sweep and live.horizon_us is not None:
                before = front - live.horizon_us - self.lateness_us
                # What has no event left is nothing that memory should hold.
                live.entities = {
                    entity: state
                    for entity, state in live.entities.items()
                    if state.times and state.times[-1] > before
                }
        self._commits += 1

    def _vectors(self, live: Live) -> list[tuple[Any, int, bytes]]:
        rows = []
        for entity, time in live.dirty.items():
            vector = live.vector(live.entities[entity], time, None)
            rows.append((entity, time, np.array(vector).tobytes()))
        return rows

    def _load(self, live: Live, entities: Iterable[Any]) -> None:
        """Bring entities into memory, those that are not there, all at once."""
        known = live.entities
        new = list(dict.fromkeys([e for e in entities if e not in known and e is not None]))
        if not new:
            return
        for entity in new:
            known[entity] = EntityState(live.whole)
        for entity, time, identity, created, *payload in self.state.load(live.key, new):
            known[entity].insert(time, identity, created, tuple(payload))

    def _entity(self, live: Live, entity: Any) -> EntityState:
        if entity not in live.entities:
            self._load(live, [entity])
        return live.entities[entity]

    def row(self, view: str, event: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """Return the features of an event that was taken in, as of its own time."""
        live = self._named(view)
        event = held(event, self.source.time_zone)
        time, identity, _ = self._known(event, 0)
        state = self._entity(live, event[live.view.entity])
        place = state.place_of(time, None if self.source.id is None else identity)
        return np.array(live.vector(state, time, place))

    def read(self, view: str, entities: Sequence[Any], *, now_us: int) -> npt.NDArray[np.float64]:
        """Return features as of now: (n_entities, n_features), in the order of the view.

        An entity without events has what its features say of nothing.

        Raises
        ------
        FeatureError
            If entities are of another kind than those of the events (numbers, texts), or
            `now_us` is of 1970.

        """
        live = self._named(view)
        now_us = moment(now_us, self.source, what="The moment of a read")
        entities = plain_keys(entities)
        for entity in entities if live.entity_type is not None else ():
            if type(entity) is not live.entity_type:
                self._asked_alike(live, entity)
        self._load(live, entities)
        known = live.entities
        return np.array(
            [live.vector(known[entity], now_us, None) for entity in entities], dtype=np.float64
        ).reshape(len(entities), len(live.view.features))

    def _asked_alike(self, live: Live, entity: Any) -> None:
        known = live.entity_type
        if known is not None and kind_of(known) != kind_of(type(entity)):
            msg = f"Entity {entity!r} asked of view {live.view.name!r} is {kind_of(type(entity))}; "
            msg += f"those of its events are {kind_of(known)}."
            raise FeatureError(msg, remedy="Ask with keys of the kind of the source.")

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
        entities = plain_keys(entities)
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

    def _named(self, view: str) -> Live:
        if view not in self._live:
            raise unknown(FeatureError, "feature view", view, self._live)
        return self._live[view]


def _listed(events: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Return events as a list of mappings."""
    wanted = "Give a list of mappings from column to value; a frame has them as frame.to_dicts()."
    if isinstance(events, Mapping | str) or hasattr(events, "to_dicts"):
        msg = f"Events came as one {type(events).__name__}."
        raise FeatureError(msg, remedy=wanted)
    listed = list(events)
    for event in listed:
        if not isinstance(event, Mapping):
            msg = f"An event is {event!r}, of type {type(event).__name__}."
            raise FeatureError(msg, remedy=wanted)
    return listed
