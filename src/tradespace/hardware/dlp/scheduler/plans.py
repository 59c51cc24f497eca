"""Lists the plans of a layer, each with the least time and traffic that it can have.

The list does not depend on how much memory there is: a larger machine only admits more of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log
from typing import NamedTuple, TypeAlias

from tradespace.hardware.dlp.costs import Ticks
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.scheduler.planewise import Planewise
from tradespace.hardware.dlp.scheduler.streaming import Streaming
from tradespace.hardware.dlp.scheduler.tiling import Tiling

Plan: TypeAlias = Streaming | Tiling | Planewise


class Candidate(NamedTuple):
    """A plan with its estimates: ticks that it takes at least, words that it moves, tasks."""

    plan: Plan
    ticks: float
    words: float
    tasks: float


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


def candidates(
    layer: Layer, machine: Machine, bits: int, *, most_tasks: int = 1000
) -> list[Candidate]:
    """Return the plans that fit the machine, preferably of few computations."""
    word = bits // 8
    room = (machine.nram_bytes // word, machine.wram_bytes // word)
    rates = Rates.of(layer, machine, bits)
    made: list[Candidate] = []
    if layer.operation != "MAC" or layer.groups > 2:
        made += _planewise(layer, rates, room)
    if layer.operation == "MAC":
        if layer.groups == layer.images == 1:
            made += _columns(layer, rates, room)
        made += _rows(layer, rates, room)
        made += _tiles(layer, rates, room, most_tasks)
    return made


def panel_ratio(layer: Layer, rates: Rates, *, rows: int, block: int) -> float:
    """Return the time of computing one channel of a panel against that of loading it."""
    spread = min(layer.height, (rows - 1) * layer.stride[0] + layer.window[0])
    loads = (spread * layer.width + block * layer.taps) * rates.word
    return rows * layer.columns * block * layer.taps * rates.operation / loads


def store_ratio(layer: Layer, rates: Rates) -> float:
    """Return the time of computing one output against that of storing it."""
    return layer.terms * rates.operation / rates.word


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


def _fits(plan: Plan, layer: Layer, room: tuple[int, int]) -> bool:
    need = plan.memory_words(layer)
    return need[0] <= room[0] and need[1] <= room[1]


def _columns(layer: Layer, rates: Rates, room: tuple[int, int]) -> Iterator[Candidate]:
    area, positions = layer.height * layer.width, layer.rows * layer.columns
    words = area * layer.channels + layer.weight_words + layer.output_words
    each = positions * layer.terms * rates.operation  # ticks of computing a column
    traffic = (layer.terms + positions) * rates.word  # of loading and storing one
    if area * layer.channels + positions > room[0]:
        return
    spare = positions * rates.operation / rates.word - 1
    even = ceil(area / spare / layer.taps) if spare > 0 else layer.outputs
    panels = set(sizes(layer.outputs, most=8))
    panels |= {min(layer.outputs, max(1, even + extra)) for extra in (0, 1, 2, 3, 4, 8, 12)}
    taper = store_ratio(layer, rates)
    for block in sorted(panels):
        channel = (area + block * layer.taps) * rates.word
        panel = positions * block * layer.taps * rates.operation
        ratio = panel / channel
        left = layer.outputs - block
        for group in powers(min(layer.outputs, 64)):
            if not _fits(Streaming(block, 0, layer.height, group, 1, 1), layer, room):
                break
            more = min(group, left) * layer.terms * rates.word
            tail = layer.columns * rates.word
            if left == 0:
                tail = positions * block * rates.word
            elif taper < 2:
                tail = positions * group * rates.word
            for first in powers(min(layer.channels, max(64, layer.channels // 64)), step=2):
                tasks = _chunk_count(layer.channels, first, ratio) + ceil(left / group) + 5
                ticks = max(
                    panel * layer.channels + first * channel + left * max(each, traffic) + tail,
                    channel * layer.channels + more + left * each + tail,
                    words * rates.word + (min(group, left) * each if left else panel * first),
                )
                yield Candidate(
                    Streaming(block, 0, layer.height, group, first, layer.channels),
                    ticks + tasks * rates.overhead,
                    words,
                    tasks,
                )


def _chunk_count(channels: int, first: int, ratio: float) -> float:
    if ratio <= 1.15:
        return channels / first
    growth = 1 + (ratio - 1) / 2
    steady = 1 / (growth - 1) / first  # ranges until the size has doubled, about
    return min(channels / first, steady + log(1 + channels * (growth - 1) / first) / log(growth))


def _rows(layer: Layer, rates: Rates, room: tuple[int, int]) -> Iterator[Candidate]:
    terms, total, columns = layer.terms, layer.rows, layer.columns
    weights, results = layer.weight_words, layer.output_words
    row = layer.channels * layer.width
    height, down = layer.window[0], layer.stride[0]
    if row * min(layer.height, height) > room[0]:
        return
    row_count = layer.height * layer.images
    taper = store_ratio(layer, rates)
    exchanged = [
        (block, group)
        for block in sizes(layer.outputs, most=12)
        for group in sorted(
            {max(1, block // 24), block} if block < layer.outputs else {block // 24 + 1}
        )
    ]
    for block, group in exchanged:
        passes = ceil(layer.outputs / block)
        if (block if passes == 1 else block + group) * terms > room[1]:
            continue
        for rows in sizes(total, most=8):
            if rows == total and total > 1 and layer.images == 1:
                continue
            span = min(layer.height, (rows - 1) * down + height)
            least = min(row_count, span + rows * down)
            rings = {least, row_count if layer.groups == 1 else least}
            if passes > 1:
                rings |= {*range(least, least + 8), *powers(row_count)}
            channel = (span * layer.width + block * layer.taps) * rates.word
            panel = rows * columns * block * layer.taps * rates.operation
            unit = channel
            if rows == 1 and height > 1 and layer.channels <= 16:
                unit = (
                    layer.width * (layer.padding[0] + 1)
                    + block * layer.window[1] * (layer.padding[0] + 1)
                ) * rates.word
            tiles = ceil(total / rows) * layer.images
            compute = panel * layer.channels  # ticks of a tile
            store = rows * columns * block * rates.word
            load = rows * down * row * rates.word
            exchange = 0.0
            if passes * layer.groups > 1:
                taken = block * terms * rates.word + load + store
                exchange = max(0.0, taken - compute) * (passes * layer.groups - 1)
            tail = columns if taper >= 2 else rows * columns * group
            turns = 2 * ceil(block / group) if passes * layer.groups > 1 else ceil(block / group)
            tasks = layer.groups * passes * (tiles + turns)
            steps = tasks + _chunk_count(layer.channels, 1, panel / channel)
            for ring in sorted(r for r in rings if least <= r <= row_count):
                plan = Streaming(block, rows, ring, group, 1, layer.channels)
                if not _fits(plan, layer, room):
                    break
                fresh = row_count + (passes - 1) * (row_count - ring)
                words = layer.groups * fresh * row + weights + results
                loading = fresh / (passes * row_count)  # share of the tiles that load
                each = loading * max(compute, load + store) + (1 - loading) * max(compute, store)
                share = layer.outputs / (passes * block)  # the last block may be narrower
                steady = (layer.groups * passes * share * total / rows * layer.images - 1) * each
                begin = max(panel * layer.channels, channel * layer.channels + load)
                ticks = max(
                    begin + steady + exchange + unit + tail * rates.word,
                    words * rates.word + rows * columns * terms * rates.operation,
                )
                yield Candidate(plan, ticks + steps * rates.overhead, words, steps)


def _tiles(layer: Layer, rates: Rates, room: tuple[int, int], most: int) -> Iterator[Candidate]:
    channels, taps, terms, macs = layer.channels, layer.taps, layer.terms, layer.macs
    words = (layer.weight_words, layer.output_words)
    widths = [layer.columns] if layer.columns <= 256 else sizes(layer.columns, most=8)
    blocks_of = sizes(layer.outputs, most=12)
    steps = [c for c in (1, 2, 4, 8, 16, 32, 64, 256, 1024, 4096) if c <= channels]
    least = ceil(2 * rates.word / rates.operation / taps)
    for rows in sizes(layer.rows, most=12):
        span_rows = _spans(layer, 0, rows)
        for columns in widths:
            span_columns = _spans(layer, 1, columns)
            positions = rows * columns
            height, width = Tiling(rows, columns, 1, 1, 1, 1, 1, 1, False, 1).input_tile(layer)  # noqa: FBT003 - a record, in order
            area = height * width
            if positions + area > room[0]:
                continue
            pictures = len(span_rows) * len(span_columns) * layer.images
            whole = channels * sum(span_rows) * sum(span_columns) * layer.images * layer.groups
            for block in blocks_of:
                if positions * block + area > room[0] or block * taps > room[1]:
                    break
                limits = ((room[0] - positions * block) // area, room[1] // (block * taps))
                tiles = layer.groups * pictures * ceil(layer.outputs / block)
                share = macs / (tiles * positions * block * terms)
                tile = _Tile(
                    layer, rates, rows, columns, block, area, pictures, whole, *words, share
                )
                for step in _few_steps(steps, tiles * channels, most):
                    for last in {step, min(channels, max(step, least))}:
                        small = min(channels, step + last)
                        if small <= min(limits):
                            yield from tile.rings(step, last, small, limits)


def _few_steps(steps: list[int], channels: int, most: int) -> list[int]:
    """Return the steps worth trying: the smallest that keeps the tasks few, and a larger one."""
    good = [step for step in steps if channels / step <= most]
    some = [step for step in steps if channels / step <= 4 * most]
    return sorted({*good[:1], *some[:1], *good[2:3]}) or steps[-1:]


@dataclass(frozen=True, slots=True)
class _Tile:
    """Size of a tile of results, and what follows from it."""

    layer: Layer
    rates: Rates
    rows: int
    columns: int
    block: int
    area: int
    pictures: int
    whole: int
    weights: int
    results: int
    share: float  # of a whole tile that the average one is; tiles at the edge are smaller

    def rings(
        self, step: int, last: int, small: int, limits: tuple[int, int]
    ) -> Iterator[Candidate]:
        """Yield the plans with these steps, by what is kept of either operand."""
        layer, rates, area, block = self.layer, self.rates, self.area, self.block
        channels, taps, pictures = layer.channels, layer.taps, self.pictures
        positions = self.rows * self.columns
        passes = ceil(layer.outputs / block)
        tiles = layer.groups * pictures * passes
        group = ceil(block / max(3, min(24, 600 // tiles)))
        part = block * taps  # words of the weights of one channel
        compute = positions * part * rates.operation  # ticks of one channel
        load = (area + part) * rates.word
        share, weight_words, output_words = self.share, self.weights, self.results
        final = compute * last
        # at the end of a tile its results leave and the next one's first channels arrive,
        # in portions that fit only roughly: hence some more room
        leaving = 1.3 * (positions * block * rates.word + load * step)
        exchange = max(0.0, leaving - final) * share * tiles
        ends = load + positions * max(1, block // 24) * rates.word
        chunks = 2 + (channels - last) / step + block / group
        for outside in (False, True):
            ladders = (_ladder(small, channels), [small])
            for keep in ladders[0] if (passes if outside else pictures) > 1 else ladders[1]:
                shared, other = (area, part) if outside else (part, area)
                if keep > limits[0 if outside else 1]:
                    break
                for kept in (small, channels) if small < channels else (small,):
                    if kept > limits[1 if outside else 0]:
                        break
                    inputs, weights = (keep, kept) if outside else (kept, keep)
                    inner, outer = (passes, pictures) if outside else (pictures, passes)
                    total = (self.whole, weight_words) if outside else (weight_words, self.whole)
                    # the shared operand is loaded anew but for what is kept, the other each time
                    words = total[0] * (1 + (inner - 1) * (1 - keep / channels))
                    words += total[1] * (outer - (outer - 1) * kept / channels / inner)
                    words += output_words
                    held = keep / channels * (inner - 1) / inner
                    each = held * max(compute, other * rates.word) + (1 - held) * max(compute, load)
                    if not shared:
                        continue
                    ticks = max(
                        each * channels * share * tiles + exchange + ends,
                        words * rates.word + final,
                    )
                    plan = Tiling(
                        self.rows,
                        self.columns,
                        block,
                        step,
                        last,
                        group,
                        inputs,
                        weights,
                        outside,
                        1,
                    )
                    tasks = chunks * tiles
                    yield Candidate(plan, ticks + tasks * rates.overhead, words, tasks)


def _ladder(least: int, most: int) -> list[int]:
    """Return ring sizes from the least up to all channels."""
    made, value = [], least
    while value < most:
        made.append(value)
        value = ceil(value * 2.5)
    return [*made, most]


def _spans(layer: Layer, axis: int, size: int) -> list[int]:
    """Return the length of input behind each tile along one axis."""
    total = layer.rows if axis == 0 else layer.columns
    length = layer.height if axis == 0 else layer.width
    stride, pad, window = layer.stride[axis], layer.padding[axis], layer.window[axis]
    return [
        min(length, (end - 1) * stride - pad + window) - max(0, start * stride - pad)
        for start, end in ((s, min(s + size, total)) for s in range(0, total, size))
    ]


def _planewise(layer: Layer, rates: Rates, room: tuple[int, int]) -> Iterator[Candidate]:
    arithmetic = layer.macs * rates.operation
    operands = 2 if layer.kind == "elementwise" else 1
    for groups in powers(layer.groups):
        for rows in sizes(layer.rows):
            plan = Planewise(groups, rows)
            if not _fits(plan, layer, room):
                break
            spans = sum(_spans(layer, 0, rows))
            inputs = layer.images * layer.groups * layer.channels * spans * layer.width * operands
            words = inputs + layer.weight_words + layer.output_words
            share = min(1.0, groups / layer.groups * rows / layer.rows / layer.images)
            first = inputs * share * rates.word
            last = layer.output_words * share * rates.word
            tasks = ceil(layer.groups / groups) * ceil(layer.rows / rows) * layer.images
            ticks = max(arithmetic + first + last, words * rates.word + arithmetic * share)
            yield Candidate(plan, ticks + tasks * rates.overhead, words, tasks)
