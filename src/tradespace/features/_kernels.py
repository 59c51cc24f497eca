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


def range_sums(values: npt.NDArray[Any], low: Ints, high: Ints) -> npt.NDArray[Any]:
    """Return sums of ranges: int64 exactly for integers, float64 to the last bit or two.

    Examples
    --------
    >>> range_sums(np.array([1, 2, 3]), np.array([0, 1]), np.array([2, 3])).tolist()
    [3, 5]

    """
    if values.dtype.kind in "bui":
        whole = np.zeros(len(values) + 1, np.int64)
        np.cumsum(values, out=whole[1:])
        return np.asarray(whole[high] - whole[low])
    prefix = np.zeros(len(values) + 1)
    np.cumsum(values, out=prefix[1:])
    before, after = prefix[:-1], prefix[1:]
    added = after - before
    error = np.zeros(len(values) + 1)
    np.cumsum((before - (after - added)) + (values - added), out=error[1:])
    result: Floats = (prefix[high] - prefix[low]) + (error[high] - error[low])
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
    factor[1:] = np.where(starts[1:], 0.0, np.exp2(-np.diff(times) / half_life))
    step = 1
    while step < len(values) and factor.any():
        result[step:] = result[step:] + factor[step:] * result[:-step]
        factor[step:] = factor[step:] * factor[:-step]
        factor[:step] = 0.0
        step *= 2
    return result
