"""Single-shot detectors: SSD on VGG-16, SSDlite on MobileNet v3.

Decoding boxes and leaving out those that overlap are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm, learned
from tradespace.graph.zoo.mobilenet import trunk_v3

_NOTES = ("Decoding of boxes and suppression of overlapping ones are not counted.",)
#: Boxes rated at each position of each level.
_BOXES = (4, 6, 6, 6, 4, 4)


def ssd300(
    *, name: str = "ssd300-vgg16", batch: int = 1, size: int = 300, classes: int = 91
) -> Network:
    """Return SSD300 on VGG-16, its dense layers turned into convolutions."""
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("backbone"):
        for i, (channels, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3)), start=1):
            if i > 1:
                x = b.pool(x, "max", 2, ceil=i == 4, name=f"pool{i - 1}")
            x = _convolutions(b, x, channels, count, name=f"conv{i}")
        levels = [_scaled(b, x)]
        x = b.pool(x, "max", 2, name="pool4")
        x = _convolutions(b, x, 512, 3, name="conv5")
        x = b.pool(x, "max", 3, stride=1, padding=1, name="pool5")
        x = b.relu(b.conv(x, 1024, 3, padding=6, dilation=6, name="fc6"), name="relu6")
        x = b.relu(b.conv(x, 1024, 1, name="fc7"), name="relu7")
        levels.append(x)
        for i, (reduced, channels, stride) in enumerate(
            ((256, 512, 2), (128, 256, 2), (128, 256, 1), (128, 256, 1)), start=8
        ):
            x = b.relu(b.conv(x, reduced, 1, name=f"conv{i}_1"), name=f"relu{i}_1")
            x = b.conv(x, channels, 3, stride=stride, padding=stride - 1, name=f"conv{i}_2")
            x = b.relu(x, name=f"relu{i}_2")
            levels.append(x)
    found = []
    for i, (level, count) in enumerate(zip(levels, _BOXES, strict=True)):
        for task, outputs in (("classification", classes), ("regression", 4)):
            found.append(b.conv(level, outputs * count, 3, padding=1, name=f"head.{task}.{i}"))
    return b.build(*found, notes=_NOTES)


def _convolutions(b: Builder, x: Value, channels: int, count: int, *, name: str) -> Value:
    for i in range(1, count + 1):
        x = b.conv(x, channels, 3, padding=1, name=f"{name}_{i}")
        x = b.relu(x, name=f"{name}_{i}:relu")
    return x


def _scaled(b: Builder, x: Value) -> Value:
    """Give every position the same length, channel by channel a learned one."""
    length = b.apply("norm", x, name=":length", axes=1, keep_dimensions=True)
    unit = b.apply("divide", x, length, name=":unit")
    scale = learned(b, (1, x.shape[1], 1, 1), name="scale_weight")
    return b.multiply(scale, unit, name=":scale")


def ssdlite320(
    *, name: str = "ssdlite320", batch: int = 1, boxes: int = 6, size: int = 320, classes: int = 91
) -> Network:
    """Return SSDlite on MobileNet v3 large with a last stage of half the channels.

    `boxes` are rated at each position; `classes` include the background.
    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("backbone"):
        blocks = trunk_v3(b, x, tail=2)
        levels = [blocks[13][0], blocks[-1][1]]
        for i, channels in enumerate((512, 256, 256, 128)):
            with b.scope(f"extra.{i}"):
                levels.append(_extra(b, levels[-1], channels))
    return b.build(*_light_heads(b, levels, boxes, classes), notes=_NOTES)


def _extra(b: Builder, x: Value, channels: int) -> Value:
    half = channels // 2
    h = conv_norm(b, x, half, activation="relu6", names=("0.0", "0.1", "0.2"))
    names = ("1.0", "1.1", "1.2")
    h = conv_norm(b, h, half, 3, stride=2, groups=half, activation="relu6", names=names)
    return conv_norm(b, h, channels, activation="relu6", names=("2.0", "2.1", "2.2"))


def _light_heads(b: Builder, levels: Sequence[Value], boxes: int, classes: int) -> list[Value]:
    found = []
    for task, outputs in (("classification", classes), ("regression", 4)):
        for i, level in enumerate(levels):
            with b.scope(f"head.{task}.{i}"):
                width = level.shape[1]
                names = ("0.0", "0.1", "0.2")
                h = conv_norm(b, level, width, 3, groups=width, activation="relu6", names=names)
                found.append(b.conv(h, outputs * boxes, 1, name="1"))
    return found
