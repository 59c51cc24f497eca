"""LeNet-5 in the three forms that go by the name."""

from __future__ import annotations

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network

#: For each of the 16 maps of C3, the maps of S2 that it sees (table I of the publication).
CONNECTIONS: tuple[tuple[int, ...], ...] = (
    *(tuple(sorted((i + j) % 6 for j in range(3))) for i in range(6)),
    *(tuple(sorted((i + j) % 6 for j in range(4))) for i in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)


def lenet5_1998(*, name: str = "lenet5-1998", batch: int = 1, size: int = 32) -> Network:
    """Return LeNet-5 as published: 60,000 trainable parameters, 340,908 connections.

    Subsampling has a learned coefficient and bias for each map, C3 sees only some of the maps of
    S2, and the output measures distances to fixed patterns of ten classes.

    Examples
    --------
    >>> from tradespace.graph.counts import neurons, parameters
    >>> parameters(lenet5_1998()), neurons(lenet5_1998())
    (60000, 8094)

    """
    b = Builder(name, batch=batch)
    x = b.input((1, size, size))
    x = b.activation(b.conv(x, 6, 5, name="C1"), "tanh", name="C1:tanh")
    x = _subsampling(b, x, name="S2")
    with b.scope("C3"):
        pairs = sum(len(seen) for seen in CONNECTIONS)
        held = [b.parameter("weight", (pairs, 5, 5)), b.parameter("bias", (16,), "bias")]
    x = b.apply(
        "partial_convolution2d", x, name="C3", parameters=held, connections=CONNECTIONS, kernel=5
    )
    x = _subsampling(b, b.activation(x, "tanh", name="C3:tanh"), name="S4")
    x = b.activation(b.conv(x, 120, 5, name="C5"), "tanh", name="C5:tanh")
    x = b.activation(b.dense(b.flatten(x), 84, name="F6"), "tanh", name="F6:tanh")
    patterns = b.parameter("output.patterns", (10, x.shape[-1]), "constant")
    return b.build(b.apply("radial_basis", x, name="output", parameters=[patterns], units=10))


def _subsampling(b: Builder, x: Value, *, name: str) -> Value:
    maps = x.shape[1]
    with b.scope(name):
        held = [b.parameter("coefficient", (maps,)), b.parameter("bias", (maps,), "bias")]
    x = b.apply("trainable_subsampling2d", x, name=name, parameters=held, kernel=2, stride=2)
    return b.activation(x, "tanh", name=f"{name}:tanh")


def lenet5_modern(
    *, name: str = "lenet5-modern", batch: int = 1, size: int = 32, classes: int = 10
) -> Network:
    """Return LeNet-5 as taught today: full convolutions, plain pooling, a dense output."""
    b = Builder(name, batch=batch)
    x = b.input((1, size, size))
    x = b.activation(b.conv(x, 6, 5, name="conv1"), "tanh", name="tanh1")
    x = b.pool(x, "average", 2, name="pool1")
    x = b.activation(b.conv(x, 16, 5, name="conv2"), "tanh", name="tanh2")
    x = b.flatten(b.pool(x, "average", 2, name="pool2"))
    for i, width in ((3, 120), (4, 84)):
        x = b.activation(b.dense(x, width, name=f"fc{i}"), "tanh", name=f"tanh{i}")
    return b.build(b.softmax(b.dense(x, classes, name="fc5")))


def lenet5_caffe(
    *, name: str = "lenet5-caffe", batch: int = 1, size: int = 28, classes: int = 10
) -> Network:
    """Return the LeNet-5 of Caffe, 20-50-500-10, which the literature on pruning uses."""
    b = Builder(name, batch=batch)
    x = b.input((1, size, size))
    x = b.pool(b.conv(x, 20, 5, name="conv1"), "max", 2, name="pool1")
    x = b.flatten(b.pool(b.conv(x, 50, 5, name="conv2"), "max", 2, name="pool2"))
    x = b.relu(b.dense(x, 500, name="ip1"), name="relu1")
    return b.build(b.softmax(b.dense(x, classes, name="ip2")))
