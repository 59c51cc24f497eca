"""Inception v3."""

from __future__ import annotations

import functools
from collections.abc import Callable

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import basic_conv, pooled_features
from tradespace.graph.zoo.googlenet import check_auxiliary, idle_conv, idle_dense

_Conv = Callable[..., Value]


def inception_v3(
    *,
    name: str = "inception-v3",
    batch: int = 1,
    norm: str = "affine",
    auxiliary: str = "idle",
    size: int = 299,
    classes: int = 1000,
) -> Network:
    """Return Inception v3.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    norm : str
        ``"affine"``, or ``"offset"`` for normalizations without scale, as those of Keras.
    auxiliary : str
        The classifier in the middle: ``"none"``, ``"idle"`` (parameters counted, not run) or
        ``"run"``.
    size, classes : int
        Height and width of the pictures; outputs.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(inception_v3()), parameters(inception_v3(auxiliary="none"))
    (27161264, 23834568)

    """
    check_auxiliary(auxiliary)
    b = Builder(name, batch=batch)
    conv = functools.partial(basic_conv, b, norm=norm)
    x = b.input((3, size, size))
    x = conv(x, 32, 3, stride=2, name="Conv2d_1a_3x3")
    x = conv(x, 32, 3, name="Conv2d_2a_3x3")
    x = conv(x, 64, 3, padding=1, name="Conv2d_2b_3x3")
    x = b.pool(x, "max", 3, stride=2, name="maxpool1")
    x = conv(x, 80, name="Conv2d_3b_1x1")
    x = conv(x, 192, 3, name="Conv2d_4a_3x3")
    x = b.pool(x, "max", 3, stride=2, name="maxpool2")
    for letter, pooled in zip("bcd", (32, 64, 64), strict=True):
        x = _fives(b, x, conv, pooled, name=f"Mixed_5{letter}")
    x = _halve_to_17(b, x, conv, name="Mixed_6a")
    for letter, inner in zip("bcde", (128, 160, 160, 192), strict=True):
        x = _sevens(b, x, conv, inner, name=f"Mixed_6{letter}")
    tap = x
    x = _halve_to_8(b, x, conv, name="Mixed_7a")
    for letter in "bc":
        x = _wide(b, x, conv, name=f"Mixed_7{letter}")
    x = b.dropout(pooled_features(b, x), name="dropout")
    outputs = [b.dense(x, classes, name="fc")]
    if auxiliary != "none":
        outputs += _auxiliary(b, tap, classes, norm, run=auxiliary == "run")
    return b.build(*outputs)


def _fives(b: Builder, x: Value, conv: _Conv, pooled: int, *, name: str) -> Value:
    with b.scope(name):
        one = conv(x, 64, name="branch1x1")
        five = conv(conv(x, 48, name="branch5x5_1"), 64, 5, padding=2, name="branch5x5_2")
        double = conv(conv(x, 64, name="double_1"), 96, 3, padding=1, name="double_2")
        double = conv(double, 96, 3, padding=1, name="double_3")
        last = b.pool(x, "average", 3, stride=1, padding=1, name=":pool")
        last = conv(last, pooled, name="branch_pool")
    return b.concatenate((one, five, double, last), name=f"{name}:join")


def _halve_to_17(b: Builder, x: Value, conv: _Conv, *, name: str) -> Value:
    with b.scope(name):
        three = conv(x, 384, 3, stride=2, name="branch3x3")
        double = conv(conv(x, 64, name="double_1"), 96, 3, padding=1, name="double_2")
        double = conv(double, 96, 3, stride=2, name="double_3")
        last = b.pool(x, "max", 3, stride=2, name=":pool")
    return b.concatenate((three, double, last), name=f"{name}:join")


def _sevens(b: Builder, x: Value, conv: _Conv, inner: int, *, name: str) -> Value:
    def row(v: Value, channels: int, at: str) -> Value:
        return conv(v, channels, (1, 7), padding=(0, 3), name=at)

    def column(v: Value, channels: int, at: str) -> Value:
        return conv(v, channels, (7, 1), padding=(3, 0), name=at)

    with b.scope(name):
        one = conv(x, 192, name="branch1x1")
        seven = row(conv(x, inner, name="branch7x7_1"), inner, "branch7x7_2")
        seven = column(seven, 192, "branch7x7_3")
        double = column(conv(x, inner, name="double_1"), inner, "double_2")
        double = column(row(double, inner, "double_3"), inner, "double_4")
        double = row(double, 192, "double_5")
        last = b.pool(x, "average", 3, stride=1, padding=1, name=":pool")
        last = conv(last, 192, name="branch_pool")
    return b.concatenate((one, seven, double, last), name=f"{name}:join")


def _halve_to_8(b: Builder, x: Value, conv: _Conv, *, name: str) -> Value:
    with b.scope(name):
        three = conv(conv(x, 192, name="branch3x3_1"), 320, 3, stride=2, name="branch3x3_2")
        seven = conv(x, 192, name="branch7x7x3_1")
        seven = conv(seven, 192, (1, 7), padding=(0, 3), name="branch7x7x3_2")
        seven = conv(seven, 192, (7, 1), padding=(3, 0), name="branch7x7x3_3")
        seven = conv(seven, 192, 3, stride=2, name="branch7x7x3_4")
        last = b.pool(x, "max", 3, stride=2, name=":pool")
    return b.concatenate((three, seven, last), name=f"{name}:join")


def _wide(b: Builder, x: Value, conv: _Conv, *, name: str) -> Value:
    def cross(v: Value, at: str) -> Value:
        row = conv(v, 384, (1, 3), padding=(0, 1), name=f"{at}_a")
        column = conv(v, 384, (3, 1), padding=(1, 0), name=f"{at}_b")
        return b.concatenate((row, column), name=f"{at}:join")

    with b.scope(name):
        one = conv(x, 320, name="branch1x1")
        three = cross(conv(x, 384, name="branch3x3_1"), "branch3x3_2")
        double = conv(conv(x, 448, name="double_1"), 384, 3, padding=1, name="double_2")
        double = cross(double, "double_3")
        last = b.pool(x, "average", 3, stride=1, padding=1, name=":pool")
        last = conv(last, 192, name="branch_pool")
    return b.concatenate((one, three, double, last), name=f"{name}:join")


def _auxiliary(b: Builder, x: Value, classes: int, norm: str, *, run: bool) -> list[Value]:
    with b.scope("AuxLogits"):
        if not run:
            idle_conv(b, x.shape[1], 128, 1, norm=norm, name="conv0")
            idle_conv(b, 128, 768, 5, norm=norm, name="conv1")
            idle_dense(b, 768, classes, name="fc")
            return []
        h = b.pool(x, "average", 5, stride=3, name=":pool")
        h = basic_conv(b, h, 128, norm=norm, name="conv0")
        h = basic_conv(b, h, 768, 5, norm=norm, name="conv1")
        return [b.dense(pooled_features(b, h, name=":features"), classes, name="fc")]
