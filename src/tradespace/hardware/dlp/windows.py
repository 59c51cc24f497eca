"""Sliding windows of the graph floor as layers of the scheduler: convolutions and pooling."""

from __future__ import annotations

from itertools import product
from math import prod

from tradespace.graph.network import Network, Node
from tradespace.graph.operators.convolutions import paddings, per_axis
from tradespace.hardware.dlp.layers import Layer

Pair = tuple[int, int]
Parts = tuple[tuple[Layer, int], ...]


def convolution_parts(node: Node, network: Network) -> tuple[Parts, bool]:
    """Return the layers of a convolution in 1, 2 or 3 dimensions, each with its count.

    One dimension is a picture one column wide. Three are, for every position in depth, a
    convolution in two over channels times depth. A dilated window meets only every d-th row and
    column: its phases are convolutions of their own, the padding written out.

    Returns
    -------
    parts : tuple
        Layers with their counts; products with padded zeros stay inside.
    exact : bool
        Whether it is the operator itself and not a way of computing it.

    """
    shape = network.tensors[node.inputs[0]].shape
    out = network.tensors[node.outputs[0]].shape
    rank = len(shape) - 2
    attributes = node.attributes
    kernel, stride = per_axis(attributes["kernel"], rank), per_axis(attributes["stride"], rank)
    groups = int(attributes["groups"])
    dilation = tuple(
        d if k > 1 else 1
        for d, k in zip(per_axis(attributes["dilation"], rank), kernel, strict=True)
    )
    pads = paddings(
        attributes["padding"], sizes=shape[2:], kernel=kernel, stride=stride, dilation=dilation
    )
    channels, images = shape[1] // groups, shape[0]
    flat = rank == 3
    if flat:  # one convolution in the plane for each position in depth
        channels, images = channels * kernel[0], images * out[2]
        kernel, stride, dilation, pads = kernel[1:], stride[1:], dilation[1:], pads[1:]
    sizes, counts = _two(shape[-len(kernel) :], 1), _two(out[-len(kernel) :], 1)
    windows, steps = _two(kernel, 1), _two(stride, 1)
    jumps, edges = _two(dilation, 1), _two(pads, (0, 0))
    outputs = out[1] // groups

    def layer(size: Pair, before: Pair, after: Pair, step: Pair, many: int) -> Layer:
        return Layer(
            node.name,
            "conv",
            channels=channels,
            height=size[0],
            width=size[1],
            outputs=outputs,
            window=windows,
            stride=step,
            padding=before,
            trailing=after,
            groups=groups,
            images=images * many,
        )

    if jumps == (1, 1):
        inside = all(max(e) < w for e, w in zip(edges, windows, strict=True))
        if inside:
            before, after = (edges[0][0], edges[1][0]), (edges[0][1], edges[1][1])
            return ((layer(sizes, before, after, steps, 1), 1),), not flat
        wide = (sizes[0] + sum(edges[0]), sizes[1] + sum(edges[1]))
        return ((layer(wide, (0, 0), (0, 0), steps, 1), 1),), False
    if steps == (1, 1):
        made = []
        for (rows, down), (columns, right) in product(
            _phases(counts[0], jumps[0]), _phases(counts[1], jumps[1])
        ):
            size = (rows + windows[0] - 1, columns + windows[1] - 1)
            made.append((layer(size, (0, 0), (0, 0), (1, 1), down * right), 1))
        return tuple(made), False
    terms = channels * prod(windows)  # neither: every window written out
    unfolded = Layer(
        node.name,
        "conv",
        channels=terms,
        height=prod(counts),
        width=1,
        outputs=outputs,
        groups=groups,
        images=images,
    )
    return ((unfolded, 1),), False


