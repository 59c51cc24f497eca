"""Convolutions in one, two and three dimensions, transposed and locally connected ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    ShapeRule,
    Shapes,
    Symbols,
    wrong_shape,
)

#: The names of the spatial dimensions, by their number.
AXES: dict[int, tuple[str, ...]] = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}


def per_axis(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Return a value for each spatial dimension."""
    return (int(value),) * rank if isinstance(value, int) else tuple(int(v) for v in value)


def paddings(
    padding: int | str | Sequence[int | Sequence[int]],
    *,
    sizes: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[tuple[int, int], ...]:
    """Return the padding before and after, for each spatial dimension.

    ``"same"`` pads so that the output has ceil(size / stride) positions, the odd one after;
    ``"valid"`` does not pad.
    """
    rank = len(kernel)
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "same":
        needed = [
            max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
            for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)
        ]
        return tuple((total // 2, total - total // 2) for total in needed)
    if isinstance(padding, int):
        return ((padding, padding),) * rank
    if isinstance(padding, str):
        raise wrong_shape(operator="convolution", takes="padding 'same' or 'valid'", got=padding)
    return tuple((p, p) if isinstance(p, int) else (int(p[0]), int(p[1])) for p in padding)


def output_sizes(
    name: str, shape: Sequence[int], attributes: Attributes, *, rank: int, ceil: bool = False
) -> tuple[int, ...]:
    """Return the positions of a sliding window, for each spatial dimension."""
    sizes = tuple(shape[-rank:])
    kernel = per_axis(attributes["kernel"], rank)
    stride = per_axis(attributes["stride"], rank)
    dilation = per_axis(attributes.get("dilation", 1), rank)
    pads = paddings(
        attributes["padding"], sizes=sizes, kernel=kernel, stride=stride, dilation=dilation
    )
    found = []
    for n, k, s, d, (before, after) in zip(sizes, kernel, stride, dilation, pads, strict=True):
        room = n + before + after - d * (k - 1) - 1
        if room < 0:
            raise wrong_shape(
                operator=name, takes=f"inputs of at least {d * (k - 1) + 1 - before - after}", got=n
            )
        count = (-(-room // s) if ceil else room // s) + 1
        if ceil and (count - 1) * s >= n + before:
            count -= 1
        found.append(count)
    return tuple(found)


def _check(name: str, shape: Sequence[int], rank: int) -> None:
    if len(shape) != rank + 2:
        raise wrong_shape(
            operator=name,
            takes=f"(batch, channels and {rank} spatial dimensions)",
            got=tuple(shape),
        )


def _convolved(name: str, rank: int) -> ShapeRule:
    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        shape, groups = inputs[0], attributes.get("groups", 1)
        _check(name, shape, rank)
        if shape[1] % groups or attributes["out_channels"] % groups:
            raise wrong_shape(
                operator=name,
                takes=f"channels that are multiples of groups={groups}",
                got=f"{shape[1]} in and {attributes['out_channels']} out",
            )
        positions = output_sizes(name, shape, attributes, rank=rank)
        return ((shape[0], int(attributes["out_channels"]), *positions),)

    return shapes


def _spread(name: str, rank: int) -> ShapeRule:
    """Return the shape rule of a transposed convolution."""

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        shape = inputs[0]
        _check(name, shape, rank)
        kernel, stride = per_axis(attributes["kernel"], rank), per_axis(attributes["stride"], rank)
        dilation = per_axis(attributes["dilation"], rank)
        extra = per_axis(attributes["output_padding"], rank)
        lead = (shape[0], int(attributes["out_channels"]))
        if attributes["padding"] == "same":
            return ((*lead, *(n * s for n, s in zip(shape[2:], stride, strict=True))),)
        pads = paddings(
            attributes["padding"], sizes=shape[2:], kernel=kernel, stride=stride, dilation=dilation
        )
        sizes = (
            (n - 1) * s - sum(p) + d * (k - 1) + e + 1
            for n, s, p, d, k, e in zip(
                shape[2:], stride, pads, dilation, kernel, extra, strict=True
            )
        )
        return ((*lead, *sizes),)

    return shapes


def _symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    """Return channels, positions before and after, sizes of the window, groups and biases."""
    axes = AXES[len(inputs[0]) - 2]
    kernel = per_axis(attributes["kernel"], len(axes))
    return {
        "N": inputs[0][0],
        "C_in": inputs[0][1],
        "C_out": outputs[0][1],
        **{f"{a.upper()}_in": n for a, n in zip(axes, inputs[0][2:], strict=True)},
        **{f"{a.upper()}_out": n for a, n in zip(axes, outputs[0][2:], strict=True)},
        **{f"K_{a}": k for a, k in zip(axes, kernel, strict=True)},
        "g": int(attributes.get("groups", 1)),
        "beta": int(bool(attributes["bias"])),
    }


KERNEL = Attribute("kernel", doc="size of the window")
STRIDE = Attribute("stride", default=1, doc="steps from one window to the next")
DILATION = Attribute("dilation", default=1, doc="steps from one element of a window to the next")
BIAS = Attribute("bias", default=True, doc="whether each output channel has a bias")
_CHANNELS = Attribute("out_channels", doc="channels of the result")
_PADDING = Attribute("padding", default=0, doc="a number, one for each side, 'same' or 'valid'")
_WINDOW = (KERNEL, STRIDE, _PADDING, DILATION)
_EXTRA = Attribute("output_padding", default=0, doc="positions added at the end")
_GROUPS = Attribute("groups", default=1, doc="into which channels are divided")


def _layer(name: str, rank: int, *, shapes: ShapeRule, **more: Any) -> Operator:
    """Return a layer with a window; OUT, INP and KER in formulas are products over dimensions."""
    axes = AXES[rank]
    products = {
        "OUT": "*".join(f"{a.upper()}_out" for a in axes),
        "INP": "*".join(f"{a.upper()}_in" for a in axes),
        "KER": "*".join(f"K_{a}" for a in axes),
    }

    def text(pattern: str) -> str:
        return re.sub("OUT|INP|KER", lambda found: products[found[0]], pattern)

    for field in ("parameters", "macs", "operations"):
        more[field] = text(more[field])
    more["product"] = tuple(map(text, more["product"]))
    return Operator(
        name=name,
        kind="product",
        shapes=shapes,
        symbols=_symbols,
        window=text("KER"),
        saves=("input0",),
        weighted=True,
        **more,
    )


def _convolution(rank: int) -> Operator:
    name = f"convolution{rank}d"
    return _layer(
        name,
        rank,
        summary=f"A convolution over {rank} dimension{'s' * (rank > 1)} (cross-correlation).",
        attributes=(_CHANNELS, *_WINDOW, _GROUPS, BIAS),
        shapes=_convolved(name, rank),
        parameters="C_out*C_in/g*KER + beta*C_out",
        macs="N*C_out*OUT*C_in/g*KER",
        operations="beta*N*C_out*OUT",
        product=("1", "N*OUT", "C_out/g", "C_in/g*KER", "g"),
    )


def _transposed(rank: int) -> Operator:
    name = f"transposed_convolution{rank}d"
    return _layer(
        name,
        rank,
        summary=f"A transposed convolution over {rank} dimension{'s' * (rank > 1)}: every "
        "input is spread over a window of outputs.",
        attributes=(_CHANNELS, *_WINDOW, _EXTRA, _GROUPS, BIAS),
        shapes=_spread(name, rank),
        parameters="C_in*C_out/g*KER + beta*C_out",
        macs="N*C_in*INP*C_out/g*KER",
        operations="beta*O",
        product=("1", "N*INP", "C_out/g*KER", "C_in/g", "g"),
    )


def _local(rank: int) -> Operator:
    name = f"locally_connected{rank}d"
    return _layer(
        name,
        rank,
        summary="Like a convolution, but every position has weights of its own.",
        attributes=(_CHANNELS, *_WINDOW, BIAS),
        shapes=_convolved(name, rank),
        parameters="C_out*OUT*C_in*KER + beta*C_out*OUT",
        macs="N*C_out*OUT*C_in*KER",
        operations="beta*N*C_out*OUT",
        product=("OUT", "N", "C_out", "C_in*KER", "1"),
    )


OPERATORS: tuple[Operator, ...] = (
    *(_convolution(rank) for rank in AXES),
    *(_transposed(rank) for rank in AXES),
    *(_local(rank) for rank in (1, 2)),
)
