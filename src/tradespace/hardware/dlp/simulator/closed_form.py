"""Time, traffic and energy of a program, without unrolling its loops.

A piece of program is summed up by what stands before its first sync, what happens between its
first and last sync, and what stands after its last sync. Two such pieces join into one, and a
loop is a piece joined to itself N times, which has a closed form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tradespace.hardware.dlp.costs import Ticks, compute_energy_j, move_energy_j, program_step
from tradespace.hardware.dlp.instructions import Compute, Instruction, Loop, Move, Program, Sync
from tradespace.hardware.dlp.machine import Machine


@dataclass(frozen=True, slots=True)
class Segment:
    """What happens between two syncs, and how often it does.

    Times are in ticks; lines are the first and last of its instructions (0 if there is none).
    """

    moves: int = 0
    computes: int = 0
    first_line: int = 0
    last_line: int = 0
    times: int = 1

    @property
    def ticks(self) -> int:
        """Time of one occurrence."""
        return max(self.moves, self.computes)

    @property
    def idle(self) -> str:
        """Which lane waits for the other: "compute", "transfer" or "none"."""
        if self.moves == self.computes:
            return "none"
        return "compute" if self.moves > self.computes else "transfer"

    def joined(self, other: Segment) -> Segment:
        """Return both as one segment, nothing synchronizing between them."""
        return Segment(
            self.moves + other.moves,
            self.computes + other.computes,
            self.first_line or other.first_line,
            other.last_line or self.last_line,
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Before the first sync, between, after the last; ``tail`` is None without a sync."""

    head: Segment = Segment()
    inner: tuple[Segment, ...] = ()
    tail: Segment | None = None

    def repeated(self, count: int) -> _Piece:
        if self.tail is None:
            head = self.head
            return _Piece(replace(head, moves=head.moves * count, computes=head.computes * count))
        if count == 1:
            return self
        inner = tuple(replace(s, times=s.times * count) for s in self.inner)
        joint = replace(self.tail.joined(self.head), times=count - 1)
        return _Piece(self.head, (*inner, joint), self.tail)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a program takes, what it moves and what it costs.

    ``dram_bytes`` counts what crosses the chip's edge; ``operations`` maps kinds such as
    MAC_32 to how many there are; ``ticks`` is exact, ``per_s`` of them being a second.
    """

    ticks: int
    per_s: int
    time_s: float
    transfer_s: float
    compute_s: float
    dram_bytes: int
    moved_bytes: int
    operations: Mapping[str, int]
    instructions: int
    energy_j: float
    segments: tuple[Segment, ...]

    @property
    def n_segments(self) -> int:
        """Segments that take time, as executed."""
        return sum(s.times for s in self.segments if s.ticks)


def simulate(program: Program, machine: Machine) -> Timing:
    r"""Return how long a program takes.

    The cost does not depend on the number of iterations of its loops.

    Examples
    --------
    >>> from tradespace.hardware.dlp.assembler import assemble
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> text = "loop 1000000\nmove DRAM NRAM 64\ncompute MAC_32 512\nsync\nendloop"
    >>> simulate(assemble(text), load_machine()).time_s
    0.002

    """
    ticks = Ticks.of(machine)
    piece = _piece(program.body, ticks)
    parts = (piece.head, *piece.inner, *((piece.tail,) if piece.tail is not None else ()))
    parts = tuple(s for s in parts if s.ticks)
    total = sum(s.ticks * s.times for s in parts)
    moved: Counter[tuple[str, str]] = Counter()
    operations: Counter[str] = Counter()
    issued = _count(program.body, 1, moved, operations)
    energy = sum(move_energy_j(machine, *pair, size) for pair, size in moved.items())
    energy += sum(compute_energy_j(machine, kind, n) for kind, n in operations.items())
    return Timing(
        ticks=total,
        per_s=ticks.per_s,
        time_s=ticks.seconds(total),
        transfer_s=ticks.seconds(sum(s.moves * s.times for s in parts)),
        compute_s=ticks.seconds(sum(s.computes * s.times for s in parts)),
        dram_bytes=sum(size for pair, size in moved.items() if "DRAM" in pair),
        moved_bytes=sum(moved.values()),
        operations=dict(operations),
        instructions=issued,
        energy_j=energy + issued * machine.energy.instruction_j,
        segments=parts,
    )


def _piece(body: tuple[Instruction, ...], ticks: Ticks) -> _Piece:
    head = tail = None
    inner: list[Segment] = []
    moves = computes = first = last = 0
    for item in body:
        if isinstance(item, Move):
            moves += ticks.move(item.size_bytes)
        elif isinstance(item, Compute):
            computes += program_step(item, ticks)
        else:
            now = Segment(moves, computes, first, last)
            moves = computes = first = last = 0
            piece = (
                _Piece(Segment(), (), Segment())
                if isinstance(item, Sync)
                else _piece(item.body, ticks).repeated(item.count)
            )
            joined = now.joined(piece.head)
            if piece.tail is None:
                moves, computes = joined.moves, joined.computes
                first, last = joined.first_line, joined.last_line
                continue
            if head is None:
                head = joined
            else:
                inner.append(joined)
            inner.extend(piece.inner)
            moves, computes = piece.tail.moves, piece.tail.computes
            first, last = piece.tail.first_line, piece.tail.last_line
            continue
        first = first or item.line
        last = item.line
    end = Segment(moves, computes, first, last)
    if head is None:
        head = end
    else:
        tail = end
    return _Piece(head, tuple(inner), tail)


def _count(
    body: tuple[Instruction, ...],
    times: int,
    moved: Counter[tuple[str, str]],
    operations: Counter[str],
) -> int:
    issued = 0
    for item in body:
        if isinstance(item, Loop):
            issued += _count(item.body, times * item.count, moved, operations)
        elif isinstance(item, Move):
            moved[item.src.memory, item.dst.memory] += times * item.size_bytes
            issued += times
        elif isinstance(item, Compute):
            operations[item.kind] += times * item.count
            issued += times
    return issued
