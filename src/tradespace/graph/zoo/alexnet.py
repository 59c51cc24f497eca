"""AlexNet: the network of 2012 in two groups, in one tower, and the narrower one of 2014."""

from __future__ import annotations

from tradespace.graph.builder import Builder
from tradespace.graph.network import Network


def alexnet(
    *, name: str = "alexnet", batch: int = 1, size: int = 227, groups: int = 2, classes: int = 1000
) -> Network:
    """Return AlexNet as published, with local response normalization and overlapping pooling.

    The paper says 224 pixels; its 55 positions need 227. An input of 224 is padded by the three
    rows and columns that are missing.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    size : int
        Height and width of the pictures.
    groups : int
        In the second, fourth and fifth convolution; two processors held one each.
    classes : int
        Outputs.

    Examples
    --------
    >>> from tradespace.graph.counts import neurons, parameters
    >>> parameters(alexnet()), neurons(alexnet()), neurons(alexnet(size=224), "layers+input")
    (60965224, 659272, 809800)

    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    missing = (11 - size) % 4
    sides = (missing // 2, missing - missing // 2)
    x = b.relu(b.conv(x, 96, 11, stride=4, padding=(sides, sides), name="conv1"), name="relu1")
    x = b.pool(b.local_response_norm(x, name="norm1"), "max", 3, stride=2, name="pool1")
    x = b.relu(b.conv(x, 256, 5, padding=2, groups=groups, name="conv2"), name="relu2")
    x = b.pool(b.local_response_norm(x, name="norm2"), "max", 3, stride=2, name="pool2")
    x = b.relu(b.conv(x, 384, 3, padding=1, name="conv3"), name="relu3")
    x = b.relu(b.conv(x, 384, 3, padding=1, groups=groups, name="conv4"), name="relu4")
    x = b.relu(b.conv(x, 256, 3, padding=1, groups=groups, name="conv5"), name="relu5")
    x = b.flatten(b.pool(x, "max", 3, stride=2, name="pool5"))
    for i in (6, 7):
        x = b.relu(b.dense(x, 4096, name=f"fc{i}"), name=f"relu{i}")
        x = b.dropout(x, name=f"drop{i}")
    return b.build(b.softmax(b.dense(x, classes, name="fc8")))


def alexnet_one_tower(
    *, name: str = "alexnet-torchvision", batch: int = 1, size: int = 224, classes: int = 1000
) -> Network:
    """Return the network of "One weird trick": 64-192-384-256-256, no normalization."""
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("features"):
        x = b.relu(b.conv(x, 64, 11, stride=4, padding=2, name="0"), name="1")
        x = b.pool(x, "max", 3, stride=2, name="2")
        x = b.relu(b.conv(x, 192, 5, padding=2, name="3"), name="4")
        x = b.pool(x, "max", 3, stride=2, name="5")
        for at, channels in ((6, 384), (8, 256), (10, 256)):
            x = b.relu(b.conv(x, channels, 3, padding=1, name=str(at)), name=str(at + 1))
        x = b.pool(x, "max", 3, stride=2, name="12")
    x = b.flatten(b.adaptive_pool(x, 6, name="avgpool"))
    with b.scope("classifier"):
        x = b.relu(b.dense(b.dropout(x, name="0"), 4096, name="1"), name="2")
        x = b.relu(b.dense(b.dropout(x, name="3"), 4096, name="4"), name="5")
        x = b.dense(x, classes, name="6")
    return b.build(x)
