"""Residual networks: v1, v1.5, ResNeXt, wide ones, and those with activations first (v2)."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import conv_norm, pooled_features

#: Depth -> blocks of each of the four stages.
STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def stages_of(depth: int) -> tuple[int, ...]:
    """Return the blocks of each stage of a residual network.

    Raises
    ------
    GraphError
        If none of that depth was published.

    """
    if depth not in STAGES:
        msg = f"There is no residual network with {depth} layers."
        raise GraphError(msg, remedy=f"Choose one of {', '.join(map(str, STAGES))}.")
    return STAGES[depth]


def resnet(
    *,
    name: str = "resnet",
    batch: int = 1,
    depth: int = 50,
    stride_in: str = "3x3",
    groups: int = 1,
    width: int = 64,
    conv_bias: bool = False,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return a residual network for ImageNet.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    depth : int
        18 and 34 have two 3x3 convolutions in a block; 50, 101 and 152 a bottleneck.
    stride_in : str
        Convolution of a bottleneck that halves the picture: ``"3x3"`` (v1.5) or ``"1x1"`` (v1).
    groups, width : int
        Groups of the 3x3 convolution of a bottleneck, and the channels of one group in the
        first stage.
    conv_bias : bool
        Whether convolutions have biases beside the normalization, as those of Keras have.
    size, classes : int
        Height and width of the pictures; outputs.

    Examples
    --------
    >>> from tradespace.graph.counts import neurons, parameters
    >>> v1 = resnet(depth=50, stride_in="1x1")
    >>> parameters(v1), neurons(v1, "layers+residual")
    (25557032, 16107496)

    """
    if stride_in not in ("1x1", "3x3"):
        msg = f"The stride of a bottleneck stands in its 1x1 or its 3x3; got {stride_in!r}."
        raise GraphError(msg, remedy='Give stride_in "3x3" (v1.5) or "1x1" (v1).')
    if depth < 50 and (groups, width) != (1, 64):
        msg = f"The blocks of {depth} layers have neither groups nor a width of their own."
        raise GraphError(msg, remedy="Choose a depth of 50, 101 or 152, or leave both out.")
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    x = trunk(
        b,
        x,
        depth=depth,
        stride_in=stride_in,
        groups=groups,
        width=width,
        conv_bias=conv_bias,
    )[-1]
    return b.build(b.dense(pooled_features(b, x), classes, name="fc"))


def trunk(
    b: Builder,
    x: Value,
    *,
    depth: int,
    stride_in: str = "3x3",
    groups: int = 1,
    width: int = 64,
    conv_bias: bool = False,
    dilations: Sequence[int] = (1, 1, 1, 1),
) -> list[Value]:
    """Add everything before the classifier and return the output of each of the four stages.

    A stage with a dilation above 1 keeps the size of the picture and spreads its windows
    instead; its first block still has the dilation of the stage before.
    """
    blocks = stages_of(depth)
    x = conv_norm(b, x, 64, 7, stride=2, bias=conv_bias, names=("conv1", "bn1", "relu"))
    x = b.pool(x, "max", 3, stride=2, padding=1, name="maxpool")
    found = []
    dilation = 1
    for stage, count in enumerate(blocks):
        base = 64 * 2**stage
        inner = base * width // 64 * groups if depth >= 50 else base
        for i in range(count):
            first = i == 0 and stage > 0
            stride = 2 if first and dilations[stage] == 1 else 1
            here = dilation if i == 0 else dilations[stage]
            with b.scope(f"layer{stage + 1}.{i}"):
                if depth >= 50:
                    x = _bottleneck(
                        b,
                        x,
                        inner,
                        4 * base,
                        stride=stride,
                        first=stride_in == "1x1",
                        groups=groups,
                        bias=conv_bias,
                        dilation=here,
                    )
                else:
                    x = _basic(b, x, base, stride=stride, bias=conv_bias)
        dilation = dilations[stage]
        found.append(x)
    return found


def _shortcut(b: Builder, x: Value, channels: int, stride: int, bias: bool) -> Value:  # noqa: FBT001 - private
    if stride == 1 and x.shape[1] == channels:
        return x
    names = ("downsample.0", "downsample.1", "")
    return conv_norm(b, x, channels, stride=stride, bias=bias, activation="", names=names)


