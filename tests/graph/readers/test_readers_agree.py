"""The same network gives the same integers through torch, ONNX (three ways) and the zoo."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from torch import nn  # noqa: E402

from tests.graph import torch_models as models  # noqa: E402
from tradespace.graph.counts import (  # noqa: E402
    PARAMETER_CONVENTIONS,
    backward_macs,
    coverage,
    depth,
    forward_macs,
    neurons,
    parameters,
)
from tradespace.graph.network import Network  # noqa: E402
from tradespace.graph.readers.onnx.read import read_onnx  # noqa: E402
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402
from tradespace.graph.writers.onnx import to_onnx  # noqa: E402
from tradespace.graph.zoo import network  # noqa: E402

#: What every reader has to agree on. "activations" is left out: an export has no dropout.
NEURONS = ("layers", "layers+input", "channels")


def integers(net: Network) -> dict[str, int]:
    assert coverage(net) == 1.0
    return {
        **{f"parameters, {c}": parameters(net, c) for c in PARAMETER_CONVENTIONS},
        **{f"neurons, {c}": neurons(net, c) for c in NEURONS},
        "forward": forward_macs(net),
        "backward": backward_macs(net),
        "depth": depth(net),
    }


class Sequence(nn.Module):
    def __init__(self, cell: type[nn.Module]) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 8)
        self.cell = cell(8, 16, batch_first=True, bidirectional=True)
        self.head = nn.Linear(32, 50)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.cell(self.table(ids))[0])


class Tied(nn.Module):
    """Learned positions, attention by hand under a mask, a learned scale, tied weights."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 8)
        self.position = nn.Parameter(torch.rand(1, 5, 8))
        self.norm = nn.LayerNorm(8)
        self.scale = nn.Parameter(torch.rand(8))
        self.register_buffer("mask", torch.tril(torch.ones(5, 5)), persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.table(ids) + self.position)
        scores = (x @ x.transpose(1, 2) / 8**0.5).masked_fill(self.mask == 0, float("-inf"))
        return (scores.softmax(-1) @ x * self.scale) @ self.table.weight.T


IDS = torch.arange(10).reshape(2, 5)
#: name -> (module, inputs); what neither exporter of torch can write stands in `UNEXPORTED`.
CASES: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "perceptron": (models.Mlp, (2, 784)),
    "alexnet": (models.AlexNet, (1, 3, 224, 224)),
    "googlenet": (models.GoogLeNet, (1, 3, 96, 96)),
    "resnet": (lambda: models.ResNet((1, 1, 1, 1)), (2, 3, 64, 64)),
    "lstm": (lambda: Sequence(nn.LSTM), IDS),
    "gru": (lambda: Sequence(nn.GRU), IDS),
    "rnn": (lambda: Sequence(nn.RNN), IDS),
    "tied": (Tied, IDS),
    "encoder": (lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), (2, 5, 32)),
    "decoder": (
        lambda: nn.TransformerDecoderLayer(16, 2, 32, batch_first=True),
        [(2, 5, 16), (2, 7, 16)],
    ),
    "transposed convolutions, group norm": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, padding=1, output_padding=1),
            nn.GroupNorm(3, 6),
            nn.ConvTranspose2d(6, 2, 2, stride=2),
        ),
        (1, 4, 5, 5),
    ),
    "three dimensions, instance norm": (
        lambda: nn.Sequential(
            nn.Conv3d(2, 4, 3, padding=1, bias=False),
            nn.BatchNorm3d(4),
            nn.MaxPool3d(2),
            nn.InstanceNorm3d(4, affine=True),
        ),
        (1, 2, 6, 6, 6),
    ),
    "one dimension, learned slope": (
        lambda: nn.Sequential(
            nn.Conv1d(4, 8, 3, padding=2, dilation=2), nn.PReLU(8), nn.AvgPool1d(2)
        ),
        (2, 4, 16),
    ),
}
#: Those that take more than a second to write.
LARGE = ("alexnet", "googlenet", "densenet121", "resnet50", "resnet50-v1")
UNEXPORTED = {
    ("before dynamo", "encoder"): "torch's old exporter hands attention a tensor for a flag",
    ("before dynamo", "decoder"): "torch's old exporter hands attention a tensor for a flag",
    ("dynamo", "rnn"): "dynamo unrolls a plain recurrent layer and leaves out what meets zeros",
    ("dynamo", "transposed convolutions, group norm"): (
        "without its optimizer dynamo writes the groups as a chain that only runtimes fold"
    ),
}


def module(name: str) -> nn.Module:
    """Return a module with numbers that differ: exporters store equal tensors once."""
    torch.manual_seed(0)
    made = CASES[name][0]()
    with torch.no_grad():
        for tensor in (*made.parameters(), *made.buffers()):
            if tensor.is_floating_point() and tensor.shape != (5, 5):
                tensor.uniform_(0.5, 1.5)
    return made.eval()


def export(
    made: nn.Module, inputs: Any, path: Path, *, dynamo: bool, whole: bool = True
) -> Network:
    """Return what the reader makes of an export; `whole` leaves batch norms as they are."""
    given = inputs if isinstance(inputs, list) else [inputs]
    tensors = tuple(t if isinstance(t, torch.Tensor) else torch.rand(t) for t in given)
    settings: dict[str, Any] = {}
    if whole and dynamo:
        settings = {"optimize": False}
    elif whole:
        settings = {
            "training": torch.onnx.TrainingMode.PRESERVE,
            "do_constant_folding": False,
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            made, tensors, str(path), dynamo=dynamo, verbose=False, external_data=False, **settings
        )
    return read_onnx(path)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n in LARGE else ()) for n in CASES],
)
def test_what_the_writer_wrote_reads_as_the_same_network(name: str) -> None:
    traced = read_torch(module(name), CASES[name][1])

    assert integers(read_onnx(to_onnx(traced))) == integers(traced)


