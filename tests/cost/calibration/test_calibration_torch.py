"""Networks called operator by operator in PyTorch give what the layers' definitions give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tradespace.core.errors import GraphError, InputError
from tradespace.cost.calibration.probes import families
from tradespace.cost.calibration.run import time_network
from tradespace.cost.calibration.timing import runner
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.zoo import network

torch = pytest.importorskip("torch", reason="torch is not installed")


def small() -> Network:
    b = Builder("small")
    x = b.relu(b.batch_norm(b.conv(b.input((3, 32, 32)), 8, 3, stride=2, padding=1)))
    x = b.add(b.conv(x, 8, 3, padding=1, groups=8, name="deep"), x)
    x = b.pool(x, "max", 3, stride=2, padding=1)
    x = b.concatenate([x, b.activation(x, "gelu")])
    x = b.flatten(b.adaptive_pool(x, 1))
    return b.build(b.softmax(b.dense(x, 10)))


@pytest.fixture(autouse=True)
def rounding_as_before() -> Iterator[None]:
    """Undo what a runner tells the processor about tiny numbers, for the tests that follow."""
    yield
    torch.set_flush_denormal(False)


def test_every_class_that_is_measured_runs_on_torch() -> None:
    run = runner("torch")
    for family in families():
        probe = next(iter(family.probes("fp32")))

        run.prepare(probe.network)()


@pytest.mark.parametrize("number_format", ["fp32", "bf16"])
def test_a_network_runs_in_the_format_asked_for(number_format: str) -> None:
    run = runner("torch", number_format=number_format)
    timing = time_network(run, small().with_format(number_format), least=2, enough_s=0.0)

    assert timing.cpu_s > 0
    assert run.versions()["torch"] == torch.__version__


def test_the_shapes_are_those_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    from tradespace.cost.calibration import torch as calibration_torch

    seen: list[tuple[Any, Any]] = []
    kept = dict(calibration_torch.FUNCTIONS)

    def watched(function: Any) -> Any:
        def call(c: Any) -> Any:
            made = function(c)
            values = made if isinstance(made, tuple) else (made,)
            seen.extend((tuple(v.shape), tuple(s)) for v, s in zip(values, c.shapes, strict=True))
            return made

        return call

    watching = {name: watched(f) for name, f in kept.items()}
    monkeypatch.setattr(calibration_torch, "FUNCTIONS", watching)
    language = [
        network(name, length=8, layers=1, width=64, heads=4) for name in ("bert-base", "gpt-2")
    ]
    for net in (small(), network("resnet18"), network("gru-28-128"), *language):
        runner("torch").prepare(net)()

    assert len(seen) > 50
    assert all(made == wanted for made, wanted in seen)


def test_an_operator_that_is_not_covered_is_named() -> None:
    b = Builder("odd")
    odd = b.build(b.apply("sine", b.input((3,)), name="odd one"))
    with pytest.raises(GraphError, match=r"'odd one' .* \(sine\)"):
        runner("torch").prepare(odd)


def test_a_device_that_is_not_there_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(InputError, match="no CUDA device"):
        runner("torch", device="cuda")
    with pytest.raises(InputError, match="Unknown device"):
        runner("torch", device="tpu")
    with pytest.raises(InputError, match="calibrated in"):
        runner("torch", number_format="fp8")


@pytest.mark.device
def test_a_pass_on_a_gpu_waits_for_its_end() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for number_format in ("fp32", "bf16"):
        run = runner("torch", device="cuda", number_format=number_format)
        net = network("resnet18", batch=8).with_format(number_format)

        assert time_network(run, net).wall_s > 0
        assert run.device_name()
