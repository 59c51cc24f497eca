"""Training-serving skew: values that were served against what batch says of those moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.core.plain import plain_fields
from tradespace.features.batch.events import Events
from tradespace.features.build.joins import join_all
from tradespace.features.define.views import View

if TYPE_CHECKING:
    import numpy.typing as npt

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Skew:
    """One feature: how many of the logged values differ, by how much, and the first few.

    `missing` of those that differ are missing on one side; `greatest` is of the others.
    `examples` are (row of the log, value served, value of batch). A row feature that could not
    be compared has the columns that the log `lacks`, and no rows.
    """

    feature: str
    rows: int
    differing: int
    greatest: float
    examples: tuple[tuple[int, float, float], ...] = ()
    missing: int = 0
    lacks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        examples = [
            dict(zip(("row", "served", "batch"), one, strict=True)) for one in self.examples
        ]
        return {**plain_fields(self), "examples": examples}


def skew(
    views: Mapping[str, View],
    log: pl.DataFrame,
    *,
    time: str,
    events: Mapping[str, Events] | None = None,
    tolerance: float = 1e-9,
    owner: str = "The log",
) -> list[Skew]:
    """Compare logged online values with batch, feature by feature.

    Parameters
    ----------
    views : Mapping of str to view
    log : DataFrame
        What was served: for each answer its time, its entities, and a column for each feature
        that is to be checked, under its name. Row features need the columns that they read.
    time : str
        Column of the time as of which values were read.
    events : Mapping of str to Events, optional
        Events by the name of their source; those not given are read from files.
    tolerance : float
        Relative difference that does not count; 0 or more.
    owner : str
        What messages call the log.

    Raises
    ------
    FeatureError
        If the log is empty, holds none of the features, or lacks an entity.

    """
    if not tolerance >= 0.0:
        msg = f"A tolerance is a number of 0 or more; got {tolerance!r}."
        raise FeatureError(msg, remedy="0 compares every bit.")
    logged = {name: view for name, view in views.items() if set(view.names) & set(log.columns)}
    checked = [n for view in logged.values() for n in view.names if n in log.columns]
    if not checked:
        msg = f"{owner} holds no feature of {', '.join(views)}; its columns are {log.columns}."
        raise FeatureError(msg, remedy="Log the values under the names of the features.")
    if not log.height:
        msg = f"{owner} has no rows, so that nothing was compared."
        raise FeatureError(msg, remedy="Check that answers are logged, and that it was written.")
    served = {name: _numbers(log[name], owner) for name in checked}
    joined = join_all(logged, log.drop(checked), time=time, events=events, owner=owner)
    return [
        Skew(name, 0, 0, 0.0, lacks=joined.left_out[name])
        if name in joined.left_out
        else _one(name, served[name], joined.frame, tolerance)
        for name in checked
    ]


def _numbers(logged: pl.Series, owner: str) -> npt.NDArray[np.float64]:
    try:
        return logged.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    except pl.exceptions.PolarsError as error:
        msg = f"Column {logged.name!r} of {owner[0].lower() + owner[1:]} must hold numbers; "
        msg += f"got {logged.dtype}."
        raise FeatureError(msg, remedy="Log the values as they were served.") from error


def _one(
    name: str, served: npt.NDArray[np.float64], computed: pl.DataFrame, tolerance: float
) -> Skew:
    batch = computed[name].to_numpy()
    same = (np.isnan(served) & np.isnan(batch)) | (served == batch)
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.abs(served - batch))
    differs = ~(gap <= tolerance * np.fmax(np.abs(batch), 1.0))
    rows = np.flatnonzero(differs)
    return Skew(
        name,
        len(served),
        len(rows),
        float(np.nanmax(gap, initial=0.0)),
        tuple((int(r), float(served[r]), float(batch[r])) for r in rows[:_EXAMPLES]),
        int((np.isnan(served) != np.isnan(batch)).sum()),
    )
