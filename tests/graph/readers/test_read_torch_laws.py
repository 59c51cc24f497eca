"""Laws of the torch reader, on stacks of layers that nobody wrote."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from torch import nn  # noqa: E402

from tradespace.core.errors import GraphError  # noqa: E402
from tradespace.graph.counts import (  # noqa: E402
    backward_macs,
    coverage,
    forward_macs,
    node_counts,
    parameters,
    totals,
)
from tradespace.graph.formulas import formula  # noqa: E402
from tradespace.graph.memory import inference_memory, training_memory  # noqa: E402
from tradespace.graph.operators import operator  # noqa: E402
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402

LAWS = settings(max_examples=10, deadline=None)
SIDE = 12


class Residual(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.inside = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inside(x)


class Attended(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x, x, x, need_weights=False)[0]


class Recurrent(nn.Module):
    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.layer = getattr(nn, kind)(width, width, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


#: What a stack over pictures, and over sequences, may be made of, by width.
PICTURE = {
    "convolution": lambda w: nn.Conv2d(w, w, 3, padding=1),
    "grouped": lambda w: nn.Conv2d(w, w, 3, padding=1, groups=2, bias=False),
    "transposed": lambda w: nn.ConvTranspose2d(w, w, 3, padding=1),
    "batch norm": nn.BatchNorm2d,
    "relu": lambda w: nn.ReLU(),
    "in place": lambda w: nn.ReLU(inplace=True),
    "dropout": lambda w: nn.Dropout(0.3),
    "pooling": lambda w: nn.MaxPool2d(3, 1, padding=1),
    "residual": lambda w: Residual(nn.Conv2d(w, w, 1), nn.GELU()),
}
SEQUENCE = {
    "dense": lambda w: nn.Linear(w, w),
    "gelu": lambda w: nn.GELU(),
    "layer norm": nn.LayerNorm,
    "dropout": lambda w: nn.Dropout(0.3),
    "attention": Attended,
    "lstm": lambda w: Recurrent("LSTM", w),
    "gru": lambda w: Recurrent("GRU", w),
    "residual": lambda w: Residual(nn.Linear(w, w), nn.SiLU()),
}
PICTURES = st.lists(st.sampled_from(sorted(PICTURE)), min_size=1, max_size=6)
SEQUENCES = st.lists(st.sampled_from(sorted(SEQUENCE)), min_size=1, max_size=5)
STACKS = st.one_of(
    st.tuples(st.just("picture"), PICTURES), st.tuples(st.just("sequence"), SEQUENCES)
)
WIDTHS = st.sampled_from([2, 4, 8])


def build(stack: tuple[str, list[str]], width: int, *, device: str = "meta") -> nn.Module:
    kind, names = stack
    layers = PICTURE if kind == "picture" else SEQUENCE
    first = nn.Conv2d(3, width, 3, padding=1) if kind == "picture" else nn.Linear(3, width)
    module = nn.Sequential(first, *(layers[name](width) for name in names))
    return module.to(device)


def shape_of(stack: tuple[str, list[str]], batch: int) -> tuple[int, ...]:
    return (batch, 3, SIDE, SIDE) if stack[0] == "picture" else (batch, SIDE, 3)


@pytest.mark.slow
@LAWS
@given(stack=STACKS, width=WIDTHS, batch=st.integers(1, 4))
def test_counts_depend_neither_on_device_nor_on_mode(
    stack: tuple[str, list[str]], width: int, batch: int
) -> None:
    shape = shape_of(stack, batch)
    found = [
        totals(read_torch(build(stack, width, device=device), shape, training=training))
        for device in ("meta", "cpu")
        for training in (True, False)
    ]

    for key in ("macs", "backward_macs", "parameters", "neurons", "coverage", "depth"):
        assert len({one[key] for one in found}) == 1
    assert found[0]["coverage"] == 1.0


@LAWS
@given(stack=STACKS, width=WIDTHS)
def test_reading_twice_gives_the_same_network(stack: tuple[str, list[str]], width: int) -> None:
    module, shape = build(stack, width), shape_of(stack, 2)

    assert read_torch(module, shape) == read_torch(module, shape)


def _everything(module: nn.Module) -> dict[str, Any]:
    return {
        "state": {k: v.clone() for k, v in module.state_dict().items()},
        "modes": [m.training for m in module.modules()],
        "gradients": [p.requires_grad for p in module.parameters()],
        "given": [p.grad for p in module.parameters()],
        "ids": [id(t) for t in (*module.parameters(), *module.buffers())],
        "keys": [sorted(vars(m)) for m in module.modules()],
        "hooks": [
            len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
            for m in module.modules()
        ],
        "random": torch.get_rng_state(),
        "global hooks": len(nn.modules.module._global_forward_hooks),
        "grad mode": torch.is_grad_enabled(),
        "fast path": torch.backends.mha.get_fastpath_enabled(),
    }


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return bool(a == b)


@LAWS
@given(
    stack=STACKS,
    width=WIDTHS,
    training=st.sampled_from([None, True, False]),
    fails=st.booleans(),
    frozen=st.booleans(),
)
def test_the_module_is_left_as_it_was_also_when_it_raises(
    stack: tuple[str, list[str]], width: int, training: bool | None, fails: bool, frozen: bool
) -> None:
    module = build(stack, width, device="cpu")
    module[0].requires_grad_(not frozen)
    module[-1].eval()
    shape, longer = shape_of(stack, 2), nn.Sequential(module, nn.Linear(77, 1))
    before = _everything(module)

    if fails:
        with pytest.raises(GraphError):
            read_torch(longer, shape, training=training)
    else:
        read_torch(module, shape, training=training)

    after = _everything(module)
    assert all(_same(before[key], after[key]) for key in before)


def _counted(module: nn.Module, x: torch.Tensor) -> tuple[int, int]:
    """Return what torch counts in a real forward and backward pass, attention step by step."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            out = module(x)
        with FlopCounterMode(display=False) as backward:
            out.sum().backward()
    return forward.get_total_flops() // 2, backward.get_total_flops() // 2


