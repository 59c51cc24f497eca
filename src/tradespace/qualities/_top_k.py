"""Top-k precision: of the k that can be looked at in a period, how many are positive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tradespace.qualities._predictive import AbstractPredictiveQuality

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
    return np.unique(raw, return_inverse=True)[1].astype(np.int64)


class _Period:
    """The entities of one period, by falling score."""

    def __init__(
        self,
        rows: npt.NDArray[np.int64],
        scores: Floats,
        y: npt.NDArray[Any],
        entity: npt.NDArray[np.int64],
    ) -> None:
        codes, inverse = np.unique(entity[rows], return_inverse=True)
        best = np.full(len(codes), -np.inf)
        np.maximum.at(best, inverse, scores[rows])
        label = np.zeros(len(codes))
        np.maximum.at(label, inverse, y[rows].astype(float))
        first = np.full(len(codes), len(scores), dtype=np.int64)
        np.minimum.at(first, inverse, rows)
        # Equal scores: the entity of the lower code first, so that the order of rows is idle.
        order = np.lexsort((codes, -best))
        self.codes = codes[order]
        self.positive = label[order] > 0
        self.row = first[order]


def _mean_share(
    periods: Iterable[tuple[_Period, Floats]], *, k: int, drop: bool, n_entities: int
) -> float:
    """Return the mean over periods; each entity stands in the pool as often as its copies."""
    detected = np.zeros(n_entities, dtype=bool)
    shares = []
    for period, copies in periods:
        pool = np.where(detected[period.codes], 0.0, copies) if drop else copies
        taken = np.diff(np.minimum(np.cumsum(pool), k), prepend=0.0)
        hits = np.where(period.positive, taken, 0.0)
        if drop:
            detected[period.codes[hits > 0]] = True
        shares.append(hits.sum() / k)
    return float(np.mean(shares))


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
        """Return the mean over periods of weighted rows.

        Where the entity is what is resampled, an entity drawn m times stands m times in the
        pool. Where rows or other groups are, an entity is in the pool if one of its rows was
        drawn, with the score and label of its drawn rows.
        """
        del context
        y, scores = predictions.y_true, predictions.y_score
        k, drop = int(settings["k"]), bool(settings["drop_detected"])
        name, per = settings.get("entity"), settings.get("per", "all")
        entity = np.arange(len(y)) if not name else predictions.columns[name]
        entity = np.unique(entity, return_inverse=True)[1].astype(np.int64)
        times = np.zeros(len(y)) if per == "all" else predictions.columns["__time__"]
        codes = period_codes(np.asarray(times, dtype=np.float64), per)
        parts = [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]
        n_entities = int(entity.max()) + 1
        whole = [_Period(rows, scores, y, entity) for rows in parts]
        resampled = np.arange(len(y)) if predictions.groups is None else predictions.groups
        alike = _same_partition(entity, resampled)

        def value(weights: Floats) -> float:
            if alike:
                pools = ((period, weights[period.row]) for period in whole)
            else:
                drawn = (rows[weights[rows] > 0] for rows in parts)
                found = (_Period(rows, scores, y, entity) for rows in drawn)
                pools = ((period, np.ones(len(period.codes))) for period in found)
            return _mean_share(pools, k=k, drop=drop, n_entities=n_entities)

        return value


def _same_partition(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> bool:
    """Return whether two codings divide the rows alike."""
    pairs = len(np.unique(np.stack([a, b]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))
