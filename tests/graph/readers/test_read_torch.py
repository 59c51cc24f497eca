"""The torch reader: each operator against hand arithmetic, whole networks, the module untouched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from tradespace.core.errors import GraphError  # noqa: E402
from tradespace.graph.counts import (  # noqa: E402
    backward_macs,
    coverage,
    forward_macs,
    parameters,
    unknown_nodes,
)
from tradespace.graph.network import Network  # noqa: E402
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402


class Call(nn.Module):
    """A function with some layers."""

    def __init__(self, function: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.function = function

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.function(self, *inputs, **named)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 8)
        self.head = nn.Linear(8, 50, bias=False)
        self.head.weight = self.table.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(ids))


X = (2, 5, 8)  # batch, positions, width
#: name -> (module, inputs, multiply-accumulates by hand, trainable parameters by hand).
CASES: dict[str, tuple[Callable[[], nn.Module], Any, int, int]] = {
    "lstm": (
        lambda: nn.LSTM(8, 16, batch_first=True),
        X,
        2 * 5 * 4 * 16 * (8 + 16),
        4 * 16 * (8 + 16 + 2),
    ),
    "lstm of two layers in both directions": (
        lambda: nn.LSTM(8, 16, 2, bidirectional=True, batch_first=True),
        X,
        2 * 5 * 2 * (4 * 16 * (8 + 16) + 4 * 16 * (32 + 16)),
        2 * (4 * 16 * (8 + 16 + 2) + 4 * 16 * (32 + 16 + 2)),
    ),
    "lstm with projection": (
        lambda: nn.LSTM(8, 16, proj_size=4, batch_first=True),
        X,
        2 * 5 * (4 * 16 * (8 + 4) + 16 * 4),
        4 * 16 * (8 + 4 + 2) + 16 * 4,
    ),
    "lstm cell": (lambda: nn.LSTMCell(8, 16), (2, 8), 2 * 4 * 16 * (8 + 16), 4 * 16 * (8 + 16 + 2)),
    "gru": (lambda: nn.GRU(8, 16), (5, 2, 8), 2 * 5 * 3 * 16 * (8 + 16), 3 * 16 * (8 + 16 + 2)),
    "gru cell": (lambda: nn.GRUCell(8, 16), (2, 8), 2 * 3 * 16 * (8 + 16), 3 * 16 * (8 + 16 + 2)),
    "plain recurrent": (
        lambda: nn.RNN(8, 16, batch_first=True),
        X,
        2 * 5 * 16 * (8 + 16),
        16 * (8 + 16 + 2),
    ),
    "multi-head attention, fused": (
        lambda: nn.MultiheadAttention(8, 2, batch_first=True).eval(),
        [X, X, X],
        4 * 2 * 5 * 8 * 8 + 2 * 2 * 5 * 5 * 8,
        4 * 8 * 8 + 4 * 8,
    ),
    "multi-head attention, without weights": (
        lambda: Call(
            lambda m, x: m.a(x, x, x, need_weights=False)[0],
            a=nn.MultiheadAttention(8, 2, batch_first=True),
        ),
        X,
        4 * 2 * 5 * 8 * 8 + 2 * 2 * 5 * 5 * 8,
        4 * 8 * 8 + 4 * 8,
    ),
    "transformer layer in evaluation": (
        lambda: nn.TransformerEncoderLayer(8, 2, 32, batch_first=True).eval(),
        X,
        4 * 2 * 5 * 8 * 8 + 2 * 2 * 5 * 5 * 8 + 2 * 2 * 5 * 8 * 32,
        4 * 8 * 8 + 4 * 8 + 2 * 8 * 32 + 32 + 8 + 4 * 8,
    ),
    "scaled dot-product attention": (
        lambda: Call(lambda m, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        [(2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 4)],
        2 * 3 * 5 * 7 * (8 + 4),
        0,
    ),
    "causal attention saves nothing in the count": (
        lambda: Call(lambda m, q: F.scaled_dot_product_attention(q, q, q, is_causal=True)),
        (2, 3, 5, 8),
        2 * 3 * 5 * 5 * 16,
        0,
    ),
    "attention by hand with @": (
        lambda: Call(lambda m, q: torch.softmax(q @ q.transpose(-1, -2) / 8**0.5, -1) @ q),
        (2, 3, 5, 8),
        2 * 2 * 3 * 5 * 5 * 8,
        0,
    ),
    "einsum": (
        lambda: Call(lambda m, a, b: torch.einsum("bhqd,bhkd->bhqk", a, b)),
        [(2, 3, 5, 8), (2, 3, 7, 8)],
        2 * 3 * 5 * 7 * 8,
        0,
    ),
    "bmm": (
        lambda: Call(lambda m, a, b: torch.bmm(a, b)),
        [(2, 5, 8), (2, 8, 3)],
        2 * 5 * 8 * 3,
        0,
    ),
    "transposed convolution with stride": (
        lambda: nn.ConvTranspose2d(4, 6, 3, stride=2),
        (1, 4, 5, 5),
        4 * 5 * 5 * 6 * 9,
        4 * 6 * 9 + 6,
    ),
    "transposed convolution with groups and dilation": (
        lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, dilation=2, padding=1),
        (1, 4, 5, 5),
        4 * 5 * 5 * 3 * 9,
        4 * 3 * 9 + 6,
    ),
    "depthwise convolution with dilation": (
        lambda: nn.Conv2d(8, 8, 3, groups=8, dilation=2, padding=2, bias=False),
        (1, 8, 9, 9),
        8 * 81 * 9,
        72,
    ),
    "convolution in one dimension": (
        lambda: nn.Conv1d(4, 6, 5, stride=2),
        (3, 4, 21),
        3 * 6 * 9 * 4 * 5,
        4 * 6 * 5 + 6,
    ),
    "convolution in three dimensions": (
        lambda: nn.Conv3d(2, 3, 3, padding=1),
        (1, 2, 4, 5, 6),
        3 * 120 * 2 * 27,
        2 * 3 * 27 + 3,
    ),
    "tied embedding": (lambda: Tied(), (["2x5:int64"]), 2 * 5 * 8 * 50, 50 * 8),
    "module called three times": (
        lambda: Call(lambda m, x: m.l(m.l(m.l(x))), l=nn.Linear(8, 8)),
        X,
        3 * 2 * 5 * 8 * 8,
        8 * 8 + 8,
    ),
    "bilinear": (
        lambda: nn.Bilinear(4, 5, 3),
        [(2, 4), (2, 5)],
        2 * 2 * 3 * 4 * 5,  # two products over all of b, o, i and j
        3 * 4 * 5 + 3,
    ),
    "addmm with a parameter": (
        lambda: Call(lambda m, x: torch.addmm(m.l.bias, x, m.l.weight.t()), l=nn.Linear(8, 3)),
        (2, 8),
        2 * 8 * 3,
        8 * 3 + 3,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_operator_counts_as_hand_arithmetic_does(case: str) -> None:
    make, inputs, macs, held = CASES[case]

    network = read_torch(make(), inputs)

    assert forward_macs(network) == macs
    assert parameters(network) == held
    assert coverage(network) == 1.0


@pytest.mark.parametrize("case", CASES)
def test_counts_depend_neither_on_device_nor_on_mode(case: str) -> None:
    make, inputs, macs, _ = CASES[case]
    with torch.device("meta"):
        module = make()

    found = {
        mode: forward_macs(read_torch(module, inputs, training=mode)) for mode in (True, False)
    }

    assert found == {True: macs, False: macs}


def test_an_operator_that_is_not_known_is_named() -> None:
    network = read_torch(Call(lambda m, x: torch.linalg.inv(x)), (2, 8, 8))

    names = [node.attributes["function"] for node in unknown_nodes(network)]
    assert names == ["linalg_inv_ex"]
    assert coverage(network) < 1


def test_the_module_is_left_as_it_was() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(144, 2)
    )
    module[2].eval()
    before = copy.deepcopy(module.state_dict())
    modes = [m.training for m in module.modules()]
    keys = list(vars(module[0]))
    random = torch.get_rng_state()

    read_torch(module, (2, 3, 8, 8), training=True)

    after = module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [m.training for m in module.modules()] == modes
    assert list(vars(module[0])) == keys
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in module.modules())
    assert torch.equal(random, torch.get_rng_state())
    assert module(torch.zeros(2, 3, 8, 8)).shape == (2, 2)


def test_a_module_that_raises_is_left_as_it_was_too() -> None:
    module = Call(lambda m, x: m.missing, l=nn.Linear(2, 2))

    with pytest.raises(GraphError, match="cannot run on this input"):
        read_torch(module, (2, 2), training=False)

    assert module.training
    assert torch.backends.mha.get_fastpath_enabled()


def test_masks_carry_their_values_so_that_code_can_look_at_them() -> None:
    def look(m: Call, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if mask.all():
            return m.yes(x)
        return m.no(x)[:, : int(mask.sum().item())]

    module = Call(look, yes=nn.Linear(8, 3), no=nn.Linear(8, 5))

    whole = read_torch(module, {"x": (2, 8), "mask": torch.ones(2, dtype=torch.bool)})
    half = read_torch(module, {"x": (2, 8), "mask": torch.tensor([True, False])})

    assert forward_macs(whole) == 2 * 8 * 3
    assert forward_macs(half) == 2 * 8 * 5
    assert not whole.notes


def test_a_number_that_depends_on_data_is_assumed_and_noted() -> None:
    network = read_torch(Call(lambda m, x: x + 1 if x.sum().item() > 0 else x), (2, 8))

    assert any("depends on the data" in note for note in network.notes)


def test_inputs_may_be_nested_in_mappings_and_lists() -> None:
    module = Call(lambda m, batch: m.l(batch["pair"][0] + batch["pair"][1]), l=nn.Linear(8, 3))

    network = read_torch(module, {"batch": {"pair": [(2, 8), (2, 8)]}})

    assert forward_macs(network) == 2 * 8 * 3


@pytest.mark.parametrize(
    ("module", "inputs", "message"),
    [
        (nn.Linear(8, 3), (2, 9), "cannot run"),
        (nn.Conv2d(3, 4, 3), (2, 4), "cannot run"),
        (nn.Embedding(5, 2), (2, 3), "cannot run"),
        (nn.LazyLinear(3), (2, 3), "lazy parameters"),
        (Call(lambda m, x: 3), (2, 3), "no tensor"),
        (nn.Linear(8, 3), "2x", "cannot be read"),
        (nn.Linear(8, 3), 3.5, "an input is"),
    ],
)
def test_what_cannot_be_traced_gives_one_clear_message(
    module: nn.Module, inputs: Any, message: str
) -> None:
    with pytest.raises(GraphError, match=f"(?i){message}") as caught:
        read_torch(module, inputs)

    assert caught.value.remedy


def _published(network: Network) -> tuple[int, int, int]:
    return parameters(network), forward_macs(network), backward_macs(network)


def test_networks_of_the_second_opinion_have_their_published_counts() -> None:
    from tests.graph.torch_models import AlexNet, GoogLeNet, ResNet, Vgg19

    picture = (1, 3, 224, 224)
    with torch.device("meta"):
        alexnet = _published(read_torch(AlexNet(), picture))
        resnet50 = _published(read_torch(ResNet(), picture))
        original = _published(read_torch(ResNet(v1=True), picture))
        vgg19 = _published(read_torch(Vgg19(), picture))
        googlenet = _published(read_torch(GoogLeNet(), picture))

    assert alexnet == (61_100_840, 714_188_480, 1_358_100_160)
    assert resnet50 == (25_557_032, 4_089_184_256, 8_060_354_560)
    assert original[:2] == (25_557_032, 3_857_973_248)
    assert vgg19[:2] == (143_667_240, 19_632_062_464)
    assert googlenet[:2] == (6_624_904, 1_498_376_192)


@pytest.mark.slow
def test_a_model_of_hugging_face_runs_with_an_ordinary_mask() -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    ids = torch.zeros(8, 128, dtype=torch.long)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.device("meta"):
        module = transformers.BertModel(transformers.BertConfig())

    network = read_torch(module, inputs)

    assert parameters(network) == 109_482_240
    # The pooler's 768 x 768 beside the encoder's published count.
    assert forward_macs(network) == 8 * (11_173_625_856 + 768 * 768)
    assert coverage(network) == 1.0
    assert not network.notes
