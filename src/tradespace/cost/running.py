"""What one pass of a network takes on a processor: time, memory, energy, money, carbon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tradespace.core.plain import plain_fields
from tradespace.cost.energy import OperationsEnergy, energy_from_operations, energy_from_power
from tradespace.cost.latency import Latency
from tradespace.cost.places import Timed
from tradespace.cost.price.arithmetic import carbon_of, rent_of
from tradespace.graph.memory import InferenceMemory
from tradespace.graph.work import Work
from tradespace.hardware.profiles import Processor, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Energy at the processors, money and carbon of some time on them; None if not known."""

    energy_j: float | None
    usd: tuple[float, float] | None
    carbon_g: float | None
    assumptions: tuple[str, ...]


def spent(
    processor: Processor,
    *,
    seconds: float,
    chips: int = 1,
    region: Region | None = None,
    energy_j: float | None = None,
    energy_method: str = "",
) -> Spent:
    """Return what some time on processors takes.

    Parameters
    ----------
    processor : Processor
        Whose power and price count.
    seconds : float
        Time on each.
    chips : int
        How many.
    region : Region, optional
        Whose electricity; its data centers add their share (PUE) to the carbon.
    energy_j : float, optional
        Where it is known better than by power times time.
    energy_method : str
        How.

    Examples
    --------
    >>> from tradespace.hardware.profiles import processor
    >>> round(spent(processor("v100-pcie"), seconds=3600.0, chips=8).energy_j)
    7200000

    """
    assumptions: list[str] = []
    carbon = usd = None
    if energy_j is not None:
        assumptions.append(energy_method)
    elif processor.tdp_w is not None:
        energy_j = energy_from_power(power_w=processor.tdp_w, time_s=seconds) * chips
        assumptions.append(
            f"power: {processor.tdp_w:g} W all through the pass "
            f"({processor.source_of('tdp_w')}), hosts left out"
        )
    if region is not None and energy_j is not None:
        with_center = energy_j * (region.pue or 1.0)
        carbon = carbon_of(energy_j=with_center, carbon_g_per_kwh=region.carbon_g_per_kwh)
        assumptions.append(electricity_text(region))
    if processor.price_usd_per_h is not None:
        price, hours = processor.price_usd_per_h, seconds * chips / 3600
        usd = (
            rent_of(chip_hours=hours, usd_per_hour=price.low),
            rent_of(chip_hours=hours, usd_per_hour=price.high),
        )
        assumptions.append(price_text(processor))
    return Spent(energy_j=energy_j, usd=usd, carbon_g=carbon, assumptions=tuple(assumptions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One forward pass on a processor.

    Parameters
    ----------
    processor : Processor
        Where.
    latency : Latency
        Time of the pass, operator by operator.
    batch : int
        Samples in the pass.
    needed_bytes : int
        Weights and the largest sum of live activations.
    fits : bool, optional
        Whether that fits into the processor's memory; None if its size is not known.
    energy_j : float, optional
        At the power that the processor is designed for, all through the pass.
    usd : tuple of float, optional
        From the lowest to the highest price of an hour.
    carbon_g : float, optional
        Of the energy, in the region asked for.
    floors : tuple of OperationsEnergy
        What arithmetic and traffic take at least, by technology.
    assumptions : tuple of str
        What the figures rest on.

    """

    processor: Processor
    latency: Latency
    batch: int
    needed_bytes: int
    fits: bool | None
    energy_j: float | None
    usd: tuple[float, float] | None
    carbon_g: float | None
    floors: tuple[OperationsEnergy, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def samples_per_s(self) -> float:
        """Throughput of pass after pass."""
        return self.batch / self.latency.time_s if self.latency.time_s else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without the operators, whose times stand with the layers."""
        return {
            **plain_fields(self, but=("batch", "floors"), also=("samples_per_s",)),
            "processor": self.processor.id,
            "latency": self.latency.summary(),
            "memory_bytes": self.processor.memory_bytes,
            "energy_floors_j": [[f.low_j, f.high_j, f.method] for f in self.floors],
        }


def running(
    works: Sequence[Work],
    run: Timed,
    memory: InferenceMemory,
    *,
    batch: int,
    region: Region | None = None,
) -> Running:
    """Return what a pass takes, from its time.

    Parameters
    ----------
    works : sequence of Work
        Of the pass, in the format in which it runs.
    run : Timed
        Where it runs and how long.
    memory : InferenceMemory
        What it needs.
    batch : int
        Samples in it.
    region : Region, optional
        Whose electricity it takes.

    """
    processor, latency = run.processor, run.latency
    assumptions = [latency.method, *(n for n in latency.notes if n not in latency.method)]
    taken = spent(
        processor,
        seconds=latency.time_s,
        region=region,
        energy_j=run.energy_j,
        energy_method=run.energy_method,
    )
    return Running(
        processor=processor,
        latency=latency,
        batch=batch,
        needed_bytes=memory.peak_bytes,
        fits=fits(memory.peak_bytes, processor),
        energy_j=taken.energy_j,
        usd=taken.usd,
        carbon_g=taken.carbon_g,
        floors=_floors(works),
        assumptions=(*assumptions, *taken.assumptions),
    )


def fits(needed_bytes: float, processor: Processor) -> bool | None:
    """Return whether so much fits into a processor's memory, if that is known."""
    if processor.memory_bytes is None:
        return None
    return needed_bytes <= processor.memory_bytes


def price_text(processor: Processor) -> str:
    """Return the price of an hour with its source."""
    price = processor.price_usd_per_h
    if price is None:
        return "price: not known"
    span = f"{price.low:g}" if price.low == price.high else f"{price.low:g} to {price.high:g}"
    return f"price: {span} USD/h ({processor.source_of('price_usd_per_h')})"


def electricity_text(region: Region) -> str:
    """Return carbon intensity and PUE with their source."""
    pue = f"PUE {region.pue:g}" if region.pue is not None else "PUE not known, taken as 1"
    return (
        f"electricity: {region.carbon_g_per_kwh:g} g/kWh in {region.name}, {pue} ({region.source})"
    )


def _floors(works: Sequence[Work]) -> tuple[OperationsEnergy, ...]:
    from tradespace.core.errors import InputError

    found = []
    for technology, memory in (("45nm", "dram"), ("7nm", "dram")):
        try:
            found.append(energy_from_operations(works, technology=technology, memory=memory))
        except InputError:
            continue  # the table lacks the format at this technology
    return tuple(found)
