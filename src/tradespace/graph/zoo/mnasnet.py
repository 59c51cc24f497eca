"""MnasNet: stages of inverted residuals that a search has chosen."""

from __future__ import annotations

from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm, divisible, mean_features
from tradespace.graph.zoo.mobilenet import InvertedResidual

#: Kernel, stride, expansion, blocks, channels of each stage.
_STAGES = (
    (3, 2, 3, 3, 24),
    (5, 2, 3, 3, 40),
    (5, 2, 6, 3, 80),
    (3, 1, 6, 2, 96),
    (5, 2, 6, 4, 192),
    (3, 1, 6, 1, 320),
)


def mnasnet(
    *,
    name: str = "mnasnet",
    batch: int = 1,
    width: float = 1.0,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return MnasNet; `width` is the multiplier of its channels (0.5, 0.75, 1.0, 1.3)."""
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    first = divisible(32 * width)
    at = 0
    with b.scope("layers"):
        x = conv_norm(b, x, first, 3, stride=2, names=("0", "1", "2"))
        x = conv_norm(b, x, first, 3, groups=first, names=("3", "4", "5"))
        x = conv_norm(b, x, divisible(16 * width), activation="", names=("6", "7", ""))
        for at, (kernel, stride, expansion, count, channels) in enumerate(_STAGES, start=8):
            for i in range(count):
                block = InvertedResidual(
                    kernel=kernel,
                    expanded=expansion * x.shape[1],
                    channels=divisible(channels * width),
                    stride=stride if i == 0 else 1,
                    activation="relu",
                )
                with b.scope(f"{at}.{i}"):
                    x = block.add(b, x)[1]
        x = conv_norm(b, x, 1280, names=(str(at + 1), str(at + 2), str(at + 3)))
    x = b.dropout(mean_features(b, x, name="layers"), 0.2, name="dropout")
    return b.build(b.dense(x, classes, name="classifier"))
