"""How much of the input an output sees through windows: the receptive field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tradespace.graph.network import Network, Node, Shape
from tradespace.graph.operators import operator
from tradespace.graph.operators.convolutions import per_axis

#: For each axis of a tensor the (size, stride) of its positions in those of the input, or None
#: where the axis is no position.
_Fields = tuple[tuple[float, float] | None, ...]


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The receptive field of the last signal that sees the input through windows.

    What looks at all positions at once (dense layers over positions, attention, global pooling,
    squeeze-and-excitation) is left out: it makes every field as large as the input.

    Parameters
    ----------
    size : tuple of int
        Positions of the input along each axis; it may exceed the input, whose padding it sees.
    stride : tuple of float
        Distance of neighbors in the input's positions.
    at : str
        Node whose output it is.

    """

    size: tuple[int, ...]
    stride: tuple[float, ...]
    at: str


def receptive_field(network: Network) -> ReceptiveField | None:
    """Return the receptive field, or None if the network has no windows.

    References
    ----------
    A. Araujo, W. Norris and J. Sim, "Computing receptive fields of convolutional neural
    networks", Distill, 2019. doi:10.23915/distill.00021

    Examples
    --------
    Two 3-wide convolutions see 5 positions:

    >>> from tradespace.graph.builder import Builder
    >>> b = Builder("two")
    >>> x = b.input((3, 32, 32))
    >>> x = b.conv(b.conv(x, 8, 3, name="a"), 8, 3, name="b")
    >>> receptive_field(b.build(x)).size
    (5, 5)

    """
    fields: dict[int, _Fields] = {}
    for i in network.inputs:
        shape = network.tensors[i].shape
        if len(shape) >= 3 and network.tensors[i].format not in ("int64", "int32", "bool"):
            fields[i] = (None, None, *(((1.0, 1.0),) * (len(shape) - 2)))
    found: ReceptiveField | None = None
    for node in network.nodes:
        coming = [fields[i] for i in node.inputs if i in fields]
        if not coming:
            continue
        shapes = (network.tensors[node.inputs[0]].shape, network.tensors[node.outputs[0]].shape)
        after = _through(node, coming, *shapes)
        if after is None:
            continue
        for i in node.outputs:
            if len(network.tensors[i].shape) == len(after):
                fields[i] = after
        positions = [f for f in after if f is not None]
        if any(size > 1 for size, _ in positions):
            size = tuple(round(size) for size, _ in positions)
            if found is None or size >= found.size:
                at = node.name if found is None or size > found.size else found.at
                found = ReceptiveField(size, tuple(stride for _, stride in positions), at)
    return found


#: Operators that slide a window, by the start of their names.
_WINDOWS = (
    "convolution",
    "locally_connected",
    "partial_convolution",
    "max_pool",
    "average_pool",
    "trainable_subsampling",
)


def _through(node: Node, coming: list[_Fields], before: Shape, shape: Shape) -> _Fields | None:
    op = operator(node.operator)
    if node.operator.startswith(_WINDOWS):
        return _window(coming[0], node.attributes)
    if node.operator.startswith("transposed_convolution"):
        return _spread(coming[0], node.attributes)
    if node.operator == "transpose":
        order = node.attributes["order"]
        return tuple(coming[0][axis] for axis in order)
    if node.operator == "dense":
        return coming[0] if len(before) == len(shape) and len(shape) > 2 else None
    if node.operator in ("reshape", "view", "flatten"):
        return _reshaped(coming[0], before, shape)
    if node.operator == "resize":
        return _resized(coming[0], before, shape)
    if op.kind in ("elementwise", "movement", "view") or node.operator in (
        "batch_norm",
        "local_response_norm",
        "layer_norm",
        "rms_norm",
    ):
        return _joined(coming, len(shape))
    return None


def _window(fields: _Fields, attributes: Any) -> _Fields:
    rank = sum(f is not None for f in fields)
    settings = (per_axis(attributes[name], rank) for name in ("kernel", "stride", "dilation"))
    along = iter(zip(*settings, strict=True))

    def seen(size: float, step: float) -> tuple[float, float]:
        kernel, stride, dilation = next(along)
        return size + (kernel - 1) * dilation * step, step * stride

    return tuple(None if f is None else seen(*f) for f in fields)


def _spread(fields: _Fields, attributes: Any) -> _Fields:
    rank = sum(f is not None for f in fields)
    settings = (per_axis(attributes[name], rank) for name in ("kernel", "stride"))
    along = iter(zip(*settings, strict=True))

    def seen(size: float, step: float) -> tuple[float, float]:
        kernel, stride = next(along)
        # An output is reached by ceil(kernel / stride) neighboring inputs.
        return size + (-(-kernel // stride) - 1) * step, step / stride

    return tuple(None if f is None else seen(*f) for f in fields)


def _resized(fields: _Fields, before: Shape, shape: Shape) -> _Fields:
    return tuple(
        None if f is None else (f[0], f[1] * before[i] / max(1, shape[i]))
        for i, f in enumerate(fields)
    )


def _reshaped(fields: _Fields, before: Shape, shape: Shape) -> _Fields | None:
    """Return the fields if the axes of positions stay as they are, at the end or in front."""
    positions = [i for i, f in enumerate(fields) if f is not None]
    behind = len(before) - positions[0] if positions else 0
    if behind and positions == list(range(positions[0], len(before))):
        if len(shape) > behind and shape[-behind:] == before[-behind:]:
            return (*((None,) * (len(shape) - behind)), *fields[-behind:])
        return None
    front = positions[-1] + 1 if positions else 0
    if front and len(shape) > front and shape[:front] == before[:front]:
        return (*fields[:front], *((None,) * (len(shape) - front)))
    return None


def _joined(coming: list[_Fields], rank: int) -> _Fields | None:
    fitting = [fields for fields in coming if len(fields) == rank]
    if not fitting:
        return None
    after: list[tuple[float, float] | None] = []
    for axis in zip(*fitting, strict=True):
        known = [f for f in axis if f is not None]
        after.append((max(s for s, _ in known), max(j for _, j in known)) if known else None)
    return tuple(after)
