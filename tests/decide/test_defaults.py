"""What a study that asks nothing of the predictions is taken to wish."""

from __future__ import annotations

from typing import Any

import pytest

from tests.decide.conftest import evidence, reading, study_of
from tradespace.core.decisions import Evidence
from tradespace.core.readings import Reading
from tradespace.core.studies import Task
from tradespace.decide.decide import decide
from tradespace.study.defaults import usual_goal

SIZE = "constraints: [model_size <= 5 MB]"
RARE: dict[str, Any] = {
    "task": "binary",
    "split": {
        "parts": {
            "test": {
                "train": {"rows": 900, "positives": 18},
                "score": {"rows": 100, "positives": 2},
            }
        }
    },
}


def two() -> list[Evidence]:
    """Return a small candidate that ranks badly and a larger one that ranks well."""
    return [
        evidence(
            "small",
            reading("model_size", 1e3),
            reading("average_precision", 0.031),
            reading("roc_auc", 0.5),
            interpretable=True,
        ),
        evidence(
            "good",
            reading("model_size", 2e6),
            reading("average_precision", 0.059),
            reading("roc_auc", 0.7),
        ),
    ]


@pytest.mark.parametrize("text", [SIZE, "constraints: [latency_p99 <= 1 s]", ""])
def test_a_study_that_asks_nothing_of_predictions_is_decided_on_the_usual_quality(
    text: str,
) -> None:
    items = two()
    for item in items:
        item.readings["latency_p99"] = reading("latency_p99", 1e-3)  # type: ignore[index]  # a dict
    decision = decide(study_of(text), items, context=RARE)
    (objective,) = decision.objectives
    (assumed,) = [w for w in decision.warnings if w.startswith("Assumed")]

    assert decision.best is not None
    assert decision.best.candidate.name == "good"
    assert (objective.quality, objective.worst, objective.best) == ("average_precision", 0.02, 1.0)
    assert "maximize average_precision from 0.02 is assumed" in assumed


def test_where_positives_are_not_known_to_be_rare_roc_auc_is_assumed() -> None:
    (objective,) = decide(study_of(SIZE), two()).objectives

    assert (objective.quality, objective.worst, objective.best) == ("roc_auc", 0.5, 1.0)


def test_a_regression_is_decided_on_r2() -> None:
    items = [
        evidence("bad", Reading("r2", 0.1, 0.1, 0.1, "1"), reading("model_size", 10.0)),
        evidence("good", Reading("r2", 0.6, 0.6, 0.6, "1"), reading("model_size", 20.0)),
    ]
    decision = decide(study_of(SIZE), items, context={"task": "regression"})

    assert decision.best is not None
    assert decision.best.candidate.name == "good"
    assert [str(o) for o in decision.objectives] == ["maximize r2"]


def test_a_stated_constraint_on_predictions_still_comes_first() -> None:
    decision = decide(study_of("constraints: [average_precision >= 0.01]"), two())

    assert [str(o) for o in decision.objectives] == ["maximize average_precision"]


def test_objectives_that_ask_nothing_of_predictions_stay_and_are_warned_about() -> None:
    text = "objectives: [{minimize: model_size, from: 1 GB, to: 0 B}]"
    decision = decide(study_of(text), two(), context=RARE)

    assert [str(o) for o in decision.objectives] == ["minimize model_size"]
    assert any("asks anything of the predictions" in w for w in decision.warnings)


def test_the_constant_is_compared_on_predictions_only() -> None:
    text = (
        "objectives: [{maximize: roc_auc, from: 0.5, to: 1}, "
        "{minimize: cost_per_million_predictions, from: 1 USD, to: 0.01 USD}]"
    )
    items = [
        evidence("m", reading("roc_auc", 0.9), reading("cost_per_million_predictions", 2e-5)),
        evidence(
            "base",
            reading("roc_auc", 0.5),
            reading("cost_per_million_predictions", 1e-5),
            family="constant",
        ),
    ]

    assert not any("constant baseline" in w for w in decide(study_of(text), items).warnings)


def test_each_task_has_its_usual_goal() -> None:
    found = {task: usual_goal(task, largest_share=0.4) for task in Task}

    assert {task: (goal.quality, goal.start) for task, goal in found.items()} == {
        Task.BINARY: ("roc_auc", 0.5),
        Task.MULTICLASS: ("accuracy", 0.4),
        Task.REGRESSION: ("r2", 0.0),
    }
