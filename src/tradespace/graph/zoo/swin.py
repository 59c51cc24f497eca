"""Swin: Transformers that attend within windows, shifted from block to block."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import learned, pooled_features, residual


def swin(
    *,
    name: str = "swin",
    batch: int = 1,
    width: int = 96,
    blocks: Sequence[int] = (2, 2, 6, 2),
    heads: Sequence[int] = (3, 6, 12, 24),
    window: int = 7,
    drop: float = 0.2,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return a Swin Transformer.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    width : int
        Channels of the first stage; each later one has twice as many.
    blocks, heads : sequence of int
        Of each stage.
    window : int
        Height and width of the windows, in patches of 4 pixels.
    drop : float
        Share of samples for which training leaves out the last block; earlier ones less.
    size, classes : int
        Height and width of the pictures; outputs.

    """
    if any(width * 2**i % count for i, count in enumerate(heads)):
        msg = f"{tuple(heads)} heads do not divide the widths {width}, {2 * width}, ..."
        raise GraphError(msg, remedy="Give heads that divide the width of their stage.")
    b = Builder(name, batch=batch)
    x = b.conv(b.input((3, size, size)), width, 4, stride=4, name="features.0.0")
    x = b.layer_norm(b.transpose(x, (0, 2, 3, 1), name="features.0.1"), name="features.0.2")
    done = 0
    for stage, (count, held) in enumerate(zip(blocks, heads, strict=True)):
        with b.scope(f"features.{2 * stage + 1}"):
            for i in range(count):
                rate = drop * done / max(1, sum(blocks) - 1)
                with b.scope(str(i)):
                    x = _block(b, x, held, window, rate, shifted=i % 2 == 1)
                done += 1
        if stage < len(blocks) - 1:
            x = _merge(b, x, name=f"features.{2 * stage + 2}")
    x = b.transpose(b.layer_norm(x, name="norm"), (0, 3, 1, 2), name="permute")
    return b.build(b.dense(pooled_features(b, x), classes, name="head"))


def _merge(b: Builder, x: Value, *, name: str) -> Value:
    """Join the channels of four neighbors and mix them into twice the channels."""
    n, height, width, channels = x.shape
    with b.scope(name):
        if height % 2 or width % 2:
            x = b.apply("pad", x, name=":pad", padding=((0, height % 2), (0, width % 2), (0, 0)))
        quarter = (n, -(-height // 2), -(-width // 2), channels)
        parts = b.slices(x, (quarter,) * 4, name=":every_second")
        h = b.layer_norm(b.concatenate(parts, axis=-1, name=":join"), name="norm")
        return b.dense(h, 2 * channels, bias=False, name="reduction")


def _block(b: Builder, x: Value, heads: int, window: int, rate: float, *, shifted: bool) -> Value:
    h = _attention(b, b.layer_norm(x, name="norm1"), heads, window, shifted=shifted)
    x = residual(b, x, h, rate=rate)
    h = b.layer_norm(x, name="norm2")
    h = b.activation(b.dense(h, 4 * x.shape[-1], name="mlp.0"), "gelu", name="mlp.1")
    h = b.dense(h, x.shape[-1], name="mlp.3")
    return residual(b, x, h, rate=rate)


def _attention(b: Builder, x: Value, heads: int, window: int, *, shifted: bool) -> Value:
    n, height, width, channels = x.shape
    down, across = (-height) % window, (-width) % window
    rows, columns = (height + down) // window, (width + across) // window
    area, count = window * window, n * rows * columns
    shifted = shifted and (rows > 1 or columns > 1)
    with b.scope("attn"):
        if down or across:
            x = b.apply("pad", x, name=":pad", padding=((0, down), (0, across), (0, 0)))
        if shifted:
            x = b.apply("copy", x, name=":roll", shape=x.shape, function="roll")
        h = b.reshape(x, (n, rows, window, columns, window, channels), name=":windows")
        h = b.transpose(h, (0, 1, 3, 2, 4, 5), name=":turn")
        h = b.apply("copy", h, name=":cut", shape=(count, area, channels), function="reshape")
        h = b.dense(h, 3 * channels, name=":qkv")
        h = b.reshape(h, (count, area, 3, heads, channels // heads), name=":heads")
        h = b.transpose(h, (2, 0, 3, 1, 4), name=":heads_first")
        each = (count, heads, area, channels // heads)
        q, k, v = b.slices(h, (each, each, each), name=":split")
        q = b.multiply(q, b.apply("fill", name=":root", shape=()), name=":scale")
        k = b.transpose(k, (0, 1, 3, 2), name=":keys")
        scores = b.add(b.matmul(q, k, name=":scores"), _offsets(b, heads, window), name=":offset")
        if shifted:
            scores = _masked(b, scores, rows * columns)
        h = b.matmul(b.softmax(scores, name=":softmax"), v, name=":mixture")
        h = b.transpose(h, (0, 2, 1, 3), name=":heads_last")
        h = b.apply("copy", h, name=":merge", shape=(count, area, channels), function="reshape")
        h = b.dense(h, channels, name=":proj")
        h = b.reshape(h, (n, rows, columns, window, window, channels), name=":uncut")
        h = b.transpose(h, (0, 1, 3, 2, 4, 5), name=":unturn")
        whole = (n, height + down, width + across, channels)
        h = b.apply("copy", h, name=":join", shape=whole, function="reshape")
        if shifted:
            h = b.apply("copy", h, name=":unroll", shape=whole, function="roll")
        if down or across:
            h = b.slices(h, ((n, height, width, channels),), name=":crop")[0]
    return h


def _offsets(b: Builder, heads: int, window: int) -> Value:
    """Look up the learned offset of each pair of positions in a window."""
    area = window * window
    table = learned(b, ((2 * window - 1) ** 2, heads), name="relative_position_bias_table")
    places = b.apply("fill", name=":pairs", shape=(area * area,), format="int64")
    found = b.apply("gather", table, places, name=":offsets", shape=(area * area, heads))
    found = b.reshape(found, (area, area, heads), name=":square")
    return b.transpose(found, (2, 0, 1), name=":heads_of_offsets")


def _masked(b: Builder, scores: Value, windows: int) -> Value:
    """Add what keeps apart positions that the shift has brought together."""
    count, heads, area, _ = scores.shape
    h = b.reshape(scores, (count // windows, windows, heads, area, area), name=":apart")
    mask = b.apply("fill", name=":mask", shape=(1, windows, 1, area, area), function="mask")
    return b.reshape(b.add(h, mask, name=":masked"), scores.shape, name=":together")
