"""Blocks that several vision networks share.

A name with a colon (``"features:relu"``) stands for a function that the usual implementation
calls inside a module; the other names are modules of their own. What hooks on modules see
(`tradespace.graph.counts.neurons`, convention ``"modules"``) depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Shape

Kernel = int | Sequence[int]


def centered(kernel: Kernel, dilation: int = 1) -> Shape:
    """Return the padding that keeps the size of a picture at stride 1."""
    sizes = (kernel, kernel) if isinstance(kernel, int) else tuple(kernel)
    return tuple(dilation * (k - 1) // 2 for k in sizes)


def activate(b: Builder, x: Value, function: str, *, name: str) -> Value:
    """Add an activation, a rectifier in place.

    The others keep their input for the backward pass, so that in place they save no memory.
    """
    return b.activation(x, function, name=name, inplace=function == "relu")


def conv_norm(
    b: Builder,
    x: Value,
    channels: int,
    kernel: Kernel = 1,
    *,
    stride: int = 1,
    padding: Sequence[int] | int | str | None = None,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = False,
    activation: str = "relu",
    names: tuple[str, str, str] = ("0", "1", "2"),
) -> Value:
    """Add a convolution, a batch normalization and, unless its name is empty, an activation."""
    pads = centered(kernel, dilation) if padding is None else padding
    x = b.conv(
        x,
        channels,
        kernel,
        stride=stride,
        padding=pads,
        dilation=dilation,
        groups=groups,
        bias=bias,
        name=names[0],
    )
    x = b.batch_norm(x, name=names[1])
    return activate(b, x, activation, name=names[2]) if activation else x


def basic_conv(
    b: Builder,
    x: Value,
    channels: int,
    kernel: Kernel = 1,
    *,
    stride: int = 1,
    padding: Sequence[int] | int = 0,
    norm: str = "affine",
    name: str,
) -> Value:
    """Add a convolution with its normalization and a rectifier that is a function.

    Parameters
    ----------
    b : Builder
        Of the network.
    x : Value
        Input.
    channels, kernel, stride, padding : int
        Of the convolution.
    norm : str
        ``"affine"``, ``"offset"`` (a normalization without scale) or ``""`` for none, where the
        convolution has biases.
    name : str
        Of the block.

    """
    with b.scope(name):
        x = b.conv(x, channels, kernel, stride=stride, padding=padding, bias=not norm, name="conv")
        if norm:
            x = b.batch_norm(x, scale=norm == "affine", name="bn")
    return b.relu(x, name=f"{name}:relu")


def squeeze_excite(
    b: Builder,
    x: Value,
    squeezed: int,
    *,
    name: str,
    activation: str = "relu",
    gate: str = "sigmoid",
) -> Value:
    """Scale every channel by a number that all of them decide together."""
    with b.scope(name):
        s = b.adaptive_pool(x, 1, name="avgpool")
        s = b.conv(s, squeezed, 1, name="fc1")
        s = activate(b, s, activation, name="activation")
        s = b.conv(s, x.shape[1], 1, name="fc2")
        s = b.activation(s, gate, name="scale_activation")
    return b.multiply(x, s, name=f"{name}:scale")


def divisible(value: float, divisor: int = 8) -> int:
    """Return a number of channels near a value, at least 90 % of it, that a divisor divides.

    Examples
    --------
    >>> divisible(32 * 1.1), divisible(18)
    (32, 24)

    """
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * value else near


def pooled_features(b: Builder, x: Value, *, name: str = "avgpool") -> Value:
    """Average over all positions and leave (batch, channels)."""
    before = name.partition(":")[0]
    return b.flatten(b.adaptive_pool(x, 1, name=name), name=f"{before}:flatten")


def mean_features(b: Builder, x: Value, *, name: str) -> Value:
    """Average over all positions by a function; `name` is the module that comes before."""
    return b.apply("mean", x, name=f"{name}:mean", axes=(2, 3))


def residual(b: Builder, x: Value, h: Value, *, rate: float | None = None) -> Value:
    """Add a branch to a signal; `rate` is the share of samples that training leaves it out for."""
    if rate is not None:
        h = b.apply("stochastic_depth", h, name="stochastic_depth", rate=rate)
    return b.add(x, h)


def learned(b: Builder, shape: Sequence[int], *, name: str, role: str = "weight") -> Value:
    """Add a parameter that takes part in sums or products of signals."""
    held = b.parameter(name, shape, role)
    return b.apply("fill", name=f"{name}:read", parameters=[held], shape=tuple(shape))
