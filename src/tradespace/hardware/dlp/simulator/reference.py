"""The definition of time on the processor, one instruction after the other.

Between two syncs, moves follow one another in the transfer lane and computations in the
compute lane, both from the beginning of the segment; the segment ends when both have finished.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from tradespace.hardware.dlp.addresses import unrolled
from tradespace.hardware.dlp.instructions import Compute, Move, Program
from tradespace.hardware.dlp.machine import Machine


def reference_time_s(program: Program, machine: Machine) -> Fraction:
    r"""Return the exact time of a program, unrolling every loop.

    Examples
    --------
    >>> from tradespace.hardware.dlp.assembler import assemble
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> program = assemble("move DRAM NRAM 1024\nmove DRAM WRAM 1024\nsync\ncompute MAC_32 256")
    >>> float(reference_time_s(program, load_machine()))
    3.3e-08

    """
    total = transfer = arithmetic = Fraction(0)
    for item, _ in unrolled(program.body):
        if isinstance(item, Move):
            transfer += _move_s(item, machine)
        elif isinstance(item, Compute):
            arithmetic += _compute_s(item, machine)
        else:
            total += max(transfer, arithmetic)
            transfer = arithmetic = Fraction(0)
    return total + max(transfer, arithmetic)


def _move_s(item: Move, machine: Machine) -> Fraction:
    overhead = Fraction(machine.overhead_cycles) / Fraction(machine.clock_hz)
    return item.size_bytes / Fraction(machine.bandwidth_bytes_per_s) + overhead


def _compute_s(item: Compute, machine: Machine) -> Fraction:
    operations = Fraction(item.count)
    if machine.array is not None and item.grid is not None:
        rows, columns = machine.array
        outputs, terms = item.grid
        positions = ceil(operations / (outputs * terms))
        operations = Fraction(
            positions * ceil(outputs / rows) * rows * ceil(terms / columns) * columns
        )
    cycles = operations / Fraction(machine.per_cycle(item.operation, item.bits))
    if machine.whole_cycles:
        cycles = Fraction(ceil(cycles))
    return (cycles + Fraction(machine.overhead_cycles)) / Fraction(machine.clock_hz)
