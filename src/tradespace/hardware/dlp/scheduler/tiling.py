"""Plans that keep a tile of results in NRAM and stream both operands past it, channel by channel.

Channels run forth and back on alternate tiles, so that what the next tile shares is still there
at the turn. The last channels of a tile are done a few columns at a time, so that results leave
while others are computed and the next tile can begin without waiting.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.scheduler.work import (
    InputBox,
    Load,
    OutputBox,
    Task,
    WeightBox,
    Work,
    blocks,
    growing,
    runs,
)


class Tiling(NamedTuple):
    """A plan; sizes in rows, columns of the picture, outputs and channels.

    ``rows_outside`` orders tiles with the picture outside and blocks of outputs inside;
    ``ring_inputs`` and ``ring_weights`` are channels kept of either operand; ``last`` channels
    are done ``group`` outputs at a time at the end of a tile.
    """

    rows: int
    columns: int
    block: int
    channels: int
    last: int
    group: int
    ring_inputs: int
    ring_weights: int
    rows_outside: bool
    first: int

    def input_tile(self, layer: Layer) -> tuple[int, int]:
        """Return the greatest rows and columns of input behind a tile."""
        (down, right), (height, width) = layer.stride, layer.window
        return (
            min(layer.height, (self.rows - 1) * down + height),
            min(layer.width, (self.columns - 1) * right + width),
        )

    def memory_words(self, layer: Layer) -> tuple[int, int]:
        """Return the words of NRAM and WRAM that the plan takes."""
        height, width = self.input_tile(layer)
        inputs = height * width * self.ring_inputs
        results = self.rows * self.columns * self.block
        return inputs + results, self.ring_weights * self.block * layer.taps


class _ChannelRing:
    """Channels of a tile: channel ``c`` of tile ``t`` lies in slot ``(c + shift) mod size``.

    The shift changes with the tile, so that its first channels do not fall on the last ones of
    the tile before, which are still in use.
    """

    __slots__ = ("channels", "holder", "last", "shift", "size", "tile")

    def __init__(self, size: int, channels: int) -> None:
        self.size = size
        self.channels = channels
        self.holder = [-1] * size  # tile * channels + channel
        self.last = [-1] * size
        self.shift = 0
        self.tile = -1

    def begin(self, tile: int, step: int, *, forward: bool) -> None:
        """Turn to a tile, whose first chunk has ``step`` channels."""
        if self.tile >= 0 and tile != self.tile:
            self.shift = (self.shift + (-step if forward else step)) % self.size
        self.tile = tile

    def need(self, c0: int, c1: int, task: int) -> list[tuple[int, int, int]]:
        """Return runs of missing channels: (first, after last, free)."""
        made: list[tuple[int, int, int]] = []
        holder, last = self.holder, self.last
        for a, b in self.pieces(c0, c1):
            low, high = (a + self.shift) % self.size, (a + self.shift) % self.size + b - a
            begin = self.tile * self.channels
            held, wanted = holder[low:high], range(begin + a, begin + b)
            if held[0] != begin + a or held != list(wanted):
                holder[low:high] = wanted
                # The ends tell most cases apart without looking each channel up.
                apart = max(held) < begin + a or min(held) >= begin + b
                if apart or set(held).isdisjoint(wanted):
                    made.append((a, b, max(last[low:high])))
                else:
                    pairs = enumerate(zip(held, wanted, strict=True))
                    absent = [i for i, (x, y) in pairs if x != y]
                    made += runs([(a + i, last[low + i]) for i in absent])
            last[low:high] = [task] * (b - a)
        if len(made) == 2 and made[0][1] == made[1][0]:  # neighbors on both sides of the wrap
            return [(made[0][0], made[1][1], max(made[0][2], made[1][2]))]
        return made

    def pieces(self, c0: int, c1: int) -> list[tuple[int, int]]:
        """Split channels where their slots wrap around."""
        wrap = c0 + self.size - (c0 + self.shift) % self.size
        return [(c0, c1)] if c1 <= wrap else [(c0, wrap), (wrap, c1)]

    def used(self, c0: int, c1: int, task: int) -> None:
        """Tell that a task still uses channels that are there."""
        for a, b in self.pieces(c0, c1):
            low = (a + self.shift) % self.size
            self.last[low : low + b - a] = [task] * (b - a)


def tile_results(layer: Layer, plan: Tiling, *, ratio: float) -> Work:
    """Return the work of a plan.

    ``ratio`` is the time of computing one channel of a tile against loading it.
    """
    work = Work()
    inputs = _ChannelRing(plan.ring_inputs, layer.channels)
    weights = _ChannelRing(plan.ring_weights, layer.channels)
    (down, right), (top, left), (height, width) = layer.stride, layer.padding, layer.window
    first_tile = True
    forward = True
    tiles = _tiles(layer, plan)
    for at, (group, image, y0, y1, x0, x1, n0, n1, picture, block) in enumerate(tiles):
        r0, r1 = max(0, y0 * down - top), min(layer.height, (y1 - 1) * down - top + height)
        w0, w1 = max(0, x0 * right - left), min(layer.width, (x1 - 1) * right - left + width)
        positions = (y1 - y0) * (x1 - x0)
        chunks = _chunks(layer.channels, plan, ratio if first_tile else 0.0)
        final = plan.group if at < len(tiles) - 1 else max(1, (n1 - n0) // 24)
        step = chunks[0][1]
        inputs.begin(picture, step, forward=forward)
        weights.begin(block, step, forward=forward)
        for number, (s0, s1) in enumerate(chunks):
            c0, c1 = (s0, s1) if forward else (layer.channels - s1, layer.channels - s0)
            now = len(work.tasks)
            for a, b, free in inputs.need(c0, c1, now):
                box = InputBox(group, group + 1, a, b, r0, r1, w0, w1, image)
                words = (b - a) * (r1 - r0) * (w1 - w0)
                work.loads.append(Load(now, free, box, inputs.shift, words, origin=r0))
            for a, b, free in weights.need(c0, c1, now):
                part = WeightBox(group, group + 1, n0, n1, a, b, 0, height)
                work.loads.append(
                    Load(now, free, part, weights.shift, (b - a) * (n1 - n0) * layer.taps)
                )
            begins, ends = number == 0, number == len(chunks) - 1
            for m0, m1 in _column_parts(
                n0, n1, final if ends else plan.group, begins=begins, ends=ends
            ):
                cells = range(m0 - n0, m1 - n0)
                if begins:
                    work.overwrite(cells)
                out = OutputBox(group, group + 1, m0, m1, y0, y1, x0, x1, image)
                operations = positions * (m1 - m0) * (c1 - c0) * layer.taps
                work.tasks.append(
                    Task(
                        out=out,
                        c0=c0,
                        c1=c1,
                        f0=0,
                        f1=height,
                        accumulate=not begins,
                        slot=inputs.shift,
                        operations=operations,
                        weights_slot=weights.shift,
                    )
                )
                if ends:
                    work.store(out, 0, positions * (m1 - m0), cells)
            inputs.used(c0, c1, len(work.tasks) - 1)
            weights.used(c0, c1, len(work.tasks) - 1)
        first_tile = False
        forward = not forward
    return work


def _tiles(layer: Layer, plan: Tiling) -> list[tuple[int, ...]]:
    """Return tiles in order, neighbors sharing an operand, with the numbers of both operands."""
    pictures = [
        (image, *rows, *columns)
        for image in range(layer.images)
        for rows in blocks(layer.rows, plan.rows)
        for columns in blocks(layer.columns, plan.columns)
    ]
    outputs = blocks(layer.outputs, plan.block)
    made: list[tuple[int, ...]] = []
    for group in range(layer.groups):
        base = group * (len(pictures) + len(outputs))
        outer, inner = (pictures, outputs) if plan.rows_outside else (outputs, pictures)
        for i in range(len(outer)):
            for step in range(len(inner)):
                j = step if i % 2 == 0 else len(inner) - 1 - step
                p, n = (i, j) if plan.rows_outside else (j, i)
                made.append((group, *pictures[p], *outputs[n], base + p, base + n))
    return made


def _chunks(channels: int, plan: Tiling, ratio: float) -> list[tuple[int, int]]:
    """Return the ranges of channels in which a tile is computed, the last one for the groups."""
    last = min(plan.last, channels)
    body = channels - last
    if ratio > 1:
        made = growing(body, min(plan.first, plan.channels), max(1.0, ratio), most=plan.channels)
    else:
        made = blocks(body, plan.channels)
    return [*made, (body, channels)]


def _column_parts(
    n0: int, n1: int, group: int, *, begins: bool, ends: bool
) -> list[tuple[int, int]]:
    """Return the parts of a block's columns: by groups at the end, two at the beginning.

    The beginning leaves out the group that the tile before has finished last.
    """
    count = -(-(n1 - n0) // group)
    edges = [n0 + i * (n1 - n0) // count for i in range(count + 1)]  # as equal as can be
    if ends:
        return list(pairwise(edges))
    if begins and count > 1:
        return [(n0, edges[-2]), (edges[-2], n1)]
    return [(n0, n1)]
