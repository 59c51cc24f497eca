"""ShuffleNet v2."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm, mean_features

#: Width -> channels of the three stages and of the last convolution.
CHANNELS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}


def shufflenet_v2(
    *,
    name: str = "shufflenet-v2",
    batch: int = 1,
    width: float = 1.0,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return ShuffleNet v2 in one of its published widths: 0.5, 1, 1.5 or 2."""
    if width not in CHANNELS:
        msg = f"There is no ShuffleNet v2 of width {width}."
        raise GraphError(msg, remedy=f"Choose one of {', '.join(map(str, CHANNELS))}.")
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("conv1"):
        x = conv_norm(b, x, 24, 3, stride=2)
    x = b.pool(x, "max", 3, stride=2, padding=1, name="maxpool")
    *stages, last = CHANNELS[width]
    for stage, (channels, count) in enumerate(zip(stages, (4, 8, 4), strict=True), start=2):
        for i in range(count):
            with b.scope(f"stage{stage}.{i}"):
                x = _halving(b, x, channels) if i == 0 else _split(b, x)
    with b.scope("conv5"):
        x = conv_norm(b, x, last)
    return b.build(b.dense(mean_features(b, x, name="conv5"), classes, name="fc"))


def _filtered(b: Builder, x: Value, channels: int, stride: int) -> Value:
    with b.scope("branch2"):
        h = conv_norm(b, x, channels, names=("0", "1", "2"))
        names = ("3", "4", "")
        h = conv_norm(b, h, channels, 3, stride=stride, groups=channels, activation="", names=names)
        return conv_norm(b, h, channels, names=("5", "6", "7"))


def _halving(b: Builder, x: Value, channels: int) -> Value:
    inputs = x.shape[1]
    with b.scope("branch1"):
        left = conv_norm(
            b, x, inputs, 3, stride=2, groups=inputs, activation="", names=("0", "1", "")
        )
        left = conv_norm(b, left, channels // 2, names=("2", "3", "4"))
    return _shuffled(b, left, _filtered(b, x, channels // 2, 2))


def _split(b: Builder, x: Value) -> Value:
    n, channels, *sizes = x.shape
    half = (n, channels // 2, *sizes)
    left, right = b.slices(x, (half, half), name=":split")
    return _shuffled(b, left, _filtered(b, right, channels // 2, 1))


def _shuffled(b: Builder, left: Value, right: Value) -> Value:
    x = b.concatenate((left, right), name=":join")
    n, channels, *sizes = x.shape
    x = b.reshape(x, (n, 2, channels // 2, *sizes), name=":groups")
    x = b.transpose(x, (0, 2, 1, *range(3, 3 + len(sizes))), name=":turn")
    shape = (n, channels, *sizes)
    return b.apply("copy", x, name=":shuffle", shape=shape, function="shuffle")
