"""What is asked of qualities: constraints and objectives, and how a constraint is checked."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tradespace.core.errors import Place, RequirementError
from tradespace.core.plain import plain_fields
from tradespace.core.quantities import Direction, format_quantity
from tradespace.core.readings import Reading


class Verdict(enum.Enum):
    """Outcome of one check; only MET counts as met."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"


class Sense(enum.Enum):
    """Which side of the bound is allowed."""

    AT_MOST = "<="
    AT_LEAST = ">="
    BELOW = "<"
    ABOVE = ">"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on one quality, in the quality's unit.

    Examples
    --------
    >>> c = Constraint("latency_p99", Sense.AT_MOST, 0.01, "s")
    >>> print(c)
    latency_p99 <= 10 ms
    >>> c.check(Reading("latency_p99", 0.009, 0.008, 0.011, "s"))
    <Verdict.UNKNOWN: 'unknown'>

    """

    quality: str
    sense: Sense
    bound: float
    unit: str
    place: Place | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.bound):
            msg = f"Bound of constraint {self.quality!r} must be a number; got nan."
            raise RequirementError(msg, place=self.place)

    def satisfied_by(self, value: float) -> bool:
        """Return whether one exact value keeps the bound."""
        match self.sense:
            case Sense.AT_MOST:
                return value <= self.bound
            case Sense.AT_LEAST:
                return value >= self.bound
            case Sense.BELOW:
                return value < self.bound
            case Sense.ABOVE:
                return value > self.bound

    def check(self, reading: Reading | None) -> Verdict:
        """Return MET if the reading's whole interval satisfies the bound, MISSED if none does."""
        if reading is None:
            return Verdict.UNKNOWN
        low, high = self.satisfied_by(reading.low), self.satisfied_by(reading.high)
        if low and high:
            return Verdict.MET
        return Verdict.MISSED if not (low or high) else Verdict.UNKNOWN

    def excess(self, value: float) -> float:
        """Return by how much a value is beyond the bound, in the unit; negative if inside."""
        if self.sense in (Sense.AT_MOST, Sense.BELOW):
            return value - self.bound
        return self.bound - value

    def __str__(self) -> str:
        """Return the constraint as a person would write it."""
        return f"{self.quality} {self.sense.value} {format_quantity(self.bound, self.unit)}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self, but=("place",))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Constraint:
        """Return the constraint that `to_dict` described."""
        return cls(data["quality"], Sense(data["sense"]), float(data["bound"]), data["unit"])


@dataclass(frozen=True, slots=True)
class Objective:
    """A wish to push one quality; worth 0 at `worst` and 1 at `best`.

    `worst` and `best` are ``from`` and ``to`` of the study file, in the quality's unit; None
    means the default (the constraint's bound or the constant baseline for `worst`, the end of
    the quality's range for `best`), which the decision resolves and states.
    """

    quality: str
    direction: Direction
    unit: str
    worst: float | None = None
    best: float | None = None
    weight: float = 1.0
    log: bool = False
    indifference: float = 0.0
    place: Place | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight > 0):
            msg = f"Weight of objective {self.quality!r} must be positive; got {self.weight}."
            raise RequirementError(msg, place=self.place)
        if self.indifference < 0:
            msg = (
                f"Region of indifference of objective {self.quality!r} must not be negative; "
                f"got {self.indifference}."
            )
            raise RequirementError(msg, place=self.place)
        if self.worst is None or self.best is None:
            return
        if not self.direction.better(self.best, self.worst):
            msg = (
                f"Objective {self.direction.value} {self.quality!r} runs from {self.worst} to "
                f"{self.best}, which is no improvement."
            )
            remedy = "Exchange 'from' and 'to', or the direction."
            raise RequirementError(msg, place=self.place, remedy=remedy)

    def __str__(self) -> str:
        """Return the objective as a person would write it."""
        return f"{self.direction.value} {self.quality}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self, but=("place",), worst="from", best="to")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Objective:
        """Return the objective that `to_dict` described."""
        given = {**data, "worst": data["from"], "best": data["to"]}
        del given["from"], given["to"]
        return cls(**{**given, "direction": Direction(data["direction"])})
