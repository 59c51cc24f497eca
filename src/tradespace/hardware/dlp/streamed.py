"""Programs at the abstract level for what needs no scheduler: streams, copies, repeated steps."""

from __future__ import annotations

from tradespace.hardware.dlp.instructions import (
    Compute,
    Instruction,
    Loop,
    Move,
    Program,
    Sync,
    View,
)
from tradespace.hardware.dlp.lowering import Recurrence
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.simulator.closed_form import Timing, simulate

_DRAM, _NRAM, _WRAM = View("DRAM"), View("NRAM"), View("WRAM")
_TILES = 4096


def stream_program(
    *, read_bytes: int, write_bytes: int, operations: int, bits: int, tiles: int
) -> Program:
    """Return a program that loads, computes and stores tile after tile, two at a time.

    Examples
    --------
    >>> from tradespace.hardware.dlp.disassembler import disassemble
    >>> made = stream_program(read_bytes=8, write_bytes=8, operations=2, bits=32, tiles=2)
    >>> [line for line in disassemble(made).splitlines() if line != "sync"]
    ['move DRAM NRAM 4', 'move DRAM NRAM 4', 'compute ADD_32 1', 'compute ADD_32 1',
     'move NRAM DRAM 4', 'move NRAM DRAM 4']

    """

    def load(first: bool) -> Move:  # noqa: FBT001 - a helper of four lines
        return Move(_DRAM, _NRAM, _share(read_bytes, tiles, first=first))

    def store(first: bool) -> Move:  # noqa: FBT001 - as above
        return Move(_NRAM, _DRAM, _share(write_bytes, tiles, first=first))

    def compute(first: bool) -> Compute:  # noqa: FBT001 - as above
        return Compute("ADD", bits, _share(operations, tiles, first=first))

    def segment(at: int) -> list[Instruction]:
        found: list[Instruction] = []
        if at < tiles:
            found.append(load(at == 0))
        if 0 <= at - 1 < tiles:
            found.append(compute(at == 1))
        if 0 <= at - 2 < tiles:
            found.append(store(at == 2))
        kept = [x for x in found if (x.count if isinstance(x, Compute) else x.size_bytes)]  # type: ignore[union-attr] # moves and computations only
        return [*kept, Sync()]

    body: list[Instruction] = []
    middle = tiles - 3  # segments like one another: a load, a computation, a store
    for at in range(min(3, tiles + 2)):
        body += segment(at)
    if middle > 0:
        body.append(Loop(middle, tuple(segment(3))))
    for at in range(max(3, tiles), tiles + 2):
        body += segment(at)
    return Program(tuple(body[:-1]), file="stream")


def _share(total: int, parts: int, *, first: bool) -> int:
    each, rest = divmod(total, parts)
    return each + rest if first else each


def time_stream(
    machine: Machine, *, read_bytes: int, write_bytes: int, operations: int, bits: int
) -> Timing:
    """Return the timing of the best number of tiles that NRAM holds two of."""
    whole = 2 * (read_bytes + write_bytes)
    fitting = max(1, -(-whole // machine.nram_bytes))
    most = max(1, min(operations, (read_bytes + write_bytes) * 8 // bits))
    tried = [fitting]
    while tried[-1] * 2 <= min(most, max(_TILES, fitting)):
        tried.append(tried[-1] * 2)
    found = (
        simulate(
            stream_program(
                read_bytes=read_bytes,
                write_bytes=write_bytes,
                operations=operations,
                bits=bits,
                tiles=tiles,
            ),
            machine,
        )
        for tiles in tried
    )
    return min(found, key=lambda timing: timing.ticks)


def time_moves(machine: Machine, *, read_bytes: int, write_bytes: int) -> Timing:
    """Return the timing of bytes that pass through NRAM from DRAM to DRAM."""
    tiles = max(1, -(-max(read_bytes, write_bytes) // machine.nram_bytes))
    body: list[Instruction] = []
    for first, count in ((True, 1), (False, tiles - 1)):
        load = Move(_DRAM, _NRAM, _share(read_bytes, tiles, first=first))
        store = Move(_NRAM, _DRAM, _share(write_bytes, tiles, first=first))
        pair: list[Instruction] = [x for x in (load, store) if x.size_bytes]
        if count:
            body.append(Loop(count, tuple(pair)))
    return simulate(Program(tuple(body), file="moves"), machine)


def fits_on_chip(machine: Machine, steps: tuple[Recurrence, ...], *, bits: int) -> bool:
    """Return whether the weights of a recurrent layer stay on the chip with its states."""
    size = bits // 8
    weights = sum(r.k * r.n for r in steps) * size
    states = sum(r.m * (r.k + 2 * r.n) for r in steps) * size
    return weights <= machine.wram_bytes and 2 * states <= machine.nram_bytes


def time_recurrence(
    machine: Machine, steps: tuple[Recurrence, ...], *, operations: int, bits: int
) -> Timing:
    """Return the timing of a recurrent layer whose weights stay on the chip.

    In each step the sums from the inputs arrive for the next one and the state of the one
    before leaves, beside the products and the element-wise operations, which wait for them.
    """
    size = bits // 8
    first = steps[0]
    sets, each = first.sets, first.steps
    arriving = Move(_DRAM, _NRAM, first.m * first.n * size)
    leaving = Move(_NRAM, _DRAM, first.m * steps[-1].k * size)
    sums = tuple(Compute("MAC", bits, r.m * r.k * r.n) for r in steps)
    rest = Compute("ADD", bits, -(-operations // (sets * each)))
    weights = tuple(Move(_DRAM, _WRAM, r.k * r.n * size) for r in steps)
    loop = Loop(each, (arriving, leaving, *sums, rest, Sync()))
    return simulate(Program((Loop(sets, (*weights, arriving, Sync(), loop)),)), machine)
