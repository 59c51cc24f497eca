"""GoogLeNet: as published in 2014, and with batch normalization as most people run it."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import basic_conv, pooled_features

#: What becomes of classifiers that only training uses.
AUXILIARY = {
    "none": "left out",
    "idle": "their parameters are counted, but they do not run, as in service",
    "run": "they run, as in training",
}

#: Channels: 1x1; reduced and 3x3; reduced and 5x5; after the pooling.
_THIRD = ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64))
_FOURTH = (
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
)
_FIFTH = ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128))


def check_auxiliary(auxiliary: str) -> None:
    """Raise a GraphError if a way to treat auxiliary classifiers is not known."""
    if auxiliary not in AUXILIARY:
        msg = f"Auxiliary classifiers cannot be {auxiliary!r}."
        ways = "; ".join(f"{name!r}: {what}" for name, what in AUXILIARY.items())
        raise GraphError(msg, remedy=f"Choose {ways}.")


def googlenet(
    *,
    name: str = "googlenet",
    batch: int = 1,
    batch_norm: bool = True,
    largest: int = 3,
    response_norm: bool = False,
    auxiliary: str = "none",
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return GoogLeNet.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    batch_norm : bool
        Whether convolutions are normalized (and then have no biases).
    largest : int
        Kernel of the branches that the publication calls 5x5. The network of torchvision, taken
        over from an early TensorFlow model, has 3 there.
    response_norm : bool
        Whether local response normalizations stand where the publication has them.
    auxiliary : str
        The two classifiers in the middle: ``"none"``, ``"idle"`` (parameters counted, not run)
        or ``"run"``.
    size, classes : int
        Height and width of the pictures; outputs.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(googlenet()), parameters(googlenet(auxiliary="idle"))
    (6624904, 13004888)

    """
    check_auxiliary(auxiliary)
    norm = "affine" if batch_norm else ""
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    x = basic_conv(b, x, 64, 7, stride=2, padding=3, norm=norm, name="conv1")
    x = b.pool(x, "max", 3, stride=2, ceil=True, name="maxpool1")
    if response_norm:
        x = b.local_response_norm(x, name="norm1")
    x = basic_conv(b, x, 64, norm=norm, name="conv2")
    x = basic_conv(b, x, 192, 3, padding=1, norm=norm, name="conv3")
    if response_norm:
        x = b.local_response_norm(x, name="norm2")
    x = b.pool(x, "max", 3, stride=2, ceil=True, name="maxpool2")
    early = []
    for letter, widths in zip("ab", _THIRD, strict=True):
        x = _inception(b, x, widths, norm, largest, name=f"inception3{letter}")
    x = b.pool(x, "max", 3, stride=2, ceil=True, name="maxpool3")
    for letter, widths in zip("abcde", _FOURTH, strict=True):
        if letter in "be" and auxiliary != "none":
            early.append(x)
        x = _inception(b, x, widths, norm, largest, name=f"inception4{letter}")
    x = b.pool(x, "max", 2 if batch_norm else 3, stride=2, ceil=True, name="maxpool4")
    for letter, widths in zip("ab", _FIFTH, strict=True):
        x = _inception(b, x, widths, norm, largest, name=f"inception5{letter}")
    x = b.dropout(pooled_features(b, x), 0.2 if batch_norm else 0.4, name="dropout")
    outputs = [b.dense(x, classes, name="fc")]
    for i, tap in enumerate(early, start=1):
        outputs += _auxiliary(b, tap, classes, norm, run=auxiliary == "run", name=f"aux{i}")
    return b.build(*outputs)


def _inception(
    b: Builder, x: Value, widths: tuple[int, ...], norm: str, largest: int, *, name: str
) -> Value:
    one, reduce3, three, reduce5, five, pooled = widths
    with b.scope(name):
        first = basic_conv(b, x, one, norm=norm, name="branch1")
        second = basic_conv(b, x, reduce3, norm=norm, name="branch2.0")
        second = basic_conv(b, second, three, 3, padding=1, norm=norm, name="branch2.1")
        third = basic_conv(b, x, reduce5, norm=norm, name="branch3.0")
        third = basic_conv(
            b, third, five, largest, padding=largest // 2, norm=norm, name="branch3.1"
        )
        last = b.pool(x, "max", 3, stride=1, padding=1, ceil=True, name="branch4.0")
        last = basic_conv(b, last, pooled, norm=norm, name="branch4.1")
    return b.concatenate((first, second, third, last), name=f"{name}:join")


def _auxiliary(
    b: Builder, x: Value, classes: int, norm: str, *, run: bool, name: str
) -> list[Value]:
    with b.scope(name):
        if not run:
            idle_conv(b, x.shape[1], 128, 1, norm=norm, name="conv")
            idle_dense(b, 2048, 1024, name="fc1")
            idle_dense(b, 1024, classes, name="fc2")
            return []
        h = b.adaptive_pool(x, 4, name=":pool")
        h = b.flatten(basic_conv(b, h, 128, norm=norm, name="conv"))
        h = b.relu(b.dense(h, 1024, name="fc1"), name="fc1:relu")
        return [b.dense(b.dropout(h, 0.7, name="dropout"), classes, name="fc2")]


def idle_conv(b: Builder, inputs: int, channels: int, kernel: int, *, norm: str, name: str) -> None:
    """Hold the parameters of a convolution that does not run."""
    with b.scope(name):
        b.parameter("conv.weight", (channels, inputs, kernel, kernel))
        if not norm:
            b.parameter("conv.bias", (channels,), "bias")
            return
        if norm == "affine":
            b.parameter("bn.weight", (channels,), "norm_scale")
        b.parameter("bn.bias", (channels,), "norm_offset")
        b.parameter("bn.running_mean", (channels,), "statistic")
        b.parameter("bn.running_var", (channels,), "statistic")


def idle_dense(b: Builder, inputs: int, outputs: int, *, name: str) -> None:
    """Hold the parameters of a dense layer that does not run."""
    with b.scope(name):
        b.parameter("weight", (outputs, inputs))
        b.parameter("bias", (outputs,), "bias")
