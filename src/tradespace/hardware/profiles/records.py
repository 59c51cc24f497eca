"""What is known of a processor and of a region's electricity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tradespace.core.errors import ProcessorError
from tradespace.core.plain import plain_fields

#: Number formats whose rate a profile can give.
FORMATS = ("fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "int8", "int4")
#: What the overheads of starting an operator rest on, by class of processor.
OVERHEAD_SOURCE = (
    "assumed for its class, not of a data sheet: starting a kernel through a driver takes about "
    "4 to 6 us on a GPU and about half of that in a CPU's runtime; `tradespace calibrate` "
    "measures it"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure comes from, and of when it is."""

    text: str
    date: str = ""

    def __str__(self) -> str:
        return f"{self.text}, {self.date}" if self.date else self.text


@dataclass(frozen=True, slots=True)
class Price:
    """A price that varies by seller: the lowest and the highest found, in USD."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high < math.inf:
            msg = f"A price runs from low to high and is not negative; got {self.low}, {self.high}."
            raise ProcessorError(msg, remedy="Write '0.50 USD/h' or '0.50 to 0.80 USD/h'.")

    def to_dict(self) -> list[float]:
        """Return its two ends."""
        return [self.low, self.high]


def check_positive(values: Mapping[str, float | None], whose: str) -> None:
    """Raise ProcessorError unless all values that are known are positive and finite."""
    for what, value in values.items():
        if value is not None and not 0 < value < math.inf:
            msg = f"The {what} of {whose!r} must be positive and finite; got {value}."
            raise ProcessorError(msg, remedy="Correct it, or leave it out if it is not known.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """A processor as its vendor and its sellers describe it.

    What is not known is None, never 0.

    Parameters
    ----------
    id : str
        Short name for commands, for example ``"a100-40-sxm"``.
    name, vendor, device_class : str
        For people; the class is for example ``"server GPU"``.
    year : int, optional
        Of its release; the date of its technical figures.
    peak_ops_per_s : Mapping
        Number format -> operations a second, dense; a multiply-accumulate counts as two.
    memory_bytes : float, optional
        Off chip. Vendors' GB are taken as 10^9 bytes: most devices hold GiB, and the smaller
        reading is the safe one.
    memory_type : str
        For people.
    memory_bandwidth_bytes_per_s : float, optional
        Peak; vendors' GB/s are 10^9 bytes a second.
    on_chip_bytes : float, optional
        Largest memory on the chip; vendors' MB of on-chip memory are taken as MiB.
    tdp_w : float, optional
        Power that it is designed to dissipate, or the nearest published figure.
    price_usd_per_h : Price, optional
        What renting it costs.
    list_price_usd : Price, optional
        What buying it costs.
    launch_overhead_s : float
        Time that starting an operator takes beside its work.
    notes : str
        What a reader of the figures has to know.
    sources : Mapping
        Field -> Source; `source_of` looks a field up.

    Examples
    --------
    >>> board = Processor(id="mine", name="My board", peak_ops_per_s={"fp32": 1e12},
    ...                   memory_bandwidth_bytes_per_s=5e10)
    >>> board.peak_ops_per_s["fp32"], board.tdp_w is None
    (1000000000000.0, True)

    """

    id: str
    name: str
    vendor: str = ""
    device_class: str = ""
    year: int | None = None
    peak_ops_per_s: Mapping[str, float]
    memory_bytes: float | None = None
    memory_type: str = ""
    memory_bandwidth_bytes_per_s: float | None = None
    on_chip_bytes: float | None = None
    tdp_w: float | None = None
    price_usd_per_h: Price | None = None
    list_price_usd: Price | None = None
    launch_overhead_s: float = 0.0
    notes: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        facts = {f"peak in {name}": rate for name, rate in self.peak_ops_per_s.items()}
        check_positive(
            {
                **facts,
                "memory": self.memory_bytes,
                "bandwidth": self.memory_bandwidth_bytes_per_s,
                "on-chip memory": self.on_chip_bytes,
                "power": self.tdp_w,
            },
            self.id,
        )
        if not 0 <= self.launch_overhead_s < math.inf:
            msg = f"The launch overhead of {self.id!r} is {self.launch_overhead_s} s."
            raise ProcessorError(msg, remedy="Write 0 or a positive time, such as '5 us'.")
        object.__setattr__(self, "peak_ops_per_s", MappingProxyType(dict(self.peak_ops_per_s)))
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))

    def source_of(self, name: str) -> Source:
        """Return where a field's figure comes from."""
        return self.sources.get(name) or self.sources.get("") or Source("not stated")

    def ridge_ops_per_byte(self, number_format: str) -> float | None:
        """Return the arithmetic intensity from which on compute decides, if both are known.

        Examples
        --------
        >>> from tradespace.hardware.profiles import processor
        >>> processor("dlp").ridge_ops_per_byte("fp32")  # 4 multiply-accumulates a byte
        8.0

        """
        peak = self.peak_ops_per_s.get(number_format)
        if peak is None or self.memory_bandwidth_bytes_per_s is None:
            return None
        return peak / self.memory_bandwidth_bytes_per_s

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **plain_fields(self, device_class="class"),
            "sources": {name or "figures": str(source) for name, source in self.sources.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A place's electricity.

    Parameters
    ----------
    id, name : str
        Short name for commands; name for people.
    carbon_g_per_kwh : float
        Grams of CO2 equivalents for each kWh.
    year : str
        Of the intensity.
    pue : float, optional
        Power usage effectiveness of its data centers: all power over that of the computers;
        at least 1.
    source, notes : str
        Where the figures come from; what to know of them.

    """

    id: str
    name: str
    carbon_g_per_kwh: float
    year: str = ""
    pue: float | None = None
    source: str = ""
    notes: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.carbon_g_per_kwh < math.inf:
            msg = f"The carbon intensity of {self.id!r} is {self.carbon_g_per_kwh} g/kWh."
            raise ProcessorError(msg, remedy="Write 0 or a positive number, such as '350 g/kWh'.")
        if self.pue is not None and not 1 <= self.pue < math.inf:
            msg = f"The PUE of {self.id!r} is {self.pue}; it cannot be below 1."
            raise ProcessorError(msg, remedy="It is all power over the computers' power.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self)
