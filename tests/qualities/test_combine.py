"""Readings combined over seeds and folds claim no more than their parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Sense, Verdict
from tradespace.qualities.combine import combine_folds, combine_seeds


@pytest.mark.parametrize("combine", [combine_seeds, combine_folds])
def test_perfect_predictions_of_few_rows_stay_as_uncertain_as_each_training(
    combine: Callable[[Sequence[Reading]], Reading],
) -> None:
    perfect = Reading("accuracy", 1.0, 0.884, 1.0, "1", draws=(1.0,) * 20)
    combined = combine([perfect] * 3)

    assert (combined.value, combined.low, combined.high) == (1.0, pytest.approx(0.884), 1.0)
    bound = Constraint("accuracy", Sense.AT_LEAST, 0.99, "1")
    assert bound.check(combined) is Verdict.UNKNOWN
