"""Plans in which a tile of results stays and channels of both operands stream past it."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.scheduler.table import TILES, Integers, Rates, Table, sizes, spans

_STEPS = (1, 2, 4, 8, 16, 32, 64, 256, 1024, 4096)


def list_tiles(
    layer: Layer, rates: Rates, room: tuple[int, int], most: int, *, thorough: bool = False
) -> Table:
    """Return the plans that fit, with their estimates."""
    channels, taps, word = layer.channels, layer.taps, float(rates.word)
    shapes = _shapes(layer, room, thorough=thorough)
    rows, columns, area, pictures, whole, block, step, last = _with_steps(
        layer, rates, shapes, most, every=thorough
    )
    small = np.minimum(channels, step + last)
    limits = _limits(rows * columns, area, block, taps, room)
    chosen = np.flatnonzero(small <= np.minimum(*limits))
    # what is kept of the operand that tiles share: from the least to all channels
    ladders = {int(value): _ladder(int(value), channels) for value in np.unique(small[chosen])}
    index: list[NDArray[np.int64]] = []
    keeps: list[NDArray[np.int64]] = []
    for value, ladder in ladders.items():
        mine = chosen[small[chosen] == value]
        index.append(np.repeat(mine, len(ladder)))
        keeps.append(np.tile(np.asarray(ladder, dtype=np.int64), len(mine)))
    if not index:
        none, nobody = np.zeros(0), np.zeros(0, dtype=np.int64)
        return Table.of(TILES, [], none, none, none, (nobody, nobody))
    at, keep = np.concatenate(index), np.concatenate(keeps)
    at, keep, outside, all_kept = (
        np.concatenate([at] * 4),
        np.concatenate([keep] * 4),
        np.repeat([False, False, True, True], len(at)),
        np.repeat([False, True, False, True], len(at)),
    )
    passes = -(-layer.outputs // block[at])
    inner = np.where(outside, passes, pictures[at])
    outer = np.where(outside, pictures[at], passes)
    kept = np.where(all_kept, channels, small[at])
    inputs, weights = np.where(outside, keep, kept), np.where(outside, kept, keep)
    good = (inputs <= limits[0][at]) & (weights <= limits[1][at])
    good &= (inner > 1) | (keep == small[at])  # nobody to share it with
    good &= ~all_kept | (small[at] < channels)
    at, keep, kept, outside = at[good], keep[good], kept[good], outside[good]
    inner, outer, inputs, weights = inner[good], outer[good], inputs[good], weights[good]
    rows, columns, area, pictures = rows[at], columns[at], area[at], pictures[at]
    whole, block, step, last = whole[at].astype(float), block[at], step[at], last[at]
    positions = (rows * columns).astype(float)
    tiles = layer.groups * pictures * (-(-layer.outputs // block)).astype(float)
    share = layer.macs / (tiles * positions * block * layer.terms)  # edges are smaller
    group = np.ceil(block / np.maximum(3, np.minimum(24, 600 // tiles))).astype(np.int64)
    part = block * float(taps)  # words of the weights of one channel
    compute = positions * part * rates.operation  # ticks of one channel
    load = (area + part) * word
    final = compute * last
    # at the end of a tile its results leave and the next one's first channels arrive,
    # in portions that fit only roughly: hence some more room
    leaving = 1.3 * (positions * block * word + load * step)
    exchange = np.maximum(0.0, leaving - final) * share * (tiles - 1)
    ends = load + positions * np.maximum(1, block // 24) * word
    # the shared operand is loaded anew but for what is kept, the other each time
    other = np.where(outside, part, area)
    heavy = float(layer.weight_words)
    first, second = np.where(outside, whole, heavy), np.where(outside, heavy, whole)
    words = first * (1 + (inner - 1) * (1 - keep / channels))
    words = words + second * (outer - (outer - 1) * kept / channels / inner) + layer.output_words
    held = keep / channels * (inner - 1) / inner
    each = held * np.maximum(compute, other * word) + (1 - held) * np.maximum(compute, load)
    ticks = np.maximum(each * channels * share * tiles + exchange + ends, words * word + final)
    tasks = (2 + (channels - last) / step + block / group) * tiles
    settings = [rows, columns, block, step, last, group, inputs, weights, outside, 1]
    needs = (inputs * area + rows * columns * block, weights * block * taps)
    return Table.of(TILES, settings, ticks + tasks * rates.overhead, words, tasks, needs)


def _shapes(layer: Layer, room: tuple[int, int], *, thorough: bool) -> Integers:
    """Return (rows, columns, area, pictures, whole, block) of tiles of which one fits."""
    whole_rows = layer.columns <= 256 and not thorough
    widths = [layer.columns] if whole_rows else sizes(layer.columns, most=8)
    across = {width: spans(layer, 1, width) for width in widths}
    (down, right), (height, width) = layer.stride, layer.window
    tall: list[tuple[int, ...]] = []
    for rows in sizes(layer.rows, most=12):
        many, behind = spans(layer, 0, rows)
        for columns, (more, beside) in across.items():
            area = min(layer.height, (rows - 1) * down + height)
            area *= min(layer.width, (columns - 1) * right + width)
            pictures = many * more * layer.images
            whole = layer.channels * behind * beside * layer.images * layer.groups
            tall.append((rows, columns, area, pictures, whole))
    blocks = np.asarray(sizes(layer.outputs, most=12), dtype=np.int64)
    pairs = np.repeat(np.asarray(tall, dtype=np.int64), len(blocks), axis=0)
    found = np.column_stack([pairs, np.tile(blocks, len(tall))])
    results = found[:, 0] * found[:, 1] * found[:, 5]
    return found[(results + found[:, 2] <= room[0]) & (found[:, 5] * layer.taps <= room[1])]


def _limits(
    positions: Integers, area: Integers, block: Integers, taps: int, room: tuple[int, int]
) -> tuple[Integers, Integers]:
    """Return how many channels of either operand fit beside a tile."""
    return (room[0] - positions * block) // area, room[1] // (block * taps)


def _with_steps(
    layer: Layer, rates: Rates, shapes: Integers, most: int, *, every: bool
) -> Integers:
    """Return the shapes with (step, last): the smallest step that keeps tasks few, and others."""
    channels = layer.channels
    steps = np.asarray([c for c in _STEPS if c <= channels], dtype=np.int64)
    tiles = layer.groups * shapes[:, 3] * -(-layer.outputs // shapes[:, 5])
    counts = (tiles * channels)[:, None] / steps[None, :]
    good, some = (counts <= most), (counts <= 4 * most)
    order = good.cumsum(axis=1)
    wanted = (good & ((order == 1) | (order == 3))) | (some & (some.cumsum(axis=1) == 1))
    wanted[~wanted.any(axis=1), -1] = True
    wanted |= every
    which, chosen = np.nonzero(wanted)
    step = steps[chosen]
    least = ceil(2 * rates.word / rates.operation / layer.taps)
    longer = np.minimum(channels, np.maximum(step, least))
    made = np.column_stack([shapes[which], step, step])
    again = longer != step
    more = np.column_stack([shapes[which][again], step[again], longer[again]])
    return np.concatenate([made, more]).T


def _ladder(least: int, most: int) -> list[int]:
    """Return ring sizes from the least up to all channels."""
    made, value = [], least
    while value < most:
        made.append(value)
        value = ceil(value * 2.5)
    return [*made, most]
