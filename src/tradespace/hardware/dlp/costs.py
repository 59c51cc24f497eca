"""What one instruction costs: exact ticks in its lane, and energy.

Time is counted in whole *ticks* of a length chosen so that a byte, an operation and the
overhead of an instruction are whole numbers of ticks. Sums are then exact, however long the
program, and two programs compare without rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm

from tradespace.hardware.dlp.instructions import Compute
from tradespace.hardware.dlp.machine import Machine


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of a machine: how many there are in a second, a byte, an operation.

    Examples
    --------
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> ticks = Ticks.of(load_machine())
    >>> ticks.seconds(ticks.move(64))  # 64 bytes at 64e9 bytes a second
    1e-09

    """

    machine: Machine
    per_s: int
    byte: int
    overhead: int
    cycle: Fraction
    operations: dict[str, Fraction]

    @staticmethod
    def of(machine: Machine) -> Ticks:
        """Return the ticks of a machine."""
        clock = Fraction(machine.clock_hz)
        byte_s = 1 / Fraction(machine.bandwidth_bytes_per_s)
        overhead_s = Fraction(machine.overhead_cycles) / clock
        each_s: dict[str, Fraction] = {}
        for bits, rate in machine.mac_per_cycle.items():
            each_s[f"MAC_{bits}"] = 1 / (Fraction(rate) * clock)
        for bits, rate in machine.vector_per_cycle.items():
            for name in ("ADD", "SUB", "MUL", "DIV", "MAX"):
                each_s[f"{name}_{bits}"] = 1 / (Fraction(rate) * clock)
        per_s = lcm(
            byte_s.denominator,
            overhead_s.denominator,
            (1 / clock).denominator,
            *(value.denominator for value in each_s.values()),
        )
        return Ticks(
            machine=machine,
            per_s=per_s,
            byte=int(byte_s * per_s),
            overhead=int(overhead_s * per_s),
            cycle=per_s / clock,
            operations={kind: value * per_s for kind, value in each_s.items()},
        )

    def move(self, size_bytes: int) -> int:
        """Return the ticks of one move in the transfer lane."""
        return size_bytes * self.byte + self.overhead

    def operation(self, kind: str) -> int:
        """Return the ticks of one operation at full use of the unit."""
        if kind not in self.operations:
            name, _, bits = kind.partition("_")
            self.machine.per_cycle(name, int(bits))  # raises, naming what there is
        return int(self.operations[kind])

    def compute(self, kind: str, count: int, grid: tuple[int, int] | None = None) -> int:
        """Return the ticks of one computation in the compute lane.

        Parameters
        ----------
        kind : str
            Operation and format, such as ``MAC_32``.
        count : int
            Operations.
        grid : tuple of int, optional
            Outputs and reduction length, for a fixed matrix unit.

        """
        machine = self.machine
        if machine.array is None and not machine.whole_cycles:
            return count * self.operation(kind) + self.overhead
        if machine.array is not None and grid is not None:
            rows, columns = machine.array
            outputs, terms = grid
            steps = ceil(outputs / rows) * ceil(terms / columns)
            count = -(-count // (outputs * terms)) * steps * rows * columns
        ticks = count * self.operation(kind)
        if machine.whole_cycles:
            ticks = int(ceil(Fraction(ticks) / self.cycle) * self.cycle)
        return ticks + self.overhead

    def seconds(self, ticks: int) -> float:
        """Return ticks in seconds, correctly rounded."""
        return float(Fraction(ticks, self.per_s))


def compute_energy_j(machine: Machine, kind: str, count: int) -> float:
    """Return the energy of a computation, with the on-chip reads it needs, in joules.

    An operation reads two words, of which each read serves ``operand_reuse`` operations: for
    a MAC one from NRAM and one from WRAM, else both from NRAM.
    """
    energy = machine.energy
    bits = int(kind.rpartition("_")[2])
    second = energy.wram_j_per_byte if kind.startswith("MAC") else energy.nram_j_per_byte
    reads = bits / 8 / energy.operand_reuse * (energy.nram_j_per_byte + second)
    return count * (energy.operations_j.get(kind, 0.0) + reads)


def move_energy_j(machine: Machine, source: str, target: str, size_bytes: int) -> float:
    """Return the energy of moving bytes between two memories, in joules."""
    energy = machine.energy
    each = {
        "DRAM": energy.dram_j_per_byte,
        "NRAM": energy.nram_j_per_byte,
        "WRAM": energy.wram_j_per_byte,
    }
    return size_bytes * (each[source] + each[target])


def program_step(item: Compute, ticks: Ticks) -> int:
    """Return the ticks of a compute instruction."""
    return ticks.compute(item.kind, item.count, item.grid)
