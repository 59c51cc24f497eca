"""How activations, arithmetic, reductions, shapes and look-ups are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tradespace.core.errors import GraphError
from tradespace.graph.network import Node, Shape
from tradespace.graph.operators.products import broadcast
from tradespace.graph.writers.onnx_emitter import Emitter

Handler = Callable[[Emitter, Node], None]
POINTWISE: dict[str, Handler] = {}


def _writes(*names: str) -> Callable[[Handler], Handler]:
    def keep(handler: Handler) -> Handler:
        for name in names:
            POINTWISE[name] = handler
        return handler

    return keep


#: Operators of one signal that ONNX has: name of ours -> (its name, attributes).
_UNARY: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {}),
    "celu": ("Celu", {}),
    "gelu": ("Gelu", {}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
    "mish": ("Mish", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6}),
    "hard_swish": ("HardSwish", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "threshold": ("ThresholdedRelu", {}),
    "negate": ("Neg", {}),
    "absolute": ("Abs", {}),
    "exponential": ("Exp", {}),
    "logarithm": ("Log", {}),
    "square_root": ("Sqrt", {}),
    "reciprocal": ("Reciprocal", {}),
    "error_function": ("Erf", {}),
    "sine": ("Sin", {}),
    "cosine": ("Cos", {}),
    "round": ("Round", {}),
}
#: Names that readers give to "pointwise".
_FUNCTIONS = {
    "floor": "Floor",
    "ceil": "Ceil",
    "sign": "Sign",
    "tan": "Tan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "atan": "Atan",
    "asin": "Asin",
    "acos": "Acos",
    "sgn": "Sign",
    "trunc": "Floor",
}
_BINARY = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "power": "Pow",
    "maximum": "Max",
    "minimum": "Min",
    "compare": "Greater",
}
_REDUCTIONS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "product": "ReduceProd",
    "largest": "ReduceMax",
    "norm": "ReduceL2",
    "log_sum_exp": "ReduceLogSumExp",
}


def _unary(op: str, attributes: dict[str, Any]) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        fmt = e.format_of(node)
        x = e.input(node.inputs[0], fmt)
        e.result(node, e.node(op, [x], e.shape(x), fmt, **attributes))

    return write


for _name, (_op, _attributes) in _UNARY.items():
    POINTWISE[_name] = _unary(_op, _attributes)


def _clip(low: float, high: float) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        fmt = e.format_of(node)
        x = e.input(node.inputs[0], fmt)
        bounds = [e.scalar(low, fmt), e.scalar(high, fmt)]
        e.result(node, e.node("Clip", [x, *bounds], e.shape(x), fmt))

    return write


POINTWISE["relu6"] = _clip(0, 6)
POINTWISE["hard_tanh"] = POINTWISE["clamp"] = _clip(-1, 1)


@_writes("silu", "quick_gelu", "log_sigmoid", "square", "reciprocal_square_root")
def _composed(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    shape = e.shape(x)
    if node.operator == "square":
        y = e.node("Mul", [x, x], shape, fmt)
    elif node.operator == "reciprocal_square_root":
        y = e.node("Reciprocal", [e.node("Sqrt", [x], shape, fmt)], shape, fmt)
    elif node.operator == "log_sigmoid":
        y = e.node("Log", [e.node("Sigmoid", [x], shape, fmt)], shape, fmt)
    else:
        steep = node.operator == "quick_gelu"
        inner = e.node("Mul", [x, e.scalar(1.702, fmt)], shape, fmt) if steep else x
        y = e.node("Mul", [x, e.node("Sigmoid", [inner], shape, fmt)], shape, fmt)
    e.result(node, y)


@_writes("prelu")
def _prelu(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    slopes = int(node.attributes["slopes"])
    shape = (slopes, *(1,) * (len(e.shape(x)) - 2)) if slopes > 1 else (1,)
    slope = e.weight(node.parameters[0], fmt, shape)
    e.result(node, e.node("PRelu", [x, slope], e.shape(x), fmt))


@_writes("maxout")
def _maxout(e: Emitter, node: Node) -> None:
    fmt, pieces = e.format_of(node), int(node.attributes["pieces"])
    x = e.input(node.inputs[0], fmt)
    axis = int(node.attributes["axis"]) % len(e.shape(x))
    made = e.network.tensors[node.outputs[0]].shape
    apart = e.reshape(x, (*made[: axis + 1], pieces, *made[axis + 1 :]))
    e.result(node, e.node("ReduceMax", [apart, e.ints(axis + 1)], made, fmt, keepdims=0))


@_writes("dropout", "stochastic_depth", "identity")
def _nothing(e: Emitter, node: Node) -> None:
    e.result(node, e.input(node.inputs[0]))


# ------------------------------------------------------------------------------ arithmetic


def _operands(e: Emitter, node: Node, fmt: str, shape: Shape) -> list[str]:
    """Return signals and parameters that can be stretched to a shape."""
    names = [e.input(i, fmt) for i in node.inputs]
    for index in node.parameters:
        held = e.network.parameters[index].shape
        if _fits(held, shape):
            names.append(e.weight(index, fmt))
        elif len(shape) > 1 and math.prod(held) == shape[1]:
            names.append(e.weight(index, fmt, (shape[1], *(1,) * (len(shape) - 2))))
        else:
            names.append(e.fit(e.weight(index, fmt), shape))
    return [n if _fits(e.shape(n), shape) else e.fit(n, shape) for n in names]


def _fits(shape: Shape, wanted: Shape) -> bool:
    short = len(shape) <= len(wanted)
    return short and all(a in (1, b) for a, b in zip(shape[::-1], wanted[::-1], strict=False))


def _binary(op: str) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        tensor = e.network.tensors[node.outputs[0]]
        fmt = tensor.format
        if op == "Greater" and fmt == "bool":
            fmt = "fp32"
        names = _operands(e, node, fmt, tensor.shape)
        if len(names) == 1:
            names.append(e.scalar(2, fmt))
        y = names[0]
        for other in names[1:]:
            shape = broadcast(op, e.shape(y), e.shape(other))
            y = e.node(op, [y, other], shape, "bool" if op == "Greater" else fmt)
            y = e.cast(y, fmt)
        e.result(node, y)

    return write


for _name, _op in _BINARY.items():
    POINTWISE[_name] = _binary(_op)


@_writes("select")
def _select(e: Emitter, node: Node) -> None:
    tensor = e.network.tensors[node.outputs[0]]
    fmt = tensor.format
    given = [e.input(i) for i in node.inputs]
    conditions = [n for n in given if e.known[n][1] == "bool"] or given[:1]
    signals = [e.cast(n, fmt) for n in given if n != conditions[0]]
    signals += [e.scalar(0, fmt)] * (2 - len(signals))
    parts = [e.cast(conditions[0], "bool"), *signals[:2]]
    parts = [p if _fits(e.shape(p), tensor.shape) else e.fit(p, tensor.shape) for p in parts]
    shape = broadcast("select", *(e.shape(p) for p in parts))
    e.result(node, e.node("Where", parts, shape, fmt))


@_writes("pointwise")
def _pointwise(e: Emitter, node: Node) -> None:
    function = str(node.attributes["function"])
    op = _FUNCTIONS.get(function.lower())
    if op is None:
        msg = f"{node.name!r} computes {function!r}, which cannot be written as ONNX."
        raise GraphError(msg, remedy=f"Functions that can be: {', '.join(sorted(_FUNCTIONS))}.")
    _unary(op, {})(e, node)


# ------------------------------------------------------------------------------ reductions


def _axes(node: Node, rank: int) -> list[int]:
    axes = node.attributes["axes"]
    if axes is None:
        return list(range(rank))
    return [a % max(1, rank) for a in ((axes,) if isinstance(axes, int) else axes)]


def _reduced(e: Emitter, x: str, node: Node, op: str, *, keep: bool) -> str:
    shape, fmt = e.known[x]
    axes = _axes(node, len(shape))
    left = [1 if i in axes else n for i, n in enumerate(shape)]
    if not keep:
        left = [n for i, n in enumerate(shape) if i not in axes]
    return e.node(op, [x, e.ints(*axes)], left, fmt, keepdims=int(keep))


def _reduction(op: str) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        x = e.input(node.inputs[0], e.format_of(node))
        keep = bool(node.attributes["keep_dimensions"])
        e.result(node, _reduced(e, x, node, op, keep=keep))

    return write


for _name, _op in _REDUCTIONS.items():
    POINTWISE[_name] = _reduction(_op)


@_writes("variance")
def _variance(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    mean = _reduced(e, x, node, "ReduceMean", keep=True)
    apart = e.node("Sub", [x, mean], e.shape(x), fmt)
    squares = e.node("Mul", [apart, apart], e.shape(x), fmt)
    keep = bool(node.attributes["keep_dimensions"])
    e.result(node, _reduced(e, squares, node, "ReduceMean", keep=keep))


@_writes("argument_of_largest")
def _argument(e: Emitter, node: Node) -> None:
    x = e.input(node.inputs[0])
    axes, keep = _axes(node, len(e.shape(x))), bool(node.attributes["keep_dimensions"])
    if len(axes) != 1:
        x, axes = e.reshape(x, (math.prod(e.shape(x)),)), [0]
    shape = [1 if i in axes else n for i, n in enumerate(e.shape(x)) if keep or i not in axes]
    y = e.node("ArgMax", [x], shape, "int64", axis=axes[0], keepdims=int(keep))
    e.result(node, y)


@_writes("cumulative_sum")
def _cumulative(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    axis = e.scalar(int(node.attributes["axis"]), "int64")
    e.result(node, e.node("CumSum", [x, axis], e.shape(x), fmt))


@_writes("sort")
def _sort(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    axis = int(node.attributes["axis"]) % len(e.shape(x))
    made = e.network.tensors[node.outputs[0]].shape
    count = made[axis] if len(made) == len(e.shape(x)) else e.shape(x)[axis]
    shape = (*e.shape(x)[:axis], count, *e.shape(x)[axis + 1 :])
    names = e.many("TopK", [x, e.ints(count)], [shape, shape], fmt, axis=axis)
    e.declare(names[1], shape, "int64")
    e.result(node, names[0])


# -------------------------------------------------------------------- products of signals


@_writes("matmul")
def _matmul(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    a, b = (e.input(i, fmt) for i in node.inputs)
    e.result(node, e.node("MatMul", [a, b], e.network.tensors[node.outputs[0]].shape, fmt))


@_writes("einsum")
def _einsum(e: Emitter, node: Node) -> None:
    fmt, equation = e.format_of(node), str(node.attributes["equation"])
    names = [e.input(i, fmt) for i in node.inputs]
    made = e.network.tensors[node.outputs[0]].shape
    e.result(node, e.node("Einsum", names, made, fmt, equation=equation))


# ---------------------------------------------------------------------------- shapes, tables


@_writes("reshape", "flatten")
def _reshape(e: Emitter, node: Node) -> None:
    x = e.input(node.inputs[0])
    e.result(node, e.reshape(x, e.network.tensors[node.outputs[0]].shape))


@_writes("transpose")
def _transpose(e: Emitter, node: Node) -> None:
    e.result(node, e.transpose(e.input(node.inputs[0]), node.attributes["order"]))


def _source(e: Emitter, node: Node) -> str:
    if node.inputs:
        return e.input(node.inputs[0])
    if node.parameters:
        return e.weight(node.parameters[0], e.format_of(node))
    return e.full((1,), 0, e.format_of(node))


@_writes("view")
def _view(e: Emitter, node: Node) -> None:
    x = _source(e, node)
    shapes = e.network.shapes_of(node.outputs)
    held = e.shape(x)
    axis = _split_axis(held, shapes)
    if axis is None:
        for i, shape in enumerate(shapes):
            e.result(node, e.fit(x, shape, str(node.attributes["function"])), i)
        return
    sizes = [s[axis] if len(s) == len(held) else 1 for s in shapes]
    parts = [(*held[:axis], n, *held[axis + 1 :]) for n in sizes]
    names = e.many("Split", [x, e.ints(*sizes)], parts, e.known[x][1], axis=axis)
    for i, name in enumerate(names):
        e.result(node, name, i)


def _split_axis(held: Shape, shapes: Sequence[Shape]) -> int | None:
    """Return the axis along which the shapes are all the parts of one, if there is any."""
    if len(shapes) < 2:
        return None
    for axis in range(len(held)):
        rest = (*held[:axis], *held[axis + 1 :])
        same = (
            all(len(s) == len(held) and (*s[:axis], *s[axis + 1 :]) == rest for s in shapes)
            and sum(s[axis] for s in shapes) == held[axis]
        )
        single = all(s == rest for s in shapes) and len(shapes) == held[axis]
        if same or single:
            return axis
    return None


@_writes("concatenate")
def _concatenate(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    parts = [e.input(i, fmt) for i in node.inputs]
    made = e.network.tensors[node.outputs[0]].shape
    e.result(node, e.node("Concat", parts, made, fmt, axis=int(node.attributes["axis"])))


@_writes("pad")
def _pad(e: Emitter, node: Node) -> None:
    fmt = e.format_of(node)
    x = e.input(node.inputs[0], fmt)
    pairs = node.attributes["padding"]
    lead = [0] * (len(e.shape(x)) - len(pairs))
    sides = [*lead, *(int(p[0]) for p in pairs), *lead, *(int(p[1]) for p in pairs)]
    made = e.network.tensors[node.outputs[0]].shape
    e.result(node, e.node("Pad", [x, e.ints(*sides)], made, fmt))


@_writes("copy")
def _copy(e: Emitter, node: Node) -> None:
    tensor = e.network.tensors[node.outputs[0]]
    fmt, function = tensor.format, str(node.attributes["function"])
    if len(node.inputs) > 1:
        flat = [e.input(i, fmt) for i in node.inputs]
        flat = [e.reshape(n, (math.prod(e.shape(n)),)) for n in flat]
        total = sum(e.shape(n)[0] for n in flat)
        e.result(node, e.node("Concat", flat, (total,), fmt, axis=0))
        return
    x = e.cast(_source(e, node), fmt)
    shape = e.shape(x)
    plain = function in ("clone", "contiguous", "to", "to_copy", "copy", "cast", "_to_copy")
    if plain or math.prod(shape) != tensor.elements or tensor.elements < 2:
        e.result(node, e.fit(x, tensor.shape))
    elif function == "roll":
        axis = next(i for i, n in enumerate(shape) if n > 1 and (i or len(shape) == 1))
        half = shape[axis] // 2
        parts = [
            e.slice(x, axis=axis, start=half, size=shape[axis] - half),
            e.slice(x, axis=axis, start=0, size=half),
        ]
        e.result(node, e.node("Concat", parts, shape, fmt, axis=axis))
    else:
        # Elements change their places: as much is moved whichever they are.
        wide = next((n for n in shape if n > 1), 1)
        turned = e.transpose(e.reshape(x, (wide, math.prod(shape) // wide)), (1, 0))
        e.result(node, turned)


@_writes("fill")
def _fill(e: Emitter, node: Node) -> None:
    tensor = e.network.tensors[node.outputs[0]]
    if node.parameters:
        e.result(node, e.weight(node.parameters[0], tensor.format))
    else:
        e.result(node, e.full(tensor.shape, 0, tensor.format))


@_writes("gather")
def _gather(e: Emitter, node: Node) -> None:
    tensor = e.network.tensors[node.outputs[0]]
    x = _source(e, node)
    shape, fmt = e.known[x]
    if not shape or not tensor.shape:
        e.result(node, x)
        return
    width = shape[-1] if shape[-1] == tensor.shape[-1] and len(tensor.shape) > 1 else 1
    rows = math.prod(shape) // width
    wanted = tensor.elements // width
    places = e.constant(np.arange(wanted, dtype=np.int64) % rows, "int64")
    table = e.reshape(x, (rows, width))
    e.result(node, e.node("Gather", [table, places], (wanted, width), fmt, axis=0))


@_writes("embedding")
def _embedding(e: Emitter, node: Node) -> None:
    fmt, a = e.format_of(node), node.attributes
    table = e.weight(node.parameters[0], fmt, (int(a["rows"]), int(a["width"])))
    indices = e.input(node.inputs[0])
    if e.known[indices][1] not in ("int64", "int32"):
        indices = e.cast(indices, "int64")
    made = e.network.tensors[node.outputs[0]].shape
    e.result(node, e.node("Gather", [table, indices], made, fmt, axis=0))
