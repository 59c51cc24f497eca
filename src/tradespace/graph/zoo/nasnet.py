"""NASNet-A: two kinds of cells that a search found, stacked."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network


def nasnet(
    *,
    name: str = "nasnet",
    batch: int = 1,
    blocks: int = 4,
    filters: int = 1056,
    stem: int = 32,
    skip_reduction: bool = False,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return NASNet-A for ImageNet: "4 @ 1056" is the mobile one, "6 @ 4032" the large one.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    blocks : int
        Normal cells in each of the three stages.
    filters : int
        Channels before the classifier, a multiple of 96.
    stem : int
        Channels of the first convolution.
    skip_reduction : bool
        Whether the cell after a reduction sees the one before it, as in the large network.
    size, classes : int
        Height and width of the pictures; outputs.

    Raises
    ------
    GraphError
        If the channels cannot be divided among the branches of the cells.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(nasnet()), parameters(nasnet(), "all")
    (5289978, 5326716)

    """
    if filters < 96 or filters % 96:
        msg = f"{name!r} needs a number of filters that is a multiple of 96; got {filters}."
        raise GraphError(msg, remedy="Give filters=1056 (mobile) or 4032 (large).")
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    x = b.conv(x, stem, 3, stride=2, bias=False, name="stem_conv1")
    x = b.batch_norm(x, name="stem_bn1")
    before: Value | None = None
    for i, divisor in enumerate((4, 2), start=1):
        x, before = _reduction(b, x, before, filters // 24 // divisor, name=f"stem_{i}")
    for stage in range(3):
        width = filters // 24 * 2**stage
        if stage:
            x, last = _reduction(b, x, before, width, name=f"reduce_{stage}")
            before = before if skip_reduction else last
        for i in range(blocks):
            x, before = _normal(b, x, before, width, name=f"normal_{stage}_{i}")
    x = b.global_pool(b.relu(x, name="last_relu", inplace=False), name="avg_pool")
    return b.build(b.softmax(b.dense(x, classes, name="predictions")))


def _mixed(b: Builder, x: Value, width: int, *, name: str) -> Value:
    """Bring a signal to a width by a 1x1 convolution; it is used elsewhere too."""
    h = b.relu(x, name=f"{name}_relu", inplace=False)
    return b.batch_norm(b.conv(h, width, 1, bias=False, name=name), name=f"{name}_bn")


def _separable(
    b: Builder, x: Value, width: int, kernel: int, *, stride: int = 1, name: str
) -> Value:
    """Add two convolutions that treat channels and positions apart; the first one strides."""
    for i, step in enumerate((stride, 1), start=1):
        at = f"{name}_{i}"
        x = b.relu(x, name=f"{at}_relu", inplace=i > 1)
        x = b.conv(
            x,
            x.shape[1],
            kernel,
            stride=step,
            padding="same",
            groups=x.shape[1],
            bias=False,
            name=f"{at}.depthwise",
        )
        x = b.conv(x, width, 1, bias=False, name=f"{at}.pointwise")
        x = b.batch_norm(x, name=f"{at}_bn")
    return x


def _adjusted(b: Builder, before: Value | None, x: Value, width: int) -> Value:
    """Bring the result of the cell before the last to the size and width of this cell."""
    if before is None:
        return x
    if before.shape[2] != x.shape[2]:
        return _halved(b, before, width)
    return before if before.shape[1] == width else _mixed(b, before, width, name="adjust")


def _halved(b: Builder, x: Value, width: int) -> Value:
    """Halve a picture by two paths, of which one sees the positions that the other skips."""
    x = b.relu(x, name="adjust_relu", inplace=False)
    first = b.pool(x, "average", 1, stride=2, name="adjust_pool1")
    first = b.conv(first, width // 2, 1, bias=False, name="adjust_conv1")
    moved = b.apply("pad", x, padding=((0, 1), (0, 1)), name="adjust_pad")
    (moved,) = b.slices(moved, [x.shape], name="adjust_crop")
    second = b.pool(moved, "average", 1, stride=2, name="adjust_pool2")
    second = b.conv(second, width // 2, 1, bias=False, name="adjust_conv2")
    return b.batch_norm(b.concatenate((first, second), name="adjust_join"), name="adjust_bn")


def _average(b: Builder, x: Value, *, stride: int = 1, name: str) -> Value:
    return b.pool(x, "average", 3, stride=stride, padding="same", name=name)


def _normal(
    b: Builder, x: Value, before: Value | None, width: int, *, name: str
) -> tuple[Value, Value]:
    with b.scope(name):
        p = _adjusted(b, before, x, width)
        h = _mixed(b, x, width, name="conv1")
        one = b.add(
            _separable(b, h, width, 5, name="left1"),
            _separable(b, p, width, 3, name="right1"),
            name="add1",
        )
        two = b.add(
            _separable(b, p, width, 5, name="left2"),
            _separable(b, p, width, 3, name="right2"),
            name="add2",
        )
        three = b.add(_average(b, h, name="left3"), p, name="add3")
        four = b.add(_average(b, p, name="left4"), _average(b, p, name="right4"), name="add4")
        five = b.add(_separable(b, h, width, 3, name="left5"), h, name="add5")
        return b.concatenate((p, one, two, three, four, five)), x


def _reduction(
    b: Builder, x: Value, before: Value | None, width: int, *, name: str
) -> tuple[Value, Value]:
    with b.scope(name):
        p = _adjusted(b, before, x, width)
        h = _mixed(b, x, width, name="conv1")

        def largest(at: str) -> Value:
            return b.pool(h, "max", 3, stride=2, padding="same", name=at)

        one = b.add(
            _separable(b, h, width, 5, stride=2, name="left1"),
            _separable(b, p, width, 7, stride=2, name="right1"),
            name="add1",
        )
        two = b.add(
            largest("left2"), _separable(b, p, width, 7, stride=2, name="right2"), name="add2"
        )
        three = b.add(
            _average(b, h, stride=2, name="left3"),
            _separable(b, p, width, 5, stride=2, name="right3"),
            name="add3",
        )
        four = b.add(two, _average(b, one, name="left4"), name="add4")
        five = b.add(_separable(b, one, width, 3, name="left5"), largest("right5"), name="add5")
        return b.concatenate((two, three, four, five)), x
