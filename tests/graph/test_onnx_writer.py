"""Networks written as ONNX: the checker accepts them, the runtime runs them, shapes are ours."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.writers.onnx import sample_inputs, to_onnx
from tradespace.graph.zoo import network
from tradespace.graph.zoo._catalogue import networks

SMALL = {
    "mlp-784-300-100-10": {},
    "bert-base": {"layers": 1, "width": 64, "heads": 4, "length": 16, "vocabulary": 100},
    "gpt-2": {"layers": 1, "width": 64, "heads": 4, "length": 16, "vocabulary": 100},
    "transformer-base": {"layers": 1, "width": 64, "heads": 4, "hidden": 128, "vocabulary": 100},
}


def run(net: Network, model: onnx.ModelProto) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, sample_inputs(net))


def shapes(net: Network) -> list[tuple[int, ...]]:
    return [net.tensors[i].shape for i in net.outputs]


@pytest.mark.parametrize("name", SMALL)
def test_a_small_network_of_the_zoo_runs_in_onnx_runtime(name: str) -> None:
    net = network(name, batch=2, **SMALL[name])
    model = to_onnx(net)
    onnx.checker.check_model(model, full_check=True)

    assert [r.shape for r in run(net, model)] == shapes(net)


#: The first network of each builder of the zoo.
KINDS = {row.path: name for name, row in reversed(networks().items())}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KINDS.values()))
def test_a_network_of_every_kind_that_fits_into_a_file_is_written_and_runs(name: str) -> None:
    net = network(name)
    if sum(p.elements for p in net.parameters) > 70e6:
        pytest.skip("more than 70 million parameters: writing takes long and much memory")
    model = to_onnx(net)
    onnx.checker.check_model(model, full_check=True)

    assert [r.shape for r in run(net, model)] == shapes(net)


def convolutional() -> Network:
    b = Builder("convolutional", batch=2)
    x = b.input((3, 16, 16))
    x = b.relu(b.batch_norm(b.conv(x, 8, 3, padding=1, bias=False, name="c1"), name="n1"))
    x = b.batch_norm(b.conv(x, 8, 3, stride=2, padding="same", groups=2, name="c2"), name="n2")
    x = b.pool(x, "max", 3, stride=2, padding=1, ceil=True)
    return b.build(b.dense(b.flatten(b.adaptive_pool(x, 2)), 5, name="head"))


def test_folding_leaves_no_batch_norm_and_gives_every_convolution_a_bias() -> None:
    net = convolutional()
    kept, folded = to_onnx(net), to_onnx(net, fold=True)
    convolutions = [n for n in folded.graph.node if n.op_type == "Conv"]

    assert sum(n.op_type == "BatchNormalization" for n in kept.graph.node) == 2
    assert sum(n.op_type == "BatchNormalization" for n in folded.graph.node) == 0
    assert all(len(n.input) == 3 for n in convolutions)
    assert [r.shape for r in run(net, folded)] == shapes(net) == [(2, 5)]


def test_the_same_seed_gives_the_same_file() -> None:
    first, second = (to_onnx(convolutional(), seed=7) for _ in range(2))

    assert first.SerializeToString() == second.SerializeToString()
    assert first.SerializeToString() != to_onnx(convolutional(), seed=8).SerializeToString()


@pytest.mark.parametrize("fmt", ["fp16", "fp64"])
def test_a_network_can_be_written_in_another_number_format(fmt: str) -> None:
    net = network("mlp-784-300-100-10").with_format(fmt)
    (result,) = run(net, to_onnx(net))

    assert result.dtype == {"fp16": np.float16, "fp64": np.float64}[fmt]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("sequences", [True, False])
def test_recurrent_layers_run_in_both_directions(cell: str, sequences: bool) -> None:
    b = Builder("recurrent", batch=2)
    x = b.input((5, 8))
    net = b.build(b.recurrent(cell, x, 6, layers=2, bidirectional=True, sequences=sequences))

    assert [r.shape for r in run(net, to_onnx(net))] == shapes(net)


def test_weights_that_do_not_fit_into_one_file_are_refused_with_the_way_out() -> None:
    with pytest.raises(GraphError, match="one ONNX file holds at most") as caught:
        to_onnx(network("gpt-3"))

    assert "smaller variant" in caught.value.remedy


def test_an_operator_that_cannot_be_written_is_named() -> None:
    b = Builder("odd")
    x = b.input((4,))
    y = b.apply("unknown", x, name="strange", shape=(1, 4), function="fft")

    with pytest.raises(GraphError, match="'strange' of 'odd' is 'fft'"):
        to_onnx(b.build(y))
