"""The machine: memories, rates, bandwidth and energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tradespace.core.errors import ProcessorError
from tradespace.hardware.profiles.records import check_positive


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of accesses and operations, in joules.

    ``operand_reuse`` operations are served by one read of an on-chip word.
    """

    dram_j_per_byte: float = 0.0
    nram_j_per_byte: float = 0.0
    wram_j_per_byte: float = 0.0
    instruction_j: float = 0.0
    operand_reuse: float = 16.0
    operations_j: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machine:
    """A deep-learning processor with memories that the program manages.

    Parameters
    ----------
    name : str
        What to call it.
    clock_hz : float
        Cycles a second.
    bandwidth_bytes_per_s : float
        Off chip, shared by loads and stores.
    nram_bytes, wram_bytes : int
        Memory of neurons (inputs and outputs) and of weights.
    mac_per_cycle, vector_per_cycle : mapping of int to float
        Operations a cycle by number of bits.
    array : tuple of int, optional
        Rows (outputs) and columns (reduction) of a fixed matrix unit: a computation of N
        outputs over K terms then takes ceil(N/rows) ceil(K/columns) steps a position.
    whole_cycles : bool
        Round each computation up to whole cycles.
    overhead_cycles : float
        Cycles that each move and each compute takes in its lane besides its work.
    energy : Energy
        Energy by access and operation.

    Examples
    --------
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> machine = load_machine()
    >>> machine.nram_bytes, machine.rate_per_s("MAC", 32)
    (131072, 256000000000.0)

    """

    name: str
    clock_hz: float
    bandwidth_bytes_per_s: float
    nram_bytes: int
    wram_bytes: int
    mac_per_cycle: Mapping[int, float]
    vector_per_cycle: Mapping[int, float]
    array: tuple[int, int] | None = None
    whole_cycles: bool = False
    overhead_cycles: float = 0.0
    energy: Energy = field(default_factory=Energy)

    def __post_init__(self) -> None:
        facts: dict[str, float | None] = {
            "clock": self.clock_hz,
            "bandwidth": self.bandwidth_bytes_per_s,
            "NRAM": self.nram_bytes,
            "WRAM": self.wram_bytes,
        }
        facts |= {f"mac_per_cycle at {bits} bits": v for bits, v in self.mac_per_cycle.items()}
        facts |= {
            f"vector_per_cycle at {bits} bits": v for bits, v in self.vector_per_cycle.items()
        }
        check_positive(facts, self.name)
        if not 0 <= self.overhead_cycles < float("inf"):
            msg = f"overhead_cycles of machine {self.name!r} is {self.overhead_cycles}."
            raise ProcessorError(msg, remedy="Write 0 or a positive number.")
        if not 0 < self.energy.operand_reuse < float("inf"):
            msg = f"operand_reuse of machine {self.name!r} is {self.energy.operand_reuse}."
            raise ProcessorError(msg, remedy="Write how many operations one read serves, from 1.")
        object.__setattr__(self, "mac_per_cycle", MappingProxyType(dict(self.mac_per_cycle)))
        object.__setattr__(self, "vector_per_cycle", MappingProxyType(dict(self.vector_per_cycle)))

    def capacity_bytes(self, memory: str) -> float:
        """Return the bytes of a memory; DRAM has no end."""
        return {"NRAM": self.nram_bytes, "WRAM": self.wram_bytes}.get(memory, float("inf"))

    def per_cycle(self, operation: str, bits: int) -> float:
        """Return operations a cycle.

        Raises
        ------
        ProcessorError
            If the machine has no such format.

        """
        rates = self.mac_per_cycle if operation == "MAC" else self.vector_per_cycle
        if bits not in rates:
            known = ", ".join(f"{operation}_{known}" for known in sorted(rates, reverse=True))
            msg = f"Machine {self.name!r} has no rate for {operation}_{bits}"
            msg += f"; it has {known}." if known else "."
            where = "mac_per_cycle" if operation == "MAC" else "vector_per_cycle"
            remedy = f"Add fp{bits} under {where} of the machine, or use a format that it has."
            raise ProcessorError(msg, remedy=remedy)
        return rates[bits]

    def rate_per_s(self, operation: str, bits: int) -> float:
        """Return operations a second."""
        return self.per_cycle(operation, bits) * self.clock_hz
