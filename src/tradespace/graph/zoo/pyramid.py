"""Feature pyramids: signals of several sizes, each with what the smaller ones know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network


def pyramid(
    b: Builder, stages: Sequence[Value], *, width: int = 256, extra: str = "pool"
) -> list[Value]:
    """Add a feature pyramid and return its levels, the largest picture first.

    Parameters
    ----------
    b : Builder
        Of the network.
    stages : sequence of Value
        Results of a network's stages, the largest picture first.
    width : int
        Channels of every level.
    extra : str
        Levels beyond the stages: ``"pool"`` for one by subsampling, ``"convolutions"`` for two.

    """
    levels: list[Value] = []
    with b.scope("fpn"):
        above: Value | None = None
        for i in reversed(range(len(stages))):
            side = b.conv(stages[i], width, 1, name=f"inner_blocks.{i}")
            if above is not None:
                size = side.shape[2:]
                above = b.apply("resize", above, name=f":enlarge{i}", size=size, mode="nearest")
                side = b.add(side, above, name=f":sum{i}")
            above = side
            levels.insert(0, b.conv(side, width, 3, padding=1, name=f"layer_blocks.{i}"))
        if extra == "pool":
            levels.append(b.pool(levels[-1], "max", 1, stride=2, name="extra:pool"))
        else:
            sixth = b.conv(levels[-1], width, 3, stride=2, padding=1, name="extra.p6")
            ready = b.relu(sixth, name="extra:relu", inplace=False)
            seventh = b.conv(ready, width, 3, stride=2, padding=1, name="extra.p7")
            levels += [sixth, seventh]
    return levels


def with_fixed_norms(network: Network, prefix: str = "backbone") -> Network:
    """Return a network in which batch normalizations under a path are not trained.

    Detectors keep those of the network they start from, statistics, scales and offsets alike.
    """
    fixed = ("norm_scale", "norm_offset")
    parameters = tuple(
        replace(p, trainable=False) if p.role in fixed and p.name.startswith(f"{prefix}.") else p
        for p in network.parameters
    )
    return replace(network, parameters=parameters)