def _basic(b: Builder, x: Value, channels: int, *, stride: int, bias: bool) -> Value:
    h = conv_norm(b, x, channels, 3, stride=stride, bias=bias, names=("conv1", "bn1", "relu"))
    h = conv_norm(b, h, channels, 3, bias=bias, activation="", names=("conv2", "bn2", ""))
    h = b.add(h, _shortcut(b, x, channels, stride, bias), inplace=True)
    return b.relu(h, name="relu")


def _bottleneck(
    b: Builder,
    x: Value,
    inner: int,
    channels: int,
    *,
    stride: int,
    first: bool,
    groups: int,
    bias: bool,
    dilation: int,
) -> Value:
    before, inside = (stride, 1) if first else (1, stride)
    h = conv_norm(b, x, inner, stride=before, bias=bias, names=("conv1", "bn1", "relu"))
    h = conv_norm(
        b,
        h,
        inner,
        3,
        stride=inside,
        groups=groups,
        dilation=dilation,
        bias=bias,
        names=("conv2", "bn2", "relu"),
    )
    h = conv_norm(b, h, channels, bias=bias, activation="", names=("conv3", "bn3", ""))
    h = b.add(h, _shortcut(b, x, channels, stride, bias), inplace=True)
    return b.relu(h, name="relu")


def resnet_v2(
    *,
    name: str = "resnet-v2",
    batch: int = 1,
    depth: int = 50,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return a residual network with normalization and activation before each convolution.

    The stride stands in the last block of a stage, as in the network of Keras.
    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    x = b.conv(x, 64, 7, stride=2, padding=3, name="conv1")
    x = b.pool(x, "max", 3, stride=2, padding=1, name="pool1")
    blocks = stages_of(depth)
    for stage, count in enumerate(blocks):
        for i in range(count):
            stride = 2 if i == count - 1 and stage < len(blocks) - 1 else 1
            with b.scope(f"conv{stage + 2}_block{i + 1}"):
                x = _preactivated(b, x, 64 * 2**stage, stride=stride, project=i == 0)
    x = b.relu(b.batch_norm(x, name="post_bn"), name="post_relu")
    return b.build(b.softmax(b.dense(pooled_features(b, x), classes, name="predictions")))


def _preactivated(b: Builder, x: Value, inner: int, *, stride: int, project: bool) -> Value:
    ready = b.relu(b.batch_norm(x, name="preact_bn"), name="preact_relu", inplace=False)
    if project:
        shortcut = b.conv(ready, 4 * inner, 1, stride=stride, name="0_conv")
    elif stride > 1:
        shortcut = b.pool(x, "max", 1, stride=stride, name="max_pooling")
    else:
        shortcut = x
    h = conv_norm(b, ready, inner, names=("1_conv", "1_bn", "1_relu"))
    h = conv_norm(b, h, inner, 3, stride=stride, names=("2_conv", "2_bn", "2_relu"))
    return b.add(shortcut, b.conv(h, 4 * inner, 1, name="3_conv"), name="out")


def wide_resnet_cifar(
    *,
    name: str = "wrn",
    batch: int = 1,
    depth: int = 28,
    widen: int = 2,
    size: int = 32,
    classes: int = 10,
) -> Network:
    """Return a wide residual network for CIFAR: three stages of (depth - 4)/6 blocks each."""
    if depth < 10 or (depth - 4) % 6:
        msg = f"A wide residual network has 6 n + 4 layers; got {depth}."
        raise GraphError(msg, remedy="Give a depth of 10, 16, 22, 28, 34 or 40.")
    b = Builder(name, batch=batch)
    x = b.conv(b.input((3, size, size)), 16, 3, padding=1, bias=False, name="conv1")
    for stage in range(3):
        channels = 16 * widen * 2**stage
        for i in range((depth - 4) // 6):
            stride = 2 if stage and not i else 1
            with b.scope(f"block{stage + 1}.{i}"):
                x = _wide_block(b, x, channels, stride)
    x = b.relu(b.batch_norm(x, name="bn1"), name="relu")
    return b.build(b.dense(pooled_features(b, x), classes, name="fc"))


def _wide_block(b: Builder, x: Value, channels: int, stride: int) -> Value:
    ready = b.relu(b.batch_norm(x, name="bn1"), name="relu1")
    h = conv_norm(b, ready, channels, 3, stride=stride, names=("conv1", "bn2", "relu2"))
    h = b.conv(h, channels, 3, padding=1, bias=False, name="conv2")
    if x.shape[1] != channels:
        x = b.conv(ready, channels, 1, stride=stride, bias=False, name="shortcut")
    return b.add(x, h)
