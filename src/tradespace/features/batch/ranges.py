"""Aggregates of ranges of an array, without a loop over rows.

Every kernel takes `low` and `high`, int64 of shape (n_queries,): the half-open ranges to
aggregate; both must not decrease. Sums of integers are exact; sums of floats carry the
rounding error of their prefix sums along (Ogita, Rump and Oishi, "Accurate sum and dot
product", SIAM J. Sci. Comput. 26(6), 2005).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

#: Fewer keys are bisected at once.
_FEW = 64
#: Steps taken from the place a table gives before bisecting.
_STEPS = 6


class Finder:
    """Finds places in sorted numbers, several times faster than by bisection.

    A table over equal steps of the numbers gives a place to start from, which is mostly the
    right one; the few that are not step on, and those in a crowd are bisected.

    Parameters
    ----------
    keys : ndarray of int64
        Not decreasing.

    Examples
    --------
    >>> Finder(np.array([10, 20, 20, 30])).count_until(np.array([5, 20, 99])).tolist()
    [0, 3, 4]

    """

    def __init__(self, keys: Ints) -> None:
        self.keys = keys
        self._table: Ints | None = None
        self._ended = keys
        self._shift = 0

    def count_until(self, asked: Ints) -> Ints:
        """Return how many keys are at most each of the numbers asked, which do not decrease."""
        keys = self.keys
        if len(keys) < _FEW or len(asked) < len(keys) // 4:
            return np.searchsorted(keys, asked, side="right")
        if self._table is None:
            self._table = self._build()
        step = asked - keys[0]
        step >>= self._shift
        first, last = np.searchsorted(step, [0, len(self._table) - 1])
        found = np.empty(len(asked), np.int64)
        found[:first], found[last:] = 0, len(keys)
        places, wanted = found[first:last], asked[first:last]
        np.take(self._table, step[first:last], out=places, mode="clip")
        going = np.flatnonzero(self._ended[places] <= wanted)
        for _ in range(_STEPS):
            if not len(going):
                return found
            here = places[going] + 1
            places[going] = here
            going = going[self._ended[here] <= wanted[going]]
        places[going] = np.searchsorted(keys, wanted[going], side="right")
        return found

    def _build(self) -> Ints:
        keys = self.keys
        self._ended = np.append(keys, np.iinfo(np.int64).max)
        width = int(keys[-1]) - int(keys[0]) + 1
        self._shift = (width // (2 * len(keys))).bit_length()
        steps = (keys - keys[0]) >> self._shift
        table = np.zeros(int(steps[-1]) + 2, np.int64)
        np.cumsum(np.bincount(steps), out=table[1:])
        return table


class Prefix:
    """Sums of ranges: int64 exactly for integers, float64 to the last bit or two.

    Parameters
    ----------
    values : ndarray of shape (n_events,)

    Attributes
    ----------
    totals : ndarray of shape (n_events + 1,)
        The sum of all values before each place, and of all.

    Examples
    --------
    >>> Prefix(np.array([1, 2, 3])).sums(np.array([0, 1]), np.array([2, 3])).tolist()
    [3, 5]

    """

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._error: Floats | None = None
        if values.dtype.kind in "bui":
            self.totals: npt.NDArray[Any] = np.zeros(len(values) + 1, np.int64)
            np.cumsum(values, out=self.totals[1:])
            return
        self.totals = np.zeros(len(values) + 1)
        np.cumsum(values, out=self.totals[1:])
        before, after = self.totals[:-1], self.totals[1:]
        added = after - before
        self._error = np.zeros(len(values) + 1)
        np.cumsum((before - (after - added)) + (values - added), out=self._error[1:])

    def sums(self, low: Ints, high: Ints) -> npt.NDArray[Any]:
        """Return the sum of each range."""
        result: npt.NDArray[Any] = self.totals[high] - self.totals[low]
        if self._error is not None:
            result += self._error[high] - self._error[low]
        return result


def range_extremes(
    values: npt.NDArray[Any], low: Ints, high: Ints, *, largest: bool
) -> npt.NDArray[Any]:
    """Return the smallest or largest value of each range that is not empty.

    A sparse table of one level at a time: ranges are answered by two overlapping powers of two.
    """
    better = np.maximum if largest else np.minimum
    length = high - low
    result = np.zeros(len(low), values.dtype)
    level, step = values, 1
    logs = np.where(length > 0, np.frexp(np.maximum(length, 1))[1] - 1, -1)
    for exponent in range(int(logs.max(initial=-1)) + 1):
        asked = np.flatnonzero(logs == exponent)
        result[asked] = better(level[low[asked]], level[high[asked] - step])
        if len(level) > step:
            level = better(level[:-step], level[step:])
        step *= 2
    return result


def range_distinct(codes: Ints, segments: Ints, low: Ints, high: Ints) -> Ints:
    """Return how many different codes each range holds.

    A value counts where it occurs last in a range: those ranges follow one another, so a
    running sum of starts and ends counts them all. `segments` tells apart what no range joins.
    """
    n = len(codes)
    order = np.lexsort((np.arange(n), codes, segments))
    following = np.full(n, n, np.int64)
    same = (codes[order][1:] == codes[order][:-1]) & (segments[order][1:] == segments[order][:-1])
    following[order[:-1][same]] = order[1:][same]
    places = np.arange(n)
    first = np.searchsorted(high, places, side="right")
    end = np.minimum(
        np.searchsorted(low, places, side="right"), np.searchsorted(high, following, side="right")
    )
    counted = first < end
    change = np.bincount(first[counted], minlength=len(low) + 1)
    change = change - np.bincount(end[counted], minlength=len(low) + 1)
    result: Ints = np.cumsum(change)[: len(low)]
    return result


def decayed_sums(
    values: Floats, times: Ints, starts: npt.NDArray[np.bool_], half_life: float
) -> Floats:
    """Return at each event the sum of values so far, halved with every half-life of age.

    A segmented scan by doubling; `starts` marks the first event of each segment.
    """
    result = values.astype(np.float64)
    factor = np.zeros(len(values))
    # Between segments times may run backwards, which is no age: it would overflow.
    age = np.where(starts[1:], 0, np.diff(times)) / half_life
    factor[1:] = np.where(starts[1:], 0.0, np.exp2(-age))
    step = 1
    while step < len(values) and factor.any():
        result[step:] = result[step:] + factor[step:] * result[:-step]
        factor[step:] = factor[step:] * factor[:-step]
        factor[:step] = 0.0
        step *= 2
    return result
