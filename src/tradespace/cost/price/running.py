"""What running the machines of a training run takes: power, data center, electricity, rent."""

from __future__ import annotations

import math

from tradespace.core.errors import InputError
from tradespace.cost.price.records import (
    ASKED,
    DEFAULT_PUE,
    DEFAULT_REGION,
    DEFAULT_USD_PER_KWH,
    Asked,
    Inputs,
)
from tradespace.cost.price.tables import TrainingRun
from tradespace.hardware.profiles import Region
from tradespace.hardware.profiles import region as find_region


def fill_running(made: Inputs, there: TrainingRun | None, asked: Asked) -> None:
    """Fill in power, data center, electricity and prices."""
    made.power_w = _power(made, there, asked.power_w)
    place = None
    if (region := asked.region) is not None:
        place = region if isinstance(region, Region) else find_region(region)
    if made.power_w is not None:
        made.pue = _pue(made, there, place, asked.pue)
        if place is None and there is not None and there.carbon_g_per_kwh is not None:
            grid, source = there.carbon_g_per_kwh, there.source
        else:
            source = ASKED if place else "assumed where no region is given"
            place = place or find_region(DEFAULT_REGION)
            grid, source = place.carbon_g_per_kwh, f"{place.name}, {place.source}; {source}"
        made.carbon_g_per_kwh = made.take("carbon of electricity", grid, "g/kWh", source)
        made.usd_per_kwh = _kwh_price(made, asked.usd_per_kwh)
    made.usd_per_hour = _hour_price(made, there, asked.usd_per_hour)


def _power(made: Inputs, there: TrainingRun | None, power_w: float | None) -> float | None:
    chip = made.processor
    if power_w is not None:
        return made.take("power of a chip", power_w, "W", ASKED)
    if there is not None and (there.power_w or there.machine_power_w):
        value = there.power_w or (there.machine_power_w or 0.0) / (there.chips or 1.0)
        meaning = there.power_meaning
        if there.machine_power_w:
            meaning += f" ({there.machine_power_w:g} W) shared by its chips"
        return made.take("power of a chip", value, "W", f"{meaning}; {there.source}")
    if chip is not None and chip.tdp_w is not None:
        made.remarks.append(
            "the power is the chip's design power: hosts, memory and network come on top, and "
            "chips seldom draw all of it"
        )
        source = f"design power of {chip.id}: {chip.source_of('tdp_w')}"
        return made.take("power of a chip", chip.tdp_w, "W", source)
    return None


def _pue(made: Inputs, there: TrainingRun | None, place: Region | None, pue: float | None) -> float:
    if pue is not None:
        if not 1 <= pue < math.inf:
            msg = f"The PUE is all power over the computers' power, at least 1; got {pue}."
            raise InputError(msg, remedy="Write 1.1, for example.")
        return made.take("PUE", pue, "", ASKED)
    if place is not None and place.pue is not None:
        return made.take("PUE", place.pue, "", f"{place.name}, {place.source}")
    if place is None and there is not None and there.pue is not None:
        return made.take("PUE", there.pue, "", there.source)
    source = "assumed: average of the world's data centers (Uptime Institute 2018)"
    return made.take("PUE", DEFAULT_PUE, "", source)


def _kwh_price(made: Inputs, usd_per_kwh: float | None) -> float:
    if usd_per_kwh is None:
        source = "assumed: the price of Strubell et al. 2019, table 3"
        return made.take("price of electricity", DEFAULT_USD_PER_KWH, "USD/kWh", source)
    if not 0 <= usd_per_kwh < math.inf:
        msg = f"The price of electricity must not be negative; got {usd_per_kwh}."
        raise InputError(msg, remedy="Write 0.12, for example.")
    return made.take("price of electricity", usd_per_kwh, "USD/kWh", ASKED)


def _hour_price(
    made: Inputs, there: TrainingRun | None, given: float | tuple[float, float] | None
) -> tuple[float, float] | None:
    chip = made.processor
    if given is not None:
        low, high = (given, given) if isinstance(given, int | float) else given
        if not 0 <= low <= high < math.inf:
            msg = f"The price of an hour runs from low to high; got {low} to {high}."
            raise InputError(msg, remedy="Write 1.50, or '0.43 to 1.46'.")
        source = ASKED
    elif there is not None and there.usd_per_hour is not None:
        (low, high), source = there.usd_per_hour, there.source
    elif chip is not None and chip.price_usd_per_h is not None:
        low, high = chip.price_usd_per_h.low, chip.price_usd_per_h.high
        source = str(chip.source_of("price_usd_per_h"))
    else:
        return None
    made.take("price of a chip's hour", low, "USD/h", source)
    if high != low:
        made.take("price of a chip's hour, highest", high, "USD/h", source)
    return low, high
