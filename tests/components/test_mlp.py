"""Multilayer perceptrons: their network, their own unit, when training stops, odd rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tradespace.components.component import family_named, train_component
from tradespace.components.export.component import export_component
from tradespace.components.sizes import shape_of
from tradespace.core.errors import SettingError, TrialError
from tradespace.core.studies import Task
from tradespace.graph.counts import backward_macs, forward_macs, neurons, parameters
from tradespace.runtime.onnx import open_session
from tradespace.testing.families import candidate_of
from tradespace.testing.tables import labels_for, mixed_inputs

FAMILY = family_named("multilayer_perceptron")
GOLDEN = Path(__file__).parents[1] / "golden" / "networks_vision.yaml"
FIGURES = {
    row["id"]: row
    for row in YAML(typ="safe").load(GOLDEN)["rows"]
    if row["id"] in ("seed-mlp-784-300-100-10", "seed-mlp-33-512-10")
}


def resolved(**given: Any) -> dict[str, Any]:
    return dict(candidate_of("multilayer_perceptron", given).settings)


def fitted(X: Any, y: Any, *, task: Task = Task.BINARY, n_classes: int = 2, **given: Any) -> Any:
    options = {"hidden_layer_sizes": [8], **given}
    return FAMILY.fit(
        X.astype(np.float32),
        y,
        task=task,
        n_classes=n_classes,
        settings=resolved(**options),
        seed=0,
    )


@pytest.mark.parametrize(
    ("figures", "n_inputs", "hidden"),
    [("seed-mlp-784-300-100-10", 784, [300, 100]), ("seed-mlp-33-512-10", 33, [512])],
)
def test_well_known_sizes_count_what_is_published(
    figures: str, n_inputs: int, hidden: list[int]
) -> None:
    net = FAMILY.network(
        resolved(hidden_layer_sizes=hidden), n_inputs=n_inputs, n_outputs=10, task=Task.MULTICLASS
    )
    wanted = FIGURES[figures]

    assert net is not None
    assert parameters(net) == wanted["parameters"]
    assert parameters(net, "weights") == wanted["weights"]
    assert forward_macs(net) == wanted["macs"]
    assert neurons(net) == wanted["neurons"]
    # The gradient of the network's input is not asked for.
    assert backward_macs(net) == 2 * wanted["macs"] - n_inputs * hidden[0]


@given(
    hidden=st.lists(st.integers(1, 60), max_size=3),
    n_rows=st.integers(40, 120),
    seed=st.integers(0, 50),
    task=st.sampled_from(list(Task)),
    activation=st.sampled_from(["relu", "tanh", "logistic"]),
)
@settings(max_examples=12, deadline=None)
def test_the_measured_size_and_counts_lie_in_what_was_predicted(
    hidden: list[int], n_rows: int, seed: int, task: Task, activation: str
) -> None:
    given_ = {"hidden_layer_sizes": hidden, "max_iter": 1, "activation": activation}
    candidate = candidate_of("multilayer_perceptron", given_)
    inputs = mixed_inputs(n_rows, seed=seed)
    component = train_component(
        candidate,
        inputs,
        labels_for(inputs, task, seed=seed),
        task=task,
        n_classes=3 if task is Task.MULTICLASS else 2,
        classes=(),
        seed=0,
    )
    shape = shape_of(inputs, n_classes=component.n_classes)
    (size,) = FAMILY.predict_readings(candidate.settings, task=task, shape=shape)
    held = component.network

    assert size.low <= len(export_component(component).content) <= size.high
    assert held is not None
    assert component.encoder is not None
    assert shape.n_columns is not None
    assert shape.n_varying <= component.encoder.width <= shape.n_columns
    trained = component.model.estimator
    assert parameters(held) == sum(w.size for w in (*trained.coefs_, *trained.intercepts_))


def test_a_regression_is_trained_on_a_scaled_target_and_answers_in_its_unit() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = 250_000.0 + 40_000.0 * (X[:, 0] + np.abs(X[:, 1])) + rng.normal(0, 1000, 600)
    model = fitted(X, y, task=Task.REGRESSION, hidden_layer_sizes=[32], max_iter=150)
    found = FAMILY.predict(model, X.astype(np.float32), task=Task.REGRESSION)
    graph = FAMILY.to_onnx(model, n_inputs=4, task=Task.REGRESSION)
    session = open_session(graph.SerializeToString())
    served = session.run(["score"], {"X": X.astype(np.float32)})[0]

    assert 1 - np.var(y - found) / np.var(y) > 0.95
    np.testing.assert_allclose(served, found, rtol=1e-5)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_without_progress_training_stops_after_the_passes_that_were_foretold(
    early_stopping: bool,
) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 3)), rng.integers(0, 2, 100)
    given_ = {"learning_rate_init": 1e-12, "early_stopping": early_stopping}
    model = fitted(X, y, **given_)
    run = FAMILY.training_run(resolved(**given_), n_rows=100)

    assert run is not None
    assert model.estimator.n_iter_ == run.least_epochs == 12
    assert run.rows == (90 if early_stopping else 100)
    assert run.batch == run.rows


def test_fewer_passes_are_foretold_where_fewer_are_allowed() -> None:
    run = FAMILY.training_run(resolved(max_iter=3, batch_size=64), n_rows=1000)

    assert run is not None
    assert (run.least_epochs, run.most_epochs, run.batch) == (3, 3, 64)


@pytest.mark.parametrize("seen", [(0, 2), (0, 1, 3)])
def test_a_class_that_the_training_rows_lack_gets_no_probability(seen: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(90, 3)).astype(np.float32)
    y = np.asarray(seen)[rng.integers(0, len(seen), 90)]
    model = fitted(X, y, task=Task.MULTICLASS, n_classes=4, max_iter=5)
    found = FAMILY.predict(model, X, task=Task.MULTICLASS)
    graph = FAMILY.to_onnx(model, n_inputs=3, task=Task.MULTICLASS)
    served = open_session(graph.SerializeToString()).run(["score"], {"X": X})[0]
    absent = [c for c in range(4) if c not in seen]

    np.testing.assert_allclose(served, found, atol=1e-6)
    assert not served[:, absent].any()


def test_one_class_is_nothing_to_learn_from() -> None:
    with pytest.raises(TrialError, match="at least two classes"):
        fitted(np.zeros((10, 2)), np.zeros(10, dtype=np.int64))


def test_early_stopping_says_when_there_is_nothing_to_hold_back() -> None:
    y = np.zeros(50, dtype=np.int64)
    y[0] = 1

    with pytest.raises(TrialError, match="the rarest class has 1"):
        fitted(np.zeros((50, 2)), y, early_stopping=True)


@pytest.mark.parametrize("wrong", [[0], [8, -1], ["8"], [8.0], [True], 8, "8"])
def test_layers_are_a_list_of_whole_numbers(wrong: Any) -> None:
    with pytest.raises(SettingError, match="a list of whole numbers >= 1"):
        resolved(hidden_layer_sizes=wrong)


@pytest.mark.parametrize("task", list(Task))
def test_new_rows_are_learned_without_starting_again(task: Task) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 3)).astype(np.float32)
    score = X[:, 0] + X[:, 1]
    y = {
        Task.BINARY: (score > 0).astype(np.int64),
        Task.MULTICLASS: np.digitize(score, [-0.7, 0.7]).astype(np.int64),
        Task.REGRESSION: 5e5 + 1e5 * score,
    }[task]
    model = fitted(X, y, task=task, n_classes=3, max_iter=3, learning_rate_init=0.02)
    before = FAMILY.predict(model, X, task=task)
    later = model
    for start in range(0, 4000, 100):
        rows = np.arange(start, start + 100) % 400
        later = FAMILY.update(later, X[rows], y[rows], task=task)
    after = FAMILY.predict(later, X, task=task)
    truth = np.eye(3)[y] if task is Task.MULTICLASS else y
    served = open_session(FAMILY.to_onnx(later, n_inputs=3, task=task).SerializeToString()).run(
        ["score"], {"X": X}
    )[0]

    assert np.abs(after - truth).mean() < 0.7 * np.abs(before - truth).mean()
    np.testing.assert_array_equal(FAMILY.predict(model, X, task=task), before)
    np.testing.assert_allclose(served, after, rtol=1e-5, atol=1e-6)


def test_what_an_update_cannot_do_is_said() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)).astype(np.float32), np.arange(60) % 2
    stopped = fitted(X, y, early_stopping=True, max_iter=2)
    plain = fitted(X, y, max_iter=2)

    with pytest.raises(TrialError, match="early stopping cannot be updated"):
        FAMILY.update(stopped, X, y, task=Task.BINARY)
    with pytest.raises(TrialError, match=r"does not know the classes \[2\]"):
        FAMILY.update(plain, X, y + 1, task=Task.BINARY)
    assert not FAMILY.facts(resolved(early_stopping=True)).incremental
    assert FAMILY.facts(resolved()).incremental


def test_the_fitted_network_says_what_it_is() -> None:
    rng = np.random.default_rng(0)
    model = fitted(rng.normal(size=(60, 3)), rng.integers(0, 2, 60), max_iter=2)
    text = FAMILY.describe(model, input_names=("a", "b", "c"), task=Task.BINARY)

    assert text.startswith("3-8-1, relu: 41 parameters, 2 passes")
