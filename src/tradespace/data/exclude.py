"""Named filters of rows: an SQL condition, or a registered rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import DataError, InputError
from tradespace.core.studies import ExcludeSpec
from tradespace.data.dataset import Fold

if TYPE_CHECKING:
    import numpy.typing as npt

_DAY_S = 86400.0


def kept_by_condition(frame: pl.DataFrame, spec: ExcludeSpec) -> npt.NDArray[np.bool_]:
    """Return which rows an SQL condition does not exclude.

    Raises
    ------
    DataError
        If the condition cannot be understood or is no condition.

    """
    try:
        found = frame.select(pl.sql_expr(str(spec.where)).alias("excluded"))["excluded"]
    except (pl.exceptions.PolarsError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        msg = f"The filter {spec.name!r} cannot be applied: {first}."
        remedy = 'Write an SQL condition on columns, such as "amount < 0".'
        raise DataError(msg, place=spec.place, remedy=remedy) from error
    if found.dtype != pl.Boolean:
        msg = f"The filter {spec.name!r} gives {found.dtype}, not true or false."
        raise DataError(msg, place=spec.place, remedy="Compare something, such as amount < 0.")
    return ~np.asarray(found.fill_null(value=False).to_numpy(), dtype=bool)


def known_positive_entities(
    fold: Fold,
    *,
    entity: npt.NDArray[np.int64],
    y: npt.NDArray[Any],
    times_s: npt.NDArray[np.float64],
    delay_s: float,
) -> npt.NDArray[np.bool_]:
    """Return which scored rows stay when entities known to be positive are left out.

    An entity is known on a day if it has a positive row in the training period, or one on any
    day between whose label has arrived: a label arrives `delay_s` after its day. Of a day, all
    rows of known entities are dropped.

    Parameters
    ----------
    fold : Fold
        Trained and scored rows.
    entity : ndarray of shape (n_rows,)
        Codes of the entity.
    y : ndarray of shape (n_rows,)
        1 for positive.
    times_s : ndarray of shape (n_rows,)
        Seconds since 1970.
    delay_s : float
        How long after its day a label is known.

    Returns
    -------
    ndarray of shape (n_scored,)

    """
    day = np.floor(times_s / _DAY_S)
    first_train_day = day[fold.train].min()
    last_train_day = day[fold.train].max()
    # The day on which an entity becomes known: at once for the training period.
    known_from = np.full(int(entity.max()) + 1, np.inf)
    positive = np.flatnonzero((y == 1) & (day >= first_train_day))
    arrives = np.where(
        day[positive] <= last_train_day,
        -np.inf,
        day[positive] + np.floor(delay_s / _DAY_S) + 1,
    )
    np.minimum.at(known_from, entity[positive], arrives)
    return np.asarray(known_from[entity[fold.score]] > day[fold.score])


def apply_rule(
    spec: ExcludeSpec,
    fold: Fold,
    *,
    columns: Mapping[str, npt.NDArray[Any]],
    y: npt.NDArray[Any],
    times_s: npt.NDArray[np.float64] | None,
) -> Fold:
    """Return the fold without the rows that a registered rule excludes.

    Raises
    ------
    DataError
        If the rule needs a column that is not there.

    """
    from tradespace.study.units import parse_quantity

    name = str(spec.settings.get("entity"))
    if name not in columns:
        msg = f"The rule {spec.rule!r} names the column {name!r}, which the data do not have."
        raise DataError(msg, place=spec.place)
    if times_s is None:
        msg = f"The rule {spec.rule!r} needs a time column."
        raise DataError(msg, place=spec.place, remedy="Name it under 'columns: {time: ...}'.")
    try:
        delay_s = parse_quantity(spec.settings.get("delay"), unit="s", what="The delay")
    except InputError as error:
        raise error.at(spec.place) from error
    entity = np.unique(columns[name], return_inverse=True)[1].astype(np.int64)
    kept = known_positive_entities(fold, entity=entity, y=y, times_s=times_s, delay_s=delay_s)
    return Fold(fold.name, fold.train, fold.score[kept])
