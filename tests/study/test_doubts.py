"""What is allowed but can hardly be meant is said; what the data refute is refused."""

from __future__ import annotations

from datetime import date

import pytest

from tradespace.core.studies import Task
from tradespace.files.problems import StudyProblemsError
from tradespace.study.doubts import doubts, refuse_other_tasks
from tradespace.study.load import parse_study

START = "purpose: Rank cells\ndata: sklearn:breast_cancer\ntarget: target\n"
TODAY = date(2026, 6, 1)


def doubts_of(text: str) -> tuple[str, ...]:
    return doubts(parse_study(START + text), today=TODAY)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "constraints: [recall >= 0]",
            "'recall >= 0' holds for every value: the range of recall is 0 to 1",
        ),
        ("constraints: [recall <= 100 %]", "holds for every value"),
        ("constraints: [model_size >= 0 B]", "holds for every value"),
        ("constraints: [recall >= 1]", "can hardly be met: the range of recall is 0 to 1"),
        ("constraints: [latency_p99 <= 0 ms]", "can hardly be met: the range of latency_p99"),
        (
            "constraints: [recall >= 0.9, recall >= 0.5]",
            "'recall >= 0.5' asks nothing beyond 'recall >= 0.9'",
        ),
        ("constraints: [recall >= 0.5, recall > 0.5]", "'recall >= 0.5' asks nothing beyond"),
        ("constraints: [recall > 0.5, recall >= 0.5]", "'recall >= 0.5' asks nothing beyond"),
        (
            "constraints: [latency_p99 <= 10 ms, latency_p99 <= 10 ms]",
            "'latency_p99 <= 10 ms' asks nothing beyond",
        ),
        (
            "project: {deadline: 2020-01-01}",
            "the deadline 2020-01-01 is past (today is 2026-06-01)",
        ),
        (
            "candidates:\n  - random_forest\n  - random_forest",
            "Line 6: the candidate random_forest stands twice with the same settings (line 5)",
        ),
    ],
)
def test_what_can_hardly_be_meant_is_said_once(text: str, wanted: str) -> None:
    (found,) = doubts_of(text)

    assert wanted in found


@pytest.mark.parametrize(
    "text",
    [
        "constraints: [recall >= 0.5, recall <= 0.9, latency_p99 <= 10 ms]",
        "constraints: [recall > 0]",
        "project: {deadline: 2026-06-01}",
        "candidates:\n  - random_forest\n  - random_forest: {n_estimators: 5}",
        "candidates:\n  - decision_tree\n  - decision_tree: {preprocessing: {impute: mean}}",
    ],
)
def test_what_can_be_meant_is_left_alone(text: str) -> None:
    assert doubts_of(text) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("constraints:\n  - recall >= 0.5\n  - r2 >= 0.8", 6),
        ("objectives:\n  - {maximize: r2}", 5),
        ("qualities:\n  fit: r2", 5),
    ],
)
def test_a_quality_of_another_task_than_the_data_show_is_refused(text: str, line: int) -> None:
    study = parse_study(START + text)
    refuse_other_tasks(parse_study(START + "constraints: [recall >= 0.5]"), Task.BINARY)
    with pytest.raises(StudyProblemsError) as caught:
        refuse_other_tasks(study, Task.BINARY)
    (problem,) = caught.value.problems

    assert "'r2' does not fit the task 'binary'" in str(problem)
    assert "accuracy" in problem.remedy
    assert problem.place is not None
    assert problem.place.line == line
