"""Predicted against measured time of one pass of twelve networks here, after calibrating.

None of the networks takes part in calibration. Beside the calibration stand two baselines, both
given the same measured machine: operations over the best measured rate, and an untuned
roofline with the best measured rate and bandwidth.

Run: python benchmarks/latency_prediction.py [--threads 1] [--calibration FILE] [--json FILE]
     [--detail NETWORK] [--runtime torch --device cuda --format bf16 --batch 32].
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
from pathlib import Path
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.cost.calibration.record import Calibration, predict
from tradespace.cost.calibration.run import calibrate
from tradespace.cost.calibration.timing import Runner, Timing, runner, time_pass
from tradespace.cost.latency import predict_latency
from tradespace.graph.network import Network
from tradespace.graph.works import network_works
from tradespace.graph.zoo import network

NETWORKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("alexnet-torchvision", {}),
    ("vgg11", {}),
    ("googlenet", {}),
    ("resnet18", {}),
    ("resnet50", {}),
    ("densenet121", {}),
    ("squeezenet1-0", {}),
    ("mobilenet-v2", {}),
    ("shufflenet-v2-x1-0", {}),
    ("efficientnet-b0", {}),
    ("vit-b-32", {}),
    ("bert-base", {"length": 128}),
)
#: Shown as well, outside of the twelve.
MORE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gpt-2", {"length": 128}),
    ("lstm-zaremba-medium", {}),
    ("resnext50-32x4d", {}),
    ("mobilenet-v3-large", {}),
    ("inception-v3", {}),
    ("whisper-tiny", {}),
)


def measured(run: Runner, net: Network) -> Timing:
    prepared = run.prepare(net)
    best = time_pass(prepared, least=6, enough_s=1.0)
    del prepared
    gc.collect()
    return best


def roofline_s(net: Network, machine: Calibration) -> float:
    works = network_works(net)
    chip = machine.as_processor()
    return predict_latency(works, chip, number_format=machine.number_format).bound_s


def flops_s(net: Network, machine: Calibration) -> float:
    peak = machine.as_processor().peak_ops_per_s[machine.number_format]
    return 2 * sum(w.macs for w in network_works(net)) / peak


def detail(net: Network, machine: Calibration) -> None:
    for row in sorted(predict(network_works(net), machine).operators, key=lambda r: -r.time_s)[:25]:
        print(f"  {row.name:40} {row.operator:24} {row.time_s * 1e3:8.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runtime", default="onnxruntime")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--format", default="fp32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--calibration", type=Path, help="read or written here")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--detail", default="")
    arguments = parser.parse_args()
    # The first session tells the processor how to round tiny numbers; threads inherit it.
    runner(
        arguments.runtime,
        device=arguments.device,
        number_format=arguments.format,
        threads=arguments.threads,
    ).prepare(network("mlp-784-300-100-10").with_format(arguments.format))()
    store = arguments.calibration
    if store and store.exists():
        machine = Calibration.from_dict(json.loads(store.read_text(encoding="utf-8")))
    else:
        machine = calibrate(
            arguments.runtime,
            device=arguments.device,
            number_format=arguments.format,
            threads=arguments.threads,
            holdout=(),
        )
        if store:
            store.write_text(json.dumps(machine.to_dict()), encoding="utf-8")
    single = machine.threads == 1 and machine.device == "cpu"
    run = runner(
        machine.runtime,
        device=machine.device,
        number_format=machine.number_format,
        threads=machine.threads,
    )
    print(
        f"{machine.machine['cpu']}, {machine.machine['cores']} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(machine.statement())
    print(
        f"calibrated in {machine.taken_s:.0f} s, wall/CPU {machine.wall_per_cpu:.2f}, best rate "
        f"{machine.as_processor().peak_ops_per_s[machine.number_format] / 1e9:.1f} GFLOP/s, "
        f"{machine.bandwidth_bytes_per_s / 1e9:.1f} GB/s; {machine.clock}"
    )
    head = f"{'network':22} {'measured':>9} {'wall':>9} {'predicted':>9} {'error':>7}"
    print(f"{head} {'FLOP/peak':>9} {'roofline':>9}")
    rows = []
    for name, settings in NETWORKS + (MORE if arguments.more else ()):
        net = network(name, batch=arguments.batch, **settings).with_format(machine.number_format)
        try:
            timing = measured(run, net)
        except GraphError as error:
            print(f"{name:22} left out: {error.message}")
            continue
        true = timing.value(single=single)
        guesses = {
            "calibrated": predict(network_works(net), machine).time_s,
            "flops": flops_s(net, machine),
            "roofline": roofline_s(net, machine),
        }
        errors = {k: v / true - 1 for k, v in guesses.items()}
        rows.append({"network": name, "measured_s": true, "wall_s": timing.wall_s, **guesses})
        print(
            f"{name:22} {true * 1e3:7.2f}ms {timing.wall_s * 1e3:7.2f}ms "
            f"{guesses['calibrated'] * 1e3:7.2f}ms {100 * errors['calibrated']:+6.1f}% "
            f"{100 * errors['flops']:+8.1f}% {100 * errors['roofline']:+8.1f}%"
        )
        if arguments.detail == name:
            detail(net, machine)
    chosen = {name for name, _ in NETWORKS}
    twelve = [row for row in rows if row["network"] in chosen]
    for which in ("calibrated", "flops", "roofline"):
        off = [abs(row[which] / row["measured_s"] - 1) for row in twelve]
        print(
            f"{which}: absolute error min {100 * min(off):.1f} %, median "
            f"{100 * statistics.median(off):.1f} %, max {100 * max(off):.1f} %"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
