"""ConvNeXt: a residual network modernized after the manner of Transformers."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import learned, residual


def convnext(
    *,
    name: str = "convnext",
    batch: int = 1,
    blocks: Sequence[int] = (3, 3, 9, 3),
    widths: Sequence[int] = (96, 192, 384, 768),
    drop: float = 0.1,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return a ConvNeXt.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    blocks, widths : sequence of int
        Of each stage.
    drop : float
        Share of samples for which training leaves out the last block; earlier ones less.
    size, classes : int
        Height and width of the pictures; outputs.

    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("features"):
        x = _norm(b, b.conv(x, widths[0], 4, stride=4, name="0.0"), name="0.1")
        done = 0
        for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
            if stage:
                x = _norm(b, x, name=f"{2 * stage}.0")
                x = b.conv(x, width, 2, stride=2, name=f"{2 * stage}.1")
            for i in range(count):
                rate = drop * done / max(1, sum(blocks) - 1)
                with b.scope(f"{2 * stage + 1}.{i}"):
                    x = _block(b, x, rate)
                done += 1
    x = b.adaptive_pool(x, 1, name="avgpool")
    x = b.flatten(_norm(b, x, name="classifier.0"))
    return b.build(b.dense(x, classes, name="classifier.2"))


def _norm(b: Builder, x: Value, *, name: str) -> Value:
    h = b.transpose(x, (0, 2, 3, 1), name=f"{name}:last")
    return b.transpose(b.layer_norm(h, name=name), (0, 3, 1, 2), name=f"{name}:first")


def _block(b: Builder, x: Value, rate: float) -> Value:
    width = x.shape[1]
    h = b.conv(x, width, 7, padding=3, groups=width, name="block.0")
    h = b.layer_norm(b.transpose(h, (0, 2, 3, 1), name="block.1"), name="block.2")
    h = b.activation(b.dense(h, 4 * width, name="block.3"), "gelu", name="block.4")
    h = b.transpose(b.dense(h, width, name="block.5"), (0, 3, 1, 2), name="block.6")
    scale = learned(b, (width, 1, 1), name="layer_scale")
    h = b.multiply(scale, h, name=":scale")
    return residual(b, x, h, rate=rate)
