"""What the order of columns changes is said in docs/data.md; this is what it does not change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tradespace.components.component import train_component
from tradespace.core.studies import Task
from tradespace.data.inputs import InputColumn, Inputs, InputSchema
from tradespace.testing.families import candidate_of


def plain(order: list[int]) -> Inputs:
    values = np.random.default_rng(0).normal(size=(300, 6))
    columns = tuple(InputColumn(f"x{i}", "number") for i in order)
    return Inputs(InputSchema(columns), values[:, order], ())


def scores(family: str, order: list[int]) -> np.ndarray[Any, Any]:
    inputs = plain(order)
    y = (plain(list(range(6))).numbers[:, :2].sum(axis=1) > 0).astype(np.int64)
    candidate = candidate_of(family, {})
    component = train_component(
        candidate, inputs, y, task=Task.BINARY, n_classes=2, classes=("no", "yes"), seed=0
    )
    return component.predict(inputs)


@pytest.mark.parametrize(
    "family", ["constant", "logistic_regression", "gaussian_naive_bayes", "bernoulli_naive_bayes"]
)
def test_these_families_do_not_mind_the_order_of_columns(family: str) -> None:
    # The solver of logistic regression stops within its own tolerance.
    np.testing.assert_allclose(
        scores(family, [5, 3, 0, 1, 4, 2]), scores(family, list(range(6))), atol=1e-4
    )


@pytest.mark.parametrize("family", ["random_forest", "multilayer_perceptron"])
def test_these_draw_by_position_as_the_page_says(family: str) -> None:
    moved = np.abs(scores(family, [5, 3, 0, 1, 4, 2]) - scores(family, list(range(6))))

    assert moved.max() > 1e-3
