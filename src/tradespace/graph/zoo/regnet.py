"""RegNet: the widths of all blocks follow a quantized line."""

from __future__ import annotations

import math
from itertools import groupby

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm, divisible, pooled_features, squeeze_excite


def stages_of(
    *, depth: int, start: int, slope: float, step: float, group: int
) -> list[tuple[int, int, int]]:
    """Return the width, the number of blocks and the channels of a group of each stage.

    Block j should be ``start + slope * j`` wide; that is rounded to the nearest power of `step`
    times `start`, then to a multiple of 8, then so that groups divide it.

    Examples
    --------
    >>> stages_of(depth=16, start=48, slope=27.89, step=2.09, group=8)
    [(48, 1, 8), (104, 3, 8), (208, 6, 8), (440, 6, 8)]

    """
    if depth < 1 or start < 8 or step <= 1:
        msg = f"A RegNet cannot have depth {depth}, first width {start} and step {step}."
        raise GraphError(msg, remedy="Give a depth of 1, a start of 8 and a step above 1, or more.")
    widths = []
    for j in range(depth):
        power = round(math.log((start + slope * j) / start) / math.log(step))
        widths.append(8 * round(start * step**power / 8))
    found = []
    for width, same in groupby(widths):
        fitting = min(group, width)
        found.append((divisible(width, fitting), len(list(same)), fitting))
    return found


def regnet(
    *,
    name: str = "regnet",
    batch: int = 1,
    depth: int = 16,
    start: int = 48,
    slope: float = 27.89,
    step: float = 2.09,
    group: int = 8,
    squeeze: float = 0.25,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return a RegNet.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    depth : int
        Blocks.
    start, slope, step : float
        Of the line that widths follow; see `stages_of`.
    group : int
        Channels of a group.
    squeeze : float
        Of squeeze-and-excite, as a share of the channels that enter a block; 0 for none (RegNetX).
    size, classes : int
        Height and width of the pictures; outputs.

    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("stem"):
        x = conv_norm(b, x, 32, 3, stride=2)
    for at, (width, count, fitting) in enumerate(
        stages_of(depth=depth, start=start, slope=slope, step=step, group=group), start=1
    ):
        for i in range(count):
            with b.scope(f"block{at}.{i}"):
                x = _block(b, x, width, 2 if i == 0 else 1, fitting, squeeze)
    return b.build(b.dense(pooled_features(b, x), classes, name="fc"))


def _block(b: Builder, x: Value, width: int, stride: int, group: int, squeeze: float) -> Value:
    inputs, shortcut = x.shape[1], x
    if inputs != width or stride > 1:
        shortcut = conv_norm(
            b, x, width, stride=stride, activation="", names=("proj.0", "proj.1", "")
        )
    h = conv_norm(b, x, width, names=("a.0", "a.1", "a.2"))
    h = conv_norm(b, h, width, 3, stride=stride, groups=width // group, names=("b.0", "b.1", "b.2"))
    if squeeze:
        h = squeeze_excite(b, h, round(squeeze * inputs), name="se")
    h = conv_norm(b, h, width, activation="", names=("c.0", "c.1", ""))
    return b.relu(b.add(shortcut, h), name="activation")
