"""Xception: convolutions that treat channels and positions apart, with residual connections."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network

#: Smallest picture that leaves a position after five halvings.
SMALLEST = 71


def xception(
    *,
    name: str = "xception",
    batch: int = 1,
    middle: int = 8,
    size: int = 299,
    classes: int = 1000,
) -> Network:
    """Return Xception for ImageNet.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    middle : int
        Blocks of the middle flow.
    size, classes : int
        Height and width of the pictures; outputs.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(xception()), parameters(xception(), "all")
    (22855952, 22910480)

    """
    if size < SMALLEST:
        msg = f"{name!r} needs pictures of at least {SMALLEST} x {SMALLEST}; got {size}."
        raise GraphError(msg, remedy="Give larger pictures, such as the 299 of the paper.")
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    for i, (channels, stride) in enumerate(((32, 2), (64, 1)), start=1):
        label = f"block1_conv{i}"
        x = b.conv(x, channels, 3, stride=stride, bias=False, name=label)
        x = b.relu(b.batch_norm(x, name=f"{label}_bn"), name=f"{label}_act")
    for i, channels in enumerate((128, 256, 728), start=2):
        x = _shrinking(b, x, (channels, channels), block=i)
    for i in range(5, 5 + middle):
        h = _separated(b, x, (728, 728, 728), block=i)
        x = b.add(h, x, name=f"block{i}_add")
    x = _shrinking(b, x, (728, 1024), block=5 + middle)
    for i, channels in enumerate((1536, 2048), start=1):
        label = f"block{6 + middle}_sepconv{i}"
        x = b.batch_norm(_separable(b, x, channels, name=label), name=f"{label}_bn")
        x = b.relu(x, name=f"{label}_act")
    x = b.global_pool(x, name="avg_pool")
    return b.build(b.softmax(b.dense(x, classes, name="predictions")))


def _separable(b: Builder, x: Value, channels: int, *, name: str) -> Value:
    """Add a 3x3 convolution of each channel by itself and a 1x1 convolution over channels."""
    x = b.conv(
        x,
        x.shape[1],
        3,
        padding="same",
        groups=x.shape[1],
        bias=False,
        name=f"{name}.depthwise",
    )
    return b.conv(x, channels, 1, bias=False, name=f"{name}.pointwise")


def _separated(b: Builder, x: Value, widths: Sequence[int], *, block: int) -> Value:
    """Add convolutions with an activation before each; the first block follows one already."""
    for i, channels in enumerate(widths, start=1):
        label = f"block{block}_sepconv{i}"
        if block > 2 or i > 1:
            # What enters a block is needed again at its end.
            x = b.relu(x, name=f"{label}_act", inplace=i > 1)
        x = b.batch_norm(_separable(b, x, channels, name=label), name=f"{label}_bn")
    return x


def _shrinking(b: Builder, x: Value, widths: Sequence[int], *, block: int) -> Value:
    """Add a block that halves the picture."""
    label = f"block{block}_residual"
    kept = b.conv(x, widths[-1], 1, stride=2, bias=False, name=label)
    kept = b.batch_norm(kept, name=f"{label}_bn")
    x = _separated(b, x, widths, block=block)
    x = b.pool(x, "max", 3, stride=2, padding="same", name=f"block{block}_pool")
    return b.add(x, kept, name=f"block{block}_add")
