"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network

#: Channels squeezed to, and of each of the two expansions; 0 for a pooling.
_FIRES = {
    "1.0": (16, 16, 32, 0, 32, 48, 48, 64, 0, 64),
    "1.1": (16, 16, 0, 32, 32, 0, 48, 48, 64, 64),
}


def squeezenet(
    *,
    name: str = "squeezenet",
    batch: int = 1,
    version: str = "1.0",
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return SqueezeNet 1.0 (as published) or 1.1 (the same accuracy at 2.4 times less work)."""
    if version not in _FIRES:
        msg = f"There is no SqueezeNet {version}."
        raise GraphError(msg, remedy=f"Choose {' or '.join(_FIRES)}.")
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    first, kernel = (96, 7) if version == "1.0" else (64, 3)
    at = 3
    with b.scope("features"):
        x = b.relu(b.conv(x, first, kernel, stride=2, name="0"), name="1")
        x = b.pool(x, "max", 3, stride=2, ceil=True, name="2")
        for squeezed in _FIRES[version]:
            if squeezed:
                x = _fire(b, x, squeezed, name=str(at))
            else:
                x = b.pool(x, "max", 3, stride=2, ceil=True, name=str(at))
            at += 1
    with b.scope("classifier"):
        x = b.conv(b.dropout(x, name="0"), classes, 1, name="1")
        x = b.adaptive_pool(b.relu(x, name="2"), 1, name="3")
    return b.build(b.flatten(x))


def _fire(b: Builder, x: Value, squeezed: int, *, name: str) -> Value:
    with b.scope(name):
        h = b.relu(b.conv(x, squeezed, 1, name="squeeze"), name="squeeze_activation")
        one = b.relu(b.conv(h, 4 * squeezed, 1, name="expand1x1"), name="expand1x1_activation")
        three = b.conv(h, 4 * squeezed, 3, padding=1, name="expand3x3")
        three = b.relu(three, name="expand3x3_activation")
    return b.concatenate((one, three), name=f"{name}:join")
