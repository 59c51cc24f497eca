"""Executes addressed programs on numpy data: the numbers that a program leaves in DRAM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tradespace.core.errors import Place, ProcessorError
from tradespace.hardware.dlp.addresses import (
    bytes_from,
    dram_bytes,
    extent,
    loop_counts,
    positions,
    unrolled,
)
from tradespace.hardware.dlp.instructions import Compute, Move, Program, View
from tradespace.hardware.dlp.machine import Machine

_DTYPES: dict[int, type[np.floating]] = {32: np.float32, 16: np.float16}


def run(
    program: Program, machine: Machine, data: Mapping[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.floating]]:
    """Execute a program and return the arrays that were not given.

    Parameters
    ----------
    program : Program
        Every operand has an address; arrays in DRAM are declared.
    machine : Machine
        Gives the sizes of the memories.
    data : mapping of str to ndarray
        Contents of declared arrays, of their declared shapes. Memory that is not given holds
        NaN, so that a program which reads too early shows it.

    Returns
    -------
    dict of str to ndarray
        The declared arrays that ``data`` did not give.

    Raises
    ------
    ProcessorError
        If the program has no addresses, or data do not fit its arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from tradespace.hardware.dlp.assembler import assemble
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> text = '''
    ... array x 0 1x2
    ... array w 8 2x1
    ... array y 16 1x1
    ... move DRAM[0] NRAM[0] 8
    ... move DRAM[8] WRAM[0] 8
    ... sync
    ... compute MAC_32 2 out=NRAM[8] in=NRAM[0] w=WRAM[0] shape=1x2x1
    ... sync
    ... move NRAM[8] DRAM[16] 4
    ... '''
    >>> run(assemble(text), load_machine(), {"x": np.array([[2, 3]]), "w": np.array([[5], [7]])})
    {'y': array([[31.]], dtype=float32)}

    """
    if not program.addressed:
        msg = "This program has operands without addresses, so that there is nothing to execute."
        raise ProcessorError(
            msg,
            place=Place(program.file),
            remedy="Write addresses, as in NRAM[0], or only time it.",
        )
    state = _State.of(program, machine)
    for array in program.arrays:
        if array.name in data:
            given = np.asarray(data[array.name])
            if given.shape != array.shape:
                msg = (
                    f"Array {array.name!r} has shape {given.shape} where {array.shape} is declared."
                )
                raise ProcessorError(msg, remedy="Give data of the declared shape.")
            state.put(array.offset_bytes, given.astype(_DTYPES[array.bits]))
    for name in data:
        if name not in {a.name for a in program.arrays}:
            known = ", ".join(a.name for a in program.arrays) or "none"
            msg = f"The program declares no array {name!r}; it declares: {known}."
            raise ProcessorError(msg, remedy="Rename the data, or add an 'array' line.")
    _refuse_missing(program, set(data))
    for item, counters in unrolled(program.body):
        if isinstance(item, Move):
            state.move(item, counters)
        elif isinstance(item, Compute):
            state.compute(item, counters)
    return {
        a.name: state.get(a.offset_bytes, a.shape, a.bits)
        for a in program.arrays
        if a.name not in data
    }


def _refuse_missing(program: Program, given: set[str]) -> None:
    """Refuse a program that reads an array which is neither given nor written."""
    read: list[tuple[int, int, int]] = []
    written: list[tuple[int, int]] = []
    for item, counts in loop_counts(program.body):
        if isinstance(item, Move) and item.src.memory == "DRAM":
            read.append((*extent(item.src, item.size_bytes // item.src.count, counts), item.line))
        elif isinstance(item, Move) and item.dst.memory == "DRAM":
            written.append(extent(item.dst, item.size_bytes // item.dst.count, counts))
    for array in program.arrays:
        low, high = array.offset_bytes, array.offset_bytes + array.size_bytes
        if array.name in given or any(a < high and low < b for a, b in written):
            continue
        for a, b, line in read:
            if a < high and low < b:
                msg = f"Array {array.name!r} is read here, but not among the data."
                raise ProcessorError(
                    msg,
                    place=Place(program.file, line or None),
                    remedy=f"Give {array.name!r} of shape {array.shape} too.",
                )


@dataclass(slots=True)
class _State:
    memories: dict[str, NDArray[np.uint8]]
    places: dict[tuple[object, ...], NDArray[np.int64]] = field(default_factory=dict)

    @classmethod
    def of(cls, program: Program, machine: Machine) -> _State:
        reach = max(
            [dram_bytes(program.body), *(a.offset_bytes + a.size_bytes for a in program.arrays), 8]
        )
        sizes = {"DRAM": reach, "NRAM": machine.nram_bytes, "WRAM": machine.wram_bytes}
        # 0xFF.. is NaN in every floating format
        return cls({name: np.full(-(-n // 8) * 8, 0xFF, np.uint8) for name, n in sizes.items()})

    def put(self, offset: int, values: NDArray[np.generic]) -> None:
        raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.memories["DRAM"][offset : offset + raw.size] = raw

    def get(self, offset: int, shape: tuple[int, ...], bits: int) -> NDArray[np.floating]:
        size = int(np.prod(shape)) * bits // 8
        raw = self.memories["DRAM"][offset : offset + size].copy()
        return raw.view(_DTYPES[bits]).reshape(shape)

    def where(self, view: View, counters: dict[str, int], unit: int) -> NDArray[np.int64]:
        """Return positions in units of ``unit`` bytes, computed once for each relative form."""
        assert view.offset is not None  # noqa: S101 - what our own code guarantees
        phases = tuple(a.phase.at(counters) % a.ring if a.ring else 0 for a in view.axes)
        key = (view.axes, phases, unit)
        if key not in self.places:
            relative = positions(View(view.memory, type(view.offset)(), view.axes), counters)
            self.places[key] = relative // unit
        return self.places[key] + view.offset.at(counters) // unit

    def move(self, item: Move, counters: dict[str, int]) -> None:
        unit = next(
            u
            for u in (4, 2, 1)
            if item.size_bytes % u == 0
            and all(_aligned(view, counters, u, item.size_bytes) for view in (item.src, item.dst))
        )
        src = self.elements(item.src, counters, unit, item.size_bytes)
        dst = self.elements(item.dst, counters, unit, item.size_bytes)
        dtype = np.dtype(f"u{unit}")
        self.memories[item.dst.memory].view(dtype)[dst] = self.memories[item.src.memory].view(
            dtype
        )[src]

    def elements(
        self, view: View, counters: dict[str, int], unit: int, size: int
    ) -> NDArray[np.int64]:
        """Return the position of every unit of a move, in order."""
        piece = size // view.count // unit
        return bytes_from(self.where(view, counters, unit), piece)

    def read(self, view: View, counters: dict[str, int], bits: int) -> NDArray[np.floating]:
        memory = self.memories[view.memory].view(_DTYPES[bits])
        return memory[self.where(view, counters, bits // 8)]

    def compute(self, item: Compute, counters: dict[str, int]) -> None:
        assert item.out is not None  # noqa: S101 - what our own code guarantees
        assert item.source is not None  # noqa: S101 - what our own code guarantees
        source = self.read(item.source, counters, item.bits)
        wide = np.float32 if item.bits == 16 else np.float64
        if item.operation == "MAC":
            assert item.weights is not None  # noqa: S101 - what our own code guarantees
            weights = self.read(item.weights, counters, item.bits)
            result = _multiply_accumulate(item, source.astype(wide), weights.astype(wide))
        elif item.window is not None:
            result = _fold_windows(item, source.astype(wide))
        else:
            other = (
                self.read(item.other, counters, item.bits).astype(wide)
                if item.other is not None
                else np.asarray(
                    item.immediate if item.immediate is not None else np.nan, dtype=wide
                )
            )
            result = _ELEMENTWISE[item.operation](source.astype(wide), other)
        target = self.where(item.out, counters, item.bits // 8)
        memory = self.memories[item.out.memory].view(_DTYPES[item.bits])
        if item.accumulate:
            result = result + memory[target]
        memory[target] = result.astype(_DTYPES[item.bits])


_ELEMENTWISE = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "DIV": np.divide,
    "MAX": np.maximum,
}


def _aligned(view: View, counters: dict[str, int], unit: int, size: int) -> bool:
    assert view.offset is not None  # noqa: S101 - what our own code guarantees
    return (
        view.offset.at(counters) % unit == 0
        and (size // view.count) % unit == 0
        and all(axis.stride % unit == 0 for axis in view.axes)
    )


def _padded(
    item: Compute, source: NDArray[np.floating], needed: tuple[int, int], fill: float
) -> NDArray[np.floating]:
    """Return the source with what stands around it, of the rows and columns needed."""
    (top, left), (rows, columns) = item.pad, needed
    shape = (*source.shape[:-2], rows, columns)
    made = np.full(shape, fill, dtype=source.dtype)
    inside = source[..., : rows - top, : columns - left]
    made[..., top : top + inside.shape[-2], left : left + inside.shape[-1]] = inside
    return made


def _multiply_accumulate(
    item: Compute, source: NDArray[np.floating], weights: NDArray[np.floating]
) -> NDArray[np.floating]:
    if source.ndim == 2:
        return np.asarray(source @ weights)
    assert item.out is not None  # noqa: S101 - what our own code guarantees
    groups, outputs, rows, columns = item.out.shape
    height, width = weights.shape[3:]
    (down, right) = item.stride
    needed = ((rows - 1) * down + height, (columns - 1) * right + width)
    source = _padded(item, source, needed, 0.0)
    windows = np.lib.stride_tricks.sliding_window_view(source, (height, width), axis=(2, 3))
    windows = windows[:, :, ::down, ::right]  # groups, channels, rows, columns, height, width
    flat = windows.transpose(0, 2, 3, 1, 4, 5).reshape(groups, rows * columns, -1)
    product = flat @ weights.reshape(groups, outputs, -1).transpose(0, 2, 1)
    return np.asarray(product.transpose(0, 2, 1).reshape(item.out.shape))


def _fold_windows(item: Compute, source: NDArray[np.floating]) -> NDArray[np.floating]:
    assert item.out is not None  # noqa: S101 - what our own code guarantees
    assert item.window is not None  # noqa: S101 - what our own code guarantees
    rows, columns = item.out.shape[-2:]
    (down, right), (height, width) = item.stride, item.window
    needed = ((rows - 1) * down + height, (columns - 1) * right + width)
    source = _padded(item, source, needed, -np.inf if item.operation == "MAX" else 0.0)
    windows = np.lib.stride_tricks.sliding_window_view(source, (height, width), axis=(-2, -1))
    windows = windows[..., ::down, ::right, :, :]
    folded = windows.max((-2, -1)) if item.operation == "MAX" else windows.sum((-2, -1))
    return np.asarray(folded)
