"""Our schedules and ZigZag's on the same machine and layers, for the table in the docs.

Usage: python benchmarks/dlp_zigzag.py --zigzag-python PATH [--layers exercise2,alexnet,...]

PATH is the interpreter of an environment that has the packages ``zigzag-dse`` and ``six``; they
are no dependency of tradespace. Without it, only our figures are printed, and it is said so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tradespace.hardware.dlp.layers import Layer, dense
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.naming import zoo_layers
from tradespace.hardware.dlp.scheduler.search import schedule

MEMORY = """
  {name}:
    size: {bits}
    r_cost: 1
    w_cost: 1
    area: 0
    latency: 1
    operands: [{operands}]
    ports:
{ports}
    served_dimensions: [D1, D2]
"""

WORKER = r"""
import json, logging, sys, tempfile, time
logging.disable(logging.CRITICAL)
from zigzag.api import get_hardware_performance_zigzag
job = json.load(open(sys.argv[1]))
start = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    out = get_hardware_performance_zigzag(
        [job["layer"]], job["accelerator"], job["mapping"], opt="latency", dump_folder=folder,
        loma_show_progress_bar=False,
    )
print("RESULT " + json.dumps({"cycles": float(out[1]), "seconds": time.perf_counter() - start}))
"""


def layers_of(names: str) -> list[Layer]:
    found: list[Layer] = []
    for name in names.split(","):
        if name == "exercise2":
            found.append(dense(32, 256, 128, name=name))
        elif name == "exercise1":
            found.append(dense(1, 256, 1, name=name))
        else:
            which, _, wanted = name.partition(":")
            found += [x for x in zoo_layers(which) if x.kind == "conv" and wanted in ("", x.name)]
    return found


def accelerator() -> str:
    """Describe our machine in ZigZag's words: sizes and bandwidths in bits, cycles of 1 ns."""
    kinds = {"I1": ("fh", "tl"), "I2": ("fh", "tl"), "O": ("fh", "tl", "fl", "th")}

    def port(name: str, kind: str, low: int, high: int, uses: list[str]) -> str:
        rows = "".join(f"\n          - {use}" for use in uses)
        return (
            f"      - name: {name}\n        type: {kind}\n        bandwidth_min: {low}\n"
            f"        bandwidth_max: {high}\n        allocation:{rows}"
        )

    def memory(name: str, size: int, operands: list[str], low: int, high: int) -> str:
        uses = [(o, d) for o in operands for d in kinds[o]]
        if name == "dram":  # one channel, shared by loads and stores
            ports = [port("rw_port_1", "read_write", low, high, [f"{o}, {d}" for o, d in uses])]
        else:  # on chip nothing waits, as on our machine
            ports, numbers = [], {"r": 0, "w": 0}
            for operand, direction in uses:
                side = "w" if direction.startswith("f") else "r"
                numbers[side] += 1
                kind = "write" if side == "w" else "read"
                use = [f"{operand}, {direction}"]
                ports.append(port(f"{side}_port_{numbers[side]}", kind, low, high, use))
        return MEMORY.format(
            name=name, bits=size, operands=", ".join(operands), ports="\n".join(ports)
        )

    wide = 256 * 32 * 4
    return (
        "name: exercise\nmemories:\n"
        + memory("nram", 131072 * 8, ["I1", "O"], 32, wide)
        + memory("wram", 262144 * 8, ["I2"], 32, wide)
        + memory("dram", 10**12, ["I1", "I2", "O"], 512, 512)
        + "\noperational_array:\n  input_precision: [32, 32]\n"
        "  unit_energy: 1\n  unit_area: 1\n  dimensions: [D1, D2]\n  sizes: [16, 16]\n"
    )


MAPPING = """
- name: default
  memory_operand_links: {O: O, W: I2, I: I1}
  spatial_mapping_hint:
    D1: [K, OX, OY, C]
    D2: [C, OX, OY, K, FX, FY]
"""


def workload(layer: Layer) -> dict[str, object]:
    (fy, fx), (sy, sx) = layer.window, layer.stride
    rows = layer.rows if layer.kind == "conv" else 1
    columns = layer.columns if layer.kind == "conv" else layer.rows
    return {
        "id": 0,
        "name": layer.name,
        "operator_type": "Conv",
        "equation": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
        "dimension_relations": [f"ix={sx}*ox+1*fx", f"iy={sy}*oy+1*fy"],
        "loop_dims": ["B", "G", "K", "C", "OY", "OX", "FY", "FX"],
        "loop_sizes": [1, layer.groups, layer.outputs, layer.channels, rows, columns, fy, fx],
        "pr_loop_dims": ["IX", "IY"],
        "pr_loop_sizes": [
            layer.width if layer.kind == "conv" else columns,
            layer.height if layer.kind == "conv" else 1,
        ],
        "padding": [[layer.padding[1]] * 2, [layer.padding[0]] * 2],
        "operand_precision": {"W": 32, "I": 32, "O": 32, "O_final": 32},
        "operand_source": {"W": 0, "I": 0},
    }


def zigzag(layer: Layer, interpreter: str, folder: Path, limit_s: float) -> dict[str, object]:
    (folder / "accelerator.yaml").write_text(accelerator())
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / "worker.py").write_text(WORKER)
    job = {
        "layer": workload(layer),
        "accelerator": str(folder / "accelerator.yaml"),
        "mapping": str(folder / "mapping.yaml"),
    }
    (folder / "job.json").write_text(json.dumps(job))
    try:
        done = subprocess.run(
            [interpreter, str(folder / "worker.py"), str(folder / "job.json")],
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no answer in {limit_s:.0f} s"}
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return dict(json.loads(line.removeprefix("RESULT ")))
    return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1][:600]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zigzag-python", default="")
    parser.add_argument("--layers", default="exercise1,exercise2,alexnet-ungrouped")
    parser.add_argument("--limit", type=float, default=170.0, help="seconds for a layer of ZigZag")
    chosen = parser.parse_args()
    print(platform.platform(), platform.processor(), f"python {sys.version.split()[0]}")
    if not chosen.zigzag_python:
        print("ZigZag absent: give --zigzag-python; its columns are left out.")
    machine = load_machine()
    print("layer, T0 ns, ours ns, ours s (min of 3), ZigZag ns, ZigZag s")
    with tempfile.TemporaryDirectory() as folder:
        for layer in layers_of(chosen.layers):
            times = []
            for _ in range(3):
                start = time.perf_counter()
                found = schedule(layer, machine)
                times.append(time.perf_counter() - start)
            row = [layer.name, f"{found.bound.t0_s * 1e9:.1f}", f"{found.time_s * 1e9:.1f}"]
            row.append(f"{min(times):.3f}")
            if chosen.zigzag_python:
                other = zigzag(layer, chosen.zigzag_python, Path(folder), chosen.limit)
                if "error" in other:
                    row += [str(other["error"]), ""]
                else:
                    row += [f"{other['cycles']:.1f}", f"{other['seconds']:.1f}"]
            print(", ".join(row), flush=True)


if __name__ == "__main__":
    main()
