"""The last row of an entity until a time, in a table that stands in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.batch import compiled
from tradespace.features.batch.compute import codes_of
from tradespace.features.batch.events import require_columns, times_us
from tradespace.features.build.labels import as_in_source, entities_of, refuse_taken, times_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.features.define.views import FeatureView

    Ints = npt.NDArray[np.int64]
    Codes = npt.NDArray[Any]


def looked_up(
    view: FeatureView, table: pl.DataFrame, labels: pl.DataFrame, *, time: str, owner: str
) -> list[pl.Series]:
    """Return for each label the features in the row of its entity's last event until its time.

    They are null for a label without one.

    Raises
    ------
    FeatureError
        If a column, an entity or a time is missing, a feature's name is taken, entities are of
        another type than in the table, or the table is not in the order of time.

    """
    needed = [view.entity, view.source.time, *view.names]
    require_columns(table, needed, owner=f"View {view.name!r}")
    refuse_taken(view.names, labels, view, owner)
    rows = _last_rows(view, table, labels, time, owner)
    return table.select(pl.col(view.names).gather(rows)).get_columns()


def _last_rows(
    view: FeatureView, table: pl.DataFrame, labels: pl.DataFrame, time: str, owner: str
) -> pl.Series:
    held, entities = table[view.entity], entities_of(view, labels, owner)
    entities = as_in_source(entities, held, view=view, owner=owner).cast(held.dtype)
    codes = codes_of(pl.concat([held, entities.alias(held.name)]).to_frame(), held.name, view)
    times, asked = _clocks(view, table, labels, time=time, owner=owner)
    order = pl.Series(asked).arg_sort().to_numpy()
    n, n_codes = table.height, int(codes.max(initial=-1)) + 1
    found, back = latest(times, codes[:n], asked[order], codes[n:][order], n_codes)
    if back >= 0:
        msg = f"Row {back} of the features of view {view.name!r} is earlier than the row before it."
        raise FeatureError(msg, remedy=f"Sort them by {view.source.time!r}.")
    rows = np.empty(len(order), np.int64)
    rows[order] = found
    series = pl.Series(rows)
    return series.set(series < 0, None) if (found < 0).any() else series


def latest(
    times: Ints, codes: Codes, asked: Ints, asked_codes: Codes, n_codes: int
) -> tuple[Ints, int]:
    """Return the last row of each question's code until then, and the first row out of order.

    One walk along rows and questions remembers the last row of each code; an as-of join that
    groups all rows by entity first takes several times as long.

    Parameters
    ----------
    times, codes : ndarray of shape (n_rows,)
        In the order of time; codes from 0.
    asked, asked_codes : ndarray of shape (n_questions,)
        In the order of time.
    n_codes : int

    Returns
    -------
    rows : ndarray of int64 of shape (n_questions,)
        -1 for a code without a row until then.
    back : int
        The first row earlier than the one before it, -1 for none; then `rows` mean nothing.

    Examples
    --------
    >>> rows, back = latest(
    ...     np.array([1, 2, 3]), np.array([0, 1, 0]), np.array([0, 2, 9]), np.array([0, 0, 0]), 2
    ... )
    >>> rows.tolist(), back
    ([-1, 0, 2], -1)

    """
    if compiled.LIBRARY is not None:
        return compiled.latest(
            compiled.LIBRARY, times=times, codes=codes, asked=asked,
            asked_codes=asked_codes, n_codes=n_codes,
        )  # fmt: skip
    none, backwards = np.full(len(asked), -1, np.int64), np.flatnonzero(times[1:] < times[:-1])
    if len(backwards):
        return none, int(backwards[0]) + 1
    if not len(times):
        return none, -1
    # Rows by code: of each code, find the place before the first row that is later than asked.
    # NumPy sorts 16-bit numbers by their digits.
    short = codes.astype(np.uint16) if n_codes <= 1 << 16 else codes
    order, span = np.argsort(short, kind="stable"), len(times) + 1
    keys = codes[order].astype(np.int64) * span + order
    until = asked_codes.astype(np.int64) * span + np.searchsorted(times, asked, side="right")
    place = np.searchsorted(keys, until) - 1
    rows = order[place]
    return np.where((place >= 0) & (codes[rows] == asked_codes), rows, none), -1


def _clocks(
    view: FeatureView, table: pl.DataFrame, labels: pl.DataFrame, *, time: str, owner: str
) -> tuple[Ints, Ints]:
    """Return times of a table and of labels in one unit, as they are stored if they are alike."""
    held = table[view.source.time]
    asked = labels[time] if time in labels.columns else None
    if asked is not None and asked.dtype == held.dtype and isinstance(held.dtype, pl.Datetime):
        stored = held.to_physical(), asked.to_physical()
        if not stored[0].null_count() and not stored[1].null_count():
            return stored[0].to_numpy(), stored[1].to_numpy()
    until = times_of(labels, time, view=view, owner=owner)
    return times_us(table, view.source.time, source=view.source), until
