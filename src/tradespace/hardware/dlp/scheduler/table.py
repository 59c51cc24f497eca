"""The table of candidate plans: estimates as columns, so that thousands are compared at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tradespace.hardware.dlp.costs import Ticks
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.scheduler.planewise import Planewise
from tradespace.hardware.dlp.scheduler.streaming import Streaming
from tradespace.hardware.dlp.scheduler.tiling import Tiling

Plan: TypeAlias = Streaming | Tiling | Planewise
Numbers: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

COLUMNS, ROWS, TILES, PLANES = range(4)
_WIDTH = 10  # settings of the plan that has most


@dataclass(frozen=True, slots=True)
class Rates:
    """Ticks of one operation, of moving one word, and of the overhead of an instruction."""

    operation: int
    word: int
    overhead: int

    @staticmethod
    def of(layer: Layer, machine: Machine, bits: int) -> Rates:
        """Return the rates of a machine for a layer."""
        ticks = Ticks.of(machine)
        each = ticks.operation(f"{layer.operation}_{bits}")
        return Rates(each, ticks.byte * bits // 8, ticks.overhead)


@dataclass(frozen=True, slots=True)
class Table:
    """Plans with their estimates.

    Parameters
    ----------
    kinds : ndarray of shape (n,)
        ``COLUMNS``, ``ROWS``, ``TILES`` or ``PLANES``.
    settings : ndarray of shape (n, 10)
        The fields of the plan, filled up with zeros.
    ticks, words, tasks : ndarray of shape (n,)
        Time, words moved and computations, estimated.
    needs : ndarray of shape (n, 2)
        Words of NRAM and WRAM that a plan takes.

    """

    kinds: Integers
    settings: Integers
    ticks: Numbers
    words: Numbers
    tasks: Numbers
    needs: Integers

    def __len__(self) -> int:
        return len(self.kinds)

    @staticmethod
    def of(
        kind: int,
        settings: list[Integers | int],
        ticks: Numbers,
        words: Numbers,
        tasks: Numbers,
        needs: tuple[Integers, Integers],
    ) -> Table:
        """Return the table of plans of one kind; settings are columns or one value for all."""
        filled = np.zeros((len(ticks), _WIDTH), dtype=np.int64)
        for column, values in enumerate(settings):
            filled[:, column] = values
        kinds = np.full(len(ticks), kind, dtype=np.int64)
        whole = np.broadcast_to(np.asarray(words, dtype=float), ticks.shape)
        held = np.column_stack([np.broadcast_to(n, ticks.shape) for n in needs]).astype(np.int64)
        return Table(kinds, filled, np.asarray(ticks, dtype=float), whole, tasks, held)

    @staticmethod
    def joined(tables: list[Table]) -> Table:
        """Return all plans of several tables."""
        columns = zip(*(table.columns() for table in tables), strict=True)
        return Table(*(np.concatenate(column) for column in columns))

    def columns(self) -> tuple[Any, ...]:
        """Return the arrays of the fields, in their order."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def where(self, chosen: NDArray[np.bool_]) -> Table:
        """Return some of the plans."""
        return Table(*(column[chosen] for column in self.columns()))

    def plan(self, at: int) -> Plan:
        """Return one of the plans."""
        values = [int(v) for v in self.settings[at]]
        kind = int(self.kinds[at])
        if kind == TILES:
            return Tiling._make([*values[:8], bool(values[8]), values[9]])
        return Planewise(*values[:2]) if kind == PLANES else Streaming(*values[:6])


def panel_ratio(layer: Layer, rates: Rates, *, rows: int, block: int) -> float:
    """Return the time of computing one channel of a panel against that of loading it."""
    spread = min(layer.height, (rows - 1) * layer.stride[0] + layer.window[0])
    loads = (spread * layer.width + block * layer.taps) * rates.word
    return rows * layer.columns * block * layer.taps * rates.operation / loads


def store_ratio(layer: Layer, rates: Rates) -> float:
    """Return the time of computing one output against that of storing it."""
    return layer.terms * rates.operation / rates.word


def chunk_count(channels: int, first: Numbers, ratio: Numbers) -> Numbers:
    """Return about how many ranges of growing size cover the channels of a panel."""
    flat = channels / first
    growth = 1 + (np.maximum(ratio, 1.0001) - 1) / 2
    steady = 1 / (growth - 1) / first  # ranges until the size has doubled, about
    grown = steady + np.log(1 + channels * (growth - 1) / first) / np.log(growth)
    return np.where(ratio <= 1.15, flat, np.minimum(flat, grown))


def sizes(total: int, *, most: int = 12) -> list[int]:
    """Return sizes that divide a total into equal parts but for rounding, thinned out.

    Examples
    --------
    >>> sizes(13)
    [1, 2, 3, 4, 5, 7, 13]

    """
    found = {total}
    parts = 1
    while parts < total:
        found.add(ceil(total / parts))
        parts = max(parts + 1, int(parts * (1.0 if parts < most // 2 else 1.35)))
    found |= {1, min(2, total)}
    return sorted(found)


def powers(total: int, *, start: int = 1, step: int = 2) -> list[int]:
    """Return powers up to a total, and the total."""
    made, value = [], start
    while value < total:
        made.append(value)
        value *= step
    return [*made, total]


def spans(layer: Layer, axis: int, size: int) -> tuple[int, int]:
    """Return how many tiles there are along an axis, and the input behind all of them."""
    total = layer.rows if axis == 0 else layer.columns
    length = layer.height if axis == 0 else layer.width
    stride, pad, window = layer.stride[axis], layer.padding[axis], layer.window[axis]
    starts = np.arange(0, total, size)
    ends = np.minimum(starts + size, total)
    high = np.minimum(length, (ends - 1) * stride - pad + window)
    return len(starts), int((high - np.maximum(0, starts * stride - pad)).sum())
