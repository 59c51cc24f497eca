"""Training-serving skew: values that were served against what batch says of those moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.definitions import FeatureView, View
from tradespace.features.events import Events
from tradespace.features.joins import join

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Skew:
    """One feature: how many of the logged values differ, by how much, and the first few.

    `examples` are (row of the log, value served, value of batch).
    """

    feature: str
    rows: int
    differing: int
    greatest: float
    examples: tuple[tuple[int, float, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "feature": self.feature,
            "rows": self.rows,
            "differing": self.differing,
            "greatest": self.greatest,
            "examples": [
                {"row": row, "served": served, "batch": batch}
                for row, served, batch in self.examples
            ],
        }


def skew(
    views: Mapping[str, View],
    log: pl.DataFrame,
    *,
    time: str,
    events: Mapping[str, Events] | None = None,
    tolerance: float = 1e-9,
) -> list[Skew]:
    """Compare logged online values with batch, feature by feature.

    Parameters
    ----------
    views : Mapping of str to view
    log : DataFrame
        What was served: for each answer its time, its entities, and a column for each feature
        that is to be checked, under its name.
    time : str
        Column of the time as of which values were read.
    events : Mapping of str to Events, optional
        Events by the name of their source; those not given are read from files.
    tolerance : float
        Relative difference that does not count.

    Raises
    ------
    FeatureError
        If the log holds none of the features, or lacks an entity.

    """
    windowed = {
        name: view
        for name, view in views.items()
        if isinstance(view, FeatureView) and set(view.names) & set(log.columns)
    }
    checked = [n for view in windowed.values() for n in view.names if n in log.columns]
    if not checked:
        msg = f"The log holds no feature of {', '.join(views)}; its columns are {log.columns}."
        raise FeatureError(msg, remedy="Log the values under the names of the features.")
    computed = join(windowed, log.drop(checked), time=time, events=events)
    return [_one(name, log, computed, tolerance) for name in checked]


def _one(name: str, log: pl.DataFrame, computed: pl.DataFrame, tolerance: float) -> Skew:
    served = log[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    batch = computed[name].to_numpy()
    same = np.isnan(served) & np.isnan(batch)
    gap = np.where(same, 0.0, np.abs(served - batch))
    differs = ~(gap <= tolerance * np.fmax(np.abs(batch), 1.0))
    rows = np.flatnonzero(differs)
    return Skew(
        name,
        len(log),
        len(rows),
        float(np.nanmax(gap, initial=0.0)),
        tuple((int(r), float(served[r]), float(batch[r])) for r in rows[:_EXAMPLES]),
    )
