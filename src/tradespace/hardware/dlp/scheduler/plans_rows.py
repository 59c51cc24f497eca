"""Plans in which a block of columns stays and rows of the input stream past it."""

from __future__ import annotations

import numpy as np

from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.scheduler.table import (
    ROWS,
    Rates,
    Table,
    chunk_count,
    powers,
    sizes,
    store_ratio,
)


def list_rows(layer: Layer, rates: Rates, room: tuple[int, int]) -> Table:
    """Return the plans that fit, with their estimates."""
    total, columns, outputs, terms = layer.rows, layer.columns, layer.outputs, layer.terms
    height, down = layer.window[0], layer.stride[0]
    row = layer.channels * layer.width
    mesh = np.array(_mesh(layer, room), dtype=np.int64).reshape(-1, 4)
    block, group, rows, ring = mesh.T
    passes = -(-outputs // block)
    pictures = -(-total // rows) * layer.images
    both = np.where(pictures * layer.groups * passes == 1, 1, 2)
    inputs = ring * row + both * block * rows * columns
    whole = layer.groups * outputs
    kept = np.where(block >= whole, whole, np.minimum(whole, block + group))
    weights = kept * terms
    fits = (inputs <= room[0]) & (weights <= room[1])
    needs = (inputs[fits], weights[fits])
    block, group, rows, ring = mesh[fits].T
    passes, tiles = passes[fits], pictures[fits]
    row_count = layer.height * layer.images
    word, operation = float(rates.word), float(rates.operation)
    span = np.minimum(layer.height, (rows - 1) * down + height)
    channel = (span * layer.width + block * layer.taps) * word
    panel = rows * columns * block * (layer.taps * operation)
    unit = channel
    if height > 1 and layer.channels <= 16:
        top = layer.padding[0] + 1
        single = (layer.width * top + block * (layer.window[1] * top)) * word
        unit = np.where(rows == 1, single, channel)
    compute = panel * layer.channels  # ticks of a tile
    store = rows * columns * block * word
    load = rows * (down * row * word)
    repeats = passes * layer.groups
    taken = block * (terms * word) + load + store
    exchange = np.where(repeats > 1, np.maximum(0.0, taken - compute) * (repeats - 1), 0.0)
    tail = columns if store_ratio(layer, rates) >= 2 else rows * columns * group
    turns = np.ceil(block / group) * np.where(repeats > 1, 2, 1)
    tasks = repeats * (tiles + turns)
    steps = tasks + chunk_count(layer.channels, np.ones(len(rows)), panel / channel)
    fresh = row_count + (passes - 1) * (row_count - ring)
    words = layer.groups * fresh * float(row) + layer.weight_words + layer.output_words
    loading = fresh / (passes * row_count)  # share of the tiles that load
    each = loading * np.maximum(compute, load + store) + (1 - loading) * np.maximum(compute, store)
    share = outputs / (passes * block)  # the last block may be narrower
    steady = (repeats * share * total / rows * layer.images - 1) * each
    begin = np.maximum(compute, channel * layer.channels + load)
    ticks = np.maximum(
        begin + steady + exchange + unit + tail * word,
        words * word + rows * columns * (terms * operation),
    )
    settings = [block, rows, ring, group, 1, layer.channels]
    return Table.of(ROWS, settings, ticks + steps * rates.overhead, words, steps, needs)


def _mesh(layer: Layer, room: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Return (block, group, rows, ring): what is the same for every size of the memories."""
    height, down, total = layer.window[0], layer.stride[0], layer.rows
    if layer.channels * layer.width * min(layer.height, height) > room[0]:
        return []
    row_count = layer.height * layer.images
    heights = [
        (rows, min(row_count, min(layer.height, (rows - 1) * down + height) + rows * down))
        for rows in sizes(total, most=8)
        if not (rows == total and total > 1 and layer.images == 1)
    ]
    doubling = powers(row_count)
    single = [
        (rows, ring)
        for rows, least in heights
        for ring in sorted({least, row_count if layer.groups == 1 else least})
    ]
    several = [
        (rows, ring)
        for rows, least in heights
        for ring in sorted({*range(least, least + 8), *doubling})
        if least <= ring <= row_count
    ]
    made: list[tuple[int, int, int, int]] = []
    for block in sizes(layer.outputs, most=12):
        one = block >= layer.outputs
        for group in sorted({block // 24 + 1} if one else {max(1, block // 24), block}):
            if (block if one else block + group) * layer.terms <= room[1]:
                made += [(block, group, rows, ring) for rows, ring in (single if one else several)]
    return made
