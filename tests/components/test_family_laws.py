"""Every registered family that is trained here passes the laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tradespace.core import registry
from tradespace.core.studies import Task
from tradespace.testing.families import FAMILY_LAWS

#: Small settings, so that a law takes less than a second.
SMALL: dict[str, list[dict[str, Any]]] = {
    "multilayer_perceptron": [
        {"hidden_layer_sizes": [8], "max_iter": 20},
        {
            "hidden_layer_sizes": [6, 4],
            "max_iter": 15,
            "activation": "tanh",
            "early_stopping": True,
        },
        {"hidden_layer_sizes": [], "max_iter": 15, "activation": "logistic", "batch_size": 32},
    ],
    "random_forest": [{"n_estimators": 6}, {"n_estimators": 4, "max_leaf_nodes": 5}],
    "hist_gradient_boosting": [{"max_iter": 8}],
    "xgboost": [
        {"n_estimators": 8},
        {"n_estimators": 6, "tree_method": "exact", "base_score": 0.5},
    ],
    "lightgbm": [{"n_estimators": 8}],
    "decision_tree": [{}, {"max_depth": 2}],
    "k_nearest_neighbors": [{}, {"weights": "distance", "n_neighbors": 4}],
    "logistic_regression": [{}, {"l1_ratio": 0.5}],
    "linear_regression": [{}, {"alpha": 0.1}, {"alpha": 0.1, "l1_ratio": 0.5}],
}
#: Its fits take seconds even when small.
SLOW = ("explainable_boosting",)

CASES = [
    pytest.param(row.name, task, settings, id=f"{row.name}-{task.value}-{number}")
    for row in registry.families().values()
    if row.trained and row.name != "sklearn" and row.name not in SLOW
    for task in row.tasks
    for number, settings in enumerate(SMALL.get(row.name, [{}]))
]


@pytest.mark.parametrize("law", FAMILY_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(("family", "task", "settings"), CASES)
def test_family_obeys_the_law(
    family: str, task: Task, settings: dict[str, Any], law: Callable[..., None]
) -> None:
    law(family, task=task, settings=settings)


@pytest.mark.slow
@pytest.mark.parametrize("law", FAMILY_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("task", list(Task))
def test_explainable_boosting_obeys_the_law(task: Task, law: Callable[..., None]) -> None:
    interactions = 0 if task is Task.MULTICLASS else 2
    law(
        "explainable_boosting",
        task=task,
        settings={"max_rounds": 10, "interactions": interactions},
    )
