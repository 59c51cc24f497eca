"""A reading: what is known of one quality of one candidate."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.plain import plain_fields
from tradespace.core.quantities import format_quantity


class ReadingKind(enum.Enum):
    """How a reading came about; nothing that was not measured is shown as measured."""

    PREDICTED = "predicted"
    MEASURED = "measured"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with its interval.

    Parameters
    ----------
    quality : str
        Name of the quality, as the study calls it.
    value : float
        Best estimate, in `unit`; nan if only the interval is known.
    low, high : float
        Ends of the interval at the study's confidence; infinite if unbounded. A reading that
        is only a bound (the training time of a bigger fit that was shared) has the far end
        open.
    unit : str
        Base unit.
    kind : ReadingKind
        Predicted, measured or observed.
    method : str
        How the value and its interval were found, for people.
    context : Mapping
        Where and on what: split, n, seeds, machine, load, blocks thrown away.
    draws : tuple of float
        Bootstrap replicates; the same index in two readings of the same context is the same
        resample, so differences can be paired. Empty if there are none.

    Examples
    --------
    >>> r = Reading("average_precision", 0.658, 0.604, 0.718, "1")
    >>> str(r)
    '0.658 [0.604, 0.718]'

    """

    quality: str
    value: float
    low: float
    high: float
    unit: str
    kind: ReadingKind = ReadingKind.MEASURED
    method: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    draws: tuple[float, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if math.isnan(self.low) or math.isnan(self.high) or self.low > self.high:
            msg = (
                f"Interval of reading {self.quality!r} must run from low to high; "
                f"got [{self.low}, {self.high}]."
            )
            raise ValueError(msg)

    @property
    def exact(self) -> bool:
        """Whether the interval is a point."""
        return self.low == self.high

    @property
    def is_bound(self) -> bool:
        """Whether only a bound is known: one end is open."""
        return math.isinf(self.low) or math.isinf(self.high)

    @property
    def unsettled(self) -> bool:
        """Whether the machine was too busy for more than bounds of a time.

        Examples
        --------
        >>> Reading("q", 2.0, 1.0, 3.0, "s", context={"unsettled": True}).unsettled
        True

        """
        return bool(self.context.get("unsettled"))

    def __str__(self) -> str:
        """Return value and interval on people's scales."""
        if math.isnan(self.value) or self.is_bound:
            if math.isinf(self.low) and not math.isinf(self.high):
                return f"≤ {format_quantity(self.high, self.unit)}"
            if math.isinf(self.high) and not math.isinf(self.low):
                least = f"≥ {format_quantity(self.low, self.unit)}"
                if self.kind is ReadingKind.PREDICTED and math.isfinite(self.value):
                    return f"about {format_quantity(self.value, self.unit)}, {least}"
                return least
        value = format_quantity(self.value, self.unit)
        if self.exact:
            return value
        low, high = format_quantity(self.low, self.unit), format_quantity(self.high, self.unit)
        if math.isnan(self.value) and self.kind is ReadingKind.PREDICTED:
            return f"{low} to {high}" if self.low else f"≤ {high}"
        return f"{value} [{low}, {high}]"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; draws are kept."""
        ends = {name: _plain(getattr(self, name)) for name in ("value", "low", "high")}
        return {**plain_fields(self, but=("draws",)), **ends, "draws": list(self.draws)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """Return the reading that `to_dict` described."""
        typed: dict[str, Any] = {name: float(data[name]) for name in ("value", "low", "high")}
        typed |= {"kind": ReadingKind(data["kind"]), "context": dict(data["context"])}
        return cls(**{**data, **typed, "draws": tuple(float(draw) for draw in data["draws"])})


def _plain(value: float) -> float | str:
    """Return a number that JSON can hold; nan and infinities become their names."""
    return value if math.isfinite(value) else repr(value)
