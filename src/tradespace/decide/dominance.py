"""Pareto dominance over any number of objectives; values are never negated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tradespace.core.quantities import Direction

if TYPE_CHECKING:
    import numpy.typing as npt


def dominates(a: Sequence[float], b: Sequence[float], directions: Sequence[Direction]) -> bool:
    """Return whether `a` is nowhere worse than `b` and somewhere better.

    A value that is not known (nan) neither beats nor equals anything.

    Examples
    --------
    >>> dominates([0.9, 10.0], [0.8, 10.0], [Direction.MAXIMIZE, Direction.MINIMIZE])
    True

    """
    better = False
    for x, y, direction in zip(a, b, directions, strict=True):
        if direction.better(x, y):
            better = True
        elif x != y:
            return False
    return better


def dominators(
    values: npt.NDArray[np.float64], directions: Sequence[Direction]
) -> npt.NDArray[np.int64]:
    """Return for each row the index of a row that dominates it, or -1.

    Parameters
    ----------
    values : ndarray of shape (n_candidates, n_objectives)
        Each column in its own unit; nan for unknown.
    directions : sequence of Direction
        One a column.

    Returns
    -------
    ndarray of shape (n_candidates,)
        The row itself is on the Pareto front if -1.

    Examples
    --------
    >>> v = np.array([[0.9, 10.0], [0.8, 10.0], [0.7, 1.0]])
    >>> dominators(v, [Direction.MAXIMIZE, Direction.MINIMIZE])
    array([-1,  0, -1])

    """
    n = len(values)
    found = np.full(n, -1, dtype=np.int64)
    if values.size == 0:
        return found
    for index in range(n):
        no_worse = np.ones(n, dtype=bool)
        better = np.zeros(n, dtype=bool)
        for column, direction in enumerate(directions):
            mine, theirs = values[index, column], values[:, column]
            ahead = theirs < mine if direction is Direction.MINIMIZE else theirs > mine
            better |= ahead
            no_worse &= ahead | (theirs == mine)
        others = np.flatnonzero(no_worse & better)
        if len(others):
            found[index] = others[0]
    return found


def hypervolume(
    values: npt.NDArray[np.float64], reference: Sequence[float], directions: Sequence[Direction]
) -> float:
    """Return the volume that the points dominate, up to the reference point.

    Exact, by slicing along the last objective.

    Examples
    --------
    >>> d = [Direction.MINIMIZE, Direction.MINIMIZE]
    >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), [3.0, 3.0], d)
    3.0

    """
    gains = np.array(
        [
            [
                worst - value if direction is Direction.MINIMIZE else value - worst
                for value, worst, direction in zip(row, reference, directions, strict=True)
            ]
            for row in values
        ]
    ).reshape(len(values), len(directions))
    return _volume(gains[(gains > 0).all(axis=1)])


def _volume(gains: npt.NDArray[np.float64]) -> float:
    if not len(gains):
        return 0.0
    if gains.shape[1] == 1:
        return float(gains.max())
    gains = gains[np.argsort(-gains[:, -1], kind="stable")]
    total = 0.0
    for index, height in enumerate(gains[:, -1]):
        below = gains[index + 1, -1] if index + 1 < len(gains) else 0.0
        if height > below:
            total += (height - below) * _volume(gains[: index + 1, :-1])
    return float(total)
