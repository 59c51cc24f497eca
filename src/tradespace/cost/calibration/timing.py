"""Running and timing a network, on whichever runtime."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tradespace.core.errors import InputError
from tradespace.core.suggest import unknown
from tradespace.graph.network import Network

#: Runs of a probe: at least, at most, and the time after which it is enough.
_LEAST_RUNS, _MOST_RUNS, _ENOUGH_S = 4, 12, 0.06

Pass = Callable[[], None]


class Runner(Protocol):
    """Something that runs networks."""

    name: str
    device: str
    threads: int
    number_format: str

    def versions(self) -> dict[str, str]:
        """Return the versions of its libraries."""
        ...

    def device_name(self) -> str:
        """Return the name of the accelerator; empty on a CPU."""
        ...

    def prepare(self, network: Network) -> Pass:
        """Return what runs a forward pass to its end; raise `GraphError` if it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of a pass: the least of some runs, on the wall and of the thread that works."""

    wall_s: float
    cpu_s: float
    runs: int
    total_wall_s: float
    total_cpu_s: float

    def value(self, *, single: bool) -> float:
        """Return the time to believe.

        With one thread on a CPU it is the CPU time, which others on the machine disturb
        less and which is the wall time when they are quiet; else the wall time.
        """
        return min(self.wall_s, self.cpu_s) if single else self.wall_s


def time_pass(run: Pass, *, least: int = _LEAST_RUNS, enough_s: float = _ENOUGH_S) -> Timing:
    """Return the least time of some runs after one that warms up."""
    run()
    walls: list[float] = []
    cpus: list[float] = []
    began = time.perf_counter()
    while len(walls) < least or (
        len(walls) < _MOST_RUNS and time.perf_counter() - began < enough_s
    ):
        cpu, wall = time.thread_time(), time.perf_counter()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.thread_time() - cpu)
    return Timing(min(walls), min(cpus), len(walls), math.fsum(walls), math.fsum(cpus))


def runner(
    runtime: str = "onnxruntime",
    *,
    device: str = "cpu",
    number_format: str = "fp32",
    threads: int = 1,
) -> Runner:
    """Return what runs networks on a runtime.

    Raises
    ------
    InputError
        If the runtime, device or format does not exist or does not go together.
    MissingExtraError
        If torch is asked for and not installed.

    """
    if threads < 1:
        msg = f"A pass needs at least one thread; got {threads}."
        raise InputError(msg, remedy="Write --threads 1.")
    if runtime == "onnxruntime":
        from tradespace.cost.calibration.onnx import OnnxRunner

        return OnnxRunner(device=device, number_format=number_format, threads=threads)
    if runtime == "torch":
        from tradespace.cost.calibration.torch import TorchRunner

        return TorchRunner(device=device, number_format=number_format, threads=threads)
    raise unknown(InputError, "runtime", runtime, ("onnxruntime", "torch"))
