"""What the record says is not known: in words that hold, and once for all non-finalists."""

from __future__ import annotations

from dataclasses import replace

from tests.decide.conftest import evidence, reading, study_of

from tradespace.decide.decide import decide
from tradespace.report.markdown import decision_markdown

TEXT = (
    "constraints: [latency_p99 <= 10 ms]\n"
    "objectives: [{maximize: average_precision, from: 0, to: 1}]"
)


def test_non_finalists_are_told_once_with_the_setting_that_admits_more() -> None:
    left = [
        replace(
            evidence(f"left{n}", reading("average_precision", 0.2)),
            excluded=True,
            cause=f"not a finalist: place {n} of 7 by average_precision on validation data",
        )
        for n in (6, 7)
    ]
    untimed = evidence("untimed", reading("average_precision", 0.5))
    text = decision_markdown(decide(study_of(TEXT), [*left, untimed]))
    (section,) = [part for part in text.split("\n## ") if part.startswith("What is not known")]

    assert "2 candidates went no further than validation data" in section
    assert "budget: finalists" in section
    assert "left6" not in section
    assert "is undecided: not measured" in section
    assert "undecided at not measured" not in section