def transposed_parts(node: Node, network: Network) -> Parts:
    """Return the layers of a transposed convolution: one for each phase of its stride.

    The outputs at distance `stride` from each other are an ordinary convolution of the input
    with every stride-th row and column of the window. Its border products count as padded.
    """
    shape = network.tensors[node.inputs[0]].shape
    out = network.tensors[node.outputs[0]].shape
    rank = len(shape) - 2
    kernel = per_axis(node.attributes["kernel"], rank)
    stride = per_axis(node.attributes["stride"], rank)
    groups = int(node.attributes["groups"])
    depth = (shape[2], kernel[0]) if rank == 3 else (1, 1)
    if rank == 3:  # each pair of input depth and window depth adds to one output depth
        kernel, stride = kernel[1:], stride[1:]
    windows, steps = _two(kernel, 1), _two(stride, 1)
    size = _two(shape[-len(kernel) :], 1)
    made: list[tuple[Layer, int]] = []
    taps = [
        [t for t in (-(-(w - r) // s) for r in range(s)) if t > 0]
        for w, s in zip(windows, steps, strict=True)
    ]
    for down, right in product(*taps):
        made.append(
            (
                Layer(
                    node.name,
                    "conv",
                    channels=shape[1] // groups,
                    height=size[0],
                    width=size[1],
                    outputs=out[1] // groups,
                    window=(down, right),
                    padding=(down - 1, right - 1),
                    groups=groups,
                    images=shape[0] * depth[0],
                ),
                depth[1],
            )
        )
    return tuple(made)


def pooling_layer(node: Node, network: Network) -> Layer | None:
    """Return the layer of a pooling with windows in one or two dimensions, or None.

    Adaptive pooling is one where it divides the picture evenly; what is left streams past the
    vector unit by its counts.
    """
    shape = network.tensors[node.inputs[0]].shape
    out = network.tensors[node.outputs[0]].shape
    name = node.operator
    operation = "MAX" if "max" in name else "ADD"
    known = name.removeprefix("adaptive_").startswith(("max_pool", "average_pool"))
    if not known or len(shape) not in (3, 4):
        return None
    rank = len(shape) - 2
    if name.startswith("adaptive"):
        if any(n % m for n, m in zip(shape[2:], out[2:], strict=True)):
            return None
        kernel = stride = tuple(n // m for n, m in zip(shape[2:], out[2:], strict=True))
        before, after = (0,) * rank, (0,) * rank
    else:
        kernel = per_axis(node.attributes["kernel"], rank)
        stride = per_axis(node.attributes["stride"], rank)
        if any(d != 1 for d in per_axis(node.attributes["dilation"], rank)):
            return None
        pads = paddings(
            node.attributes["padding"],
            sizes=shape[2:],
            kernel=kernel,
            stride=stride,
            dilation=(1,) * rank,
        )
        before = tuple(p[0] for p in pads)
        after = tuple(  # a window may hang over the end
            (m - 1) * s + k - n - b
            for n, m, k, s, b in zip(shape[2:], out[2:], kernel, stride, before, strict=True)
        )
        if max(*before, *after) >= max(kernel):
            return None
    return Layer(
        node.name,
        "pool",
        channels=1,
        height=shape[2],
        width=shape[3] if rank == 2 else 1,
        outputs=1,
        window=_two(kernel, 1),
        stride=_two(stride, 1),
        padding=_two(before, 0),
        trailing=tuple(max(0, a) for a in _two(after, 0)),
        groups=shape[1],
        images=shape[0],
        operation=operation,
    )


def _two(values: tuple, fill: object) -> tuple:  # type: ignore[type-arg] # pairs of one kind
    """Return two values: those of height and width."""
    return (*values, fill) if len(values) == 1 else (values[-2], values[-1])


def _phases(total: int, step: int) -> list[Pair]:
    """Return (positions, how many phases have as many) of every ``step``-th position.

    Examples
    --------
    >>> _phases(7, 3)
    [(3, 1), (2, 2)]

    """
    whole, rest = divmod(total, step)
    return [(n, c) for n, c in ((whole + 1, rest), (whole, step - rest)) if n and c]