@pytest.mark.slow
@settings(LAWS, max_examples=25)
@given(stack=STACKS, width=WIDTHS, batch=st.integers(1, 3), frozen=st.booleans())
def test_products_are_those_that_torch_runs_forward_and_backward(
    stack: tuple[str, list[str]], width: int, batch: int, frozen: bool
) -> None:
    # torch's counter does not look into recurrent layers on a CPU, and takes the gradient of a
    # grouped convolution's weights for that of an ungrouped one; autograd refuses to overwrite
    # twice.
    kind, names = stack
    right = [n for n in names if n not in ("lstm", "gru", "grouped", "in place")]
    stack = (kind, [*right, "residual"])  # something to learn even if the first layer is frozen
    module = build(stack, width, device="cpu").train()
    module[0].requires_grad_(not frozen)
    shape = shape_of(stack, batch)

    network = read_torch(module, shape)
    forward, backward = _counted(module, torch.randn(shape))

    assert forward_macs(network) == forward
    assert backward_macs(network) == backward


@LAWS
@given(stack=STACKS, width=WIDTHS)
def test_parameters_are_those_of_the_module(stack: tuple[str, list[str]], width: int) -> None:
    module = build(stack, width)
    network = read_torch(module, shape_of(stack, 1))

    assert parameters(network) == sum(p.numel() for p in module.parameters())
    assert parameters(network, "all") == parameters(network) + sum(
        b.numel() for n, b in module.named_buffers() if "running" in n
    )


@pytest.mark.slow
@LAWS
@given(stack=STACKS, width=st.sampled_from([2, 4]), batch=st.integers(1, 4))
def test_cost_grows_with_batch_width_and_depth(
    stack: tuple[str, list[str]], width: int, batch: int
) -> None:
    base = read_torch(build(stack, width), shape_of(stack, batch), training=True)
    kind, names = stack
    deeper = (kind, [*names, "residual"])
    others = [
        read_torch(build(stack, width), shape_of(stack, batch + 1), training=True),
        read_torch(build(stack, 2 * width), shape_of(stack, batch), training=True),
        read_torch(build(deeper, width), shape_of(deeper, batch), training=True),
    ]

    for other in others:
        assert forward_macs(other) > forward_macs(base)
        assert backward_macs(other) > backward_macs(base)
        assert totals(other)["operations"] > totals(base)["operations"]
        assert totals(other)["traffic_bytes"] > totals(base)["traffic_bytes"]
        assert training_memory(other).peak_bytes > training_memory(base).peak_bytes
        assert inference_memory(other).peak_bytes >= inference_memory(base).peak_bytes


@LAWS
@given(stack=STACKS, width=WIDTHS, batch=st.integers(1, 4))
def test_the_text_of_every_formula_evaluates_to_the_number(
    stack: tuple[str, list[str]], width: int, batch: int
) -> None:
    network = read_torch(build(stack, width), shape_of(stack, batch))

    for row in node_counts(network):
        for which, number in (
            ("macs", row.macs),
            ("operations", row.operations),
            ("traffic", row.traffic_bytes),
        ):
            assert formula(row.formula(which))(row.symbols) == number
            assert formula(row.formula(which, numbers=True))({}) == number


@LAWS
@given(stack=STACKS, width=WIDTHS, batch=st.integers(1, 4))
def test_shapes_that_torch_gives_are_those_of_the_rules(
    stack: tuple[str, list[str]], width: int, batch: int
) -> None:
    network = read_torch(build(stack, width), shape_of(stack, batch))

    for node in network.nodes:
        rule = operator(node.operator)
        assert rule.shapes(network.shapes_of(node.inputs), node.attributes) == network.shapes_of(
            node.outputs
        )
        assert all(math.prod(network.tensors[i].shape) > 0 for i in node.outputs)


#: Name in the zoo -> the same network as a module.
SAME = {
    "alexnet-torchvision": "AlexNet",
    "vgg19": "Vgg19",
    "resnet50": "ResNet",
    "resnet152": "ResNet152",
    "googlenet": "GoogLeNet",
}


@pytest.mark.parametrize("name", ["alexnet-torchvision", "vgg19", "resnet50", "resnet152"])
def test_a_network_of_the_zoo_has_the_integers_of_the_module(name: str) -> None:
    from tests.graph import torch_models
    from tradespace.graph.zoo import network, networks

    if name not in networks():
        pytest.skip(f"the zoo has no {name}")
    with torch.device("meta"):
        module = (
            torch_models.ResNet((3, 8, 36, 3))
            if name == "resnet152"
            else getattr(torch_models, SAME[name])()
        )
    ours, read = network(name), read_torch(module, (1, 3, 224, 224))

    for key in ("parameters", "macs", "backward_macs", "neurons", "depth", "statistics"):
        assert totals(ours)[key] == totals(read)[key], key
    assert coverage(ours) == coverage(read) == 1.0


def test_a_copy_of_a_module_is_read_the_same() -> None:
    module = build(("sequence", ["lstm", "attention"]), 4, device="cpu")

    assert read_torch(module, (1, 5, 3)) == read_torch(copy.deepcopy(module), (1, 5, 3))
