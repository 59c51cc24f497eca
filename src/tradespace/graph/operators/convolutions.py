"""Convolutions in one, two and three dimensions, transposed and locally connected ones."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.graph.network import Attributes
from tradespace.graph.operators._base import (
    Attribute,
    Operator,
    Shapes,
    Symbols,
    register,
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


def _spatial(prefix: str, shape: Sequence[int], rank: int) -> Symbols:
    return {f"{a.upper()}_{prefix}": shape[i - rank] for i, a in enumerate(AXES[rank])}


def _kernel(attributes: Attributes, rank: int) -> Symbols:
    kernel = per_axis(attributes["kernel"], rank)
    return {f"K_{a}": k for a, k in zip(AXES[rank], kernel, strict=True)}


def _check(name: str, shape: Sequence[int], rank: int) -> None:
    if len(shape) != rank + 2:
        raise wrong_shape(
            operator=name,
            takes=f"(batch, channels and {rank} spatial dimensions)",
            got=tuple(shape),
        )


def _text(pattern: str, rank: int) -> str:
    """Return a formula with OUT, IN and K replaced by products over the dimensions."""
    axes = AXES[rank]
    return (
        pattern.replace("OUT", "*".join(f"{a.upper()}_out" for a in axes))
        .replace("INP", "*".join(f"{a.upper()}_in" for a in axes))
        .replace("KER", "*".join(f"K_{a}" for a in axes))
    )


_WINDOW = (
    Attribute("kernel", doc="size of the window"),
    Attribute("stride", default=1, doc="steps from one window to the next"),
    Attribute("padding", default=0, doc="a number, one for each side, 'same' or 'valid'"),
    Attribute("dilation", default=1, doc="steps from one element of a window to the next"),
)


def _register_convolution(rank: int) -> None:
    name = f"convolution{rank}d"

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        shape = inputs[0]
        _check(name, shape, rank)
        if shape[1] % attributes["groups"] or attributes["out_channels"] % attributes["groups"]:
            wanted = f"channels that are multiples of groups={attributes['groups']}"
            raise wrong_shape(
                operator=name,
                takes=wanted,
                got=f"{shape[1]} in and {attributes['out_channels']} out",
            )
        positions = output_sizes(name, shape, attributes, rank=rank)
        return ((shape[0], int(attributes["out_channels"]), *positions),)

    def symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
        return {
            "N": inputs[0][0],
            "C_in": inputs[0][1],
            "C_out": outputs[0][1],
            **_spatial("out", outputs[0], rank),
            **_kernel(attributes, rank),
            "g": int(attributes["groups"]),
            "beta": int(bool(attributes["bias"])),
        }

    register(
        Operator(
            name=name,
            kind="product",
            summary=f"A convolution over {rank} dimension{'s' * (rank > 1)} (cross-correlation).",
            attributes=(
                Attribute("out_channels", doc="channels of the result"),
                *_WINDOW,
                Attribute("groups", default=1, doc="into which channels are divided"),
                Attribute("bias", default=True, doc="whether each output channel has a bias"),
            ),
            shapes=shapes,
            symbols=symbols,
            parameters=_text("C_out*C_in/g*KER + beta*C_out", rank),
            macs=_text("N*C_out*OUT*C_in/g*KER", rank),
            operations=_text("beta*N*C_out*OUT", rank),
            product=("1", _text("N*OUT", rank), "C_out/g", _text("C_in/g*KER", rank), "g"),
            window=_text("KER", rank),
            saves=("input0",),
            weighted=True,
        )
    )


def _register_transposed(rank: int) -> None:
    name = f"transposed_convolution{rank}d"

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        shape = inputs[0]
        _check(name, shape, rank)
        kernel, stride = per_axis(attributes["kernel"], rank), per_axis(attributes["stride"], rank)
        dilation = per_axis(attributes["dilation"], rank)
        extra = per_axis(attributes["output_padding"], rank)
        if attributes["padding"] == "same":
            return ((shape[0], int(attributes["out_channels"]), *_scaled(shape, stride)),)
        pads = paddings(
            attributes["padding"], sizes=shape[2:], kernel=kernel, stride=stride, dilation=dilation
        )
        sizes = (
            (n - 1) * s - sum(p) + d * (k - 1) + e + 1
            for n, s, p, d, k, e in zip(
                shape[2:], stride, pads, dilation, kernel, extra, strict=True
            )
        )
        return ((shape[0], int(attributes["out_channels"]), *sizes),)

    def symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
        return {
            "N": inputs[0][0],
            "C_in": inputs[0][1],
            "C_out": outputs[0][1],
            **_spatial("in", inputs[0], rank),
            **_kernel(attributes, rank),
            "g": int(attributes["groups"]),
            "beta": int(bool(attributes["bias"])),
        }

    register(
        Operator(
            name=name,
            kind="product",
            summary=f"A transposed convolution over {rank} dimension{'s' * (rank > 1)}: every "
            "input is spread over a window of outputs.",
            attributes=(
                Attribute("out_channels", doc="channels of the result"),
                *_WINDOW,
                Attribute("output_padding", default=0, doc="positions added at the end"),
                Attribute("groups", default=1, doc="into which channels are divided"),
                Attribute("bias", default=True, doc="whether each output channel has a bias"),
            ),
            shapes=shapes,
            symbols=symbols,
            parameters=_text("C_in*C_out/g*KER + beta*C_out", rank),
            macs=_text("N*C_in*INP*C_out/g*KER", rank),
            operations="beta*O",
            product=("1", _text("N*INP", rank), _text("C_out/g*KER", rank), "C_in/g", "g"),
            window=_text("KER", rank),
            saves=("input0",),
            weighted=True,
        )
    )


def _scaled(shape: Sequence[int], stride: Sequence[int]) -> tuple[int, ...]:
    return tuple(n * s for n, s in zip(shape[2:], stride, strict=True))


def _register_local(rank: int) -> None:
    name = f"locally_connected{rank}d"

    def shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
        shape = inputs[0]
        _check(name, shape, rank)
        positions = output_sizes(name, shape, attributes, rank=rank)
        return ((shape[0], int(attributes["out_channels"]), *positions),)

    def symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
        return {
            "N": inputs[0][0],
            "C_in": inputs[0][1],
            "C_out": outputs[0][1],
            **_spatial("out", outputs[0], rank),
            **_kernel(attributes, rank),
            "beta": int(bool(attributes["bias"])),
        }

    register(
        Operator(
            name=name,
            kind="product",
            summary="Like a convolution, but every position has weights of its own.",
            attributes=(
                Attribute("out_channels", doc="channels of the result"),
                *_WINDOW,
                Attribute("bias", default=True, doc="whether each output channel has a bias"),
            ),
            shapes=shapes,
            symbols=symbols,
            parameters=_text("C_out*OUT*C_in*KER + beta*C_out*OUT", rank),
            macs=_text("N*C_out*OUT*C_in*KER", rank),
            operations=_text("beta*N*C_out*OUT", rank),
            product=(_text("OUT", rank), "N", "C_out", _text("C_in*KER", rank), "1"),
            window=_text("KER", rank),
            saves=("input0",),
            weighted=True,
        )
    )


for _rank in AXES:
    _register_convolution(_rank)
    _register_transposed(_rank)
for _rank in (1, 2):
    _register_local(_rank)
