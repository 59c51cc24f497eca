"""Running networks on PyTorch, eagerly, on the CPU or on CUDA.

The network's operators are called one by one as a module would call them; weights are random.
Covered is what calibration needs and what common networks consist of; another operator is
refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tradespace.core.errors import GraphError, InputError, MissingExtraError
from tradespace.cost.calibration.torch_operators import DTYPES, FUNCTIONS, Call
from tradespace.graph.network import Network

_FORMATS = ("fp32", "bf16", "fp16")


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        library = "torch"
        raise MissingExtraError(library, extra="deep", needed_for="This runtime") from None
    return torch


class TorchRunner:
    """PyTorch in eager mode on one device, in one format."""

    name = "torch"

    def __init__(self, *, device: str, number_format: str, threads: int) -> None:
        torch = _torch()
        if device not in ("cpu", "cuda"):
            msg = f"Unknown device {device!r}."
            raise InputError(msg, remedy="Use cpu or cuda.")
        if number_format not in _FORMATS:
            msg = f"PyTorch is calibrated in {', '.join(_FORMATS)}; got {number_format!r}."
            raise InputError(msg, remedy="Write --format fp32.")
        if device == "cuda" and not torch.cuda.is_available():
            msg = "This installation of torch finds no CUDA device."
            raise InputError(msg, remedy="Use --device cpu, or install torch with CUDA.")
        self.device, self.number_format, self.threads = device, number_format, threads
        self._dtype = getattr(torch, DTYPES[number_format])
        if device == "cpu":
            torch.set_num_threads(threads)
            torch.set_flush_denormal(True)

    def versions(self) -> dict[str, str]:
        """Return the versions of torch and, on a GPU, of CUDA."""
        torch = _torch()
        found = {"torch": str(torch.__version__)}
        if self.device == "cuda":
            found["cuda"] = str(torch.version.cuda)
        return found

    def device_name(self) -> str:
        """Return the name of the GPU; empty on a CPU."""
        return str(_torch().cuda.get_device_name()) if self.device == "cuda" else ""

    def prepare(self, network: Network) -> Callable[[], None]:
        """Return what runs a forward pass and waits for its end."""
        torch = _torch()
        for node in network.nodes:
            if node.operator not in FUNCTIONS:
                msg = f"{node.name!r} of {network.name!r} ({node.operator}) is not run on torch."
                raise GraphError(msg, remedy="Use --runtime onnxruntime, or another network.")
        weights = [self._weight(p.shape, p.role) for p in network.parameters]
        inputs = [self._input(network, i) for i in network.inputs]
        last = _last_uses(network)

        def run() -> None:
            held: dict[int, Any] = dict(zip(network.inputs, inputs, strict=True))
            with torch.inference_mode():
                for node, gone in zip(network.nodes, last, strict=True):
                    call = Call(
                        torch,
                        [held[i] for i in node.inputs],
                        [weights[i] for i in node.parameters],
                        node.attributes,
                        network.shapes_of(node.outputs),
                        [network.tensors[i].format for i in node.outputs],
                        self.device,
                    )
                    made = FUNCTIONS[node.operator](call)
                    values = made if isinstance(made, tuple) else (made,)
                    held.update(zip(node.outputs, values, strict=True))
                    for i in gone:
                        del held[i]
                if self.device == "cuda":
                    torch.cuda.synchronize()

        try:
            run()
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0][:200]
            msg = f"torch cannot run {network.name!r}: {reason}"
            raise GraphError(msg, remedy="Use --runtime onnxruntime, or another network.") from None
        return run

    def _weight(self, shape: tuple[int, ...], role: str) -> Any:
        torch = _torch()
        if role in ("statistic", "norm_scale"):
            return torch.ones(shape, dtype=self._dtype, device=self.device)
        fan_in = max(1, int(torch.Size(shape).numel() // max(1, shape[0]))) if shape else 1
        numbers = torch.rand(shape, device=self.device) - 0.5
        return (numbers * (2 / fan_in**0.5)).to(self._dtype)

    def _input(self, network: Network, position: int) -> Any:
        torch = _torch()
        tensor = network.tensors[position]
        if tensor.format in ("int64", "int32"):
            rows = [
                int(n.attributes["rows"])
                for n in network.nodes
                if n.operator == "embedding" and position in n.inputs
            ]
            return torch.randint(0, min(rows, default=2), tensor.shape, device=self.device)
        return torch.rand(tensor.shape, device=self.device).to(self._dtype)


def _last_uses(network: Network) -> list[list[int]]:
    """Return, for each node, the signals that nobody needs after it; their memory is freed."""
    users: dict[int, int] = {}
    for place, node in enumerate(network.nodes):
        for i in (*node.outputs, *node.inputs):
            users[i] = place
    gone: list[list[int]] = [[] for _ in network.nodes]
    for i, place in users.items():
        if i not in network.outputs:
            gone[place].append(i)
    return gone
