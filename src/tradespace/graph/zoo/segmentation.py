"""Segmentation: fully convolutional ResNet, and LR-ASPP on MobileNet v3."""

from __future__ import annotations

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm
from tradespace.graph.zoo.mobilenet import trunk_v3
from tradespace.graph.zoo.resnet import trunk


def fcn(
    *,
    name: str = "fcn",
    batch: int = 1,
    depth: int = 50,
    auxiliary: bool = True,
    size: int = 520,
    classes: int = 21,
) -> Network:
    """Return a fully convolutional residual network.

    The last two stages keep the size of the picture and spread their windows instead.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Pictures in one pass.
    depth : int
        Of the residual network.
    auxiliary : bool
        Whether a second classifier runs on the third stage.
    size, classes : int
        Height and width of the pictures; classes with background.

    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("backbone"):
        stages = trunk(b, x, depth=depth, dilations=(1, 1, 2, 4))
    found = [_classify(b, stages[-1], classes, size, name="classifier")]
    if auxiliary:
        found.append(_classify(b, stages[-2], classes, size, name="aux_classifier"))
    return b.build(*found)


def _classify(b: Builder, x: Value, classes: int, size: int, *, name: str) -> Value:
    with b.scope(name):
        h = conv_norm(b, x, x.shape[1] // 4, 3)
        h = b.conv(b.dropout(h, 0.1, name="3"), classes, 1, name="4")
    return b.apply("resize", h, name=f"{name}:enlarge", size=(size, size), mode="linear")


def lraspp(
    *,
    name: str = "lraspp",
    batch: int = 1,
    inner: int = 128,
    size: int = 520,
    classes: int = 21,
) -> Network:
    """Return LR-ASPP: classes from two sizes of MobileNet v3 large, `inner` channels wide."""
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("backbone"):
        blocks = trunk_v3(b, x, dilation=2)
    low, high = blocks[4][1], blocks[-1][1]
    with b.scope("classifier"):
        with b.scope("cbr"):
            h = conv_norm(b, high, inner)
        with b.scope("scale"):
            s = b.conv(b.adaptive_pool(high, 1, name="0"), inner, 1, bias=False, name="1")
            s = b.activation(s, "sigmoid", name="2")
        h = b.multiply(h, s, name=":weigh")
        h = b.apply("resize", h, name=":enlarge", size=low.shape[2:], mode="linear")
        low = b.conv(low, classes, 1, name="low_classifier")
        h = b.add(low, b.conv(h, classes, 1, name="high_classifier"), name=":sum")
    return b.build(b.apply("resize", h, name="classifier:whole", size=(size, size), mode="linear"))
