"""Networks of Keras Applications: published figures, and Keras itself as the judge."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tradespace.graph.counts import forward_macs, neurons, parameters
from tradespace.graph.zoo import network, network_row, networks

GOLDEN: list[dict[str, Any]] = YAML(typ="safe").load(
    Path(__file__).parents[2] / "golden" / "networks_keras.yaml"
)
#: Name in the zoo -> name in Keras.
APPLICATIONS = {
    "keras-vgg16": "VGG16",
    "keras-vgg19": "VGG19",
    "keras-resnet50": "ResNet50",
    "keras-resnet101": "ResNet101",
    "keras-resnet152": "ResNet152",
    "keras-resnet50v2": "ResNet50V2",
    "keras-resnet101v2": "ResNet101V2",
    "keras-resnet152v2": "ResNet152V2",
    "keras-inceptionv3": "InceptionV3",
    "keras-xception": "Xception",
    "keras-mobilenet": "MobileNet",
    "keras-mobilenetv2": "MobileNetV2",
    "keras-mobilenetv3small": "MobileNetV3Small",
    "keras-mobilenetv3large": "MobileNetV3Large",
    "keras-densenet121": "DenseNet121",
    "keras-densenet169": "DenseNet169",
    "keras-densenet201": "DenseNet201",
    **{f"keras-efficientnetb{i}": f"EfficientNetB{i}" for i in range(8)},
    "keras-nasnetmobile": "NASNetMobile",
    "keras-nasnetlarge": "NASNetLarge",
}


#: What Keras gives its mobile NASNet, which it refuses to name on torch.
MOBILE = {
    "penultimate_filters": 1056,
    "num_blocks": 4,
    "stem_block_filters": 32,
    "skip_reduction": False,
    "default_size": 224,
}


def by_id(row: dict[str, Any]) -> str:
    return str(row["id"])


# ------------------------------------------------------------------------ published figures


@pytest.mark.parametrize("row", GOLDEN, ids=by_id)
def test_a_network_of_keras_has_exactly_the_published_parameters(row: dict[str, Any]) -> None:
    made = network(row["id"])

    assert parameters(made, "all") == row["parameters"]
    assert parameters(made) == row["trainable"]


@pytest.mark.parametrize("row", [r for r in GOLDEN if "top1" in r], ids=by_id)
def test_a_network_of_keras_carries_its_published_accuracy(row: dict[str, Any]) -> None:
    facts = network(row["id"]).facts

    assert (facts["top1"], facts["top5"]) == (row["top1"], row["top5"])


def test_mobilenet_takes_the_millions_of_products_that_its_paper_prints() -> None:
    (row,) = (r for r in GOLDEN if "macs_millions" in r)

    assert round(forward_macs(network(row["id"])) / 1e6) == row["macs_millions"]


# -------------------------------------------------------------------------- Keras as judge


@contextlib.contextmanager
def keras_without_memory() -> Iterator[Any]:
    """Give Keras on torch, with weights that are shapes only."""
    pytest.importorskip("torch", reason="the extra 'deep' is not installed")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="keras is not installed")
    if keras.backend.backend() != "torch":
        pytest.skip("keras runs on another backend here")
    with keras.device("meta"):
        yield keras


def counted_in_keras(model: Any) -> tuple[int, int]:
    """Return multiply-accumulates and neurons from the kernels and outputs of Keras' layers."""
    macs = outputs = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "Dense":
            macs += math.prod(layer.kernel.shape)
            outputs += layer.units
        elif kind in ("Conv2D", "DepthwiseConv2D"):
            elements = math.prod(layer.output.shape[1:])
            height, width, inputs, _ = layer.kernel.shape
            macs += elements * height * width * (inputs if kind == "Conv2D" else 1)
            outputs += elements
        elif kind == "SeparableConv2D":
            positions = math.prod(layer.output.shape[1:3])
            apart, across = layer.depthwise_kernel.shape, layer.pointwise_kernel.shape
            macs += positions * (math.prod(apart) + math.prod(across))
            outputs += positions * (apart[2] * apart[3] + across[3])
    return macs, outputs


#: The larger ones of a kind differ in sizes only.
_LARGE = ("101", "152", "169", "201", "netb2", "netb3", "netb4", "netb5", "netb6", "netb7", "large")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.thorough) if any(x in n for x in _LARGE) else n
        for n in APPLICATIONS
    ],
)
def test_counts_are_those_of_the_model_that_keras_builds(name: str) -> None:
    size = network_row(name).settings["size"]
    with keras_without_memory() as keras:
        shape = {"weights": None, "input_shape": (size, size, 3)}
        if name == "keras-nasnetmobile":
            nasnet = pytest.importorskip("keras.src.applications.nasnet")
            model = nasnet.NASNet(**MOBILE, **shape)
        else:
            model = getattr(keras.applications, APPLICATIONS[name])(**shape)
        trained = sum(math.prod(w.shape) for w in model.trainable_weights)
    made = network(name)

    assert (parameters(made, "all"), parameters(made)) == (model.count_params(), trained)
    assert (forward_macs(made), neurons(made)) == counted_in_keras(model)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer", "units", "inputs"),
    [
        ("lstm-keras-28-128", "LSTM", 128, 28),
        ("lstm-keras-128-128", "LSTM", 128, 128),
        ("gru-keras-28-128", "GRU", 128, 28),
        ("rnn-32-64", "SimpleRNN", 64, 32),
    ],
)
def test_a_recurrent_layer_has_the_parameters_of_its_namesake_in_keras(
    name: str, layer: str, units: int, inputs: int
) -> None:
    with keras_without_memory() as keras:
        made = getattr(keras.layers, layer)(units)
        made.build((1, 1, inputs))

    assert parameters(network(name)) == made.count_params()


def test_every_network_of_keras_is_judged() -> None:
    assert {name for name in networks() if name.startswith("keras-")} == set(APPLICATIONS)
