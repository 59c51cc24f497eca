"""What a network takes on the deep-learning processor: records of operators and totals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tradespace.core.plain import plain_fields
from tradespace.hardware.dlp.scheduler.search import Schedule

METHOD = (
    "programs of the deep-learning processor, one operator after the other; activations and "
    "folded normalizations are computed on results while they are on the chip, sums begin with "
    "their biases"
)
_ROW = (
    *("name", "operator", "how", "time_s", "bound_s", "gap", "limit", "macs", "operations"),
    *("traffic_bytes", "bound_bytes", "energy_j"),
)
_TOTALS = (
    *("network", "machine", "number_format", "time_s", "bound_s", "gap", "macs"),
    *("traffic_bytes", "energy_j", "coverage", "method"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorOnDlp:
    """One operator, with those computed on its results.

    Parameters
    ----------
    name, operator : str
        Of the node.
    how : str
        ``"scheduled"``, ``"streamed"``, ``"moved"`` or ``"recurrent"``.
    time_s, bound_s : float
        What its programs take, and less than which none can.
    limit : str
        What decides its bound: ``"compute"`` or ``"transfer"``.
    macs, operations : int
        Multiply-accumulates, and vector operations, merged ones included.
    traffic_bytes, bound_bytes : int
        Across the chip's edge, and the least.
    energy_j : float
        Of moves, operations and instructions.
    merged : tuple of str
        Nodes computed on its results.
    schedules : tuple
        Schedules of its layers and how often each is done.

    """

    name: str
    operator: str
    how: str
    time_s: float
    bound_s: float
    limit: str
    macs: int
    operations: int
    traffic_bytes: int
    bound_bytes: int
    energy_j: float
    merged: tuple[str, ...] = ()
    schedules: tuple[tuple[Schedule, int], ...] = field(default=(), repr=False)

    @property
    def gap(self) -> float:
        """Time over the bound, less one."""
        return self.time_s / self.bound_s - 1 if self.bound_s else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self, but=("schedules",), also=("gap",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """An operator that the processor cannot do, and why; it is in no total."""

    name: str
    operator: str
    reason: str
    macs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOnDlp:
    """A network on the processor.

    Parameters
    ----------
    network, machine, number_format : str
        What, where, in which format.
    rows : tuple of OperatorOnDlp
        In order.
    uncovered : tuple of Uncovered
        What is in no total; times are lower bounds if there is any.
    method : str
        What the times rest on.

    """

    network: str
    machine: str
    number_format: str
    rows: tuple[OperatorOnDlp, ...]
    uncovered: tuple[Uncovered, ...] = ()
    method: str = METHOD

    @property
    def time_s(self) -> float:
        """Time of one pass."""
        return sum(row.time_s for row in self.rows)

    @property
    def bound_s(self) -> float:
        """Sum of the bounds: no programs of these operators, one after the other, are faster."""
        return sum(row.bound_s for row in self.rows)

    @property
    def gap(self) -> float:
        """Time over the bound, less one."""
        return self.time_s / self.bound_s - 1 if self.bound_s else 0.0

    @property
    def traffic_bytes(self) -> int:
        """Bytes across the chip's edge."""
        return sum(row.traffic_bytes for row in self.rows)

    @property
    def energy_j(self) -> float:
        """Energy of one pass."""
        return sum(row.energy_j for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of what is covered."""
        return sum(row.macs for row in self.rows)

    @property
    def coverage(self) -> float:
        """Share of the operators that the processor does."""
        done = sum(1 + len(row.merged) for row in self.rows)
        return done / (done + len(self.uncovered)) if self.uncovered else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        totals = ("time_s", "bound_s", "gap", "macs", "traffic_bytes", "energy_j", "coverage")
        return plain_fields(self, also=totals)
