"""Point-in-time joins: a table of entities and times, with the features as of those times."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.apply import read_source
from tradespace.features.batch import compute_at
from tradespace.features.definitions import FeatureView, View
from tradespace.features.events import Events, read_events, require_columns, times_us


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
        Windowed views, of one source or several; row features are left out, because the rows
        are no events.
    labels : DataFrame
        With a column of times, and for each view the column that names its entity (`key`).
    time : str
        The column of times.
    events : Mapping of str to Events, optional
        Events by the name of their source; those not given are read from files.

    Raises
    ------
    FeatureError
        If a column is missing or exists already.

    """
    known = dict(events or {})
    added: list[pl.Series] = []
    for view in views.values():
        if not isinstance(view, FeatureView):
            continue
        key = view.key or view.entity
        require_columns(labels, [key, time], owner=f"View {view.name!r}")
        if view.source.name not in known:
            known[view.source.name] = _all_events(views, view)
        asked = times_us(labels, time, source=view.source)
        for name, values in compute_at(view, known[view.source.name], labels[key], asked).items():
            if name in labels.columns:
                msg = f"The table has a column {name!r} already, which is a feature of view "
                msg += f"{view.name!r}."
                raise FeatureError(msg, remedy="Rename the column, or give the feature a name.")
            added.append(pl.Series(name, values))
    return labels.with_columns(added)


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

    """
    order = labels[time].arg_sort()
    joined = labels[order]
    for name, view in views.items():
        key = view.key or view.entity
        require_columns(labels, [key, time], owner=f"View {view.name!r}")
        joined = joined.join_asof(
            tables[name],
            left_on=time,
            right_on=view.source.time,
            by_left=key,
            by_right=view.entity,
            check_sortedness=False,
        )
    return joined[order.arg_sort()]


def _all_events(views: Mapping[str, View], view: FeatureView) -> Events:
    """Return the events of a view's source, with the columns of all views that share it."""
    sharing = [v for v in views.values() if v.source.name == view.source.name]
    return read_events(view.source, read_source(*sharing))
