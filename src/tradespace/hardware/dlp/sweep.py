"""What to buy next: layers scheduled on machines that differ in one or two respects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from tradespace.core.errors import ProcessorError
from tradespace.files.units import parse_quantity
from tradespace.graph.network import Network
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.network import schedule_layers_on, schedule_network_on
from tradespace.hardware.dlp.results import NetworkOnDlp

_FIELDS = {
    "nram": "nram_bytes",
    "wram": "wram_bytes",
    "bandwidth": "bandwidth_bytes_per_s",
    "clock": "clock_hz",
}
AXES = {"nram": "B", "wram": "B", "bandwidth": "B/s", "rate": "", "clock": "Hz"}


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One machine of a sweep, by its values in base units, and what it reaches."""

    values: dict[str, float]
    time_s: float
    bound_s: float
    traffic_bytes: int
    energy_j: float


def parse_axis(text: str) -> tuple[str, tuple[float, ...]]:
    """Return the name and the values of an axis; ranges double from the first to the last.

    Without a unit, bandwidth counts in GB/s, memory in bytes and the clock in Hz.

    Examples
    --------
    >>> parse_axis("wram=64KiB..256KiB")
    ('wram', (65536.0, 131072.0, 262144.0))
    >>> parse_axis("bandwidth=16,64")
    ('bandwidth', (16000000000.0, 64000000000.0))

    """
    name, equals, rest = text.partition("=")
    if name not in AXES or not equals or not rest:
        msg = f"{text!r} is no axis of a sweep."
        raise ProcessorError(msg, remedy=f"Write NAME=FROM..TO with NAME one of {', '.join(AXES)}.")
    if ".." in rest:
        low, high = (_amount(name, part) for part in rest.split("..", 1))
        if not 0 < low <= high:
            msg = f"The range {rest!r} of {name} does not grow."
            raise ProcessorError(msg, remedy="Write the smaller, positive end first.")
        values = [low]
        while values[-1] * 2 <= high * (1 + 1e-12):
            values.append(values[-1] * 2)
        return name, tuple(values)
    return name, tuple(sorted(_amount(name, part) for part in rest.split(",")))


def _amount(name: str, text: str) -> float:
    if re.fullmatch(r"[0-9.]+(e[0-9]+)?", text):
        try:
            return float(text) * (1e9 if name == "bandwidth" else 1.0)
        except ValueError:
            msg = f"{text!r} is no number."
            raise ProcessorError(msg, remedy="Write a number, with a unit if you like.") from None
    return parse_quantity(text, unit=AXES[name], what=name, error=ProcessorError)


def changed(machine: Machine, values: dict[str, float]) -> Machine:
    """Return a machine with other values on the axes of a sweep."""
    for name, value in values.items():
        if name == "rate":
            factor = value / machine.mac_per_cycle[32]
            rates = {bits: rate * factor for bits, rate in machine.mac_per_cycle.items()}
            machine = replace(machine, mac_per_cycle=rates)
        else:
            field = _FIELDS[name]
            machine = replace(machine, **{field: type(getattr(machine, field))(value)})
    return machine


def _on(
    target: Network | tuple[Layer, ...],
    machine: Machine,
    number_format: str,
    known: Sequence[NetworkOnDlp] = (),
) -> NetworkOnDlp:
    if isinstance(target, Network):
        return schedule_network_on(target, machine, number_format=number_format, known=known)
    return schedule_layers_on(target, machine, number_format=number_format, known=known)


def sweep(
    target: Network | tuple[Layer, ...],
    machine: Machine,
    axes: Sequence[tuple[str, tuple[float, ...]]],
    *,
    number_format: str = "fp32",
) -> tuple[SweepPoint, ...]:
    """Return what each machine reaches; more of anything never makes it slower.

    Examples
    --------
    >>> from tradespace.hardware.dlp.layers import dense
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> points = sweep((dense(64, 64, 64),), load_machine(), [parse_axis("bandwidth=32..64")])
    >>> points[0].time_s >= points[1].time_s
    True

    """
    made: list[SweepPoint] = []
    before: dict[tuple[float, ...], NetworkOnDlp] = {}
    names = [name for name, _ in axes]
    for combination in product(*(values for _, values in axes)):
        values = dict(zip(names, combination, strict=True))
        nearest = [  # what they knew is in what they found
            before[less]
            for i in range(len(combination))
            for less in (_one_less(combination, i, axes[i][1]),)
            if less in before
        ]
        found = _on(target, changed(machine, values), number_format, nearest)
        before[combination] = found
        made.append(
            SweepPoint(
                values=values,
                time_s=found.time_s,
                bound_s=found.bound_s,
                traffic_bytes=found.traffic_bytes,
                energy_j=found.energy_j,
            )
        )
    return tuple(made)


def _one_less(
    combination: tuple[float, ...], axis: int, values: tuple[float, ...]
) -> tuple[float, ...]:
    at = values.index(combination[axis])
    lower = values[at - 1] if at else float("nan")
    return (*combination[:axis], lower, *combination[axis + 1 :])


def next_purchase(
    target: Network | tuple[Layer, ...], machine: Machine, *, number_format: str = "fp32"
) -> tuple[tuple[str, float], ...]:
    """Return by what share the time falls when one resource doubles, the best first."""
    base = _on(target, machine, number_format)
    facts = {name: float(getattr(machine, _FIELDS[name])) for name in ("nram", "wram", "bandwidth")}
    facts["rate"] = machine.mac_per_cycle[32]
    gains: list[tuple[str, float]] = []
    for name, value in facts.items():
        better = changed(machine, {name: 2 * value})
        after = _on(target, better, number_format, (base,)).time_s
        gains.append((name, 1 - after / base.time_s))
    return tuple(sorted(gains, key=lambda gain: -gain[1]))
