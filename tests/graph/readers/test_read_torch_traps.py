"""What trips up counters of operations: each read, or named clearly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from tests.graph.readers.test_read_torch import Call  # noqa: E402
from tradespace.core.errors import GraphError  # noqa: E402
from tradespace.graph.counts import (  # noqa: E402
    backward_macs,
    coverage,
    forward_macs,
    parameters,
    totals,
)
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402

LINEAR = 8 * 8


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * 2


def _write_rows(m: Call, x: torch.Tensor) -> torch.Tensor:
    out = torch.zeros(2, 4, 8)
    for i in range(4):
        out[:, i] = m.l(x)
    return out


def _caught(m: Call, x: torch.Tensor) -> torch.Tensor:
    try:
        m.bad(x)
    except RuntimeError:
        return m.l(x)
    return x


def _packed(m: Call, x: torch.Tensor) -> torch.Tensor:
    lengths = torch.tensor([5, 3])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    out, _ = m.l(packed)
    padded, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
    return padded


def _experts(m: Call, x: torch.Tensor) -> torch.Tensor:
    """Four experts, each for the tokens that a router gives it."""
    chosen = F.one_hot(m.router(x).argmax(-1), 4)
    out = torch.zeros_like(x)
    for i in range(4):
        (rows,) = torch.where(chosen[:, i])
        out.index_add_(0, rows, m.l(x[rows]))
    return out


def _autocast(m: Call, x: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return m.l(x)


#: name -> (module, inputs, multiply-accumulates by hand).
TRAPS: dict[str, tuple[Callable[[], nn.Module], Any, int]] = {
    "custom autograd function": (
        lambda: Call(lambda m, x: m.l(Doubled.apply(x)), l=nn.Linear(8, 8)),
        (2, 8),
        2 * LINEAR,
    ),
    "scripted module": (
        lambda: torch.jit.script(nn.Sequential(nn.Linear(8, 8), nn.ReLU())),
        (2, 8),
        2 * LINEAR,
    ),
    "data-parallel wrapper": (lambda: nn.DataParallel(nn.Linear(8, 8)), (2, 8), 2 * LINEAR),
    "weight norm by parametrization": (
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)),
        (2, 8),
        2 * LINEAR,
    ),
    "weights multiplied in forward": (
        lambda: Call(
            lambda m, x: F.linear(x, m.l.weight + m.up.weight @ m.down.weight),
            l=nn.Linear(8, 8, bias=False),
            down=nn.Linear(8, 2, bias=False),
            up=nn.Linear(2, 8, bias=False),
        ),
        (3, 8),
        3 * LINEAR + 8 * 2 * 8,
    ),
    "writing into a buffer": (lambda: Call(_write_rows, l=nn.Linear(8, 8)), (2, 8), 8 * LINEAR),
    "an exception that the module catches": (
        lambda: Call(_caught, l=nn.Linear(8, 8), bad=nn.Linear(9, 9)),
        (2, 8),
        2 * LINEAR,
    ),
    "packed sequence": (
        lambda: Call(_packed, l=nn.LSTM(8, 16, batch_first=True)),
        (2, 5, 8),
        8 * 4 * 16 * (8 + 16),  # 5 + 3 steps
    ),
    "fourier transform": (
        lambda: Call(lambda m, x: torch.fft.irfft(torch.fft.rfft(m.l(x))), l=nn.Linear(8, 8)),
        (2, 8),
        2 * LINEAR,
    ),
    "complex numbers": (
        lambda: Call(lambda m, x: torch.view_as_real(torch.complex(m.l(x), x)), l=nn.Linear(8, 8)),
        (2, 8),
        2 * LINEAR,
    ),
    "checkpointed part": (
        lambda: Call(
            lambda m, x: torch.utils.checkpoint.checkpoint(m.l, x, use_reentrant=False),
            l=nn.Linear(8, 8),
        ),
        (2, 8),
        2 * LINEAR,
    ),
    "vmap": (lambda: Call(lambda m, x: torch.vmap(m.l)(x), l=nn.Linear(8, 8)), (2, 8), 2 * LINEAR),
    "autocast": (lambda: Call(_autocast, l=nn.Linear(8, 8)), (2, 8), 2 * LINEAR),
    "bf16 weights": (lambda: nn.Linear(8, 8).bfloat16(), torch.zeros(2, 8).bfloat16(), 2 * LINEAR),
    "pooling with indices, undone": (
        lambda: Call(
            lambda m, x: m.c(nn.MaxUnpool2d(2)(*nn.MaxPool2d(2, return_indices=True)(x))),
            c=nn.Conv2d(3, 2, 1),
        ),
        (1, 3, 4, 4),
        16 * 3 * 2,
    ),
    "transformer of torch": (
        lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
        [(2, 5, 8), (2, 4, 8)],
        # Projections and two products of three attentions, two feed-forward parts.
        2 * (4 * 5 * 64 + 2 * 25 * 8 + 4 * 4 * 64 + 2 * 16 * 8)
        + 2 * (2 * 4 * 64 + 2 * 5 * 64 + 2 * 4 * 5 * 8)
        + 2 * (5 + 4) * 2 * 8 * 16,
    ),
}


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_counted_as_by_hand(name: str) -> None:
    make, inputs, macs = TRAPS[name]

    network = read_torch(make(), inputs)

    assert forward_macs(network) == macs
    assert coverage(network) == 1.0
    assert not network.notes


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method:DeprecationWarning")
def test_compiled_modules_are_read_as_they_were_written() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    compiled = torch.compile(module)

    assert forward_macs(read_torch(compiled, (2, 8))) == 2 * LINEAR
    assert parameters(read_torch(compiled, (2, 8))) == LINEAR + 8


def test_experts_share_the_tokens_and_the_assumption_is_noted() -> None:
    module = Call(_experts, router=nn.Linear(8, 4), l=nn.Linear(8, 8))

    network = read_torch(module, (40, 8))

    assert forward_macs(network) == 40 * 8 * 4 + 40 * LINEAR
    assert any("a share of 0.25" in note for note in network.notes)


def test_a_selection_without_a_known_share_takes_all_and_says_so() -> None:
    module = Call(lambda m, x: m.l(x[x.sum(-1) > 0]), l=nn.Linear(8, 8))

    network = read_torch(module, (4, 8))

    assert forward_macs(network) == 4 * LINEAR
    assert any("took all" in note for note in network.notes)


def test_a_mask_given_with_its_values_selects_what_it_says() -> None:
    module = Call(lambda m, x, keep: m.l(x[keep]), l=nn.Linear(8, 8))

    network = read_torch(module, {"x": (4, 8), "keep": torch.tensor([True, False, True, False])})

    assert forward_macs(network) == 2 * LINEAR
    assert not network.notes


def test_lengths_given_as_a_tensor_can_be_listed() -> None:
    def split(m: Call, x: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
        return m.l(torch.split(x, sizes.tolist())[1])

    module = Call(split, l=nn.Linear(8, 8))

    network = read_torch(module, {"x": (5, 8), "sizes": torch.tensor([2, 3])})

    assert forward_macs(network) == 3 * LINEAR


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta:UserWarning")
def test_sparse_weights_are_counted_as_dense_and_noted() -> None:
    module = Call(lambda m, x: m.w @ x)
    module.register_buffer("w", torch.eye(8).to_sparse_csr())

    network = read_torch(module, (8, 4))

    assert forward_macs(network) == 8 * 8 * 4
    assert any("sparse" in note for note in network.notes)


@dataclasses.dataclass(slots=True)
class Output:
    first: Any
    others: dict[str, Any]


class Cache:
    """A record that holds itself and its owner, as caches of generation do."""

    def __init__(self, owner: nn.Module, tensor: Any) -> None:
        self.owner, self.tensor, self.itself = owner, tensor, self


def test_outputs_may_be_records_with_lists_and_mappings() -> None:
    module = Call(
        lambda m, x: Output(m.l(x), {"more": [m.l(x + 1), (x.sum(),)]}), l=nn.Linear(8, 8)
    )

    network = read_torch(module, (2, 8))

    assert len(network.outputs) == 3
    assert forward_macs(network) == 4 * LINEAR


def test_outputs_may_hold_themselves() -> None:
    module = Call(lambda m, x: (m.l(x), Cache(m, x * 2)), l=nn.Linear(8, 8))

    network = read_torch(module, (2, 8))

    assert len(network.outputs) == 2


def test_large_weights_in_memory_are_not_copied() -> None:
    import resource

    # A gigabyte that nobody has touched yet: copying it would.
    module = nn.utils.skip_init(nn.Linear, 16384, 16384)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    network = read_torch(module, (1, 16384))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert parameters(network) == 16384 * 16384 + 16384
    assert grown < 50_000  # KiB


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wrong = nn.Linear(9, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.wrong(x)


@pytest.mark.parametrize(
    ("module", "inputs", "message", "remedy"),
    [
        (nn.Sequential(nn.Linear(8, 8), Inner()), (2, 8), r"'1\.wrong' \(Linear\)", "shape"),
        (Call(lambda m, x: x * sum(x[0].tolist())), (2, 8), "tolist", "tensor with its values"),
        (Call(lambda m, x: x * float(x.numpy().sum())), (2, 8), "numpy", "only its shape"),
        (Call(lambda m, x: m.l(x, 3)), (2, 8), "no attribute|'l'", "shape"),
        (Call(lambda m, x, mask: x), (2, 8), "missing.*'mask'", "Name every input"),
        (Call(lambda m, x: x), {"y": (2, 8)}, "unexpected keyword.*'y'", "names of forward"),
        (
            Call(lambda m, x: torch.autograd.grad(x.sum(), x)[0]),
            (2, 8),
            "does not require grad",
            "Gradients taken inside",
        ),
        (
            Call(
                lambda m, x: F.ctc_loss(
                    x, torch.ones(2, 3).long(), torch.full((2,), 8), torch.full((2,), 3)
                )
            ),
            (8, 2, 5),
            "_ctc_loss",
            "no shape function",
        ),
    ],
)
def test_what_cannot_be_followed_says_where_and_what_to_do(
    module: nn.Module, inputs: Any, message: str, remedy: str
) -> None:
    with pytest.raises(GraphError, match=message) as caught:
        read_torch(module, inputs)

    assert remedy in caught.value.remedy


def test_an_error_in_forward_has_its_line() -> None:
    with pytest.raises(GraphError) as caught:
        read_torch(Call(lambda m, x: x.no_such_method()), (2, 8))

    assert caught.value.place is not None
    assert caught.value.place.file == __file__


@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_quantized_modules_are_named_with_the_way_out() -> None:
    plain = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    module = torch.ao.quantization.quantize_dynamic(plain, {nn.Linear})

    with pytest.raises(GraphError, match="quantized") as caught:
        read_torch(module, (2, 8))

    assert "--format int8" in caught.value.remedy


@pytest.mark.slow
def test_reading_does_not_load_the_compiler_of_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys, torch\n"
        "from tests.graph.torch_models import ResNet\n"
        "from tradespace.graph.readers.torch.read import read_torch\n"
        "with torch.device('meta'):\n    module = ResNet((1, 1, 1, 1))\n"
        "read_torch(module, (1, 3, 64, 64))\n"
        "print('torch._dynamo' in sys.modules, 'sympy' in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["False", "False"]


def test_shapes_found_here_are_those_that_torch_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.graph.torch_models import AlexNet, GoogLeNet, ResNet
    from tradespace.graph.readers.torch import recorder as torch_recorder

    with torch.device("meta"):
        modules = [
            (AlexNet(), (1, 3, 224, 224)),
            (GoogLeNet(), (1, 3, 224, 224)),
            (ResNet((1, 1, 1, 1)), (1, 3, 96, 96)),
            (nn.TransformerEncoderLayer(16, 4, 32), (5, 2, 16)),
            (nn.LSTM(8, 4, 2, bidirectional=True), (5, 2, 8)),
        ]
    quick = [read_torch(*case) for case in modules]
    monkeypatch.setattr(torch_recorder, "find_result", lambda *_: None)
    slow = [read_torch(*case) for case in modules]

    assert [totals(n) for n in quick] == [totals(n) for n in slow]
    assert [n.tensors for n in quick] == [n.tensors for n in slow]
    assert [backward_macs(n) for n in quick] == [backward_macs(n) for n in slow]
