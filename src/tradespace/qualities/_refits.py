"""How much of what a component decides is owed to the chance of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context, Subject
from tradespace.qualities._bootstrap import certain_margin, percentile_interval, resampled_counts
from tradespace.qualities._classification import decided_classes
from tradespace.qualities._predictive import n_units, unit_sums

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse


@final
class RetrainingDisagreement(AbstractQuality):
    """Share of rows that a component trained again decides otherwise.

    Notes
    -----
    Percentiles of a seeded bootstrap over the scored rows (over groups, where the study names
    an entity) and over the trainings. Each training has another seed and a bootstrap sample of
    the training rows. Where all agree, it is widened by what so few units cannot exclude.

    """

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the mean share over the trainings, with its interval."""
        predictions, refits = subject.predictions, subject.refits
        threshold, n = use.settings["threshold"], use.settings["trainings"]
        decided = decided_classes(predictions, threshold)
        rng = np.random.default_rng(context.resampling.seed)
        others = []
        for number in range(1, n + 1):
            positions = np.sort(rng.integers(0, refits.n_rows, refits.n_rows))
            again = refits(seed=number, positions=positions)
            others.append(unit_sums(predictions, decided_classes(again, threshold) != decided))
        sizes = unit_sums(predictions, np.ones(len(predictions.y_true)))
        differing = np.stack(others)
        value = float(differing.sum() / sizes.sum() / n)
        draws: list[float] = []
        for counts in resampled_counts(n_units(predictions), len(sizes), context.resampling):
            shares = (differing @ counts) / (sizes @ counts)
            drawn = rng.integers(0, n, (n, counts.shape[1]))
            draws += np.take_along_axis(shares, drawn, axis=0).mean(axis=0).tolist()
        confidence, units = context.resampling.confidence, n_units(predictions)
        low, high = percentile_interval(draws, confidence)
        if low == high:
            margin = certain_margin(units, confidence)
            low, high = max(0.0, value - margin), min(1.0, value + margin)
        method = f"{n} trainings on bootstrap samples with other seeds; bootstrap over both"
        return Reading(
            use.name,
            value,
            min(low, value),
            max(high, value),
            use.unit,
            method=method,
            context={"trainings": n, "shares": (differing.sum(axis=1) / sizes.sum()).tolist()},
            draws=tuple(draws),
        )
