"""A trial: one training of a candidate, and what came of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.plain import plain_fields
from tradespace.core.readings import Reading


class TrialStatus(enum.Enum):
    """How a trial ended; a failure is a recorded fact, and the others go on."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    SKIPPED = "skipped"
    KILLED = "killed"
    UNREACHABLE = "unreachable"

    @property
    def final(self) -> bool:
        """Whether trying again would end alike; what is not final is never stored.

        A process that something else killed, a service that did not answer and a trial that the
        budget left out say nothing of the candidate.
        """
        return self not in (TrialStatus.SKIPPED, TrialStatus.KILLED, TrialStatus.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of a candidate on one split with one seed.

    Parameters
    ----------
    candidate : str
        Id of the candidate.
    split : str
        Name of the part measured on: "validation", "validation:2", "test".
    seed : int
        Of the training.
    status : TrialStatus
        How it ended.
    cause : str
        Why it did not end well, for people.
    artifact : str
        Content address of the exported component; empty if there is none.
    readings : tuple of Reading
        What was measured.
    work : Mapping
        cpu_s, wall_s, rows, fits, shared_with: for budgets and records.
    facts : Mapping
        Library versions, agreement of the export, runtime, curves: what belongs to the record
        but is no reading.

    """

    candidate: str
    split: str
    seed: int
    status: TrialStatus
    cause: str = ""
    artifact: str = ""
    readings: tuple[Reading, ...] = ()
    work: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What makes the trial unique within a run."""
        return f"{self.candidate}/{self.split}/{self.seed}"

    def reading(self, quality: str) -> Reading | None:
        """Return the reading of a quality, or None."""
        return next((r for r in self.readings if r.quality == quality), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trial:
        """Return the trial that `to_dict` described."""
        readings = tuple(Reading.from_dict(reading) for reading in data["readings"])
        return cls(**{**data, "status": TrialStatus(data["status"]), "readings": readings})
