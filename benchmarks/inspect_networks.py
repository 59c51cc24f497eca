"""What tools find in ResNet-152, BERT-base and GPT-2 XL, how long it takes and in how much memory.

python benchmarks/inspect_networks.py --rivals FOLDER [--runs 3] [--operators] [--json FILE]

Each tool runs in a fresh process. The clock starts when torch is imported and the module is
built on meta (torchinfo and fvcore get one on the CPU where they cannot do without), and stops
when the total of multiply-accumulates is known; memory is what the process grew by meanwhile,
at its highest. FOLDER is where the packages of benchmarks/requirements.txt were installed. With
--operators, single operators follow, each beside hand arithmetic.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Network -> (multiply-accumulates of what the tools are given, trainable parameters).
#: ResNet-152 at batch 1; BERT-base with its pooler at 8 x 128; GPT-2 XL with its head at 1024.
EXACT = {
    "resnet152": (11_513_626_624, 60_192_808),
    "bert-base": (8 * (11_173_625_856 + 768 * 768), 109_482_240),
    "gpt2-xl": (1_753_351_782_400, 1_557_611_200),
}
TOOLS = ("tradespace", "tradespace-zoo", "FlopCounterMode", "torchinfo", "fvcore")


def build(name: str) -> tuple[Any, dict[str, Any]]:
    """Return a module on the default device, and its inputs by name."""
    import torch

    if name == "resnet152":
        from tests.graph.torch_models import ResNet

        return ResNet((3, 8, 36, 3)), {"input": torch.empty(1, 3, 224, 224)}
    import transformers

    if name == "bert-base":
        ids = torch.zeros(8, 128, dtype=torch.long)
        return transformers.BertModel(transformers.BertConfig()), {"input_ids": ids}
    config = transformers.GPT2Config(n_embd=1600, n_layer=48, n_head=25, use_cache=False)
    return transformers.GPT2LMHeadModel(config), {
        "input_ids": torch.zeros(1, 1024, dtype=torch.long)
    }


def ours(module: Any, inputs: dict[str, Any]) -> tuple[int, int]:
    from tradespace.graph.counts import totals
    from tradespace.graph.readers.torch.read import read_torch

    found = totals(read_torch(module, inputs))
    return found["macs"], found["parameters"]


def zoo(name: str) -> tuple[int, int]:
    from tradespace.graph.counts import totals
    from tradespace.graph.zoo import network

    settings = {"bert-base": {"batch": 8, "length": 128}, "gpt2-xl": {"length": 1024}}
    found = totals(network(name, **settings.get(name, {})))
    return found["macs"], found["parameters"]


def flop_counter(module: Any, inputs: dict[str, Any]) -> tuple[int, int]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(**inputs)
    return counter.get_total_flops() // 2, sum(p.numel() for p in module.parameters())


def torchinfo(module: Any, inputs: dict[str, Any]) -> tuple[int, int]:
    import torchinfo as rival

    found = rival.summary(module, input_data=inputs, verbose=0, device=_device(module))
    return int(found.total_mult_adds), int(found.total_params)


def fvcore(module: Any, inputs: dict[str, Any]) -> tuple[int, int]:
    import fvcore.nn as rival

    counter = rival.FlopCountAnalysis(module, tuple(inputs.values()))
    counter.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
    return int(counter.total()), int(rival.parameter_count(module)[""])


RUN: dict[str, Callable[[Any, dict[str, Any]], tuple[int, int]]] = {
    "tradespace": ours,
    "FlopCounterMode": flop_counter,
    "torchinfo": torchinfo,
    "fvcore": fvcore,
}


def _device(module: Any) -> str:
    return next((p.device.type for p in module.parameters()), "cpu")


def _resident(which: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) * 1024
    return 0


def one(tool: str, name: str, device: str) -> dict[str, Any]:
    """Run one tool on one network in this process."""
    module: Any = None
    inputs: dict[str, Any] = {}
    if tool != "tradespace-zoo":
        import torch

        with torch.device(device):
            module, inputs = build(name)
        module.eval()
    Path("/proc/self/clear_refs").write_text("5")  # the highest mark starts anew
    before, wall, cpu = _resident("VmRSS"), time.perf_counter(), time.process_time()
    macs, parameters = zoo(name) if tool == "tradespace-zoo" else RUN[tool](module, inputs)
    return {
        "macs": macs,
        "parameters": parameters,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "memory_bytes": _resident("VmHWM") - before,
    }


def fresh(arguments: list[str], rivals: str, limit_s: float) -> dict[str, Any]:
    """Return what a fresh process prints, or why it failed."""
    root = Path(__file__).resolve().parents[1]
    path = os.pathsep.join(p for p in (str(root), rivals, os.environ.get("PYTHONPATH", "")) if p)
    command = [sys.executable, "-W", "ignore", __file__, *arguments]
    environment = {**os.environ, "PYTHONPATH": path, "TRANSFORMERS_VERBOSITY": "error"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {limit_s:.0f} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"error": lines[-1][:110]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(tool: str, name: str, rivals: str, runs: int) -> dict[str, Any]:
    """Return the row of a tool and a network; the CPU is tried where meta does not do."""
    devices = ["-"] if tool == "tradespace-zoo" else ["meta", "cpu"]
    if name == "gpt2-xl":
        devices = devices[:1]  # its weights take 6 GB in memory
    row: dict[str, Any] = {"network": name, "tool": tool}
    for device in devices:
        row["device"] = device
        first = fresh(["--one", tool, name, device], rivals, 170)
        if "error" not in first:
            break
    else:
        return {**row, "error": first["error"]}
    found = [first, *(fresh(["--one", tool, name, device], rivals, 170) for _ in range(runs - 1))]
    macs, parameters = EXACT[name]
    return row | {
        "wall_s": statistics.median(r["wall_s"] for r in found),
        "wall_least_s": min(r["wall_s"] for r in found),
        "cpu_s": statistics.median(r["cpu_s"] for r in found),
        "memory_mb": statistics.median(r["memory_bytes"] for r in found) / 1e6,
        "macs_ratio": first["macs"] / macs,
        "parameters_ratio": first["parameters"] / parameters,
    }


def print_networks(rows: list[dict[str, Any]]) -> None:
    print("| network | tool | on | wall, s (least) | CPU, s | new memory, MB | MACs | parameters |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        head = f"| {row['network']} | {row['tool']} | {row['device']} |"
        if "error" in row:
            print(f"{head} fails: {row['error']} | | | | |")
            continue
        print(
            f"{head} {row['wall_s']:.2f} ({row['wall_least_s']:.2f}) | {row['cpu_s']:.2f} "
            f"| {row['memory_mb']:.0f} | {row['macs_ratio']:.4f} | {row['parameters_ratio']:.4f} |"
        )


# --------------------------------------------------------------------------- single operators


def operators() -> dict[str, tuple[Callable[[], Any], list[tuple[int, ...]], int]]:
    """Return modules, the shapes of their inputs, and their multiply-accumulates by hand."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Call(nn.Module):
        def __init__(self, function: Callable[..., Any], *layers: nn.Module) -> None:
            super().__init__()
            self.layers = nn.ModuleList(layers)
            self.function = function

        def forward(self, *inputs: Any) -> Any:
            return self.function(self.layers, *inputs)

    x, head = (2, 5, 8), (2, 3, 5, 8)
    attention = 4 * 2 * 5 * 8 * 8 + 2 * 2 * 5 * 5 * 8

    def thrice(layers: Any, x: Any) -> Any:
        return layers[0](layers[0](layers[0](x)))

    def fused(_: Any, q: Any) -> Any:
        return functional.scaled_dot_product_attention(q, q, q)

    def scores(_: Any, q: Any) -> Any:
        return torch.einsum("bhqd,bhkd->bhqk", q, q)

    def by_hand(_: Any, q: Any) -> Any:
        return torch.softmax(q @ q.mT, -1) @ q

    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(8, 50, bias=False), nn.Linear(8, 50, bias=False)
            self.last.weight = self.first.weight

        def forward(self, x: Any) -> Any:
            return self.last(self.first(x)[..., :8])

    return {
        "LSTM": (lambda: nn.LSTM(8, 16, batch_first=True), [x], 2 * 5 * 64 * 24),
        "LSTM cell": (lambda: nn.LSTMCell(8, 16), [(2, 8)], 2 * 64 * 24),
        "GRU, two directions": (
            lambda: nn.GRU(8, 16, bidirectional=True, batch_first=True),
            [x],
            2 * 2 * 5 * 48 * 24,
        ),
        "MultiheadAttention, evaluation": (
            lambda: nn.MultiheadAttention(8, 2, batch_first=True),
            [x, x, x],
            attention,
        ),
        "TransformerEncoderLayer, evaluation": (
            lambda: nn.TransformerEncoderLayer(8, 2, 32, batch_first=True),
            [x],
            attention + 2 * 2 * 5 * 8 * 32,
        ),
        "scaled_dot_product_attention": (lambda: Call(fused), [head], 2 * 6 * 25 * 8),
        "attention by @": (lambda: Call(by_hand), [head], 2 * 6 * 25 * 8),
        "einsum": (lambda: Call(scores), [head], 6 * 25 * 8),
        "transposed convolution, groups, stride": (
            lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
            [(1, 4, 5, 5)],
            4 * 25 * 3 * 9,
        ),
        "depthwise convolution": (
            lambda: nn.Conv2d(8, 8, 3, groups=8, padding=1),
            [(1, 8, 9, 9)],
            8 * 81 * 9,
        ),
        "module called three times": (
            lambda: Call(thrice, nn.Linear(8, 8)),
            [x],
            3 * 2 * 5 * 8 * 8,
        ),
        "tied weights": (Tied, [x], 2 * 2 * 5 * 8 * 50),
    }


