"""Three ways to see a picture of 200 x 200 pixels: dense, locally connected, convolutional."""

from __future__ import annotations

from tradespace.graph.builder import Builder
from tradespace.graph.network import Network


def fully_connected(
    *, name: str = "ranzato-1", batch: int = 1, size: int = 200, units: int = 40_000
) -> Network:
    """Return one dense layer without biases: every unit sees every pixel."""
    b = Builder(name, batch=batch)
    x = b.flatten(b.input((1, size, size)))
    return b.build(b.dense(x, units, bias=False, name="units"))


def locally_connected(
    *, name: str = "ranzato-2", batch: int = 1, size: int = 200, window: int = 10
) -> Network:
    """Return one unit for each pixel that sees a window around it with weights of its own."""
    b = Builder(name, batch=batch)
    x = b.input((1, size, size))
    held = b.parameter("units.weight", (1, size, size, window, window))
    return b.build(
        b.apply(
            "locally_connected2d",
            x,
            name="units",
            parameters=[held],
            out_channels=1,
            kernel=window,
            padding="same",
            bias=False,
        )
    )


def convolutional(
    *,
    name: str = "ranzato-3",
    batch: int = 1,
    size: int = 200,
    window: int = 10,
    filters: int = 100,
) -> Network:
    """Return filters whose weights all positions share."""
    b = Builder(name, batch=batch)
    x = b.input((1, size, size))
    return b.build(b.conv(x, filters, window, padding="same", bias=False, name="filters"))
