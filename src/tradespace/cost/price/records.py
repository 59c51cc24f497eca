"""The figures that a price is computed from, each with its source."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tradespace.core.errors import InputError
from tradespace.core.plain import plain_fields
from tradespace.cost.price.tables import TrainingRun
from tradespace.hardware.profiles import Processor, Region

#: Taken where nothing else is known.
DEFAULT_PUE = 1.58
DEFAULT_REGION = "grid-us"
DEFAULT_USD_PER_KWH = 0.12
#: Source of what a person gives.
ASKED = "asked for"
_AMOUNTS = ("flop", "parameters", "tokens", "samples", "hours", "chips")
_POSITIVE = (*_AMOUNTS, "rate_flop_per_s", "power_w")


@dataclass(frozen=True, slots=True)
class Assumption:
    """A figure that went into a price.

    Parameters
    ----------
    what : str
        For example ``"power of a chip"``.
    value : float
        In `unit`.
    unit : str
        For people.
    source : str
        Where it comes from.

    """

    what: str
    value: float
    unit: str
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for in place of what is published or assumed."""

    flop: float | None = None
    parameters: float | None = None
    tokens: float | None = None
    samples: float | None = None
    hours: float | None = None
    on: str | Path | Processor | None = None
    chips: float | None = None
    utilization: float | None = None
    rate_flop_per_s: float | None = None
    number_format: str | None = None
    power_w: float | None = None
    region: str | Path | Region | None = None
    pue: float | None = None
    usd_per_hour: float | tuple[float, float] | None = None
    usd_per_kwh: float | None = None

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                msg = f"{name!r} must be positive and finite; got {value}."
                raise InputError(msg, remedy="Correct it or leave it out.")


@dataclass(slots=True, kw_only=True)
class Inputs:
    """Everything that a price is computed from; `power_w` is of a chip, `pue` is applied."""

    name: str
    run: TrainingRun | None
    processor: Processor | None
    chips: float = 1.0
    flop: float | None = None
    chip_hours: float | None = None
    power_w: float | None = None
    pue: float = DEFAULT_PUE
    carbon_g_per_kwh: float = 0.0
    usd_per_hour: tuple[float, float] | None = None
    usd_per_kwh: float = DEFAULT_USD_PER_KWH
    taken: list[Assumption] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Every figure with its source."""
        return tuple(self.taken)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know."""
        return tuple(self.remarks)

    def take(self, what: str, value: float, unit: str, source: str) -> float:
        """Remember where a figure comes from and return it."""
        self.taken.append(Assumption(what, value, unit, source))
        return value
