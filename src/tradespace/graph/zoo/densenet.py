"""DenseNet: every layer sees the results of all layers before it in its block."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm, pooled_features

#: Depth -> layers of each of the four blocks.
BLOCKS = {
    121: (6, 12, 24, 16),
    161: (6, 12, 36, 24),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
}


def densenet(
    *,
    name: str = "densenet",
    batch: int = 1,
    depth: int = 121,
    growth: int = 32,
    stem: int = 64,
    bottleneck: int = 4,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return a DenseNet with bottlenecks and transitions that halve the channels (DenseNet-BC).

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    depth : int
        121, 161, 169 or 201.
    growth : int
        Channels that each layer adds.
    stem : int
        Channels of the first convolution.
    bottleneck : int
        Channels of a 1x1 convolution, as a multiple of `growth`.
    size, classes : int
        Height and width of the pictures; outputs.

    """
    if depth not in BLOCKS:
        msg = f"There is no DenseNet with {depth} layers."
        raise GraphError(msg, remedy=f"Choose one of {', '.join(map(str, BLOCKS))}.")
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("features"):
        x = conv_norm(b, x, stem, 7, stride=2, names=("conv0", "norm0", "relu0"))
        x = b.pool(x, "max", 3, stride=2, padding=1, name="pool0")
        for i, layers in enumerate(BLOCKS[depth], start=1):
            if i > 1:
                x = _transition(b, x, name=f"transition{i - 1}")
            with b.scope(f"denseblock{i}"):
                for j in range(1, layers + 1):
                    x = _layer(b, x, growth, bottleneck, name=f"denselayer{j}")
        x = b.batch_norm(x, name="norm5")
    x = b.relu(x, name="features:relu")
    x = pooled_features(b, x, name="features:pool")
    return b.build(b.dense(x, classes, name="classifier"))


def _layer(b: Builder, x: Value, growth: int, bottleneck: int, *, name: str) -> Value:
    with b.scope(name):
        h = b.relu(b.batch_norm(x, name="norm1"), name="relu1")
        h = conv_norm(b, h, bottleneck * growth, names=("conv1", "norm2", "relu2"))
        h = b.conv(h, growth, 3, padding=1, bias=False, name="conv2")
    return b.concatenate((x, h), name=f"{name}:join")


def _transition(b: Builder, x: Value, *, name: str) -> Value:
    with b.scope(name):
        h = b.relu(b.batch_norm(x, name="norm"), name="relu")
        h = b.conv(h, x.shape[1] // 2, 1, bias=False, name="conv")
        return b.pool(h, "average", 2, name="pool")
