"""Seeded bootstrap over the unit that repeats, the same resamples for every candidate.

Resample b of n units is the same for every candidate scored on the same rows with the same
seed, so that the differences of two candidates can be paired draw by draw. Resamples come in
blocks, as counts of units: most qualities follow from counts by a few matrix products.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.qualities._base import Resampling

    Floats = npt.NDArray[np.float64]

#: Bytes that one number for each row and each resample of a block may take together. Larger
#: blocks are no faster: what a quality makes of a block of this size stays in the caches.
BLOCK_BYTES = 8 * 2**20


def block_length(n_rows: int, n_resamples: int) -> int:
    """Return how many resamples of so many rows are handled at once; at least one.

    Examples
    --------
    >>> block_length(1_000, 500), block_length(28_000, 500), block_length(10**8, 500)
    (500, 37, 1)

    """
    room = BLOCK_BYTES // (8 * max(1, n_rows))
    return max(1, min(n_resamples, room))


def resampled_counts(n_units: int, n_rows: int, resampling: Resampling) -> Iterator[Floats]:
    """Yield for each block of resamples how often every unit was drawn.

    Parameters
    ----------
    n_units : int
        Number of units: groups, or rows.
    n_rows : int
        Number of rows that the units hold; it decides the length of a block, not the draws.
    resampling : Resampling
        Number of resamples and seed.

    Yields
    ------
    ndarray of shape (n_units, n_resamples of the block)
        Whole numbers as float64; every column sums to n_units.

    Examples
    --------
    >>> from tradespace.qualities._base import Resampling
    >>> counts = next(resampled_counts(3, 6, Resampling(n=2, seed=1)))
    >>> counts.shape, counts.sum(axis=0).tolist()
    ((3, 2), [3.0, 3.0])

    """
    rng = np.random.default_rng(resampling.seed)
    length = block_length(n_rows, resampling.n)
    for start in range(0, resampling.n, length):
        drawn = np.empty((min(length, resampling.n - start), n_units))
        for row in drawn:
            row[:] = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
        # Units first: a product over units then reads the counts of a unit side by side.
        yield np.ascontiguousarray(drawn.T)


def percentile_interval(draws: Sequence[float] | Floats, confidence: float) -> tuple[float, float]:
    """Return the two-sided percentile interval of bootstrap draws.

    References
    ----------
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Examples
    --------
    >>> percentile_interval(list(range(101)), 0.5)
    (25.0, 75.0)

    """
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(np.asarray(draws, dtype=np.float64), [tail, 100 - tail])
    return float(low), float(high)


def certain_margin(n_units: int, confidence: float) -> float:
    """Return what n units without one exception leave possible: 3.7/n at 95 %, two-sided.

    A resample of perfect predictions is perfect again, so the bootstrap alone would claim
    certainty from five rows. With n units and no exception, this is the far end of the exact
    (Clopper-Pearson) interval of the exception rate.

    References
    ----------
    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
    the case of the binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> round(certain_margin(100, 0.95), 3)
    0.036

    """
    if n_units < 1:
        return 1.0
    tail = (1 - confidence) / 2
    return 1.0 - math.exp(math.log(tail) / n_units)
