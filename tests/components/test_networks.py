"""Components as networks: finished files, and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tradespace.components.component import family_named
from tradespace.components.export.component import export_component
from tradespace.components.networks import network_of_file
from tradespace.core.studies import Task
from tradespace.graph.counts import forward_macs, parameters
from tradespace.testing.families import candidate_of, trained


@pytest.fixture
def perceptron_file(tmp_path: Path) -> Path:
    """784-30-10 as somebody would have exported it: one float input, one output."""
    rng = np.random.default_rng(0)
    family = family_named("multilayer_perceptron")
    chosen = candidate_of("multilayer_perceptron", {"hidden_layer_sizes": [30], "max_iter": 1})
    X = rng.normal(size=(200, 784)).astype(np.float32)
    model = family.fit(
        X,
        np.arange(200) % 10,
        task=Task.MULTICLASS,
        n_classes=10,
        settings=chosen.settings,
        seed=0,
    )
    place = tmp_path / "incumbent.onnx"
    place.write_bytes(family.to_onnx(model, n_inputs=784, task=Task.MULTICLASS).SerializeToString())
    return place


def test_a_finished_file_gives_its_network(perceptron_file: Path) -> None:
    found = family_named("onnx").network(
        {"path": str(perceptron_file)}, n_inputs=1, n_outputs=1, task=Task.MULTICLASS
    )

    assert found is not None
    assert parameters(found) == 784 * 30 + 30 + 30 * 10 + 10
    assert forward_macs(found) == 784 * 30 + 30 * 10


def test_a_file_of_trees_is_no_network(tmp_path: Path) -> None:
    place = tmp_path / "trees.onnx"
    place.write_bytes(export_component(trained("decision_tree", task=Task.BINARY)).content)

    assert network_of_file(place) is None


def test_a_file_that_is_none_is_no_network(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")

    assert network_of_file(broken) is None
    assert network_of_file(tmp_path / "absent.onnx") is None


@pytest.mark.parametrize("name", ["random_forest", "gaussian_naive_bayes", "k_nearest_neighbors"])
def test_families_without_layers_are_no_networks(name: str) -> None:
    found = family_named(name).network(
        candidate_of(name).settings, n_inputs=3, n_outputs=1, task=Task.BINARY
    )

    assert found is None
