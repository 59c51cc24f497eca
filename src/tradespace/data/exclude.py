"""Rules that leave rows out, by what could be known when a row is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_DAY_S = 86_400.0


def known_positive_entities(
    *,
    entity: npt.NDArray[np.int64],
    positive: npt.NDArray[np.bool_],
    time: npt.NDArray[np.float64],
    train_start_s: float,
    rows: npt.NDArray[np.int64],
    delay_s: float,
) -> npt.NDArray[np.bool_]:
    """Return which scored rows to drop: their entity was known to be positive by that day.

    An entity is known from the first midnight (UTC) that lies more than the delay after a
    positive row of it, counted from the start of training.

    Parameters
    ----------
    entity : ndarray of shape (n,)
        Codes 0..n_entities-1 of all rows, those outside every part included.
    positive : ndarray of shape (n,)
        Whether a row's label is positive.
    time : ndarray of shape (n,)
        Seconds since 1970 UTC.
    train_start_s : float
        When training starts.
    rows : ndarray of shape (k,)
        The scored rows.
    delay_s : float
        How long after a row its label is known.

    Returns
    -------
    ndarray of shape (k,)
        True where a row is to be dropped.

    Examples
    --------
    Positive on day 0; known, after a delay of one day, from day 2 on:

    >>> day = 86400.0
    >>> known_positive_entities(entity=np.array([0, 0, 0]), positive=np.array([True, False, False]),
    ...     time=np.array([0.5, 1.5, 2.5]) * day, train_start_s=0.0, rows=np.array([1, 2]),
    ...     delay_s=day)
    array([False,  True])

    """
    since = np.full(int(entity.max()) + 1, np.inf)
    hits = positive & (time >= train_start_s)
    np.minimum.at(since, entity[hits], time[hits])
    day = np.floor(time[rows] / _DAY_S) * _DAY_S
    return np.asarray(since[entity[rows]] < day - delay_s)
