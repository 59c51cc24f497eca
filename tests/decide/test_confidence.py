"""The confidence of a study holds for what decides, not only for its readings."""

from __future__ import annotations

import pytest

from tests.decide.conftest import evidence, spread, study_of
from tradespace.decide.decide import decide

ONE = "objectives: [{maximize: average_precision, from: 0, to: 1}]"
TWO = """objectives:
  - {maximize: average_precision, from: 0, to: 1}
  - {minimize: model_size, from: 2 MB, to: 1 MB}"""


@pytest.mark.parametrize("objectives", [ONE, TWO])
@pytest.mark.parametrize(("confidence", "winner"), [("95 %", "small"), ("50 %", "good")])
def test_who_is_tied_depends_on_the_confidence_of_the_study(
    objectives: str, confidence: str, winner: str
) -> None:
    size = spread("model_size", 1.5e6, 0.0, 3)
    good = evidence("good", spread("average_precision", 0.63, 0.04, 1), size)
    small = evidence("small", spread("average_precision", 0.60, 0.04, 2), size, interpretable=True)
    best = decide(study_of(f"{objectives}\nconfidence: {confidence}"), [good, small]).best

    assert best is not None
    assert best.candidate.name == winner


def test_the_interval_of_the_utility_holds_at_the_confidence_of_the_study() -> None:
    given = [evidence("one", spread("average_precision", 0.6, 0.04, 1))]
    sure, unsure = (
        decide(study_of(f"{ONE}\nconfidence: {share} %"), given).assessments[0]
        for share in (95, 50)
    )

    assert sure.utility_low < unsure.utility_low < 0.6 < unsure.utility_high < sure.utility_high
