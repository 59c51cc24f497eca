"""VGG: stacks of 3x3 convolutions, with or without batch normalization."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network

#: Depth -> convolutions of each of the five stages.
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_CHANNELS = (64, 128, 256, 512, 512)


def vgg(
    *,
    name: str = "vgg",
    batch: int = 1,
    depth: int = 16,
    batch_norm: bool = False,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return VGG with 11, 13, 16 or 19 layers (configurations A, B, D and E).

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> network = vgg(depth=19)
    >>> parameters(network), parameters(network, "weights")
    (143667240, 143652544)

    """
    if depth not in STAGES:
        msg = f"There is no VGG with {depth} layers."
        raise GraphError(msg, remedy=f"Choose one of {', '.join(map(str, STAGES))}.")
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    at = 0
    with b.scope("features"):
        for channels, count in zip(_CHANNELS, STAGES[depth], strict=True):
            for _ in range(count):
                x = b.conv(x, channels, 3, padding=1, name=str(at))
                if batch_norm:
                    at += 1
                    x = b.batch_norm(x, name=str(at))
                x = b.relu(x, name=str(at + 1))
                at += 2
            x = b.pool(x, "max", 2, name=str(at))
            at += 1
    x = b.flatten(b.adaptive_pool(x, 7, name="avgpool"))
    with b.scope("classifier"):
        x = b.dropout(b.relu(b.dense(x, 4096, name="0"), name="1"), name="2")
        x = b.dropout(b.relu(b.dense(x, 4096, name="3"), name="4"), name="5")
        x = b.dense(x, classes, name="6")
    return b.build(x)
