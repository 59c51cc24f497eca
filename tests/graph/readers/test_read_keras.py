"""The Keras reader against Keras itself: parameters, shapes, products, whole applications."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
pytestmark = [
    # Keras's torch backend asks torch's pytrees in a way that is to go.
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*trainable.*:UserWarning"),
]
torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")
keras = pytest.importorskip("keras", reason="keras is not installed")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from tradespace.core.errors import GraphError  # noqa: E402
from tradespace.graph.builder import Builder  # noqa: E402
from tradespace.graph.counts import (  # noqa: E402
    backward_macs,
    coverage,
    depth,
    forward_macs,
    neurons,
    parameters,
    parameters_by_role,
    unknown_nodes,
)
from tradespace.graph.network import Network  # noqa: E402
from tradespace.graph.readers.keras.read import network_of, read_keras  # noqa: E402
from tradespace.graph.readers.onnx.read import read_onnx  # noqa: E402
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402
from tradespace.graph.writers.onnx import sample_inputs, to_onnx  # noqa: E402
from tradespace.graph.zoo import network  # noqa: E402

L = keras.layers


def read(model: Any, shapes: Any = None) -> Network:
    return network_of(json.loads(model.to_json()), shapes=shapes, name="model")


def trainable(model: Any) -> int:
    return sum(math.prod(w.shape) for w in model.trainable_weights)


PICTURE, SERIES, VOLUME, ROW = (12, 12, 4), (10, 4), (6, 6, 6, 2), (8,)
#: name -> (what makes the layer, shape of the input without batch).
LAYERS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "dense": (lambda: L.Dense(5, activation="gelu"), ROW),
    "dense over positions": (lambda: L.Dense(5, use_bias=False), SERIES),
    "einsum dense": (lambda: L.EinsumDense("abc,cd->abd", (10, 6), bias_axes="d"), SERIES),
    "embedding": (lambda: L.Embedding(20, 6), (10,)),
    "conv1d causal": (lambda: L.Conv1D(6, 3, padding="causal", dilation_rate=2), SERIES),
    "conv2d": (lambda: L.Conv2D(6, 3, strides=2, activation="relu"), PICTURE),
    "conv2d same": (lambda: L.Conv2D(6, 4, strides=3, padding="same"), PICTURE),
    "conv2d groups": (lambda: L.Conv2D(8, 3, groups=2, use_bias=False), PICTURE),
    "conv3d": (lambda: L.Conv3D(4, 2), VOLUME),
    "depthwise1d": (lambda: L.DepthwiseConv1D(3, depth_multiplier=2), SERIES),
    "depthwise2d": (lambda: L.DepthwiseConv2D(3, padding="same", depth_multiplier=2), PICTURE),
    "separable1d": (lambda: L.SeparableConv1D(6, 3), SERIES),
    "separable2d": (lambda: L.SeparableConv2D(6, 3, depth_multiplier=2), PICTURE),
    "transposed1d": (lambda: L.Conv1DTranspose(6, 3, strides=2, padding="same"), SERIES),
    "transposed2d": (lambda: L.Conv2DTranspose(6, 3, strides=2), PICTURE),
    "transposed2d wide stride": (lambda: L.Conv2DTranspose(6, 2, strides=3), PICTURE),
    "transposed2d output padding": (
        lambda: L.Conv2DTranspose(6, 3, strides=2, padding="same", output_padding=1),
        PICTURE,
    ),
    "transposed3d": (lambda: L.Conv3DTranspose(4, 2, strides=2), VOLUME),
    "max pooling": (lambda: L.MaxPooling2D(3, strides=2, padding="same"), PICTURE),
    "average pooling": (lambda: L.AveragePooling1D(3), SERIES),
    "max pooling 3d": (lambda: L.MaxPooling3D(2), VOLUME),
    "global average": (lambda: L.GlobalAveragePooling2D(), PICTURE),
    "global max, kept": (lambda: L.GlobalMaxPooling1D(keepdims=True), SERIES),
    "batch norm": (lambda: L.BatchNormalization(), PICTURE),
    "batch norm without scale": (lambda: L.BatchNormalization(scale=False), PICTURE),
    "batch norm of rows": (lambda: L.BatchNormalization(), ROW),
    "layer norm": (lambda: L.LayerNormalization(), SERIES),
    "layer norm of two axes": (lambda: L.LayerNormalization(axis=[1, 2]), SERIES),
    "rms norm": (lambda: L.RMSNormalization(), SERIES),
    "group norm": (lambda: L.GroupNormalization(2), PICTURE),
    "instance norm": (lambda: L.GroupNormalization(-1), PICTURE),
    "unit norm": (lambda: L.UnitNormalization(), SERIES),
    "spectral norm": (lambda: L.SpectralNormalization(L.Dense(5)), ROW),
    "normalization": (lambda: L.Normalization(), ROW),
    "rescaling": (lambda: L.Rescaling(1 / 255, offset=-1), PICTURE),
    "relu": (lambda: L.ReLU(6), PICTURE),
    "leaky relu": (lambda: L.LeakyReLU(), PICTURE),
    "prelu": (lambda: L.PReLU(shared_axes=[1, 2]), PICTURE),
    "softmax": (lambda: L.Softmax(), SERIES),
    "activation": (lambda: L.Activation("hard_silu"), PICTURE),
    "dropout": (lambda: L.SpatialDropout2D(0.3), PICTURE),
    "noise": (lambda: L.GaussianNoise(0.3), PICTURE),
    "simple rnn": (lambda: L.SimpleRNN(6), SERIES),
    "gru": (lambda: L.GRU(6, return_sequences=True), SERIES),
    "gru, reset before": (lambda: L.GRU(6, reset_after=False), SERIES),
    "lstm": (lambda: L.LSTM(6), SERIES),
    "lstm without bias": (lambda: L.LSTM(6, use_bias=False, return_sequences=True), SERIES),
    "cell": (lambda: L.RNN(L.LSTMCell(6)), SERIES),
    "stacked cells": (lambda: L.RNN([L.LSTMCell(6), L.GRUCell(5)]), SERIES),
    "both directions": (lambda: L.Bidirectional(L.GRU(6, return_sequences=True)), SERIES),
    "both directions, summed": (lambda: L.Bidirectional(L.LSTM(6), merge_mode="sum"), SERIES),
    "each step": (lambda: L.TimeDistributed(L.Dense(3)), SERIES),
    "each picture": (lambda: L.TimeDistributed(L.Conv2D(3, 2)), VOLUME),
    "flatten": (lambda: L.Flatten(), PICTURE),
    "reshape": (lambda: L.Reshape((24, -1)), PICTURE),
    "permute": (lambda: L.Permute((3, 1, 2)), PICTURE),
    "repeat": (lambda: L.RepeatVector(3), ROW),
    "zero padding": (lambda: L.ZeroPadding2D(((1, 2), (0, 3))), PICTURE),
    "zero padding 1d": (lambda: L.ZeroPadding1D(2), SERIES),
    "cropping": (lambda: L.Cropping2D((1, 2)), PICTURE),
    "upsampling": (lambda: L.UpSampling2D(2, interpolation="bilinear"), PICTURE),
    "resizing": (lambda: L.Resizing(5, 7), PICTURE),
    "center crop": (lambda: L.CenterCrop(5, 7), PICTURE),
    "augmentation": (lambda: L.RandomFlip(), PICTURE),
}
#: Those whose products torch sees as they are when Keras runs on it.
PRODUCTS = [
    name
    for name in LAYERS
    if name.startswith(("dense", "conv", "depthwise", "separable", "each", "einsum"))
] + ["transposed2d", "transposed3d", "spectral norm"]


def alone(name: str) -> Any:
    make, shape = LAYERS[name]
    given = keras.Input(shape, dtype="int32" if name == "embedding" else "float32")
    return keras.Model(given, make()(given))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_has_keras_parameters_and_shapes(name: str) -> None:
    model = alone(name)
    found = read(model, {"": (2, *LAYERS[name][1])})

    assert parameters(found, "all") == model.count_params()
    assert parameters(found) == trainable(model)
    assert found.tensors[found.outputs[0]].shape == (2, *model.output_shape[1:])
    assert coverage(found) == 1.0


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_layer_has_the_products_that_torch_runs(name: str) -> None:
    model = alone(name)
    shape = (2, *LAYERS[name][1])
    with FlopCounterMode(display=False) as seen, torch.no_grad():
        model(torch.zeros(shape))

    assert 2 * forward_macs(read(model, {"": shape})) == seen.get_total_flops() > 0


def steps(x: Any, y: Any) -> Any:
    return L.MultiHeadAttention(3, 4, value_dim=5)(x, y)


JOINED: dict[str, tuple[Callable[[Any, Any], Any], int]] = {
    "multi-head attention": (
        steps,
        2 * (10 * 4 * 12 + 10 * 4 * 12 + 10 * 4 * 15 + 3 * 10 * 10 * (4 + 5) + 10 * 15 * 4),
    ),
    "grouped attention": (
        lambda x, y: L.GroupQueryAttention(5, 4, 2)(x, y),
        2 * (10 * 4 * 20 + 2 * 10 * 4 * 10 + 4 * 10 * 10 * 10 + 10 * 20 * 4),
    ),
    "attention": (lambda x, y: L.Attention(use_scale=True)([x, y]), 2 * 2 * 10 * 10 * 4),
    "additive attention": (lambda x, y: L.AdditiveAttention()([x, y]), 2 * 10 * 10 * 4),
    "dot": (lambda x, y: L.Dot(axes=(2, 2))([x, y]), 2 * 10 * 10 * 4),
    "sum": (lambda x, y: L.Add()([x, y]), 0),
    "mean": (lambda x, y: L.Average()([x, y]), 0),
    "concatenation": (lambda x, y: L.Concatenate()([x, y]), 0),
    "arithmetic": (lambda x, y: (x * 2.0 + y) / 3.0, 0),
    "operations": (
        lambda x, y: keras.ops.matmul(keras.ops.softmax(x), keras.ops.transpose(y, (0, 2, 1))),
        2 * 10 * 10 * 4,
    ),
    "part": (lambda x, y: x[:, :3] + keras.ops.expand_dims(keras.ops.mean(y, axis=1), 1), 0),
}


@pytest.mark.parametrize("name", JOINED)
def test_layers_of_two_inputs_agree_with_keras_and_hand_arithmetic(name: str) -> None:
    function, macs = JOINED[name]
    a, b = keras.Input(SERIES, name="a"), keras.Input(SERIES, name="b")
    model = keras.Model([a, b], function(a, b))
    found = read(model, {"a": (2, *SERIES)})

    assert parameters(found, "all") == model.count_params()
    assert found.tensors[found.outputs[0]].shape == (2, *model.output_shape[1:])
    assert forward_macs(found) == macs
    assert coverage(found) == 1.0


def pictures(data_format: str) -> Any:
    shape = (3, 16, 16) if data_format == "channels_first" else (16, 16, 3)
    axis = 1 if data_format == "channels_first" else -1
    more = {"data_format": data_format}
    given = keras.Input(shape)
    x = L.Conv2D(8, 3, padding="same", use_bias=False, name="c1", **more)(given)
    x = L.ReLU()(L.BatchNormalization(axis=axis)(x))
    y = L.DepthwiseConv2D(3, padding="same", **more)(x)
    s = L.GlobalAveragePooling2D(keepdims=True, **more)(y)
    s = L.Conv2D(8, 1, activation="sigmoid", **more)(s)
    x = L.Add()([x, L.Multiply()([y, s])])
    x = L.MaxPooling2D(**more)(L.Concatenate(axis=axis)([x, y]))
    return keras.Model(given, L.Dense(10, activation="softmax")(L.Flatten()(x)))


def integers(net: Network) -> tuple[int, ...]:
    return (
        parameters(net),
        parameters(net, "all"),
        parameters(net, "weights"),
        neurons(net),
        neurons(net, "channels"),
        forward_macs(net),
        backward_macs(net),
        depth(net),
    )


def test_the_order_of_dimensions_changes_no_count() -> None:
    last, first = (read(pictures(f)) for f in ("channels_last", "channels_first"))

    assert integers(last) == integers(first)
    assert coverage(last) == 1.0


def test_a_keras_model_and_the_same_in_torch_give_the_same_integers() -> None:
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(2),
            L.Conv2D(32, 3, use_bias=False),
            L.Flatten(),
            L.Dense(10),
        ]
    )
    nn = torch.nn
    module = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(16),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, bias=False),
        nn.Flatten(),
        nn.Linear(32 * 14 * 14, 10),
    )

    assert integers(read(model)) == integers(read_torch(module, (1, 3, 32, 32)))


@pytest.mark.parametrize("name", sorted(set(LAYERS) - {"spectral norm", "normalization"}))
def test_a_layer_written_as_onnx_runs_and_comes_back_with_the_same_integers(name: str) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    net = read(alone(name), {"": (2, *LAYERS[name][1])})
    model = to_onnx(net)
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    results = session.run(None, sample_inputs(net))

    assert integers(read_onnx(model)) == integers(net)
    assert [r.shape for r in results] == list(net.shapes_of(net.outputs))


def test_one_network_through_keras_torch_onnx_and_the_builder() -> None:
    b = Builder("small")
    x = b.input((1, 28, 28))
    x = b.relu(b.conv(x, 6, 5, padding=2, name="c1"))
    x = b.pool(x, "average", 2)
    x = b.flatten(b.pool(b.relu(b.conv(x, 16, 5, name="c2")), "average", 2))
    by_hand = b.build(b.dense(b.relu(b.dense(x, 84, name="d1")), 10, name="d2"))
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(6, 5, padding="same", activation="relu"),
            L.AveragePooling2D(2),
            L.Conv2D(16, 5, activation="relu"),
            L.AveragePooling2D(2),
            L.Flatten(),
            L.Dense(84, activation="relu"),
            L.Dense(10),
        ]
    )
    nn = torch.nn
    module = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    everywhere = {
        integers(by_hand),
        integers(read(model)),
        integers(read_torch(module, (1, 1, 28, 28))),
        integers(read_onnx(to_onnx(by_hand))),
        integers(read_onnx(to_onnx(read(model)))),
    }

    assert len(everywhere) == 1


def test_shared_layers_nested_models_and_several_outputs() -> None:
    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    shared = L.Dense(6, name="shared")
    inner = keras.Sequential([keras.Input((6,)), L.Dense(4), L.Dense(3)], name="inner")
    x, y = inner(shared(a)), inner(shared(b))
    model = keras.Model({"a": a, "b": b}, {"sum": L.Add()([x, y]), "first": x})
    found = read(model, {"b": (5, 8)})

    assert parameters(found) == model.count_params()
    assert forward_macs(found) == 2 * 5 * (8 * 6 + 6 * 4 + 4 * 3)
    assert found.input_names == ("a", "b")
    assert found.shapes_of(found.outputs) == ((5, 3), (5, 3))


def test_frozen_layers_are_not_trained() -> None:
    model = keras.Sequential([keras.Input((8,)), L.Dense(6, name="body"), L.Dense(3)])
    model.get_layer("body").trainable = False
    found = read(model)

    assert parameters(found) == trainable(model) == 6 * 3 + 3
    assert parameters(found, "all") == model.count_params()


def test_mixed_formats_compute_in_half_and_keep_weights_whole() -> None:
    model = keras.Sequential([keras.Input((8,)), L.Dense(6, dtype="mixed_bfloat16")])
    found = read(model)

    assert found.tensors[found.outputs[0]].format == "bf16"
    assert {p.format for p in found.parameters} == {"fp32"}


def test_a_layer_of_a_class_of_ones_own_is_named_and_what_follows_is_counted() -> None:
    @keras.saving.register_keras_serializable("mine")
    class Twice(L.Layer):
        def call(self, x: Any) -> Any:
            return keras.ops.concatenate([x, x], axis=-1)

    given = keras.Input((8,))
    found = read(keras.Model(given, L.Dense(3)(Twice(name="twice")(given))))

    (odd,) = unknown_nodes(found)
    assert (odd.name, odd.attributes["function"]) == ("twice", "Twice")
    assert forward_macs(found) == 16 * 3
    assert coverage(found) < 1
    assert any("Parameters of layers that are not known" in note for note in found.notes)


def test_a_lambda_is_named_and_never_run() -> None:
    given = keras.Input((8,))
    found = read(keras.Model(given, L.Lambda(lambda x: x * 2)(given)))

    assert [n.attributes["function"] for n in unknown_nodes(found)] == ["Lambda"]


def test_an_open_size_is_asked_for_by_name() -> None:
    model = keras.Sequential([keras.Input((None, 4), name="steps"), L.LSTM(3)])

    with pytest.raises(GraphError, match="Dimension 1 of input 'steps' is left open") as caught:
        read(model)
    assert "--input steps=8x128x4" in caught.value.remedy
    assert forward_macs(read(model, {"steps": (2, 7, 4)})) == 2 * 7 * 4 * 3 * (4 + 3)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"pixels": (1, 8, 8)}, "has 2 dimensions"),
        ({"pixels": (1, 9)}, "Dimension 1 of input 'pixels' is 8"),
        ({"pixel": (1, 8)}, "Unknown input of the model 'pixel'"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(shapes: Any, message: str) -> None:
    model = keras.Sequential([keras.Input((8,), name="pixels"), L.Dense(3)])

    with pytest.raises(GraphError, match=message):
        read(model, shapes)


def test_a_model_of_its_own_class_says_what_to_do() -> None:
    configuration = {"class_name": "Mine", "registered_name": "pkg>Mine", "config": {"units": 3}}

    with pytest.raises(GraphError, match="its layers are not in the file") as caught:
        network_of(configuration)
    assert "functional or Sequential" in caught.value.remedy


def test_a_file_is_read_without_keras_and_without_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", pictures("channels_last").to_json())
    code = (
        "import sys; from tradespace.graph.readers.keras.read import read_keras; "
        "from tradespace.graph.counts import forward_macs; "
        f"n = read_keras({str(path)!r}); print(n.name, forward_macs(n)); "
        "print(sorted({'keras', 'torch', 'onnx', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = forward_macs(read_keras(path))

    assert done.stdout.splitlines() == [f"model {expected}", "[]"]


def test_a_saved_file_reads_as_its_configuration(tmp_path: Path) -> None:
    path, model = tmp_path / "pictures.keras", pictures("channels_last")
    model.save(path)

    assert integers(read_keras(path)) == integers(read(model))
    assert read_keras(path).name == "pictures"


# ------------------------------------------------------------------------- damage, at random


def broken(item: Any, rng: random.Random, share: float) -> Any:
    """Return a configuration with some of its parts left out or replaced."""
    if rng.random() < share:
        return rng.choice([None, -1, 0, "", [], {}, "relu", [1, 2, 3], 10**9])
    if isinstance(item, dict):
        kept = {k: broken(v, rng, share) for k, v in item.items() if rng.random() > share / 2}
        return kept or item
    if isinstance(item, list):
        return [broken(v, rng, share) for v in item]
    return item


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_configuration_gives_a_network_or_one_sentence(seed: int) -> None:
    rng = random.Random(seed)
    a, b = keras.Input(SERIES, name="a"), keras.Input(SERIES, name="b")
    joined = keras.Model([a, b], L.Bidirectional(L.GRU(3))(steps(a, b)))
    sources = [json.loads(m.to_json()) for m in (pictures("channels_last"), joined)]
    refused: list[GraphError] = []
    for _ in range(80):
        try:
            network_of(broken(rng.choice(sources), rng, rng.choice([0.001, 0.01])))
        except GraphError as error:
            refused.append(error)

    assert len(refused) > 5
    assert all(e.remedy and "\n" not in str(e) for e in refused)


# ----------------------------------------------------------------------------- applications

#: Not to be built: Keras has no NASNet on torch.
APPLICATIONS = sorted(
    name for name in dir(keras.applications) if name[0].isupper() and "NASNet" not in name
)


#: One of each kind; the others differ in sizes.
_ALWAYS = (
    "ConvNeXtTiny",
    "DenseNet121",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "Xception",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [n if n in _ALWAYS else pytest.param(n, marks=pytest.mark.thorough) for n in APPLICATIONS],
)
def test_an_application_has_keras_parameters_and_the_integers_of_the_zoo(name: str) -> None:
    with torch.device("meta"):  # no weight is allocated
        model = getattr(keras.applications, name)(weights=None)
    size = model.input_shape[1] or 224
    found = read(model, {"": (1, size, size, 3)})

    assert parameters(found, "all") == model.count_params()
    assert parameters(found) == trainable(model)
    assert coverage(found) == 1.0
    in_zoo = f"keras-{name.lower()}"
    from tradespace.graph.zoo._catalogue import networks

    if in_zoo in networks():
        made = network(in_zoo)
        counted = (parameters(made), forward_macs(made), backward_macs(made), neurons(made))
        assert counted == (
            parameters(found),
            forward_macs(found),
            backward_macs(found),
            neurons(found),
        )


@pytest.mark.slow
def test_the_roles_of_an_application_add_up() -> None:
    found = read(keras.applications.MobileNetV2(weights=None, alpha=0.35))
    roles = parameters_by_role(found)

    assert sum(roles.values()) == parameters(found, "all")
    assert roles["statistic"] == roles["norm_scale"] * 2
