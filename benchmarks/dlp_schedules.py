"""How long scheduling takes, and how near the schedules come to the bound.

Usage: python benchmarks/dlp_schedules.py [--programs]

Prints the machine and the least, median and greatest of five runs, in CPU seconds of one core.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Sequence

from tradespace.hardware.dlp.layers import Layer, dense
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.naming import zoo_layers
from tradespace.hardware.dlp.network import schedule_layers_on
from tradespace.hardware.dlp.scheduler.search import Schedule, schedule


def _schedules(layers: Sequence[Layer], machine: Machine) -> list[Schedule]:
    rows = schedule_layers_on(layers, machine).rows
    return [one for row in rows for one, _ in row.schedules]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", action="store_true", help="write the programs too")
    chosen = parser.parse_args()
    machine = load_machine()
    print(platform.platform(), f"{os.cpu_count()} cpus, load {os.getloadavg()[0]:.1f}")
    cases = {
        "alexnet-ungrouped": zoo_layers("alexnet-ungrouped"),
        "vgg19": zoo_layers("vgg19"),
        "1024x1024x1024": (dense(1024, 1024, 1024),),
    }
    totals: list[float] = []
    for _ in range(5):
        total = 0.0
        for layers in cases.values():
            start = time.process_time()
            found = _schedules(layers, machine)
            if chosen.programs:
                for one in found:
                    _ = one.program
            total += time.process_time() - start
        totals.append(total)
    low, high = min(totals), max(totals)
    print(f"all three: {low:.2f} / {statistics.median(totals):.2f} / {high:.2f} s CPU")
    slowest = ("", 0.0)
    for layers in cases.values():
        for layer in layers:
            times = []
            for _ in range(3):
                start = time.process_time()
                schedule(layer, machine)
                times.append(time.process_time() - start)
            slowest = max(slowest, (layer.name, statistics.median(times)), key=lambda s: s[1])
    print(f"slowest layer: {slowest[0]} {slowest[1]:.3f} s CPU (median of 3)")
    for name, layers in cases.items():
        convolutions = [layer for layer in layers if layer.kind != "pool"]
        found = _schedules(convolutions, machine)
        reached, bound = sum(s.time_s for s in found), sum(s.bound.certified_s for s in found)
        print(f"{name}: {reached * 1e9:.1f} ns, {100 * (reached / bound - 1):.4f} % above T*")


if __name__ == "__main__":
    main()
