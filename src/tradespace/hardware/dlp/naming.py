"""What a command's argument names: a network of the zoo, a matrix product, a convolution."""

from __future__ import annotations

import re

from tradespace.core.errors import GraphError, ProcessorError
from tradespace.graph.network import Network
from tradespace.hardware.dlp.layers import Layer, convolution, dense
from tradespace.hardware.dlp.lowering import network_steps


def parse_target(text: str, *, batch: int = 1) -> Network | tuple[Layer, ...]:
    """Return the network, or the one layer, that a text names.

    Raises
    ------
    ProcessorError
        If it names nothing.

    Examples
    --------
    >>> parse_target("32x256x128")[0].macs
    1048576
    >>> parse_target("vgg19").name
    'vgg19'

    """
    if re.fullmatch(r"\d+x\d+x\d+", text):
        m, k, n = map(int, text.split("x"))
        return (dense(m * batch, k, n, name=text),)
    if re.fullmatch(r"conv:\d+(-\d+){5,8}", text):
        c, h, w, n, fy, fx, *rest = map(int, text.removeprefix("conv:").split("-"))
        stride, padding, groups = (*rest, *(1, 0, 1)[len(rest) :])
        layer = convolution(
            c,
            (h, w),
            n,
            (fy, fx),
            stride=stride,
            padding=padding,
            groups=groups,
            images=batch,
            name=text,
        )
        return (layer,)
    from tradespace.graph.zoo import network

    try:
        return network(text, batch=batch)
    except GraphError as error:
        msg = f"Unknown network or layer {text!r}."
        near = re.search(r"Did you mean [^?]*\?", str(error))
        hint = f"{near[0]} " if near else ""
        remedy = (
            f"{hint}Name a network of the zoo, a product MxKxN such as 32x256x128, or "
            "conv:C-H-W-N-FY-FX[-STRIDE[-PADDING[-GROUPS]]]."
        )
        raise ProcessorError(msg, remedy=remedy) from None


def zoo_layers(name: str, *, batch: int = 1) -> tuple[Layer, ...]:
    """Return the layers of a network of the zoo that have schedules: products and pooling.

    Activations belong to the layer before; what streams past the vector unit is left out.

    Examples
    --------
    >>> sum(layer.macs for layer in zoo_layers("alexnet-ungrouped") if layer.kind == "conv")
    1076634144

    """
    from tradespace.graph.zoo import network

    steps = network_steps(network(name, batch=batch))
    return tuple(layer for step in steps for layer, times in step.parts for _ in range(times))
