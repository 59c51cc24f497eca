"""Measuring a machine: every probe and the networks held out, on one runtime."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.cost.calibration.grid import build_grid
from tradespace.cost.calibration.machine import machine_facts
from tradespace.cost.calibration.probes import Family, Probe, families
from tradespace.cost.calibration.record import Calibration, HoldOut, predict
from tradespace.cost.calibration.timing import Runner, Timing, runner, time_pass
from tradespace.cost.calibration_thread import in_own_thread
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.works import network_works

#: Networks of the zoo that are timed at the end; none takes part in fitting.
HOLD_OUT: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("resnet18", {}),
    ("mobilenet-v2", {}),
    ("densenet121", {}),
    ("squeezenet1-0", {}),
    ("shufflenet-v2-x1-0", {}),
    ("distilbert", {"length": 64}),
    ("lstm-zaremba-small", {}),
)
#: The same for an accelerator, which one sample does not fill.
HOLD_OUT_BATCHES = (1, 32)
#: A tensor whose copy measures the bandwidth.
_LARGE = 8_388_608

#: (done, total, what) -> nothing.
Progress = Callable[[int, int, str], None]


def calibrate(
    runtime: str = "onnxruntime",
    *,
    device: str = "cpu",
    number_format: str = "fp32",
    threads: int = 1,
    name: str = "",
    holdout: Sequence[tuple[str, Mapping[str, Any]]] | None = None,
    chosen: Callable[[Family], bool] | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Measure this machine and return the calibration; about a minute, nothing is stored.

    Parameters
    ----------
    runtime : str
        ``"onnxruntime"`` or ``"torch"``.
    device : str
        ``"cpu"``, or ``"cuda"`` with torch.
    number_format : str
        ``"fp32"``; with torch also ``"bf16"`` and ``"fp16"``.
    threads : int
        That a pass may use on a CPU.
    name : str
        To store it under; made of the others if empty.
    holdout : sequence of (str, Mapping), optional
        Networks of the zoo, with settings, that are timed at the end and not fitted;
        `HOLD_OUT` unless given, on an accelerator with one sample and with 32.
    chosen : callable, optional
        Which classes to measure; all unless given.
    progress : callable, optional
        Told after each step.

    Raises
    ------
    InputError
        If what is asked for does not go together.

    """
    return in_own_thread(
        lambda: _calibrate(
            runtime,
            device=device,
            number_format=number_format,
            threads=threads,
            name=name,
            holdout=_held_out(device) if holdout is None else holdout,
            chosen=chosen,
            tell=progress or _silent,
        )
    )


