"""MobileNet v1, v2 and v3: convolutions of single channels between cheap mixtures."""

from __future__ import annotations

from dataclasses import dataclass

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import (
    activate,
    conv_norm,
    divisible,
    pooled_features,
    residual,
    squeeze_excite,
)

#: Channels and stride of each pair of convolutions of v1.
_V1 = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
#: Expansion, channels, blocks, stride of each stage of v2.
_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
#: Kernel, expanded channels, channels, squeeze and excite, activation, stride of each block of v3.
_V3_LARGE = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_swish", 2),
    (3, 200, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 480, 112, True, "hard_swish", 1),
    (3, 672, 112, True, "hard_swish", 1),
    (5, 672, 160, True, "hard_swish", 2),
    (5, 960, 160, True, "hard_swish", 1),
    (5, 960, 160, True, "hard_swish", 1),
)
_V3_SMALL = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hard_swish", 2),
    (5, 240, 40, True, "hard_swish", 1),
    (5, 240, 40, True, "hard_swish", 1),
    (5, 120, 48, True, "hard_swish", 1),
    (5, 144, 48, True, "hard_swish", 1),
    (5, 288, 96, True, "hard_swish", 2),
    (5, 576, 96, True, "hard_swish", 1),
    (5, 576, 96, True, "hard_swish", 1),
)


