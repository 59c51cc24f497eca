"""A part of the events to verify: some entities, drawn by a hash, and the last time."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tradespace.core.errors import FeatureError
from tradespace.features.batch.events import Events, require_columns
from tradespace.features.define.rules import is_whole
from tradespace.features.define.views import FeatureView, View


@dataclass(frozen=True, slots=True)
class Portion:
    """What :func:`verify` looks at: some entities, some last time; None: all.

    Attributes
    ----------
    entities : int, optional
        So many entities of each kind, drawn by a hash.
    last_us : int, optional
        Only rows so long before the newest event, microseconds.

    """

    entities: int | None = None
    last_us: int | None = None

    def __post_init__(self) -> None:
        if self.entities is not None and (not is_whole(self.entities) or self.entities < 1):
            msg = f"A sample is a whole number of entities, 1 or more; got {self.entities!r}."
            raise FeatureError(msg, remedy="Leave --sample out to take all.")
        if self.last_us is not None and self.last_us <= 0:
            msg = f"The last time to look at must be longer than 0; got {self.last_us} us."
            raise FeatureError(msg, remedy="Write it like '7d', or leave --last out to take all.")


ALL = Portion()


def portion_of(
    views: Mapping[str, View],
    events: Events,
    portion: Portion,
    since: int | None,
    say: Callable[[str], None],
) -> Events:
    """Return the events that the rows to look at can depend on.

    Parameters
    ----------
    views : Mapping of str to view
        Windowed ones have one entity.
    events : Events
    portion : Portion
    since : int or None
        Rows after this time are looked at, microseconds since 1970 UTC; None: all.
    say : callable
        Told in a sentence what is compared, where that is not everything.

    Raises
    ------
    FeatureError
        If there is no row to look at.

    """
    chosen = np.ones(len(events), bool)
    entity = next((v.entity for v in views.values() if isinstance(v, FeatureView)), None)
    text = f"{len(events):,} events"
    if portion.entities is not None and entity is not None:
        require_columns(events.frame, [entity], owner="The sample of entities")
        held = events.frame[entity]
        distinct = held.unique().drop_nulls()
        digests = [hashlib.sha256(repr(value).encode()).digest() for value in distinct.to_list()]
        drawn = sorted(range(len(distinct)), key=digests.__getitem__)[: portion.entities]
        chosen &= held.is_in(distinct[drawn].implode()).fill_null(value=False).to_numpy()
        text = f"{len(drawn):,} of {len(distinct):,} entities ({entity}) drawn by a hash: "
        text += f"{int(chosen.sum()):,} of {len(events):,} events"
    if since is not None:
        asked = int((chosen & (events.time_us > since)).sum())
        horizons = [v.horizon_us for v in views.values() if isinstance(v, FeatureView)]
        if None not in horizons:
            chosen &= events.time_us > since - max((h for h in horizons if h), default=0)
        text += f", {asked:,} of them after {_iso(since)}"
        if not asked:
            msg = f"There is nothing to compare: {text}."
            raise FeatureError(msg, remedy="Look at a longer time, or at more entities.")
    if portion != ALL:
        say(f"Compares {text}.")
    return events if chosen.all() else events.take(np.flatnonzero(chosen))


def _iso(time_us: int) -> str:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
    return moment.isoformat(sep=" ", timespec="seconds")
