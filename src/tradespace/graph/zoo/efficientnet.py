"""EfficientNet B0 to B7 and v2 S, M, L."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm, divisible, pooled_features, residual
from tradespace.graph.zoo.mobilenet import InvertedResidual


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one kind: expansion, kernel, stride of the first, channels, how many.

    A fused block filters and expands by one convolution and has no squeeze-and-excite.
    """

    expansion: int
    kernel: int
    stride: int
    channels: int
    blocks: int
    fused: bool = False


_FIRST = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)
#: Variant of v2 -> channels of the first convolution, stages.
_SECOND = {
    "s": (
        24,
        (
            Stage(1, 3, 1, 24, 2, fused=True),
            Stage(4, 3, 2, 48, 4, fused=True),
            Stage(4, 3, 2, 64, 4, fused=True),
            Stage(4, 3, 2, 128, 6),
            Stage(6, 3, 1, 160, 9),
            Stage(6, 3, 2, 256, 15),
        ),
    ),
    "m": (
        24,
        (
            Stage(1, 3, 1, 24, 3, fused=True),
            Stage(4, 3, 2, 48, 5, fused=True),
            Stage(4, 3, 2, 80, 5, fused=True),
            Stage(4, 3, 2, 160, 7),
            Stage(6, 3, 1, 176, 14),
            Stage(6, 3, 2, 304, 18),
            Stage(6, 3, 1, 512, 5),
        ),
    ),
    "l": (
        32,
        (
            Stage(1, 3, 1, 32, 4, fused=True),
            Stage(4, 3, 2, 64, 7, fused=True),
            Stage(4, 3, 2, 96, 7, fused=True),
            Stage(4, 3, 2, 192, 10),
            Stage(6, 3, 1, 224, 19),
            Stage(6, 3, 2, 384, 25),
            Stage(6, 3, 1, 640, 7),
        ),
    ),
}


def efficientnet(
    *,
    name: str = "efficientnet",
    batch: int = 1,
    width: float = 1.0,
    depth: float = 1.0,
    dropout: float = 0.2,
    input_norm: bool = False,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return EfficientNet; B0 to B7 differ in the multipliers of width and depth, and in size.

    With `input_norm` it scales its pictures itself, by a mean and a variance that it carries, as
    that of Keras does.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(efficientnet()), parameters(efficientnet(width=1.1, depth=1.2))
    (5288548, 9109994)

    """
    stages = tuple(
        Stage(
            s.expansion,
            s.kernel,
            s.stride,
            divisible(s.channels * width),
            math.ceil(s.blocks * depth),
        )
        for s in _FIRST
    )
    last = 4 * stages[-1].channels
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    if input_norm:
        x = normalized_input(b, x)
    return _build(b, x, divisible(32 * width), stages, last, dropout, classes)


def efficientnet_v2(
    *,
    name: str = "efficientnet-v2",
    batch: int = 1,
    variant: str = "s",
    dropout: float = 0.2,
    size: int = 384,
    classes: int = 1000,
) -> Network:
    """Return EfficientNet v2: ``"s"``, ``"m"`` or ``"l"``."""
    if variant not in _SECOND:
        msg = f"There is no EfficientNet v2 {variant!r}."
        raise GraphError(msg, remedy=f"Choose one of {', '.join(_SECOND)}.")
    first, stages = _SECOND[variant]
    b = Builder(name, batch=batch)
    return _build(b, b.input((3, size, size)), first, stages, 1280, dropout, classes)


def normalized_input(b: Builder, x: Value) -> Value:
    """Scale pictures and normalize them by a mean and a variance that the network carries."""
    x = b.apply("multiply", x, name="rescaling")
    with b.scope("normalization"):
        mean, variance = (b.parameter(n, (3,), "statistic") for n in ("mean", "variance"))
        b.parameter("count", (), "statistic")
        x = b.apply("subtract", x, parameters=[mean], name="center")
        return b.apply("divide", x, parameters=[variance], name="scale")


def _build(
    b: Builder,
    x: Value,
    first: int,
    stages: tuple[Stage, ...],
    last: int,
    dropout: float,
    classes: int,
) -> Network:
    with b.scope("features"):
        with b.scope("0"):
            x = conv_norm(b, x, first, 3, stride=2, activation="silu")
        total, done = sum(stage.blocks for stage in stages), 0
        for at, stage in enumerate(stages, start=1):
            make = _fused if stage.fused else _block
            for i in range(stage.blocks):
                with b.scope(f"{at}.{i}"):
                    x = make(b, x, stage, stage.stride if i == 0 else 1, 0.2 * done / total)
                done += 1
        with b.scope(str(len(stages) + 1)):
            x = conv_norm(b, x, last, activation="silu")
    x = b.dropout(pooled_features(b, x), dropout, name="classifier.0")
    return b.build(b.dense(x, classes, name="classifier.1"))


def _block(b: Builder, x: Value, stage: Stage, stride: int, drop: float) -> Value:
    block = InvertedResidual(
        kernel=stage.kernel,
        expanded=divisible(stage.expansion * x.shape[1]),
        channels=stage.channels,
        stride=stride,
        squeezed=max(1, x.shape[1] // 4),
        activation="silu",
        squeeze_activation="silu",
        gate="sigmoid",
        drop=drop,
    )
    return block.add(b, x)[1]


def _fused(b: Builder, x: Value, stage: Stage, stride: int, drop: float) -> Value:
    names = ("conv0.0", "conv0.1", "conv0.2")
    wide = stage.expansion * x.shape[1]
    h = conv_norm(b, x, wide, stage.kernel, stride=stride, activation="silu", names=names)
    if stage.expansion > 1:
        h = conv_norm(b, h, stage.channels, activation="", names=("conv1.0", "conv1.1", ""))
    return residual(b, x, h, rate=drop) if h.shape == x.shape else h