def mobilenet_v1(
    *,
    name: str = "mobilenet-v1",
    batch: int = 1,
    width: float = 1.0,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return MobileNet v1; `width` is the multiplier of its channels.

    Examples
    --------
    >>> from tradespace.graph.counts import forward_macs, parameters
    >>> parameters(mobilenet_v1()), forward_macs(mobilenet_v1())
    (4231976, 568740352)

    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    x = conv_norm(b, x, int(32 * width), 3, stride=2, names=("conv0", "bn0", "relu0"))
    for i, (channels, stride) in enumerate(_V1, start=1):
        with b.scope(f"block{i}"):
            x = conv_norm(
                b, x, x.shape[1], 3, stride=stride, groups=x.shape[1], names=("dw", "bn1", "relu1")
            )
            x = conv_norm(b, x, int(channels * width), names=("pw", "bn2", "relu2"))
    return b.build(b.dense(pooled_features(b, x), classes, name="fc"))


@dataclass(frozen=True, slots=True, kw_only=True)
class InvertedResidual:
    """A block that expands its channels, filters each, and mixes them into fewer.

    Parameters
    ----------
    kernel, stride, dilation : int
        Of the convolution of single channels.
    expanded, channels : int
        Inside, and of the result.
    squeezed : int
        Channels that squeeze-and-excite squeezes to; 0 for none.
    activation, squeeze_activation, gate : str
        Of the block; inside and at the end of squeeze-and-excite.
    drop : float, optional
        Share of samples for which training leaves the block out.

    """

    kernel: int
    expanded: int
    channels: int
    stride: int = 1
    dilation: int = 1
    squeezed: int = 0
    activation: str = "relu6"
    squeeze_activation: str = "relu"
    gate: str = "hard_sigmoid"
    drop: float | None = None

    def add(self, b: Builder, x: Value) -> tuple[Value, Value]:
        """Add the block and return its expanded signal and its result."""
        h, at = x, 0
        if self.expanded != x.shape[1]:
            h = conv_norm(b, x, self.expanded, activation=self.activation, names=_names(at))
            at += 1
        wide = h
        h = conv_norm(
            b,
            h,
            self.expanded,
            self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.expanded,
            activation=self.activation,
            names=_names(at),
        )
        if self.squeezed:
            h = squeeze_excite(
                b,
                h,
                self.squeezed,
                name="se",
                activation=self.squeeze_activation,
                gate=self.gate,
            )
        h = conv_norm(b, h, self.channels, activation="", names=_names(at + 1))
        if self.stride == 1 and x.shape[1] == self.channels:
            return wide, residual(b, x, h, rate=self.drop)
        return wide, h


def _names(at: int) -> tuple[str, str, str]:
    return f"conv{at}.0", f"conv{at}.1", f"conv{at}.2"


def mobilenet_v2(
    *,
    name: str = "mobilenet-v2",
    batch: int = 1,
    width: float = 1.0,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return MobileNet v2; `width` is the multiplier of its channels."""
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    at = 0
    with b.scope("features"):
        with b.scope("0"):
            x = conv_norm(b, x, divisible(32 * width), 3, stride=2, activation="relu6")
        for expansion, channels, count, stride in _V2:
            for i in range(count):
                at += 1
                block = InvertedResidual(
                    kernel=3,
                    expanded=expansion * x.shape[1],
                    channels=divisible(channels * width),
                    stride=stride if i == 0 else 1,
                )
                with b.scope(str(at)):
                    x = block.add(b, x)[1]
        with b.scope(str(at + 1)):
            x = conv_norm(b, x, divisible(1280 * max(1.0, width)), activation="relu6")
    x = pooled_features(b, x, name="features:pool")
    return b.build(b.dense(b.dropout(x, 0.2, name="dropout"), classes, name="classifier"))


def mobilenet_v3(
    *,
    name: str = "mobilenet-v3",
    batch: int = 1,
    variant: str = "large",
    width: float = 1.0,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return MobileNet v3, ``"large"`` or ``"small"``; `width` multiplies its channels."""
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("features"):
        x = trunk_v3(b, x, variant=variant, width=width)[-1][1]
    x = pooled_features(b, x)
    hidden = divisible((1280 if variant == "large" else 1024) * width)
    with b.scope("classifier"):
        x = activate(b, b.dense(x, hidden, name="0"), "hard_swish", name="1")
        x = b.dense(b.dropout(x, 0.2, name="2"), classes, name="3")
    return b.build(x)


def trunk_v3(
    b: Builder,
    x: Value,
    *,
    variant: str = "large",
    width: float = 1.0,
    dilation: int = 1,
    tail: int = 1,
) -> list[tuple[Value, Value]]:
    """Add MobileNet v3 without its classifier.

    Parameters
    ----------
    b : Builder
        Of the network.
    x : Value
        Pictures.
    variant : str
        ``"large"`` or ``"small"``.
    width : float
        Multiplier of the channels.
    dilation : int
        Of the last stage, which then does not halve the picture.
    tail : int
        Divisor of the channels of the last stage; detectors use 2.

    Returns
    -------
    list of (Value, Value)
        Of each block, first convolution and last one included: the expanded signal, the result.

    """
    if variant not in ("large", "small"):
        msg = f"There is no MobileNet v3 {variant!r}."
        raise GraphError(msg, remedy="Choose 'large' or 'small'.")
    blocks = _V3_LARGE if variant == "large" else _V3_SMALL
    with b.scope("0"):
        x = conv_norm(b, x, divisible(16 * width), 3, stride=2, activation="hard_swish")
    found = [(x, x)]
    last = len(blocks) - 3
    for i, (kernel, expanded, channels, squeeze, activation, stride) in enumerate(blocks):
        shrunk = tail if i >= last else 1
        inner = expanded // (tail if i > last else 1)
        inner = divisible(inner * width)
        block = InvertedResidual(
            kernel=kernel,
            expanded=inner,
            channels=divisible(channels // shrunk * width),
            stride=1 if i >= last and dilation > 1 else stride,
            dilation=dilation if i >= last else 1,
            squeezed=divisible(inner // 4) if squeeze else 0,
            activation=activation,
        )
        with b.scope(str(i + 1)):
            wide, x = block.add(b, x)
        found.append((wide, x))
    with b.scope(str(len(blocks) + 1)):
        x = conv_norm(b, x, 6 * x.shape[1], activation="hard_swish")
    return [*found, (x, x)]
