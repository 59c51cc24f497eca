"""Memory: against what autograd keeps, against a tracker of memory, and laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.memory import (
    inference_memory,
    saved_activations,
    training_memory,
    weights_bytes,
)
from tradespace.graph.network import Network


def perceptron(*widths: int, batch: int = 1) -> Network:
    b = Builder("perceptron", batch=batch)
    x = b.input((widths[0],))
    for i, width in enumerate(widths[1:]):
        x = b.relu(b.dense(x, width, name=f"l{i}"), name=f"r{i}")
    return b.build(x)


def test_inference_keeps_what_is_alive_and_no_more() -> None:
    memory = inference_memory(perceptron(100, 50, 10, batch=2))

    # The widest moment is the first layer: 100 inputs and 50 outputs of two samples.
    assert memory.activations_bytes == 2 * (100 + 50) * 4
    assert memory.weights_bytes == (100 * 50 + 50 + 50 * 10 + 10) * 4
    assert memory.all_activations_bytes == 2 * (100 + 50 + 10) * 4


def test_a_residual_branch_stays_alive_until_it_is_added() -> None:
    b = Builder("residual")
    x = b.input((100,))
    y = b.dense(b.dense(x, 60, name="a"), 100, name="b")
    network = b.build(b.add(x, y))

    # While the sum is made: input, branch and sum.
    assert inference_memory(network).activations_bytes == 3 * 100 * 4


def test_training_counts_weights_gradients_state_and_each_signal_once() -> None:
    memory = training_memory(perceptron(100, 50, 10, batch=8), optimizer="adam")
    weights = (100 * 50 + 50 + 50 * 10 + 10) * 4

    assert memory.weights_bytes == memory.gradients_bytes == weights
    assert memory.optimizer_bytes == 2 * weights
    assert memory.master_bytes == 0
    # The input for the first layer; each rectifier's output for itself and the next layer.
    assert memory.saved_bytes == 8 * (100 + 50 + 10) * 4


def test_mixed_formats_hold_two_copies_of_the_weights() -> None:
    network = perceptron(100, 50, 10, batch=8)
    count = weights_bytes(network) // 4

    memory = training_memory(network, optimizer="adam", format="bf16")

    # 2 + 2 + 4 + 4 + 4 = 16 bytes for each weight, as published for large models.
    assert memory.state_bytes == 16 * count


def test_frozen_layers_have_neither_gradient_nor_state_and_keep_nothing() -> None:
    network = perceptron(100, 50, 10, batch=8).frozen("l0")

    memory = training_memory(network, optimizer="momentum")

    assert memory.gradients_bytes == memory.optimizer_bytes == (50 * 10 + 10) * 4
    assert memory.saved_bytes == 8 * (50 + 10) * 4


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 64),
    widths=st.lists(st.integers(1, 64), min_size=2, max_size=6),
)
def test_memory_grows_with_batch_width_and_depth(batch: int, widths: list[int]) -> None:
    base = perceptron(*widths, batch=batch)
    bigger = [
        perceptron(*widths, batch=batch + 1),
        perceptron(*[w + 1 for w in widths], batch=batch),
        perceptron(*widths, widths[-1], batch=batch),
    ]

    for other in bigger:
        assert training_memory(other).peak_bytes > training_memory(base).peak_bytes
        assert inference_memory(other).peak_bytes >= inference_memory(base).peak_bytes


def test_checkpoints_keep_less_and_need_at_least_the_state() -> None:
    network = perceptron(*[64] * 20, batch=256)
    whole = training_memory(network)

    parts = training_memory(network, checkpoint=5)

    assert parts.saved_bytes < whole.saved_bytes
    assert whole.state_bytes < parts.peak_bytes < whole.peak_bytes


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"optimizer": "adamm"}, "adam"),
        ({"format": "fp33"}, "fp32"),
        ({"format": "int8"}, "not modelled"),
        ({"checkpoint": 1000}, "segments"),
    ],
)
def test_wrong_settings_of_training_are_named(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        training_memory(perceptron(4, 3), **settings_)


# ------------------------------------------------------------------ against torch itself

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

PICTURES = (32, 3, 224, 224)


def _models() -> dict[str, tuple[Any, tuple[int, ...]]]:
    from tests.graph import torch_models as m

    return {
        "mlp": (m.Mlp, (32, 784)),
        "alexnet": (m.AlexNet, PICTURES),
        "vgg19": (m.Vgg19, PICTURES),
        "googlenet": (m.GoogLeNet, PICTURES),
        "resnet50": (m.ResNet, PICTURES),
    }


#: What autograd was found to keep elsewhere, in MB.
PUBLISHED_MB = {"mlp": 0.152, "alexnet": 118.5, "vgg19": 2511, "googlenet": 1543, "resnet50": 2749}


def _kept_by_autograd(module: Any, *inputs: Any, **named: Any) -> int:
    """Return the bytes of distinct memories that hooks of autograd see, parameters left out."""
    own = {t.untyped_storage()._cdata for t in (*module.parameters(), *module.buffers())}
    seen: dict[int, int] = {}
    held: list[Any] = []

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            seen[storage._cdata] = storage.nbytes()
            held.append(tensor)  # so that no memory is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        module.train()(*inputs, **named)
    return sum(seen.values())


@pytest.mark.parametrize("name", list(PUBLISHED_MB))
def test_saved_activations_are_what_autograd_keeps(name: str) -> None:
    from tradespace.graph.readers.torch import read_torch

    make, shape = _models()[name]
    with torch.device("meta"):
        module = make()
        kept = _kept_by_autograd(module, torch.empty(shape))
    ours = saved_activations(read_torch(module, shape, training=True), device="cpu")

    assert ours == pytest.approx(kept, rel=0.001)
    assert ours / 1e6 == pytest.approx(PUBLISHED_MB[name], rel=0.05)


@pytest.mark.slow
def test_saved_activations_of_bert_are_what_autograd_keeps() -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    from tradespace.graph.readers.torch import read_torch

    module = transformers.BertModel(transformers.BertConfig())
    ids = torch.zeros(8, 128, dtype=torch.long)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    kept = _kept_by_autograd(module, **inputs)
    ours = saved_activations(read_torch(module, inputs, training=True), device="cpu")

    assert ours == pytest.approx(kept, rel=0.001)
    assert ours / 1e6 == pytest.approx(916, rel=0.05)


def _tracked_peak(make: Any, shape: tuple[int, ...]) -> int:
    """Return the peak of two training steps, found by torch's own tracker on fake tensors."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    with FakeTensorMode():
        module, batch = make(), torch.empty(shape)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
        tracker = MemTracker()
        tracker.track_external(module, optimizer)
        with tracker:
            for step in range(2):
                module(batch).sum().backward()
                optimizer.step()
                optimizer.zero_grad()
                if not step:
                    tracker.reset_mod_stats()
        return max(at["Total"] for at in tracker.get_tracker_snapshot("peak").values())


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PUBLISHED_MB))
def test_the_peak_of_a_step_is_what_a_tracker_of_memory_finds(name: str) -> None:
    from tradespace.graph.readers.torch import read_torch

    make, shape = _models()[name]
    tracked = _tracked_peak(make, shape)
    with torch.device("meta"):
        network = read_torch(make(), shape, training=True)
    ours = training_memory(network, optimizer="momentum", device="cpu")

    assert ours.peak_bytes == pytest.approx(tracked, rel=0.10)
