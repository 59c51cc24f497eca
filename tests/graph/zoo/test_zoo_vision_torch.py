"""Networks for pictures against implementations by others, traced; memory against autograd."""

from __future__ import annotations

from typing import Any

import pytest

from tradespace.graph.builder import Builder
from tradespace.graph.counts import backward_macs, forward_macs, node_counts, parameters
from tradespace.graph.memory import saved_activations
from tradespace.graph.readers.torch.read import read_torch
from tradespace.graph.zoo import network

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

#: Network of the zoo -> name of the implementation in transformers, its settings.
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "resnet18": (
        "ResNet",
        {
            "layer_type": "basic",
            "hidden_sizes": [64, 128, 256, 512],
            "depths": [2, 2, 2, 2],
        },
    ),
    "resnet50": ("ResNet", {}),
    "resnet50-v1": ("ResNet", {"downsample_in_bottleneck": True}),
    "convnext-tiny": ("ConvNext", {}),
    "vit-b-16": ("ViT", {}),
    "swin-t": ("Swin", {}),
    "mobilenet-v1": ("MobileNetV1", {}),
    "mobilenet-v2": ("MobileNetV2", {}),
    "efficientnet-b0": (
        "EfficientNet",
        {
            "width_coefficient": 1.0,
            "depth_coefficient": 1.0,
            "image_size": 224,
            "hidden_dim": 1280,
        },
    ),
    "regnet-y-400mf": (
        "RegNet",
        {
            "embedding_size": 32,
            "hidden_sizes": [48, 104, 208, 440],
            "depths": [1, 3, 6, 6],
            "groups_width": 8,
            "layer_type": "y",
        },
    ),
}


def traced(name: str, batch: int) -> Any:
    family, settings = OTHERS[name]
    config = getattr(transformers, f"{family}Config")(num_labels=1000, **settings)
    with torch.device("meta"):
        module = getattr(transformers, f"{family}ForImageClassification")(config)
    return read_torch(module, {"pixel_values": (batch, 3, 224, 224)}, training=True)


@pytest.mark.parametrize("name", OTHERS)
def test_another_implementation_counts_the_same(name: str) -> None:
    theirs, ours = traced(name, 2), network(name, batch=2)

    assert parameters(theirs) == parameters(ours)
    assert forward_macs(theirs) == forward_macs(ours)
    assert backward_macs(theirs) == backward_macs(ours)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "regnet-y-400mf"])
def test_another_implementation_works_and_keeps_as_much(name: str) -> None:
    theirs, ours = traced(name, 2), network(name, batch=2)
    operations = [sum(row.operations for row in node_counts(n)) for n in (theirs, ours)]

    assert operations[0] == operations[1]
    assert saved_activations(theirs) == saved_activations(ours)


@pytest.mark.parametrize(("channels", "size"), [(64, 5), (6, 3), (3, 5)])
def test_local_response_normalization_keeps_what_autograd_keeps(channels: int, size: int) -> None:
    kept = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # alive, so that none is reused
        return tensor

    x = 2 * torch.randn(2, channels, 7, 7, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        torch.nn.functional.local_response_norm(x, size)
    b = Builder("lrn", batch=2)
    # A convolution makes the input one that needs a gradient; it keeps its own input.
    h = b.conv(b.input((1, 7, 7)), channels, 1)
    made = b.build(b.local_response_norm(h, size=size))

    assert saved_activations(made) - 2 * 7 * 7 * 4 == sum(n for n, _ in kept.values())
