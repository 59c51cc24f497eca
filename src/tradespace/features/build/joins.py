"""Point-in-time joins: a table of entities and times, with the features as of those times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.batch.compute import compute_at, compute_row_features
from tradespace.features.batch.events import Events, read_events, require_columns
from tradespace.features.batch.study_columns import read_source
from tradespace.features.build.labels import as_in_source, entities_of, refuse_taken, times_of
from tradespace.features.build.lookup import looked_up
from tradespace.features.define.agree import refuse_two_features
from tradespace.features.define.load import sources_of
from tradespace.features.define.views import FeatureView, RowFeatures, View, located

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Joined:
    """A table with features, and what was found of it.

    `found` says for each windowed view how many of the table's entities have events, and how
    many there are. `left_out` says for row features that could not be computed the columns
    that the table lacks.
    """

    frame: pl.DataFrame
    found: Mapping[str, tuple[int, int]]
    left_out: Mapping[str, tuple[str, ...]]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of it: entities without events, and what was left out."""
        few = [
            f"View {name!r}: {n_found:,} of {n:,} entities have events."
            for name, (n_found, n) in self.found.items()
            if 2 * n_found < n
        ]
        return (
            *few,
            *(
                f"Row feature {name!r} is left out: the table lacks {', '.join(lacks)}."
                for name, lacks in self.left_out.items()
            ),
        )


def join(
    views: Mapping[str, View],
    labels: pl.DataFrame,
    *,
    time: str,
    events: Mapping[str, Events] | None = None,
) -> pl.DataFrame:
    """Return a table with the features of all views as of the time of each row added.

    Parameters
    ----------
    views : Mapping of str to view
        Of one source or several. Row features are computed from the table's own columns;
        those for which it lacks one are left out, as :func:`join_all` says.
    labels : DataFrame
        With a column of times, and for each windowed view the column that names its entity
        (`key`).
    time : str
        The column of times.
    events : Mapping of str to Events, optional
        Events by the name of their source; those not given are read from files.

    Raises
    ------
    FeatureError
        If a column is missing or exists already, an entity or time is missing, or entities
        are of another type than in the source.

    """
    return join_all(views, labels, time=time, events=events).frame


def join_all(
    views: Mapping[str, View],
    labels: pl.DataFrame,
    *,
    time: str,
    events: Mapping[str, Events] | None = None,
    owner: str = "The table",
) -> Joined:
    """Return a table with features, and what was found of it; see :func:`join`.

    Parameters
    ----------
    views, labels, time, events
        As for :func:`join`.
    owner : str
        What messages call the table.

    """
    sources_of(views)
    refuse_two_features(views.values())
    known = dict(events or {})
    added: list[pl.Series] = []
    found: dict[str, tuple[int, int]] = {}
    left_out: dict[str, tuple[str, ...]] = {}
    for name, view in views.items():
        if isinstance(view, RowFeatures):
            values, lacking = _of_own_columns(view, labels, time, owner)
            left_out |= lacking
        else:
            if view.source.name not in known:
                with located(view):
                    known[view.source.name] = _all_events(views, view)
            values, found[name] = _as_of(view, labels, time, known[view.source.name], owner)
        refuse_taken(values, labels, view, owner)
        added += [pl.Series(feature, array) for feature, array in values.items()]
    if left_out and not added:
        names = sorted({column for columns in left_out.values() for column in columns})
        msg = f"{owner} lacks what the row features {', '.join(left_out)} read: "
        msg += f"{', '.join(names)}."
        raise FeatureError(msg, remedy="Row features read the row itself: add these columns.")
    return Joined(labels.with_columns(added), found, left_out)


def _as_of(
    view: FeatureView, labels: pl.DataFrame, time: str, events: Events, owner: str
) -> tuple[dict[str, npt.NDArray[np.float64]], tuple[int, int]]:
    entities = entities_of(view, labels, owner)
    asked = times_of(labels, time, view=view, owner=owner)
    require_columns(events.frame, [view.entity], owner=f"View {view.name!r}")
    held = events.frame[view.entity]
    entities = as_in_source(entities, held, view=view, owner=owner)
    values = compute_at(view, events, entities, asked)
    distinct = entities.unique()
    return values, (int(distinct.is_in(held.unique().implode()).sum()), len(distinct))


def _of_own_columns(
    view: RowFeatures, labels: pl.DataFrame, time: str, owner: str
) -> tuple[dict[str, npt.NDArray[np.float64]], dict[str, tuple[str, ...]]]:
    """Return row features of a table, and what it lacks for those that it cannot give."""
    at = view.source.time
    frame = labels
    if at in view.columns:
        # The time of a row is what the table calls its time, whatever the source calls it.
        column = time if time in labels.columns else at
        if column in labels.columns:
            moments = pl.Series(times_of(labels, column, view=view, owner=owner))
            zoned = moments.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
            frame = labels.with_columns(zoned.alias(at))
    lacking = {e.name: tuple(sorted(set(e.columns) - set(frame.columns))) for e in view.expressions}
    given = tuple(e for e in view.expressions if not lacking[e.name])
    values = compute_row_features(replace(view, features=given), frame) if given else {}
    return values, {name: columns for name, columns in lacking.items() if columns}


def join_rows_of(
    views: Mapping[str, FeatureView],
    tables: Mapping[str, pl.DataFrame],
    labels: pl.DataFrame,
    *,
    time: str,
) -> pl.DataFrame:
    """Return a table with features that were computed before, as of the last event of each row.

    Sooner done than :func:`join`, and another answer: windows end at the last event of the
    entity, not at the row's own time.

    Parameters
    ----------
    views : Mapping of str to FeatureView
    tables : Mapping of str to DataFrame
        For each view its entity, time and features, in the order of time.
    labels : DataFrame
        With `time`, and for each view the column that names its entity (`key`).
    time : str
        The column of times.

    Raises
    ------
    FeatureError
        As for :func:`join`, and if a table of features is not in the order of time.

    """
    added: list[pl.Series] = []
    for name, view in views.items():
        added += looked_up(view, tables[name], labels, time=time, owner="The table")
    return labels.with_columns(added)


def _all_events(views: Mapping[str, View], view: FeatureView) -> Events:
    """Return the events of a view's source, with the columns of all views that share it."""
    sharing = [
        v
        for v in views.values()
        if isinstance(v, FeatureView) and v.source.name == view.source.name
    ]
    return read_events(view.source, read_source(*sharing))
