"""What a training run costs in operations, hours, energy, carbon and money, assumptions named.

Nothing is guessed in silence: what is not given comes from the published run of the name, from
the profile of the processor or from a default, and every such figure is an `Assumption` with
its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.plain import plain_fields
from tradespace.cost.price.arithmetic import (
    GRAMS_PER_LB,
    HOURS_PER_YEAR,
    JOULES_PER_KWH,
    carbon_of,
    electricity_of,
    energy_of,
    petaflop_days,
    rent_of,
)
from tradespace.cost.price.inputs import resolve
from tradespace.cost.price.published import Published, compare_with_published
from tradespace.cost.price.records import Assumption, Inputs
from tradespace.cost.price.tables import equivalents

#: Things whose emission a run is compared to are shown from this share of one on.
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPrice:
    """What a training run costs; what cannot be said is None, with the reason in `notes`.

    Parameters
    ----------
    name : str
        Of the run.
    processor : str, optional
        Id of the processor.
    chips : float
        That share the work.
    flop : float, optional
        Operations, a multiply-accumulate counting two.
    chip_hours : float, optional
        Hours of all chips together.
    energy_j, carbon_g : float, optional
        With everything that the data center needs beside its computers.
    rent_usd : tuple of float, optional
        From the lowest to the highest price of an hour.
    electricity_usd : float, optional
        What the energy costs, for who owns the machines.
    assumptions : tuple of Assumption
        Every figure that went in.
    published : tuple of Published
        What the source of a known run prints, beside ours.
    notes : tuple of str
        What a reader has to know.

    """

    name: str
    processor: str | None
    chips: float
    flop: float | None
    chip_hours: float | None
    energy_j: float | None
    carbon_g: float | None
    rent_usd: tuple[float, float] | None
    electricity_usd: float | None
    assumptions: tuple[Assumption, ...] = ()
    published: tuple[Published, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def chip_years(self) -> float | None:
        """Years of 365.25 days on one chip."""
        return None if self.chip_hours is None else self.chip_hours / HOURS_PER_YEAR

    @property
    def wall_days(self) -> float | None:
        """Days on all chips."""
        return None if self.chip_hours is None else self.chip_hours / self.chips / 24

    @property
    def energy_kwh(self) -> float | None:
        """Energy in kWh."""
        return None if self.energy_j is None else self.energy_j / JOULES_PER_KWH

    @property
    def carbon_kg(self) -> float | None:
        """Carbon in kg of CO2 equivalents."""
        return None if self.carbon_g is None else self.carbon_g / 1e3

    @property
    def carbon_lbs(self) -> float | None:
        """Carbon in pounds of CO2 equivalents."""
        return None if self.carbon_g is None else self.carbon_g / GRAMS_PER_LB

    def comparisons(self) -> dict[str, float]:
        """Return how many of the things that people can picture emit as much."""
        if not self.carbon_g:
            return {}
        shares = {item.name: self.carbon_g / item.carbon_g for item in equivalents().values()}
        return {name: share for name, share in shares.items() if share >= _LEAST_SHARE}

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        derived = ("chip_years", "wall_days", "energy_kwh", "carbon_kg", "carbon_lbs")
        return {
            **plain_fields(self, also=derived),
            "petaflop_days": None if self.flop is None else petaflop_days(self.flop),
            "comparisons": self.comparisons(),
        }


@dataclass(frozen=True, slots=True)
class _Bill:
    energy_j: float | None = None
    carbon_g: float | None = None
    rent_usd: tuple[float, float] | None = None
    electricity_usd: float | None = None
    missing: tuple[str, ...] = field(default=())


def price(what: str | None = None, **given: Any) -> TrainingPrice:
    """Return what a training run costs, with every assumption.

    Parameters
    ----------
    what : str, optional
        A published run (``"gpt-3"``) or a network of the zoo (``"resnet50"``); what is not
        given comes from there.
    flop : float
        Operations of the run; or `parameters` and `tokens` (six operations each), or `samples`
        of a network of the zoo (its exact forward and backward pass), or none with `hours`.
    parameters, tokens, samples : float
        See `flop`.
    hours : float
        How long all chips work.
    on : str, path or Processor
        Where; a published run's own unless given.
    chips : float
        That share the work; 1 unless the run says more.
    utilization : float
        Share of the processor's peak that training reaches, in (0, 1].
    rate_flop_per_s : float
        Rate of a chip, in place of peak and utilization.
    number_format : str
        Format of the arithmetic; the fastest of bf16, fp16, tf32, fp32 unless given.
    power_w : float
        Average power of a chip with its share of the host.
    region : str, path or Region
        Electricity.
    pue : float
        All power of the data center over that of its computers.
    usd_per_hour : float or pair of float
        Price of a chip's hour, or its range.
    usd_per_kwh : float
        Price of electricity.

    Returns
    -------
    TrainingPrice
        With assumptions, and the published figures of a known run.

    Raises
    ------
    InputError
        If a name is not known, a figure is impossible, or neither operations nor hours follow
        from what is given.

    Examples
    --------
    The well-known estimate of 2020: 28 TFLOP/s on one V100 at 1.50 USD an hour.

    >>> found = price("gpt-3", flop=3.14e23, on="v100-pcie", rate_flop_per_s=28e12,
    ...               usd_per_hour=1.50)
    >>> round(found.chip_years), round(found.rent_usd[0] / 1e6, 2)
    (355, 4.67)

    A run as it was published:

    >>> found = price("transformer-big")
    >>> round(found.energy_kwh), round(found.carbon_lbs), [round(x) for x in found.rent_usd]
    (201, 192, [289, 981])

    """
    inputs = resolve(what, **given)
    bill = _bill(inputs)
    made = TrainingPrice(
        name=inputs.name,
        processor=inputs.processor.id if inputs.processor else None,
        chips=inputs.chips,
        flop=inputs.flop,
        chip_hours=inputs.chip_hours,
        energy_j=bill.energy_j,
        carbon_g=bill.carbon_g,
        rent_usd=bill.rent_usd,
        electricity_usd=bill.electricity_usd,
        assumptions=inputs.assumptions,
        notes=(*inputs.notes, *bill.missing),
    )
    return _with_published(made, inputs)


def _bill(inputs: Inputs) -> _Bill:
    hours = inputs.chip_hours
    if hours is None:
        why = "hours, energy and money need a processor: name one with --on"
        return _Bill(missing=(why,))
    rent = None
    missing = []
    if inputs.usd_per_hour is None:
        missing.append("no price of an hour is known: give --usd-per-hour for the rent")
    else:
        low, high = inputs.usd_per_hour
        rent = (
            rent_of(chip_hours=hours, usd_per_hour=low),
            rent_of(chip_hours=hours, usd_per_hour=high),
        )
    if inputs.power_w is None:
        missing.append("no power is known: give --power for energy and carbon")
        return _Bill(rent_usd=rent, missing=tuple(missing))
    energy = energy_of(power_w=inputs.power_w, hours=hours, pue=inputs.pue)
    return _Bill(
        energy_j=energy,
        carbon_g=carbon_of(energy_j=energy, carbon_g_per_kwh=inputs.carbon_g_per_kwh),
        rent_usd=rent,
        electricity_usd=electricity_of(energy_j=energy, usd_per_kwh=inputs.usd_per_kwh),
        missing=tuple(missing),
    )


def _with_published(made: TrainingPrice, inputs: Inputs) -> TrainingPrice:
    from dataclasses import replace

    if inputs.run is None:
        return made
    ours: Mapping[str, tuple[float, float] | None] = {
        "flop": None if made.flop is None else (made.flop, made.flop),
        "energy": None if made.energy_j is None else (made.energy_j, made.energy_j),
        "carbon": None if made.carbon_g is None else (made.carbon_g, made.carbon_g),
        "rent": made.rent_usd,
    }
    return replace(made, published=compare_with_published(inputs.run, ours))
