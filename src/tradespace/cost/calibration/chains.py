"""Chains of one operator as networks: (builder, sizes, count) -> last signal."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from tradespace.graph.builder import Builder, Value

Point = tuple[float, ...]
Maker = Callable[[Builder, Point, int], Value]

# ------------------------------------------------------------------------------ products


def _side(positions: float) -> int:
    return round(math.sqrt(positions))


def convolution(b: Builder, point: Point, count: int, kernel: int) -> Value:
    """Make convolutions there and back."""
    m, n, k = (int(x) for x in point)
    x = b.input((k, _side(m), _side(m)))
    for i in range(count):
        x = b.conv(x, (n, k)[i % 2], kernel, padding=kernel // 2, name=f"conv{i}")
    return x


def images(b: Builder, point: Point, count: int) -> Value:
    """Make first layers side by side, which all read the image."""
    m, n, window = (int(x) for x in point)
    kernel, stride = _side(window), 2
    size = (_side(m) - 1) * stride + kernel
    x = b.input((3, size, size))
    made = [b.conv(x, n, kernel, stride=stride, name=f"conv{i}") for i in range(count)]
    pooled = [
        b.global_pool(y, function="average", keep=True, name=f"end{i}") for i, y in enumerate(made)
    ]
    return b.add(*pooled)


def depthwise(b: Builder, point: Point, count: int) -> Value:
    """Make convolutions with a group for each channel."""
    elements, window = point
    channels = 32 if elements <= 2e4 else 128
    side = max(2, _side(elements / channels))
    kernel = _side(window)
    x = b.input((channels, side, side))
    for i in range(count):
        x = b.conv(x, channels, kernel, padding=kernel // 2, groups=channels, name=f"conv{i}")
    return x


def grouped(b: Builder, point: Point, count: int) -> Value:
    """Make convolutions in groups."""
    m, groups, n = (int(x) for x in point)
    x = b.input((groups * n, _side(m), _side(m)))
    for i in range(count):
        x = b.conv(x, groups * n, 3, padding=1, groups=groups, name=f"conv{i}")
    return x


def dense(b: Builder, point: Point, count: int) -> Value:
    """Make dense layers there and back."""
    m, n, k = (int(x) for x in point)
    x = b.tensor_input((m, k))
    for i in range(count):
        x = b.dense(x, (n, k)[i % 2], name=f"dense{i}")
    return x


def matmul(b: Builder, point: Point, count: int, heads: int) -> Value:
    """Make products of signals there and back."""
    m, n, k = (int(x) for x in point)
    x = b.tensor_input((heads, m, k), name="left")
    there = b.tensor_input((heads, k, n), name="there")
    back = b.tensor_input((heads, n, k), name="back")
    for i in range(count):
        x = b.matmul(x, (there, back)[i % 2], name=f"matmul{i}")
    return x


def attention(b: Builder, point: Point, count: int, heads: int) -> Value:
    """Make attentions, each of which asks with the result of the one before."""
    rows, columns, width = (int(x) for x in point)
    x = b.tensor_input((1, heads, rows, width), name="query")
    key = b.tensor_input((1, heads, columns, width), name="key")
    value = b.tensor_input((1, heads, columns, width), name="value")
    for i in range(count):
        x = b.attention(x, key, value, name=f"attention{i}")
    return x


STEPS = 16


def recurrent(b: Builder, point: Point, count: int, cell: str, gates: int) -> Value:
    """Make recurrent layers side by side."""
    m, n, k = (int(x) for x in point)
    hidden = n // gates
    x = b.tensor_input((m, STEPS, k - hidden))
    # Each layer reads the input, so that all have the same sizes.
    return b.add(
        *(b.recurrent(cell, x, hidden, name=f"{cell}{i}", sequences=False) for i in range(count))
    )


# ------------------------------------------------------------------- everything else


def chain(
    b: Builder, point: Point, count: int, apply: Callable[[Builder, Value, int], Value], width: int
) -> Value:
    """Make a chain of an operator on rows of a width."""
    elements = int(point[0])
    x = b.tensor_input((max(1, elements // width), min(width, elements)))
    for i in range(count):
        x = apply(b, x, i)
    return x


def unary(name: str) -> Maker:
    """Return a maker of a chain of a function."""
    return partial(chain, apply=lambda b, x, i: b.apply(name, x, name=f"{name}{i}"), width=768)


def binary(b: Builder, point: Point, count: int, name: str) -> Value:
    """Make a chain of an operation on two signals."""
    elements = int(point[0])
    shape = (max(1, elements // 768), min(768, elements))
    x, y = b.tensor_input(shape, name="x"), b.tensor_input(shape, name="y")
    for i in range(count):
        x = b.apply(name, x, y, name=f"{name}{i}")
    return x


def image_chain(
    b: Builder,
    point: Point,
    count: int,
    apply: Callable[[Builder, Value, int], Value],
    channels: int = 64,
) -> Value:
    """Make a chain of an operator on images."""
    side = max(2, _side(point[0] / channels))
    x = b.input((channels, side, side))
    for i in range(count):
        x = apply(b, x, i)
    return x


def pool(b: Builder, point: Point, count: int, function: str) -> Value:
    """Make a chain of poolings."""
    kernel = _side(point[1])
    side = max(2, _side(point[0] / 64))
    # The layer before lets a runtime choose its own layout, as in a network.
    x = b.conv(b.input((8, side, side)), 64, 1, name="before")
    for i in range(count):
        # Even windows shrink the image by one a step.
        x = b.pool(x, function, kernel, stride=1, padding=kernel // 2, name=f"pool{i}")
    return x


def ends(b: Builder, point: Point, count: int, function: str) -> Value:
    """Make poolings over all positions, side by side."""
    side = max(2, _side(point[0] / 64))
    x = b.input((64, side, side))
    made = [b.global_pool(x, function=function, keep=True, name=f"pool{i}") for i in range(count)]
    return b.add(*made)


def mean(b: Builder, point: Point, count: int) -> Value:
    """Make means over rows, side by side."""
    x = b.tensor_input((max(1, int(point[0]) // 768), min(768, int(point[0]))))
    made = [
        b.apply("mean", x, name=f"mean{i}", axes=(-1,), keep_dimensions=True) for i in range(count)
    ]
    return b.add(*made)


def concatenate(b: Builder, point: Point, count: int) -> Value:
    """Make pairs joined, and all of them joined."""
    side = max(2, _side(point[0] / 128))
    x, y = b.input((64, side, side), name="x"), b.input((64, side, side), name="y")
    made = [b.concatenate([x, y], axis=1, name=f"concat{i}") for i in range(count)]
    return b.concatenate(made, axis=1, name="all")


def shuffle(b: Builder, point: Point, count: int) -> Value:
    """Make a chain of copies in another order."""
    side = max(2, _side(point[0] / 64))
    x = b.input((64, side, side))
    for i in range(count):
        x = b.apply("copy", x, name=f"copy{i}", shape=x.shape, function="shuffle")
    return x


def embedding(b: Builder, point: Point, count: int) -> Value:
    """Make look-ups side by side, joined."""
    rows = max(1, int(point[0]) // 768)
    indices = b.tensor_input((1, rows), format="int64", name="indices")
    made = [b.embedding(indices, 4096, 768, name=f"embedding{i}")[0] for i in range(count)]
    return b.concatenate(made, axis=1, name="all")
