"""The instruction set: moves, computations, loops and barriers, as records.

A program is a tree: loops hold bodies. An operand without an offset is *abstract* (only its
memory is named); one with an offset is *addressed* and may depend affinely on the counters of
the loops around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

MEMORIES = ("DRAM", "NRAM", "WRAM")
OPERATIONS = ("MAC", "ADD", "SUB", "MUL", "DIV", "MAX")
FORMATS = {"fp32": 32, "fp16": 16}


@dataclass(frozen=True, slots=True)
class Affine:
    """A whole number plus multiples of loop counters.

    Examples
    --------
    >>> Affine(64, (("i", 1024),)).at({"i": 2})
    2112

    """

    const: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    def at(self, counters: dict[str, int]) -> int:
        """Return the value for these loop counters."""
        value = self.const
        for name, factor in self.terms:
            value += factor * counters[name]
        return value

    def __str__(self) -> str:
        text = str(self.const) if self.const or not self.terms else ""
        for name, factor in self.terms:
            sign = "-" if factor < 0 else "+" if text else ""
            text += f"{sign}{name}" if abs(factor) == 1 else f"{sign}{abs(factor)}*{name}"
        return text


ZERO = Affine()


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an operand: ``count`` steps of ``stride`` bytes.

    With a ring, step ``i`` lies at ``((phase + i) mod ring) * stride``: a circular buffer.
    """

    count: int
    stride: int
    ring: int = 0
    phase: Affine = ZERO

    def __str__(self) -> str:
        text = f"{self.count}:{self.stride}"
        return f"{text}%{self.ring}@{self.phase}" if self.ring else text


@dataclass(frozen=True, slots=True)
class View:
    """An operand: a memory and, when addressed, an offset in bytes and axes."""

    memory: str
    offset: Affine | None = None
    axes: tuple[Axis, ...] = ()

    @property
    def count(self) -> int:
        """Number of elements; 1 without axes."""
        return prod(axis.count for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Counts of the axes."""
        return tuple(axis.count for axis in self.axes)

    def __str__(self) -> str:
        if self.offset is None:
            return self.memory
        axes = ", ".join(map(str, self.axes))
        return f"{self.memory}[{self.offset}{'; ' if axes else ''}{axes}]"


@dataclass(frozen=True, slots=True)
class Move:
    """Bytes from the first operand to the second."""

    src: View
    dst: View
    size_bytes: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compute:
    """``count`` operations of one kind, on operands when addressed.

    A MAC with operands of two axes is a matrix product: ``in`` (M, K), ``w`` (K, N), ``out``
    (M, N). With four it is a convolution: ``in`` (groups, channels, rows, columns), ``w``
    (groups, outputs, channels, window rows, window columns), ``out`` (groups, outputs, rows,
    columns); ``pad`` zeros stand above and left of ``in``, and beyond its end. Another kind
    works element by element on ``in`` and ``other`` or ``immediate``, or, with a ``window``,
    folds windows of ``in`` (channels, rows, columns) into ``out``.
    """

    operation: str
    bits: int
    count: int
    out: View | None = None
    source: View | None = None
    weights: View | None = None
    other: View | None = None
    accumulate: bool = False
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    window: tuple[int, int] | None = None
    immediate: float | None = None
    line: int = field(default=0, compare=False)

    @property
    def kind(self) -> str:
        """Operation with its format, as in ``MAC_32``."""
        return f"{self.operation}_{self.bits}"

    @property
    def grid(self) -> tuple[int, int] | None:
        """Outputs and reduction length as a fixed matrix unit sees them; None if abstract."""
        if self.operation != "MAC" or self.weights is None:
            return None
        shape = self.weights.shape
        return (shape[1], shape[0]) if len(shape) == 2 else (shape[1], prod(shape[2:]))


@dataclass(frozen=True, slots=True)
class Sync:
    """All before it has finished before anything after it starts."""

    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Loop:
    """A body repeated; its counter may stand in addresses."""

    count: int
    body: tuple[Instruction, ...]
    name: str = ""
    line: int = field(default=0, compare=False)


Instruction: TypeAlias = Move | Compute | Sync | Loop


@dataclass(frozen=True, slots=True)
class Array:
    """A named array in DRAM, so that data can be given and results read by name."""

    name: str
    offset_bytes: int
    shape: tuple[int, ...]
    bits: int = 32

    @property
    def size_bytes(self) -> int:
        """Bytes that it takes."""
        return prod(self.shape) * self.bits // 8


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions, and the arrays in DRAM that they read and write."""

    body: tuple[Instruction, ...]
    arrays: tuple[Array, ...] = ()
    file: str = field(default="program", compare=False)

    @property
    def addressed(self) -> bool:
        """Whether every operand has an address, so that the program can be executed."""

        def check(body: tuple[Instruction, ...]) -> bool:
            for item in body:
                if isinstance(item, Loop):
                    if not check(item.body):
                        return False
                elif isinstance(item, Move):
                    if item.src.offset is None or item.dst.offset is None:
                        return False
                elif isinstance(item, Compute) and item.out is None:
                    return False
            return True

        return check(self.body)

    @property
    def n_instructions(self) -> int:
        """Lines of the program, loops counted once."""

        def count(body: tuple[Instruction, ...]) -> int:
            return sum(2 + count(i.body) if isinstance(i, Loop) else 1 for i in body)

        return count(self.body)


def dense_axes(shape: tuple[int, ...], *, element_bytes: int) -> tuple[Axis, ...]:
    """Return the axes of an array that lies row after row without gaps.

    Examples
    --------
    >>> [str(axis) for axis in dense_axes((2, 3), element_bytes=4)]
    ['2:12', '3:4']

    """
    axes: list[Axis] = []
    stride = element_bytes
    for count in reversed(shape):
        axes.append(Axis(count, stride))
        stride *= count
    return tuple(reversed(axes))
