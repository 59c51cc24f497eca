"""ONNX operators that move elements, look them up or only see them in another shape."""

from __future__ import annotations

import math

from tradespace.core.errors import GraphError
from tradespace.graph.readers.onnx.layers import handles
from tradespace.graph.readers.onnx.recorder import Call, Item, Recorder, UndeterminedError

# ------------------------------------------------------------------------- shapes, look-ups


@handles("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def _reshape(r: Recorder, call: Call) -> None:
    x = call.item(0)
    shape, _ = r.inferred(call)
    if math.prod(shape) != math.prod(x.shape):
        msg = f"Node {call.name!r} ({call.op}) makes {shape} of {x.shape}."
        remedy = "The file fixes a size that this input does not have; export it anew."
        raise GraphError(msg, remedy=remedy)
    r.add(call, "reshape", [x], shape=shape)


@handles("Transpose")
def _transpose(r: Recorder, call: Call) -> None:
    x = call.item(0)
    order = call.attributes.get("perm") or tuple(reversed(range(len(x.shape))))
    r.add(call, "transpose", [x], order=tuple(int(n) for n in order))


@handles("Identity")
def _identity(r: Recorder, call: Call) -> None:
    r.bind(call, [call.item(0)])


@handles("Cast", "CastLike")
def _cast(r: Recorder, call: Call) -> None:
    x = call.item(0)
    shape, fmt = r.inferred(call)
    if fmt == x.format:
        r.bind(call, [x])
    else:
        r.add(call, "copy", [x], format=fmt, shape=shape, function="cast")


@handles("Slice", "Split", "Expand")
def _view(r: Recorder, call: Call) -> None:
    shapes = tuple(r.inferred(call, i)[0] for i in range(len(call.outputs)))
    x = call.item(0)
    if shapes == (x.shape,):
        r.bind(call, [x])
        return
    r.add(call, "view", [x], shape=shapes, function=call.op.lower())


@handles("Concat", "ms.QLinearConcat")
def _concatenate(r: Recorder, call: Call) -> None:
    items = call.inputs[2::3] if call.op == "QLinearConcat" else call.inputs
    parts = [i for i in items if i is not None and i.elements]
    r.add(call, "concatenate", parts, axis=int(call.attributes["axis"]))


@handles("Pad")
def _pad(r: Recorder, call: Call) -> None:
    x, flat = call.item(0), call.numbers(1, "pads") or []
    axes = call.numbers(3) or list(range(len(x.shape)))
    pairs = [(0, 0)] * len(x.shape)
    for i, axis in enumerate(axes):
        pairs[int(axis)] = (int(flat[i]), int(flat[len(axes) + i]))
    r.add(call, "pad", [x], padding=tuple(pairs))


@handles("Resize", "Upsample")
def _resize(r: Recorder, call: Call) -> None:
    x = call.item(0)
    shape, _ = r.inferred(call)
    mode = str(call.attributes.get("mode", "nearest"))
    first = next((i for i, n in enumerate(shape) if n != x.shape[i]), len(shape) - 1)
    size = shape[max(0, min(first, 2)) :]
    r.add(call, "resize", [x], size=size, mode=mode if mode in ("nearest", "cubic") else "linear")


@handles("Gather")
def _gather(r: Recorder, call: Call) -> None:
    x, indices = call.item(0), call.item(1)
    axis = int(call.attributes.get("axis", 0))
    if x.value is None and x.held and len(x.shape) == 2 and axis == 0:
        r.add(
            call,
            "embedding",
            [indices],
            weights=[(x, "embedding")],
            format=x.format,
            rows=x.shape[0],
            width=x.shape[1],
        )
        return
    shape, fmt = r.inferred(call)
    if indices.elements == 1 and indices.value is None:
        r.add(call, "view", [x], format=fmt, shape=shape, function="select")
        return
    r.add(call, "gather", [x, indices], format=fmt, shape=shape, function="gather")


@handles("RoiAlign")
def _regions(r: Recorder, call: Call) -> None:
    x, regions, a = call.item(0), call.item(1), call.attributes
    height, width = int(a.get("output_height", 1)), int(a.get("output_width", 1))
    if height != width:
        msg = f"{call.name!r} gives regions of {height} x {width}"
        raise UndeterminedError(msg)
    samples = int(a.get("sampling_ratio", 0)) or 2
    r.add(call, "region_align", [x], regions=regions.shape[0], size=height, samples=samples)


@handles("OneHot", "EyeLike", "RandomNormalLike", "RandomUniformLike", "ConstantOfShape", "Range")
def _fill(r: Recorder, call: Call) -> None:
    shape, fmt = r.inferred(call)
    r.add(call, "fill", [], format=fmt, shape=shape, function=call.op.lower())


@handles("SplitToSequence")
def _split(r: Recorder, call: Call) -> None:
    x, axis = call.item(0), int(call.attributes.get("axis", 0))
    given = call.numbers(1) or [1]
    size = x.shape[axis]
    sizes = given if len(given) > 1 else [int(given[0])] * (size // max(1, int(given[0])))
    keep = bool(call.attributes.get("keepdims", 1)) or call.optional(1) is not None
    shapes = tuple(
        (*x.shape[:axis], *((int(n),) if keep else ()), *x.shape[axis + 1 :]) for n in sizes
    )
    if x.value is None:
        parts = [Item(shape, x.format, held=x.held) for shape in shapes]
    else:
        parts = r.add(call, "view", [x], bind=False, shape=shapes, function="split")
    r.items[call.outputs[0]] = Item((), x.format, parts=parts)


@handles("SequenceConstruct")
def _collect(r: Recorder, call: Call) -> None:
    parts = [i for i in call.inputs if i is not None]
    r.items[call.outputs[0]] = Item((), parts[0].format, parts=parts)


@handles("SequenceAt")
def _one_of(r: Recorder, call: Call) -> None:
    r.bind(call, [_parts(call)[int((call.numbers(1) or [0])[0])]])


@handles("ConcatFromSequence")
def _join(r: Recorder, call: Call) -> None:
    parts, axis = _parts(call), int(call.attributes["axis"])
    if call.attributes.get("new_axis"):
        shape = list(parts[0].shape)
        shape.insert(axis % (len(shape) + 1), len(parts))
        r.add(call, "copy", parts, shape=tuple(shape), function="stack")
    else:
        r.add(call, "concatenate", parts, axis=axis)


def _parts(call: Call) -> list[Item]:
    parts = call.item(0).parts
    if parts is None:
        msg = f"{call.name!r} takes from a sequence that depends on data"
        raise UndeterminedError(msg)
    return parts
