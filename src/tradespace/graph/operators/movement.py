"""Shapes: views that move nothing, copies that do, look-ups, resizing, and what is unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tradespace.graph.network import Attributes, Shape
from tradespace.graph.operators._base import (
    AXIS,
    Attribute,
    Names,
    Operator,
    ShapeRule,
    Shapes,
    Symbols,
    same_shape,
    shape_or_same,
    wrong_shape,
)


def _given(inputs: Shapes, attributes: Attributes) -> Shapes:
    """Return the shape that the reader found."""
    shape = attributes["shape"]
    if shape and not isinstance(shape[0], int):
        return tuple(tuple(s) for s in shape)
    return (tuple(shape),)


def _reshaped(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape, wanted = inputs[0], tuple(int(n) for n in attributes["shape"])
    total = math.prod(shape)
    if -1 in wanted:
        known = -math.prod(wanted)
        if known <= 0 or total % known:
            raise wrong_shape(operator="reshape", takes=f"elements that fit {wanted}", got=shape)
        wanted = tuple(total // known if n == -1 else n for n in wanted)
    if math.prod(wanted) != total:
        raise wrong_shape(
            operator="reshape", takes=f"{math.prod(wanted)} elements for {wanted}", got=shape
        )
    return (wanted,)


def _flattened(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape, start = inputs[0], int(attributes["start"])
    return ((*shape[:start], math.prod(shape[start:])),)


def _transposed(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape, order = inputs[0], attributes["order"]
    if sorted(a % len(shape) for a in order) != list(range(len(shape))):
        raise wrong_shape(
            operator="transpose", takes=f"{len(order)} dimensions for order {order}", got=shape
        )
    return (tuple(shape[a] for a in order),)


def _joined(inputs: Shapes, attributes: Attributes) -> Shapes:
    axis = int(attributes["axis"]) % len(inputs[0])
    rest = {tuple(n for i, n in enumerate(s) if i != axis) for s in inputs}
    if len(rest) != 1:
        raise wrong_shape(
            operator="concatenate", takes=f"shapes equal but for axis {axis}", got=inputs
        )
    shape = list(inputs[0])
    shape[axis] = sum(s[axis] for s in inputs)
    return (tuple(shape),)


def _appended(inputs: Shapes, attributes: Attributes) -> Shapes:
    kept, new = inputs
    if attributes["axis"] is None:
        if math.prod(new) > math.prod(kept):
            wanted = "a store and at most as many elements to write into it"
            raise wrong_shape(operator="append", takes=wanted, got=inputs)
        return (kept,)
    axis = int(attributes["axis"]) % max(1, len(kept))
    alike = len(kept) == len(new) and all(
        n == m for i, (n, m) in enumerate(zip(kept, new, strict=True)) if i != axis
    )
    if not alike or new[axis] > kept[axis]:
        wanted = f"a store with room along axis {axis} and what is written into it"
        raise wrong_shape(operator="append", takes=wanted, got=inputs)
    return (kept,)


def _written(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"n": math.prod(inputs[1])}


def _padded(inputs: Shapes, attributes: Attributes) -> Shapes:
    shape: Shape = inputs[0]
    pads: Sequence[tuple[int, int]] = attributes["padding"]
    lead = len(shape) - len(pads)
    sides = [(0, 0)] * lead + [(int(a), int(b)) for a, b in pads]
    return (tuple(n + a + b for n, (a, b) in zip(shape, sides, strict=True)),)


def _embedding_shapes(inputs: Shapes, attributes: Attributes) -> Shapes:
    return ((*inputs[0], int(attributes["width"])),)


def _embedding_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    return {"V": int(attributes["rows"]), "D": int(attributes["width"])}


def _resized(inputs: Shapes, attributes: Attributes) -> Shapes:
    size = attributes["size"]
    return ((*inputs[0][: len(inputs[0]) - len(size)], *(int(n) for n in size)),)


def _taps(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    rank = len(attributes["size"])
    taps = {"nearest": 0, "linear": 2**rank, "cubic": 4**rank}
    return {"t": taps.get(str(attributes["mode"]), 2**rank)}


_RESULT = Attribute("shape", doc="of the result")
_FUNCTION = Attribute("function", default="", doc="its name where it comes from")


def _view(name: str, summary: str, shapes: ShapeRule, *attributes: Attribute) -> Operator:
    return Operator(
        name=name,
        kind="view",
        summary=summary,
        attributes=attributes,
        shapes=shapes,
        traffic="0",
        view=True,
    )


OPERATORS: tuple[Operator, ...] = (
    _view(
        "reshape",
        "The same elements in another shape.",
        _reshaped,
        Attribute("shape", doc="sizes, -1 for what is left"),
    ),
    _view(
        "flatten",
        "All dimensions from one on as one.",
        _flattened,
        Attribute("start", default=1, doc="first dimension that is joined"),
    ),
    _view(
        "transpose",
        "Dimensions in another order, moving nothing.",
        _transposed,
        Attribute("order", doc="of the dimensions"),
    ),
    _view(
        "view",
        "Another look at the same memory: a slice, a stretch, a split.",
        _given,
        Attribute("shape", doc="of each output"),
        _FUNCTION,
    ),
    _view("identity", "Nothing at all.", same_shape),
    Operator(
        name="concatenate",
        kind="movement",
        summary="Signals one after another along an axis.",
        inputs=("part...",),
        attributes=(replace(AXIS, default=1),),
        shapes=_joined,
    ),
    Operator(
        name="append",
        kind="movement",
        summary="New elements written into a store that is kept, such as the keys and values of "
        "positions that came before; n elements move, the rest stays where it is.",
        inputs=("store", "new"),
        attributes=(
            Attribute("axis", default=-2, doc="along which the store grows; anywhere if none"),
        ),
        shapes=_appended,
        symbols=_written,
        traffic="2*n*B_out/O",
        view=True,
    ),
    Operator(
        name="pad",
        kind="movement",
        summary="A border around the last dimensions.",
        attributes=(Attribute("padding", doc="before and after, for each last dimension"),),
        shapes=_padded,
    ),
    Operator(
        name="copy",
        kind="movement",
        summary="The same elements in new memory, or in another order or format.",
        attributes=(_RESULT, _FUNCTION),
        shapes=_given,
        names=Names(
            "DepthToSpace SpaceToDepth Tile BitCast Bernoulli Trilu CenterCropPad",
            "pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle",
        ),
    ),
    Operator(
        name="fill",
        kind="movement",
        summary="A constant, a range, or random numbers.",
        inputs=("like...",),
        attributes=(_RESULT, _FUNCTION),
        shapes=_given,
        traffic="B_out",
    ),
    Operator(
        name="gather",
        kind="lookup",
        summary="Some of the elements, by their indices.",
        inputs=("signal", "indices..."),
        attributes=(_RESULT, _FUNCTION),
        shapes=_given,
        traffic="2*B_out",
        saves=("input1",),
        names=Names(
            "GatherElements GatherND ScatterElements ScatterND Scatter TensorScatter Compress "
            "GridSample Col2Im ReverseSequence",
            "index index_select gather take take_along_dim _unsafe_index index_put index_add "
            "index_copy index_fill scatter scatter_add scatter_reduce masked_select masked_scatter "
            "max_unpool2d max_unpool3d searchsorted bucketize im2col col2im unfold_backward "
            "grid_sampler grid_sampler_2d",
        ),
    ),
    Operator(
        name="embedding",
        kind="lookup",
        summary="A row of a table for each index; no multiplication.",
        inputs=("indices",),
        attributes=(Attribute("rows", doc="of the table"), Attribute("width", doc="of a row")),
        shapes=_embedding_shapes,
        symbols=_embedding_symbols,
        parameters="V*D",
        traffic="B_in + 2*B_out",
        saves=("input0",),
    ),
    Operator(
        name="resize",
        kind="movement",
        summary="A picture in another size; t products and sums for each output.",
        attributes=(
            Attribute("size", doc="positions of the result, for each last dimension"),
            Attribute("mode", default="nearest", doc="one of 'nearest', 'linear', 'cubic'"),
        ),
        shapes=_resized,
        symbols=_taps,
        operations="2*t*O",
    ),
    Operator(
        name="unknown",
        kind="movement",
        summary="An operator that is not known: it is named in every total, which is then a "
        "lower bound.",
        inputs=("input...",),
        attributes=(_RESULT, replace(_FUNCTION, default=...)),
        shapes=_given,
        saves=("inputs",),
    ),
    Operator(
        name="sort",
        kind="reduction",
        summary="Elements in order along an axis, or the first of them.",
        attributes=(replace(_RESULT, default=None), AXIS),
        shapes=shape_or_same,
        operations="I",
        names=Names(
            "TopK Unique",
            "topk sort argsort unique _unique2 nonzero histc bincount multinomial",
        ),
    ),
)
