"""Plans that keep one operand whole and let the other stream past it, a ring of rows or columns.

``columns stream``: all inputs stay; the first columns are computed with the reduction outside,
so that work begins after the first few words and continues while the inputs arrive; then a few
columns at a time. ``rows stream``: a block of columns stays in WRAM; rows pass, forth and back
for alternate blocks, so that the rows at the turn are not loaded twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.scheduler.work import (
    InputBox,
    Load,
    OutputBox,
    Ring,
    Task,
    WeightBox,
    Work,
    blocks,
    growing,
    runs,
)


class Streaming(NamedTuple):
    """A plan; sizes are in columns (outputs), rows and channels.

    ``rows`` is the tile of rows (0: all, and columns stream), ``block`` the columns of a block
    (for streaming columns: of the first panel), ``group`` the columns treated one after the
    other where things are exchanged, ``ring_rows`` the rows of input kept.
    """

    block: int
    rows: int
    ring_rows: int
    group: int
    first: int
    most: int

    def columns_kept(self, layer: Layer) -> int:
        """Return the columns of weights for which WRAM has places."""
        total = layer.groups * layer.outputs
        if self.rows == 0:
            return min(total, max(self.block + self.group, 2 * self.group))
        return total if self.block >= total else min(total, self.block + self.group)

    def result_words(self, layer: Layer) -> int:
        """Return the words of NRAM for results."""
        if self.rows == 0:
            return self.result_columns(layer) * layer.rows * layer.columns
        tiles = -(-layer.rows // self.rows) * layer.images
        blocks_of = layer.groups * -(-layer.outputs // self.block)
        both = 1 if tiles * blocks_of == 1 else 2
        return both * self.block * self.rows * layer.columns

    def result_columns(self, layer: Layer) -> int:
        """Return the columns of results for which NRAM has places, while columns stream."""
        return min(layer.outputs, self.block + max(2 * self.group, self.block // 2))

    def row_words(self, layer: Layer) -> int:
        """Return the words of one row of the input."""
        return layer.channels * layer.width

    def memory_words(self, layer: Layer) -> tuple[int, int]:
        """Return the words of NRAM and WRAM that the plan takes."""
        inputs = self.ring_rows * self.row_words(layer)
        weights = self.columns_kept(layer) * layer.terms
        return inputs + self.result_words(layer), weights


class _Builder:
    """Adds tasks and finds out what they need."""

    def __init__(self, layer: Layer, plan: Streaming) -> None:
        self.layer, self.plan, self.work = layer, plan, Work()
        self.row_ring = Ring(plan.ring_rows)
        self.column_ring = Ring(plan.columns_kept(layer))

    def needed_rows(self, y0: int, y1: int, f0: int, f1: int) -> range | list[int]:
        """Return the rows of the input behind rows of the output."""
        layer = self.layer
        down, pad = layer.stride[0], layer.padding[0]
        if f1 - f0 >= down:
            return range(
                max(0, y0 * down - pad + f0), min(layer.height, (y1 - 1) * down - pad + f1)
            )
        rows = (y * down - pad + f for y in range(y0, y1) for f in range(f0, f1))
        return [r for r in rows if 0 <= r < layer.height]

    def base(self, group: int, image: int) -> int:
        """Return the number of the first row of a picture in the ring."""
        return (group * self.layer.images + image) * self.layer.height

    def load_rows(self, out: OutputBox, c0: int, c1: int, f0: int, f1: int, *, fresh: bool) -> None:
        """Load rows for the next task; ``fresh``: a part of their channels, slots being empty."""
        layer, now = self.layer, len(self.work.tasks)
        base = self.base(out.g0, out.image)
        rows = [base + r for r in self.needed_rows(out.y0, out.y1, f0, f1)]
        if fresh:
            missing = [(r, -1) for r in rows]
            self.row_ring.need(rows, now)
        else:
            missing = self.row_ring.need(rows, now)
        for start, end, free in runs(missing):
            box = InputBox(
                out.g0, out.g0 + 1, c0, c1, start - base, end - base, 0, layer.width, out.image
            )
            words = (c1 - c0) * (end - start) * layer.width
            self.work.loads.append(Load(now, free, box, 0, words))

    def load_columns(
        self, out: OutputBox, c0: int, c1: int, f0: int, f1: int, *, fresh: bool
    ) -> None:
        """Load columns of weights for the next task."""
        layer, now = self.layer, len(self.work.tasks)
        base = out.g0 * layer.outputs
        columns = range(base + out.n0, base + out.n1)
        found = self.column_ring.need(columns, now)
        missing = [(n, -1) for n in columns] if fresh else found
        for start, end, free in runs(missing):
            box = WeightBox(out.g0, out.g0 + 1, start - base, end - base, c0, c1, f0, f1)
            words = (end - start) * (c1 - c0) * (f1 - f0) * layer.window[1]
            self.work.loads.append(Load(now, free, box, 0, words))

    def task(
        self,
        out: OutputBox,
        slot: int,
        cells: Iterable[int],
        *,
        part: tuple[int, int, int, int] | None = None,
        rows: bool = True,
    ) -> None:
        """Add one computation; ``part`` is (c0, c1, f0, f1) while the first panel is loaded.

        Without ``rows`` all of the input is there and stays.
        """
        layer, work = self.layer, self.work
        c0, c1, f0, f1 = part or (0, layer.channels, 0, layer.window[0])
        if rows:
            self.load_rows(out, c0, c1, f0, f1, fresh=part is not None)
        self.load_columns(out, c0, c1, f0, f1, fresh=part is not None)
        size = (out.n1 - out.n0) * (out.y1 - out.y0) * (out.x1 - out.x0)
        terms = (c1 - c0) * (f1 - f0) * layer.window[1]
        work.tasks.append(Task(out, c0, c1, f0, f1, (c0, f0) != (0, 0), slot, size * terms))
        if (c1, f1) == (layer.channels, layer.window[0]):
            if part is None or self.plan.rows:
                work.store(out, slot, size, cells)
                return
            for a, b in blocks(out.n1, self.plan.group):  # so that places become free one by one
                box = out._replace(n0=a, n1=b)
                work.store(box, slot, size // out.n1 * (b - a), range(a, b))

    def panel(self, out: OutputBox, slot: int, cells: Iterable[int], ratio: float) -> None:
        """Compute a panel with the reduction outside, while its operands arrive."""
        layer, plan = self.layer, self.plan
        height, pad = layer.window[0], layer.padding[0]
        if out.y1 - out.y0 == 1 and height > 1 and layer.channels <= 16:
            starts = [0, *range(pad + 1, height)]
            ends = [*starts[1:], height]
            parts = [
                (c, c + 1, f0, f1)
                for c in range(layer.channels)
                for f0, f1 in zip(starts, ends, strict=True)
            ]
        else:
            ranges = growing(layer.channels, plan.first, ratio, most=plan.most)
            parts = [(c0, c1, 0, height) for c0, c1 in ranges]
        for part in parts:
            self.task(out, slot, cells, part=part)


def stream_columns(layer: Layer, plan: Streaming, *, ratio: float, taper: float) -> Work:
    """Return the work of a plan in which all inputs stay and columns stream.

    ``ratio`` is the time of computing one channel of the first panel against loading it,
    ``taper`` the time of computing one output against storing it.
    """
    built = _Builder(layer, plan)
    places = plan.result_columns(layer)

    def part(n0: int, n1: int, y0: int, y1: int) -> OutputBox:
        return OutputBox(0, 1, n0, n1, y0, y1, 0, layer.columns, 0)

    first = min(plan.block, layer.outputs)
    built.panel(part(0, first, 0, layer.rows), 0, range(first), ratio)
    rest = [(a + first, b + first) for a, b in blocks(layer.outputs - first, plan.group)]
    for n0, n1 in rest:
        built.work.overwrite(n % places for n in range(n0, n1))
        pieces = [(n0, n1, 0, layer.rows)]
        if n1 == layer.outputs:
            pieces = list(_tapered(n0, n1, 0, layer.rows, taper))
        for piece in pieces:
            cells = [n % places for n in range(piece[0], piece[1])]
            built.task(part(*piece), 0, cells, rows=False)
    return built.work


def _tapered(
    n0: int, n1: int, y0: int, y1: int, taper: float
) -> Iterator[tuple[int, int, int, int]]:
    """Yield parts that become smaller, so that little is left to store at the end."""
    if taper < 2 or (n1 - n0 == 1 and y1 - y0 == 1):
        yield n0, n1, y0, y1
        return
    if n1 - n0 > 1:
        yield n0, n1 - 1, y0, y1
        n0 = n1 - 1
    while y1 - y0 > 1:
        left = max(1, int((y1 - y0) / taper))
        yield n0, n1, y0, y1 - left
        y0 = y1 - left
    yield n0, n1, y0, y1


def stream_rows(layer: Layer, plan: Streaming, *, ratio: float, taper: float) -> Work:
    """Return the work of a plan in which a block of columns stays and rows stream."""
    built = _Builder(layer, plan)
    column_blocks = blocks(layer.outputs, plan.block)
    tiles = [
        (image, y0, y1) for image in range(layer.images) for y0, y1 in blocks(layer.rows, plan.rows)
    ]
    one_block = layer.groups * len(column_blocks) == 1
    last_block = (layer.groups - 1, len(column_blocks) - 1)
    count = 0
    for group in range(layer.groups):
        for number, (n0, n1) in enumerate(column_blocks):
            order = tiles if number % 2 == 0 else tiles[::-1]
            for at, (image, y0, y1) in enumerate(order):
                slot = count % 2
                count += 1
                out = OutputBox(group, group + 1, n0, n1, y0, y1, 0, layer.columns, image)
                if count == 1:
                    built.panel(out, slot, (slot,), ratio)
                    continue
                ends = at == len(order) - 1
                final = ends and (group, number) == last_block
                built.work.overwrite((slot,))
                if not (final or (not one_block and (ends or at == 0))):
                    built.task(out, slot, (slot,))
                    continue
                _by_groups(built, out, slot, taper if final else 0.0)
    return built.work


def _by_groups(built: _Builder, out: OutputBox, slot: int, taper: float) -> None:
    """Compute a tile a few columns at a time, so that weights can be exchanged meanwhile."""
    pieces: list[tuple[int, int, int, int]] = []
    for a, b in blocks(out.n1 - out.n0, built.plan.group):
        n0, n1 = out.n0 + a, out.n0 + b
        if taper and n1 == out.n1:
            pieces += _tapered(n0, n1, out.y0, out.y1, taper)
        else:
            pieces.append((n0, n1, out.y0, out.y1))
    for n0, n1, y0, y1 in pieces:
        part = out._replace(n0=n0, n1=n1, y0=y0, y1=y1)
        built.task(part, slot, (slot,))
