"""Seeded bootstrap over the unit that repeats, the same resamples for every candidate.

Resample b of n groups is the same for every candidate scored on the same rows with the same
seed, so that the differences of two candidates can be paired draw by draw.
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


def resampled_weights(
    n_rows: int, groups: npt.NDArray[np.int64] | None, resampling: Resampling
) -> Iterator[Floats]:
    """Yield for each resample the weight of every row: how often its group was drawn.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    groups : ndarray of shape (n_rows,), optional
        Codes 0..n_groups-1 without gaps; None resamples rows.
    resampling : Resampling
        Number of resamples and seed.

    Yields
    ------
    ndarray of shape (n_rows,)
        Whole numbers as float64.

    Examples
    --------
    >>> from tradespace.qualities._base import Resampling
    >>> weights = next(resampled_weights(3, np.array([0, 0, 1]), Resampling(n=1, seed=1)))
    >>> bool(weights[0] == weights[1])
    True

    """
    rng = np.random.default_rng(resampling.seed)
    n_units = n_rows if groups is None else int(groups.max()) + 1
    for _ in range(resampling.n):
        drawn = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
        weights = drawn.astype(np.float64)
        yield weights if groups is None else weights[groups]


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
