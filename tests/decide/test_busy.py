"""A better candidate that only a disturbed time keeps out is named."""

from __future__ import annotations

import dataclasses

from tests.decide.conftest import evidence, reading, study_of
from tradespace.core.decisions import Decision, Evidence
from tradespace.decide.decide import decide

TEXT = (
    "constraints: [latency_p99 <= 10 ms, average_precision >= 0.1]\n"
    "objectives: [{maximize: average_precision, from: 0, to: 1}]"
)


def candidate(name: str, value: float, slowest: float, *, busy: bool) -> Evidence:
    time = reading("latency_p99", 0.005, 0.004, slowest)
    if busy:
        time = dataclasses.replace(time, context={"unsettled": True})
    return evidence(name, reading("average_precision", value), time)


def said(*items: Evidence) -> list[str]:
    decision: Decision = decide(study_of(TEXT), items)
    return [warning for warning in decision.warnings if "machine was busy" in warning]


def test_who_is_out_only_by_an_unsettled_time_and_better_is_named() -> None:
    calm = candidate("calm", 0.4, 0.006, busy=False)
    (warning,) = said(calm, candidate("hurried", 0.6, 0.02, busy=True))

    assert warning.startswith("hurried has a higher utility than calm (utility 0.600 instead of")
    assert "latency_p99 <= 10 ms (reading 5 ms [4 ms, 20 ms])" in warning


def test_who_is_worse_or_out_for_another_reason_is_not_named() -> None:
    calm = candidate("calm", 0.4, 0.006, busy=False)

    assert said(calm, candidate("worse", 0.3, 0.02, busy=True)) == []
    assert said(calm, candidate("slow", 0.6, 0.02, busy=False)) == []
