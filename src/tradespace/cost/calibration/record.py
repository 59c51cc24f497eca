"""Times predicted from measurements of one machine, by operator class and size.

`tradespace.cost.calibration.run` measures, `tradespace.cost.calibration.store` keeps; this module
holds the record and predicts. A time outside of what was measured is extrapolated and said to be.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.errors import InputError
from tradespace.core.plain import plain_fields
from tradespace.cost.calibration.classes import fallback_of, merge, sizes_of
from tradespace.cost.calibration.grid import Grid
from tradespace.cost.latency import Latency
from tradespace.graph.work import Work
from tradespace.hardware.profiles import Processor, Source
from tradespace.hardware.roofline import Bound, OperatorTime

#: Share of the predicted time outside of the measured sizes from which on it is said.
_WORTH_SAYING = 0.05
#: A size within this factor of the grid is as good as inside.
_SLACK = 2.0


@dataclass(frozen=True, slots=True)
class HoldOut:
    """A network that took no part in calibration: predicted and measured time of a pass."""

    network: str
    predicted_s: float
    measured_s: float

    @property
    def error(self) -> float:
        """Predicted over measured, less one: 0.1 is ten percent too slow."""
        return self.predicted_s / self.measured_s - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was measured on a machine.

    Parameters
    ----------
    name : str
        As it is stored.
    machine : Mapping
        ``cpu``, ``cores``, ``memory_bytes``, ``system``; ``device_name`` for an accelerator.
    runtime, device, number_format : str
        ``"onnxruntime"`` or ``"torch"``; ``"cpu"`` or ``"cuda"``; ``"fp32"``, ...
    threads : int
        That a pass may use.
    versions : Mapping
        Of the libraries.
    date : str
        When, ISO 8601.
    run_overhead_s : float
        Of starting a pass.
    operator_overhead_s : float
        Least time of an operator.
    bandwidth_bytes_per_s : float
        Of the largest copy.
    grids : Mapping
        Class of operators -> measured grid.
    holdout : tuple of HoldOut
        How good it is on networks that took no part.
    taken_s : float
        How long it took.
    wall_per_cpu : float
        Wall time over CPU time while measuring: above 1 others used the machine.
    clock : str
        Which time was taken.

    """

    name: str
    machine: Mapping[str, Any]
    runtime: str
    device: str
    number_format: str
    threads: int
    versions: Mapping[str, str]
    date: str
    run_overhead_s: float
    operator_overhead_s: float
    bandwidth_bytes_per_s: float
    grids: Mapping[str, Grid]
    holdout: tuple[HoldOut, ...] = ()
    taken_s: float = 0.0
    wall_per_cpu: float = 1.0
    clock: str = ""
    failures: tuple[str, ...] = field(default=())

    @property
    def median_error(self) -> float | None:
        """Median absolute hold-out error, as a share; None without networks held out."""
        return statistics.median(abs(h.error) for h in self.holdout) if self.holdout else None

    @property
    def largest_error(self) -> float | None:
        """Largest absolute hold-out error, as a share."""
        return max(abs(h.error) for h in self.holdout) if self.holdout else None

    def statement(self) -> str:
        """Return the sentence that belongs to every prediction."""
        where = str(self.machine.get("device_name") or self.machine.get("cpu") or "this machine")
        how = f"{self.runtime} {self.versions.get(self.runtime, '')}".strip()
        text = f"calibrated on {where} ({how}, {self.device}, {self.number_format}, "
        text += f"{self.threads} thread{'s' if self.threads != 1 else ''}, {self.date[:10]})"
        if self.median_error is None:
            return f"{text}; no network was held out, so the error is not known"
        count = len(self.holdout)
        return (
            f"{text}, hold-out median absolute error {100 * self.median_error:.0f} % "
            f"on {count} network{'s' if count != 1 else ''}"
        )

    def as_processor(self) -> Processor:
        """Return the machine as a processor: best measured rate, bandwidth of the largest copy.

        A roofline on it is less accurate than `predict`.
        """
        best = max((g.best_ops_per_s for g in self.grids.values() if g.counts_macs), default=0.0)
        if not best:
            msg = f"The calibration {self.name!r} measured no product."
            raise InputError(msg, remedy="Calibrate again: tradespace calibrate.")
        memory = self.machine.get("memory_bytes")
        return Processor(
            id="this-machine",
            name=str(self.machine.get("device_name") or self.machine.get("cpu") or "this machine"),
            device_class="GPU" if self.device == "cuda" else "CPU",
            peak_ops_per_s={self.number_format: best},
            memory_bytes=float(memory) if memory else None,
            memory_bandwidth_bytes_per_s=self.bandwidth_bytes_per_s,
            launch_overhead_s=self.operator_overhead_s,
            notes=self.statement(),
            sources={
                "": Source(f"measured: the best of calibration {self.name!r}", self.date[:10])
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, from which `from_dict` makes it again."""
        held_out = [[h.network, h.predicted_s, h.measured_s] for h in self.holdout]
        return {"schema": 1, **plain_fields(self), "holdout": held_out}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """Return the record of plain data.

        Raises
        ------
        InputError
            If the data are not of this version of the schema.

        """
        try:
            plain = {k: data[k] for k in cls.__dataclass_fields__ if k in data}
            plain["grids"] = {n: Grid.from_dict(g) for n, g in data["grids"].items()}
            plain["holdout"] = tuple(
                HoldOut(str(n), float(p), float(m)) for n, p, m in data["holdout"]
            )
            plain["failures"] = tuple(data["failures"])
            known = data["schema"] == 1
            made = cls(**plain)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"{type(error).__name__}: {error}"
            msg = f"This is no calibration that this version can read ({why})."
            raise InputError(msg, remedy="Calibrate again: tradespace calibrate.") from None
        if not known:
            msg = f"This calibration is of schema {data['schema']!r}; this version reads 1."
            raise InputError(msg, remedy="Calibrate again: tradespace calibrate.")
        return made


@dataclass(frozen=True, slots=True)
class _Share:
    """One operator's time and whether it was measured at such a size."""

    time: OperatorTime
    inside: bool
    known: bool


def predict(works: Sequence[Work], calibration: Calibration) -> Latency:
    """Return the time of a sequence of operators on the calibrated machine.

    Parameters
    ----------
    works : sequence of Work
        Operators in order, as `tradespace.graph.works.network_works` gives them.
    calibration : Calibration
        Measured on the machine.

    Returns
    -------
    Latency
        `bound_s` and `high_s` are the ends that the largest hold-out error gives; the notes
        name what lies outside of the measured sizes.

    Raises
    ------
    InputError
        If the calibration measured nothing that the operators could be compared to.

    """
    notes = [calibration.statement()]
    held = {w.format for w in works if w.format in ("fp32", "fp16", "bf16", "fp64", "fp8")}
    other = sorted(held - {calibration.number_format})
    if other:
        notes.append(
            f"the network is in {', '.join(other)}, the calibration in "
            f"{calibration.number_format}: times are those of {calibration.number_format}"
        )
    shares = [_time(work, calibration) for work in merge(works, calibration.runtime)]
    total = math.fsum(s.time.time_s for s in shares) + calibration.run_overhead_s
    notes += _outside(shares, total)
    error = calibration.largest_error
    return Latency(
        processor="this-machine",
        number_format=calibration.number_format,
        operators=tuple(s.time for s in shares),
        time_s=total,
        bound_s=0.0 if error is None else total / (1 + error),
        high_s=math.inf if error is None or error >= 1 else total / (1 - error),
        notes=tuple(notes),
        method="interpolation of times measured on this machine, by operator class and size; "
        + calibration.statement(),
    )


def _outside(shares: Sequence[_Share], total: float) -> list[str]:
    notes = []
    for what, chosen in (
        ("lies outside of the calibrated sizes", [s for s in shares if s.known and not s.inside]),
        ("is of operators that were not measured", [s for s in shares if not s.known]),
    ):
        spent = math.fsum(s.time.time_s for s in chosen)
        if chosen and spent >= _WORTH_SAYING * total:
            most = max(chosen, key=lambda s: s.time.time_s).time
            notes.append(
                f"{100 * spent / total:.0f} % of the predicted time {what} and is extrapolated "
                f"(most of all {most.name!r}, {most.operator})"
            )
    return notes


def _time(work: Work, calibration: Calibration) -> _Share:
    found = sizes_of(work)
    grid = calibration.grids.get(found.family)
    known = grid is not None
    if grid is None:
        found = fallback_of(work, calibration.grids)
        grid = calibration.grids[found.family]
    least = calibration.operator_overhead_s
    time_s = max(grid.time_s(found.sizes, found.amount), least)
    memory = (work.read_bytes + work.write_bytes) / calibration.bandwidth_bytes_per_s
    overhead = min(least, time_s)
    bound: Bound = "memory" if memory >= 0.5 * time_s else "compute"
    if time_s <= 2 * least:
        bound = "overhead"
    row = OperatorTime(
        work.name, work.operator, time_s, max(0.0, time_s - overhead), memory, overhead, bound
    )
    return _Share(row, grid.covers(found.sizes, slack=_SLACK), known)
