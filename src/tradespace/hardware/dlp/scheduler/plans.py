"""Lists the plans of a layer, each with the least time and traffic that it can have.

The list does not depend on how much memory there is: a larger machine only admits more of it.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.scheduler.plans_rows import list_rows
from tradespace.hardware.dlp.scheduler.plans_tiles import list_tiles
from tradespace.hardware.dlp.scheduler.table import (
    COLUMNS,
    PLANES,
    Rates,
    Table,
    chunk_count,
    powers,
    sizes,
    spans,
    store_ratio,
)


def candidates(
    layer: Layer, machine: Machine, bits: int, *, most_tasks: int = 1000, thorough: bool = False
) -> Table:
    """Return the plans that fit the machine, preferably of few computations.

    ``thorough`` adds small tiles, for memories that are small for the layer.
    """
    word = bits // 8
    room = (machine.nram_bytes // word, machine.wram_bytes // word)
    rates = Rates.of(layer, machine, bits)
    made: list[Table] = []
    if layer.operation != "MAC" or layer.groups > 2:
        made.append(_list_planes(layer, rates, room))
    if layer.operation == "MAC":
        if layer.groups == layer.images == 1:
            made.append(_list_columns(layer, rates, room))
        made.append(list_rows(layer, rates, room))
        made.append(list_tiles(layer, rates, room, most_tasks, thorough=thorough))
    return Table.joined(made)


def _list_columns(layer: Layer, rates: Rates, room: tuple[int, int]) -> Table:
    """Return the plans in which all inputs stay and columns of weights stream."""
    area, positions = layer.height * layer.width, layer.rows * layer.columns
    total, channels, terms = layer.outputs, layer.channels, layer.terms
    words = float(area * channels + layer.weight_words + layer.output_words)
    spare = positions * rates.operation / rates.word - 1
    even = ceil(area / spare / layer.taps) if spare > 0 else total
    panels = set(sizes(total, most=8))
    panels |= {min(total, max(1, even + extra)) for extra in (0, 1, 2, 3, 4, 8, 12)}
    firsts = powers(min(channels, max(64, channels // 64)), step=2)
    mesh = np.array(
        [(b, g, f) for b in sorted(panels) for g in powers(min(total, 64)) for f in firsts],
        dtype=np.int64,
    ).T
    block, group, first = mesh
    kept = np.minimum(total, np.maximum(block + group, 2 * group))
    results = np.minimum(total, block + np.maximum(2 * group, block // 2)) * positions
    inside, weights = area * channels + results, kept * terms
    fits = (inside <= room[0]) & (weights <= room[1])
    block, group, first = (values[fits] for values in mesh)
    needs = (inside[fits], weights[fits])
    each = float(positions * terms * rates.operation)  # ticks of computing a column
    traffic = float((terms + positions) * rates.word)  # of loading and storing one
    channel = (area + block * float(layer.taps)) * rates.word
    panel = block * float(positions * layer.taps * rates.operation)
    left = total - block
    more = np.minimum(group, left) * float(terms * rates.word)
    taper = store_ratio(layer, rates)
    tail = np.full(len(block), float(layer.columns * rates.word))
    if taper < 2:
        tail = positions * group * float(rates.word)
    tail = np.where(left == 0, positions * block * float(rates.word), tail)
    tasks = chunk_count(channels, first.astype(float), panel / channel)
    tasks = tasks + np.ceil(left / group) + 5
    begun = np.where(left > 0, np.minimum(group, left) * each, panel * first)
    # while the panel's last channels are computed only so much can be loaded
    idle = np.where(left > 0, np.maximum(0.0, panel * first - more), 0.0)
    ticks = np.maximum.reduce(
        [
            panel * channels + first * channel + left * max(each, traffic) + tail,
            channel * channels + more + left * each + tail,
            words * rates.word + begun + idle,
        ]
    )
    ticks = ticks + tasks * rates.overhead
    settings = [block, 0, layer.height, group, first, channels]
    return Table.of(COLUMNS, settings, ticks, np.full(len(block), words), tasks, needs)


def _list_planes(layer: Layer, rates: Rates, room: tuple[int, int]) -> Table:
    """Return the plans that keep nothing."""
    arithmetic = float(layer.macs * rates.operation)
    operands = 2 if layer.kind == "elementwise" else 1
    heights = sizes(layer.rows)
    behind = {rows: spans(layer, 0, rows)[1] for rows in heights}
    groups, rows, spread = np.array(
        [(g, r, behind[r]) for g in powers(layer.groups) for r in heights], dtype=np.int64
    ).T
    span = np.minimum(layer.height, (rows - 1) * layer.stride[0] + layer.window[0])
    inside = layer.channels * span * layer.width * operands + layer.outputs * rows * layer.columns
    weights = groups * (2 * layer.outputs * layer.terms if layer.operation == "MAC" else 0)
    held = 2 * groups * inside
    fits = (held <= room[0]) & (weights <= room[1])
    needs = (held[fits], weights[fits])
    groups, rows, spread = groups[fits], rows[fits], spread[fits]
    inputs = spread * float(layer.images * layer.groups * layer.channels * layer.width * operands)
    words = inputs + layer.weight_words + layer.output_words
    share = np.minimum(1.0, groups / layer.groups * rows / layer.rows / layer.images)
    ends = (inputs + layer.output_words) * share * rates.word
    tasks = np.ceil(layer.groups / groups) * np.ceil(layer.rows / rows) * layer.images
    ticks = np.maximum(arithmetic + ends, words * rates.word + arithmetic * share)
    ticks = ticks + tasks * rates.overhead
    return Table.of(PLANES, [groups, rows], ticks, words, tasks, needs)
