"""What to buy next: layers scheduled on machines that differ in one or two respects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from tradespace.core.errors import ProcessorError
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.scheduler.search import Schedule, schedule_network
from tradespace.hardware.dlp.units import parse_amount

AXES = {"nram": "B", "wram": "B", "bandwidth": "B/s", "rate": "", "clock": "Hz"}


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One machine of a sweep, by its values in base units, and what it reaches."""

    values: dict[str, float]
    time_s: float
    bound_s: float
    traffic_words: int
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
    return parse_amount(text, unit=AXES[name], what=name)


def changed(machine: Machine, values: dict[str, float]) -> Machine:
    """Return a machine with other values on the axes of a sweep."""
    made = machine
    for name, value in values.items():
        match name:
            case "nram":
                made = replace(made, nram_bytes=int(value))
            case "wram":
                made = replace(made, wram_bytes=int(value))
            case "bandwidth":
                made = replace(made, bandwidth_bytes_per_s=value)
            case "clock":
                made = replace(made, clock_hz=value)
            case _:
                factor = value / made.mac_per_cycle[32]
                made = replace(
                    made,
                    mac_per_cycle={b: r * factor for b, r in made.mac_per_cycle.items()},
                )
    return made


def sweep(
    layers: tuple[Layer, ...],
    machine: Machine,
    axes: Sequence[tuple[str, tuple[float, ...]]],
    *,
    bits: int = 32,
) -> tuple[SweepPoint, ...]:
    """Return what each machine reaches; more memory never makes it slower.

    Examples
    --------
    >>> from tradespace.hardware.dlp.layers import dense
    >>> from tradespace.hardware.dlp.machine import load_machine
    >>> points = sweep((dense(64, 64, 64),), load_machine(), [parse_axis("bandwidth=32..64")])
    >>> points[0].time_s >= points[1].time_s
    True

    """
    made: list[SweepPoint] = []
    before: dict[tuple[float, ...], list[tuple[Schedule, ...]]] = {}
    names = [name for name, _ in axes]
    growing = [i for i, name in enumerate(names) if name in ("nram", "wram")]
    for combination in product(*(values for _, values in axes)):
        other = tuple(v for i, v in enumerate(combination) if i not in growing)
        values = dict(zip(names, combination, strict=True))
        found = schedule_network(
            layers, changed(machine, values), bits=bits, known=tuple(before.get(other, ()))
        )
        before.setdefault(other, []).append(found)
        made.append(
            SweepPoint(
                values=values,
                time_s=sum(s.time_s for s in found),
                bound_s=sum(s.bound.certified_s for s in found),
                traffic_words=sum(s.traffic_words for s in found),
                energy_j=sum(s.energy_j for s in found),
            )
        )
    return tuple(made)


def next_purchase(
    layers: tuple[Layer, ...], machine: Machine, *, bits: int = 32
) -> tuple[tuple[str, float], ...]:
    """Return by what share the time falls when one resource doubles, the best first."""
    base = schedule_network(layers, machine, bits=bits)
    before = sum(s.time_s for s in base)
    facts = {
        "nram": float(machine.nram_bytes),
        "wram": float(machine.wram_bytes),
        "bandwidth": machine.bandwidth_bytes_per_s,
        "rate": machine.mac_per_cycle[32],
    }
    gains: list[tuple[str, float]] = []
    for name, value in facts.items():
        better = changed(machine, {name: 2 * value})
        known = (base,) if name in ("nram", "wram") else ()
        after = sum(s.time_s for s in schedule_network(layers, better, bits=bits, known=known))
        gains.append((name, 1 - after / before))
    return tuple(sorted(gains, key=lambda gain: -gain[1]))
