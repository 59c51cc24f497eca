"""The one way to measure: a subject, the qualities that are due, their readings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tradespace.core import registry
from tradespace.core.errors import TradespaceError, UnreachableError
from tradespace.core.readings import Reading

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse
    from tradespace.qualities._base import AbstractQuality, Context, Subject
    from tradespace.qualities._predictive import AbstractPredictiveQuality


def quality_of(use: QualityUse) -> AbstractQuality:
    """Return the implementation of a quality."""
    kind = cast("type[AbstractQuality]", registry.load(registry.quality(use.quality)))
    return kind()


def unknown_reading(use: QualityUse, cause: str) -> Reading:
    """Return a reading of which nothing is known but why."""
    row = registry.quality(use.quality)
    return Reading(use.name, math.nan, row.low, row.high, use.unit, method=cause)


def measure(uses: Sequence[QualityUse], subject: Subject, context: Context) -> list[Reading]:
    """Return a reading of each quality that fits the task, in the order of `uses`.

    Qualities of predictions are measured on the same resamples. One that cannot be measured is
    unknown and says why; the others are not lost.

    Parameters
    ----------
    uses : sequence of QualityUse
        What is due.
    subject : Subject
        What the qualities look at; each sees what its row says it needs.
    context : Context
        Task, environment, what mistakes cost, resampling.

    """
    from tradespace.qualities._predictive import AbstractPredictiveQuality

    found: dict[str, Reading] = {}
    together: list[tuple[AbstractPredictiveQuality, QualityUse]] = []
    for use in uses:
        if context.task not in registry.quality(use.quality).tasks:
            continue
        quality = quality_of(use)
        if isinstance(quality, AbstractPredictiveQuality):
            together.append((quality, use))
        else:
            found[use.name] = _measured(quality, use, subject, context)
    found.update(_together(together, subject, context))
    return [found[use.name] for use in uses if use.name in found]


def _together(
    qualities: Sequence[tuple[AbstractPredictiveQuality, QualityUse]],
    subject: Subject,
    context: Context,
) -> dict[str, Reading]:
    from tradespace.qualities._predictive import measure_together

    if not qualities:
        return {}
    try:
        readings = measure_together(qualities, subject.predictions, context)
    except (KeyError, ValueError, ArithmeticError, TradespaceError):
        # One of them fails: each by itself, so that the others are not lost.
        readings = [_measured(quality, use, subject, context) for quality, use in qualities]
    return {reading.quality: reading for reading in readings}


def _measured(
    quality: AbstractQuality, use: QualityUse, subject: Subject, context: Context
) -> Reading:
    needs = registry.quality(use.quality).needs
    try:
        return quality.measure(subject.only(needs), use=use, context=context)
    except UnreachableError:
        raise  # it may answer another time: nothing is known yet, and nothing is stored
    except (KeyError, ValueError, ArithmeticError, TradespaceError) as error:
        return unknown_reading(use, f"could not be measured: {type(error).__name__}: {error}")