@pytest.mark.slow
@pytest.mark.parametrize("exporter", ["dynamo", "before dynamo"])
@pytest.mark.parametrize("name", CASES)
def test_an_export_of_torch_reads_as_the_module(name: str, exporter: str, tmp_path: Path) -> None:
    if (exporter, name) in UNEXPORTED:
        pytest.skip(UNEXPORTED[exporter, name])
    made, inputs = module(name), CASES[name][1]
    read = export(made, inputs, tmp_path / "model.onnx", dynamo=exporter == "dynamo")

    assert integers(read) == integers(read_torch(made, inputs))


@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [True, False])
def test_batch_norms_folded_by_an_exporter_are_reported(dynamo: bool, tmp_path: Path) -> None:
    made = module("resnet")
    traced = read_torch(made, (2, 3, 64, 64))
    read = export(made, (2, 3, 64, 64), tmp_path / "model.onnx", dynamo=dynamo, whole=False)
    layers = sum(n.operator == "batch_norm" for n in traced.nodes)

    assert any(f"folded at export into {layers} layers" in note for note in read.notes)
    assert not any(n.operator == "batch_norm" for n in read.nodes)
    assert forward_macs(read) == forward_macs(traced)
    # A scale, an offset and two statistics a channel are gone, a bias a channel has come.
    offsets = parameters(traced, "all") - parameters(traced, "weights") - 1000
    assert parameters(read) == parameters(traced, "weights") + 1000 + offsets // 4


def _bert(transformers: Any, settings: dict[str, Any]) -> nn.Module:
    return transformers.BertModel(transformers.BertConfig(**settings))


def _gpt2(transformers: Any, settings: dict[str, Any]) -> nn.Module:
    config = transformers.GPT2Config(
        n_embd=64, n_layer=2, n_head=4, vocab_size=100, use_cache=False
    )
    return transformers.GPT2LMHeadModel(config)


def _llama(transformers: Any, settings: dict[str, Any]) -> nn.Module:
    config = transformers.LlamaConfig(**settings, num_key_value_heads=2, use_cache=False)
    return transformers.LlamaForCausalLM(config)


def _vit(transformers: Any, settings: dict[str, Any]) -> nn.Module:
    return transformers.ViTModel(transformers.ViTConfig(**settings, image_size=32, patch_size=8))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("build", [_bert, _gpt2, _llama, _vit])
def test_an_export_of_a_hugging_face_model_reads_as_the_model(
    build: Callable[[Any, dict[str, Any]], nn.Module], tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    settings = {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
    }
    if build is not _vit:
        settings["vocab_size"] = 100
    made = build(transformers, settings).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for tensor in made.parameters():
            tensor.uniform_(0.5, 1.5)
    inputs = torch.rand(1, 3, 32, 32) if build is _vit else torch.arange(8).reshape(1, 8)
    name = "pixel_values" if build is _vit else "input_ids"
    read = export(made, inputs, tmp_path / "model.onnx", dynamo=True, whole=False)

    assert integers(read) == integers(read_torch(made, {name: inputs}))


def test_a_file_with_its_batch_norms_says_nothing_of_folding() -> None:
    read = read_onnx(to_onnx(network("resnet18")))

    assert not any("fold" in note for note in read.notes)


def test_batch_norms_folded_by_the_writer_are_reported() -> None:
    made = network("resnet18")
    read = read_onnx(to_onnx(made, fold=True))

    assert any("folded at export into 20 layers" in note for note in read.notes)
    assert forward_macs(read) == forward_macs(made)
    assert neurons(read) == neurons(made)


ZOO = (
    "mlp-784-300-100-10",
    "resnet18",
    "resnet50",
    "resnet50-v1",
    "squeezenet1-1",
    "mobilenet-v2",
    "mobilenet-v3-small",
    "shufflenet-v2-x0-5",
    "densenet121",
    "googlenet-2014",
    "keras-mobilenet",
    "lstm-torch-28-128",
    "gru-28-128",
    "rnn-32-64",
)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in LARGE else ()) for n in ZOO]
)
def test_a_network_of_the_zoo_comes_back_from_an_onnx_file(name: str) -> None:
    made = network(name, batch=2)

    assert integers(read_onnx(to_onnx(made))) == integers(made)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("bert-base", {"layers": 2, "width": 64, "heads": 4, "length": 16, "vocabulary": 100}),
        ("gpt-2", {"layers": 2, "width": 64, "heads": 4, "length": 16, "vocabulary": 100}),
        ("transformer-base", {"layers": 1, "width": 64, "heads": 4, "vocabulary": 100}),
    ],
)
def test_a_transformer_of_the_zoo_comes_back_from_an_onnx_file(
    name: str, settings: dict[str, Any]
) -> None:
    made = network(name, **settings)
    read, wanted = integers(read_onnx(to_onnx(made))), integers(made)

    assert read == wanted


@pytest.mark.parametrize(
    ("zoo", "torch_module", "shape"),
    [
        ("mlp-784-300-100-10", models.Mlp, (1, 784)),
        ("alexnet-torchvision", models.AlexNet, (1, 3, 224, 224)),
        ("vgg19", models.Vgg19, (1, 3, 224, 224)),
        ("resnet50", models.ResNet, (1, 3, 224, 224)),
        ("resnet50-v1", lambda: models.ResNet(v1=True), (1, 3, 224, 224)),
    ],
)
def test_the_zoo_and_torch_agree(
    zoo: str, torch_module: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        made = torch_module()

    assert integers(network(zoo)) == integers(read_torch(made, shape, training=False))