def _calibrate(
    runtime: str,
    *,
    device: str,
    number_format: str,
    threads: int,
    name: str,
    holdout: Sequence[tuple[str, Mapping[str, Any]]],
    chosen: Callable[[Family], bool] | None,
    tell: Progress,
) -> Calibration:
    began = time.perf_counter()
    run = runner(runtime, device=device, number_format=number_format, threads=threads)
    known = families(accelerator=device != "cpu")
    wanted = [f for f in known if chosen is None or chosen(f)]
    probes = [p for family in wanted for p in family.probes(number_format)]
    # In random order, so that a slow moment of the machine does not fall on one class.
    random.Random(0).shuffle(probes)  # noqa: S311 - no secret
    total = len(probes) + len(holdout) + 2
    single = device == "cpu" and threads == 1
    walls = cpus = 0.0
    tell(0, total, "starting a pass")
    overhead, least = _overheads(run, single=single)
    bandwidth = _bandwidth(run, overhead, single=single)
    tell(2, total, "overheads and bandwidth")
    times: dict[str, dict[tuple[float, ...], float]] = {f.name: {} for f in wanted}
    amounts = {f.name: f.amount for f in wanted}
    failures = []
    for i, probe in enumerate(probes):
        try:
            timing = _time_probe(run, probe)
        except GraphError as error:
            failures.append(f"{probe.family} {probe.points[0]}: {error.message}")
            continue
        each = max(timing.value(single=single) - overhead, 1e-9) / probe.amount
        for point in probe.points:
            times[probe.family][point] = each * amounts[probe.family](point)
        walls, cpus = walls + timing.total_wall_s, cpus + timing.total_cpu_s
        tell(i + 3, total, probe.family)
    made = Calibration(
        name=name or f"{runtime}-{device}-{number_format}-{threads}",
        machine=machine_facts(run.device_name()),
        runtime=runtime,
        device=device,
        number_format=number_format,
        threads=threads,
        versions=run.versions(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        run_overhead_s=overhead,
        operator_overhead_s=least,
        bandwidth_bytes_per_s=bandwidth,
        grids={
            f.name: build_grid(
                f.name,
                f.axes,
                f.ticks,
                times[f.name],
                amount=f.amount,
                counts_macs=f.counts_macs,
            )
            for f in wanted
            if times[f.name]
        },
        wall_per_cpu=walls / cpus if single and cpus else 1.0,
        clock="CPU time of the thread that works, least of the runs"
        if single
        else "wall time, least of the runs",
        failures=tuple(failures),
    )
    rows = []
    for i, (network, settings) in enumerate(holdout):
        tell(len(probes) + 2 + i, total, f"held out: {network}")
        row = _hold_out(run, made, network, settings, single=single)
        if isinstance(row, str):
            failures.append(row)
        else:
            rows.append(row)
    tell(total, total, "done")
    return replace(
        made,
        holdout=tuple(rows),
        failures=tuple(failures),
        taken_s=time.perf_counter() - began,
    )


def _silent(done: int, total: int, text: str) -> None:
    del done, total, text


def _overheads(run: Runner, *, single: bool) -> tuple[float, float]:
    """Return the time of starting a pass and the least time of an operator in it."""

    def chain(count: int) -> float:
        b = Builder("overhead", format=run.number_format)
        x = b.tensor_input((1, 16))
        for i in range(count):
            x = b.apply("softmax", x, name=f"softmax{i}")
        prepared = run.prepare(b.build(x))
        return min(time_pass(prepared, least=50).value(single=single) for _ in range(3))

    short, long = chain(1), chain(33)
    least = max(1e-8, (long - short) / 32)
    return max(0.0, short - least), least


def _bandwidth(run: Runner, overhead: float, *, single: bool) -> float:
    """Return bytes a second of adding two tensors that fit no cache."""
    b = Builder("bandwidth", format=run.number_format)
    size = _LARGE if run.device == "cpu" else 16 * _LARGE
    x, y = b.tensor_input((size,), name="x"), b.tensor_input((size,), name="y")
    network = b.build(b.add(b.add(x, y, name="first"), y, name="second"))
    taken = time_pass(run.prepare(network)).value(single=single) - overhead
    moved = sum(w.read_bytes + w.write_bytes for w in network_works(network))
    return moved / max(taken, 1e-9)


def _time_probe(run: Runner, probe: Probe) -> Timing:
    prepared = run.prepare(probe.network)
    timing = time_pass(prepared)
    del prepared
    return timing


def time_network(run: Runner, network: Network, *, least: int = 5, enough_s: float = 0.5) -> Timing:
    """Return the time of a pass of a network."""
    prepared = run.prepare(network)
    timing = time_pass(prepared, least=least, enough_s=enough_s)
    del prepared
    gc.collect()
    return timing


def _held_out(device: str) -> list[tuple[str, Mapping[str, Any]]]:
    if device == "cpu":
        return list(HOLD_OUT)
    return [
        (name, {**settings, "batch": batch})
        for name, settings in HOLD_OUT
        for batch in HOLD_OUT_BATCHES
    ]


def _hold_out(
    run: Runner, made: Calibration, name: str, settings: Mapping[str, Any], *, single: bool
) -> HoldOut | str:
    from tradespace.graph.zoo import network as build

    try:
        network = build(name, **settings).with_format(run.number_format)
        measured = time_network(run, network).value(single=single)
    except GraphError as error:
        return f"held out {name}: {error.message}"
    batch = settings.get("batch", 1)
    title = f"{name}, batch {batch}" if batch != 1 else name
    return HoldOut(title, predict(network_works(network), made).time_s, measured)
