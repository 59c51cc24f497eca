"""Top-k precision: of the k that can be looked at in a period, how many are positive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.qualities._predictive import AbstractPredictiveQuality, n_units, unit_of_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.qualities._base import Context, Predictions
    from tradespace.qualities._predictive import Statistic

    Floats = npt.NDArray[np.float64]

_SECONDS = {"hour": 3600.0, "day": 86400.0, "week": 604800.0}


def period_codes(times_s: Floats, per: str) -> npt.NDArray[np.int64]:
    """Return the period of each time, 0.. in order of time; months by the calendar (UTC).

    Examples
    --------
    >>> period_codes(np.array([10.0, 86410.0, 20.0]), "day")
    array([0, 1, 0])

    """
    if per == "all":
        return np.zeros(len(times_s), dtype=np.int64)
    if per == "month":
        raw = times_s.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    elif per == "week":
        # 1970-01-05 was a Monday: weeks begin there.
        raw = np.floor((times_s - 4 * 86400.0) / _SECONDS["week"]).astype(np.int64)
    else:
        raw = np.floor(times_s / _SECONDS[per]).astype(np.int64)
    return _codes(raw)


def _codes(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the place of each value among the distinct values in order."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Period:
    """The entities of one period by falling score, and the unit that each is drawn with."""

    codes: npt.NDArray[np.int64]
    positive: npt.NDArray[np.bool_]
    units: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows in order of period, falling score, and entity; all but `positive` are codes 0.."""

    positive: npt.NDArray[np.bool_]
    entity: npt.NDArray[np.int64]
    period: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int64]
    #: Entity and period together.
    cell: npt.NDArray[np.int64]


def _sorted_rows(
    y: npt.NDArray[Any],
    scores: Floats,
    entity: npt.NDArray[np.int64],
    period: npt.NDArray[np.int64],
    unit: npt.NDArray[np.int64],
) -> _Rows:
    # Equal scores: the entity of the lower code first, so that the order of rows is idle.
    order = np.lexsort((entity, -scores, period))
    entity, period = entity[order], period[order]
    cell = _codes(period * (int(entity.max()) + 1) + entity) if period.any() else entity
    return _Rows(y[order] > 0, entity, period, unit[order], cell)


def _periods(rows: _Rows, drawn: npt.NDArray[np.int64]) -> list[_Period]:
    """Return the entities of every period; each stands where its first drawn row does: its best."""
    n_rows, n_cells = len(rows.cell), int(rows.cell.max()) + 1
    first = np.full(n_cells, n_rows)
    np.minimum.at(first, rows.cell[drawn], drawn)
    leads = np.zeros(n_rows + 1, dtype=bool)
    leads[first] = True
    # The place behind the last row stands for the entities of which nothing was drawn.
    lead = np.flatnonzero(leads[:-1])
    positive = np.zeros(n_cells, dtype=bool)
    positive[rows.cell[drawn[rows.positive[drawn]]]] = True
    cuts = np.searchsorted(rows.period[lead], np.arange(1, int(rows.period[-1]) + 1))
    parts = (
        np.split(values, cuts)
        for values in (rows.entity[lead], positive[rows.cell[lead]], rows.unit[lead])
    )
    return [_Period(*three) for three in zip(*parts, strict=True)]


def _mean_share(
    periods: Sequence[_Period], counts: Floats, *, k: int, drop: bool, most: float
) -> Floats:
    """Return the mean over periods of the share of positives among the k highest, by sample.

    Each entity stands in the pool as often as its unit was drawn, but at most so often.
    """
    n_entities = max((int(p.codes.max(initial=-1)) for p in periods), default=-1) + 1
    detected = np.zeros((n_entities if drop else 0, counts.shape[1]), dtype=bool)
    hits = np.zeros(counts.shape[1])
    for period in periods:
        room = np.full(counts.shape[1], float(k))
        # Mostly the first few times k entities fill every pool; the others need no work.
        for start in range(0, len(period.codes), 4 * k):
            part = slice(start, start + 4 * k)
            codes, positive = period.codes[part], period.positive[part]
            copies = np.minimum(counts[period.units[part]], most)
            if drop:
                copies[detected[codes]] = 0.0
            filled = np.minimum(np.cumsum(copies, axis=0), room)
            found = np.diff(filled, axis=0, prepend=0.0)[positive]
            hits += found.sum(axis=0)
            if drop:
                detected[codes[positive]] |= found > 0
            room -= filled[-1]
            if not room.any():
                break
    return hits / (k * len(periods))


@final
class TopKPrecision(AbstractPredictiveQuality):
    """Share of positives among the k highest scored entities, mean over periods."""

    def requires(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the entity column, and the time column for periods."""
        entity = (settings["entity"],) if settings.get("entity") else ()
        time = () if settings.get("per", "all") == "all" else ("__time__",)
        return (*entity, *time)

    def limiting_units(self, predictions: Predictions, settings: Mapping[str, Any]) -> int:
        """Return how many are looked at in all periods."""
        periods = 1
        if settings.get("per", "all") != "all":
            times = np.asarray(predictions.columns["__time__"], dtype=np.float64)
            periods = int(period_codes(times, settings["per"]).max()) + 1
        return int(settings["k"]) * periods

    def statistic(
        self, predictions: Predictions, settings: Mapping[str, Any], context: Context
    ) -> Statistic:
        """Return the mean over periods.

        Where the entity is what is resampled, an entity drawn m times stands m times in the
        pool. Where rows or other groups are, an entity is in the pool if one of its rows was
        drawn, with the score and label of its drawn rows.
        """
        del context
        y, scores = predictions.y_true, predictions.y_score
        k, drop = int(settings["k"]), bool(settings["drop_detected"])
        name, per = settings.get("entity"), settings.get("per", "all")
        entity = _codes(predictions.columns[name]) if name else np.arange(len(y))
        times = np.zeros(len(y)) if per == "all" else predictions.columns["__time__"]
        period = period_codes(np.asarray(times, dtype=np.float64), per)
        rows = _sorted_rows(y, scores, entity, period, unit_of_rows(predictions))
        drawn_whole = _lies_within(rows.entity, rows.unit)
        if drawn_whole or _lies_within(rows.cell, rows.unit):
            alike = drawn_whole and _lies_within(rows.unit, rows.entity)
            most = np.inf if alike else 1.0
            periods = _periods(rows, np.arange(len(y)))
            return lambda counts: _mean_share(periods, counts, k=k, drop=drop, most=most)

        def one_by_one(counts: Floats) -> Floats:
            # A part of an entity's rows can be drawn: its place differs from sample to sample.
            drawn = (np.flatnonzero(column[rows.unit]) for column in counts.T)
            pools = (_periods(rows, those) for those in drawn)
            shares = [_mean_share(pool, ones, k=k, drop=drop, most=1.0) for pool in pools]
            return np.concatenate(shares)

        ones = np.ones((n_units(predictions), 1))
        return one_by_one


def _lies_within(fine: npt.NDArray[np.int64], coarse: npt.NDArray[np.int64]) -> bool:
    """Return whether all rows of one fine code share one coarse code; codes are 0..

    Examples
    --------
    >>> _lies_within(np.array([0, 1, 1]), np.array([0, 0, 0]))
    True
    >>> _lies_within(np.array([0, 1, 1]), np.array([0, 0, 1]))
    False

    """
    shared = np.empty(int(fine.max()) + 1, dtype=np.int64)
    shared[fine] = coarse
    return bool((shared[fine] == coarse).all())
