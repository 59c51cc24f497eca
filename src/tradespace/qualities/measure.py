"""What a worker calls: all readings of one stage; what cannot be measured is left unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from tradespace.core import registry
from tradespace.core.errors import TradespaceError
from tradespace.core.readings import Reading
from tradespace.core.studies import QualityUse
from tradespace.qualities._base import AbstractQuality, Context, FitRecord, Predictions

if TYPE_CHECKING:
    from tradespace.graph.network import Network
    from tradespace.qualities._predictive import AbstractPredictiveQuality
    from tradespace.runtime.artifact import Artifact


def quality_of(use: QualityUse) -> AbstractQuality:
    """Return the implementation of a quality."""
    kind = cast("type[AbstractQuality]", registry.load(registry.quality(use.quality)))
    return kind()


def required_columns(uses: Sequence[QualityUse]) -> tuple[str, ...]:
    """Return the data columns that these qualities need besides labels and scores."""
    names = [name for use in uses for name in quality_of(use).requires(use.settings)]
    return tuple(dict.fromkeys(names))


def _measured(use: QualityUse, subject: object, context: Context) -> Reading:
    """Return a reading; of a quality that cannot be measured, an unknown one that says why."""
    try:
        return quality_of(use).measure(subject, use=use, context=context)
    except (KeyError, ValueError, ArithmeticError, TradespaceError) as error:
        row = registry.quality(use.quality)
        cause = f"could not be measured: {type(error).__name__}: {error}"
        return Reading(use.name, float("nan"), row.low, row.high, use.unit, method=cause)


def _at_stage(uses: Iterable[QualityUse], *stages: str) -> list[QualityUse]:
    return [use for use in uses if registry.quality(use.quality).stage in stages]


def measure_predictions(
    predictions: Predictions, uses: Sequence[QualityUse], context: Context
) -> list[Reading]:
    """Return the readings of all qualities of predictions, on the same resamples."""
    from tradespace.qualities._predictive import AbstractPredictiveQuality, measure_together

    together: list[tuple[AbstractPredictiveQuality, QualityUse]] = []
    alone: list[Reading] = []
    for use in _at_stage(uses, "predictions"):
        if context.task not in registry.quality(use.quality).tasks:
            continue
        quality = quality_of(use)
        if isinstance(quality, AbstractPredictiveQuality):
            together.append((quality, use))
        else:
            alone.append(_measured(use, predictions, context))
    try:
        return [*measure_together(together, predictions, context), *alone]
    except (KeyError, ValueError, ArithmeticError, TradespaceError):
        # One of them fails: each by itself, so that the others are not lost.
        return [*(_measured(use, predictions, context) for _, use in together), *alone]


def measure_training(
    record: FitRecord, uses: Sequence[QualityUse], context: Context
) -> list[Reading]:
    """Return the readings of the fit."""
    return [_measured(use, record, context) for use in _at_stage(uses, "training")]


def measure_artifact(
    scorer: Artifact, uses: Sequence[QualityUse], context: Context
) -> list[Reading]:
    """Return the readings of the exported component, and the prices that follow from them."""
    return [_measured(use, scorer, context) for use in _at_stage(uses, "artifact", "price")]


def measure_network(
    network: Network | None, uses: Sequence[QualityUse], context: Context
) -> list[Reading]:
    """Return what is counted on a component's network; unknown readings if it has none."""
    return [_measured(use, network, context) for use in _at_stage(uses, "network")]