def one_operator(tool: str, name: str, device: str) -> dict[str, Any]:
    import torch

    make, shapes, macs = operators()[name]
    with torch.device(device):
        module = make().eval()
        inputs = [torch.zeros(s) for s in shapes]
    if tool == "tradespace":
        from tradespace.graph.counts import forward_macs
        from tradespace.graph.readers.torch.read import read_torch

        return {"ratio": forward_macs(read_torch(module, inputs)) / macs}
    if tool == "torchinfo":
        import torchinfo as rival

        found = rival.summary(module, input_data=inputs, verbose=0, device=device)
        return {"ratio": found.total_mult_adds / macs}
    if tool == "fvcore":
        return {"ratio": fvcore(module, {str(i): t for i, t in enumerate(inputs)})[0] / macs}
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return {"ratio": counter.get_total_flops() // 2 / macs}


def print_operators(rivals: str) -> None:
    columns = [("tradespace", "meta"), ("FlopCounterMode", "meta"), ("FlopCounterMode", "cpu")]
    columns += [("torchinfo", "cpu"), ("fvcore", "cpu")]
    print("| operator | " + " | ".join(f"{t} ({d})" for t, d in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    found = {c: fresh(["--all-operators", *c], rivals, 170) for c in columns}
    for name in operators():
        cells = [
            f"{at['ratio']:.4f}" if "ratio" in (at := found[c].get(name, {})) else "fails"
            for c in columns
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def all_operators(tool: str, device: str) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name in operators():
        try:
            rows[name] = one_operator(tool, name, device)
        except Exception as error:
            rows[name] = {"error": f"{type(error).__name__}: {error}"[:200]}
    return rows


def training() -> dict[str, Any]:
    """Return how long the memory of a training step of ResNet-152 at batch 32 takes."""
    import torch
    from tests.graph.torch_models import ResNet

    from tradespace.graph.memory import training_memory
    from tradespace.graph.readers.torch.read import read_torch

    with torch.device("meta"):
        module = ResNet((3, 8, 36, 3))
    start = time.perf_counter()
    network = read_torch(module, (32, 3, 224, 224), training=True)
    read = time.perf_counter()
    memory = training_memory(network, optimizer="momentum", device="cpu")
    done = time.perf_counter()
    return {"read_s": read - start, "memory_s": done - read, "peak_bytes": memory.peak_bytes}


def training_tracked() -> dict[str, Any]:
    """Return the same by torch's MemTracker on fake tensors."""
    import torch
    from tests.graph.torch_models import ResNet
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    start = time.perf_counter()
    with FakeTensorMode():
        module, batch = ResNet((3, 8, 36, 3)), torch.empty(32, 3, 224, 224)
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
        peak = max(at["Total"] for at in tracker.get_tracker_snapshot("peak").values())
    return {"memory_s": time.perf_counter() - start, "peak_bytes": peak + batch.nbytes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rivals", default="", help="where the rivals are installed")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=TOOLS)
    parser.add_argument("--operators", action="store_true")
    parser.add_argument("--training", action="store_true", help="also MemTracker, which is slow")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("TOOL", "NETWORK", "DEVICE"))
    parser.add_argument("--all-operators", nargs=2, metavar=("TOOL", "DEVICE"))
    parser.add_argument("--memory", choices=["ours", "tracked"])
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(*args.one)))
        return
    if args.all_operators:
        print(json.dumps(all_operators(*args.all_operators)))
        return
    if args.memory:
        print(json.dumps(training() if args.memory == "ours" else training_tracked()))
        return
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, ", end="")
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}, ", end="")
    print(f"limit of memory {resource.getrlimit(resource.RLIMIT_AS)[0]}\n")
    if args.operators:
        print_operators(args.rivals)
        return
    if args.training:
        for which in ("ours", "tracked"):
            print(which, fresh(["--memory", which], args.rivals, 580))
        return
    rows = [measured(t, n, args.rivals, args.runs) for n in EXACT for t in args.tools]
    print_networks(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
