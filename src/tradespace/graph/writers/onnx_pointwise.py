"""How activations, arithmetic and reductions are written."""

from __future__ import annotations

import math
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.network import Node, Shape
from tradespace.graph.operators import AXES, named, operators
from tradespace.graph.operators.products import broadcast
from tradespace.graph.writers.onnx_emitter import HANDLERS, Emitter, Handler, stretches, writes


def _unary(op: str, **attributes: Any) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        x, _ = e.first(node)
        e.write(node, op, [x], e.shape(x), **attributes)

    return write


def _operands(e: Emitter, node: Node, fmt: str, shape: Shape) -> list[str]:
    """Return signals and parameters that can be stretched to a shape."""
    names = [e.input(i, fmt) for i in node.inputs]
    for index in node.parameters:
        held = e.network.parameters[index].shape
        if stretches(held, shape):
            names.append(e.weight(index, fmt))
        elif len(shape) > 1 and math.prod(held) == shape[1]:
            names.append(e.weight(index, fmt, (shape[1], *(1,) * (len(shape) - 2))))
        else:
            names.append(e.fit(e.weight(index, fmt), shape))
    return [_fitted(e, n, shape) for n in names]


def _fitted(e: Emitter, name: str, shape: Shape) -> str:
    return name if stretches(e.shape(name), shape) else e.fit(name, shape)


def _arithmetic(op: str) -> Handler:
    def write(e: Emitter, node: Node) -> None:
        tensor = e.made(node)
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
        keep = bool(node.attributes["keep_dimensions"])
        e.result(node, _reduced(e, e.first(node)[0], node, op, keep=keep))

    return write


# What ONNX has too is written under its name; the handlers below are for what is different.
for _name, _rule in operators().items():
    _op = _rule.names.onnx.partition(" ")[0]
    if not _op or _op.startswith("ms."):
        continue
    if _rule.inputs == ("operand...",):
        HANDLERS[_name] = _arithmetic(_op)
    elif AXES in _rule.attributes:
        HANDLERS[_name] = _reduction(_op)
    elif not _rule.attributes:
        HANDLERS[_name] = _unary(_op)
HANDLERS["hard_sigmoid"] = _unary("HardSigmoid", alpha=1 / 6)
HANDLERS["gelu"] = _unary("Gelu")
HANDLERS["gelu_tanh"] = _unary("Gelu", approximate="tanh")

# ----------------------------------------------------------------------------- activations

#: Bounds of what is written as Clip.
_BOUNDS = {"relu6": (0, 6), "hard_tanh": (-1, 1), "clamp": (-1, 1)}


@writes(*_BOUNDS)
def _clip(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    bounds = [e.scalar(n, fmt) for n in _BOUNDS[node.operator]]
    e.write(node, "Clip", [x, *bounds], e.shape(x))


@writes("silu", "quick_gelu", "log_sigmoid", "square", "reciprocal_square_root")
def _composed(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    shape = e.shape(x)
    if node.operator == "square":
        e.write(node, "Mul", [x, x], shape)
    elif node.operator == "reciprocal_square_root":
        e.write(node, "Reciprocal", [e.node("Sqrt", [x], shape, fmt)], shape)
    elif node.operator == "log_sigmoid":
        e.write(node, "Log", [e.node("Sigmoid", [x], shape, fmt)], shape)
    else:
        steep = node.operator == "quick_gelu"
        inner = e.node("Mul", [x, e.scalar(1.702, fmt)], shape, fmt) if steep else x
        e.write(node, "Mul", [x, e.node("Sigmoid", [inner], shape, fmt)], shape)


@writes("prelu")
def _prelu(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    slopes = int(node.attributes["slopes"])
    shape = (slopes, *(1,) * (len(e.shape(x)) - 2)) if slopes > 1 else (1,)
    e.write(node, "PRelu", [x, e.weight(node.parameters[0], fmt, shape)], e.shape(x))


@writes("maxout")
def _maxout(e: Emitter, node: Node) -> None:
    x, _ = e.first(node)
    pieces, made = int(node.attributes["pieces"]), e.made(node).shape
    axis = int(node.attributes["axis"]) % len(e.shape(x))
    apart = e.reshape(x, (*made[: axis + 1], pieces, *made[axis + 1 :]))
    e.write(node, "ReduceMax", [apart, e.ints(axis + 1)], keepdims=0)


@writes("dropout", "stochastic_depth", "identity")
def _nothing(e: Emitter, node: Node) -> None:
    e.result(node, e.input(node.inputs[0]))


#: Functions of one signal, by the name of ONNX in lower case, that `pointwise` may stand for.
_FUNCTIONS: dict[str, Handler] = {
    theirs.lower().removeprefix("ms."): HANDLERS[rule.name]
    if rule.inputs == ("input",)
    else _unary(theirs)
    for theirs, rule in named("onnx").items()
    if rule.name == "pointwise" or (rule.inputs == ("input",) and rule.kind == "elementwise")
}
_FUNCTIONS |= {"sgn": _unary("Sign"), "trunc": _unary("Floor")}


@writes("pointwise")
def _pointwise(e: Emitter, node: Node) -> None:
    function = str(node.attributes["function"])
    write = _FUNCTIONS.get(function.lower())
    if write is None:
        msg = f"{node.name!r} computes {function!r}, which cannot be written as ONNX."
        raise GraphError(msg, remedy=f"Functions that can be: {', '.join(sorted(_FUNCTIONS))}.")
    write(e, node)


@writes("select")
def _select(e: Emitter, node: Node) -> None:
    tensor = e.made(node)
    fmt = tensor.format
    given = [e.input(i) for i in node.inputs]
    conditions = [n for n in given if e.known[n][1] == "bool"] or given[:1]
    signals = [e.cast(n, fmt) for n in given if n != conditions[0]]
    signals += [e.scalar(0, fmt)] * (2 - len(signals))
    parts = [e.cast(conditions[0], "bool"), *signals[:2]]
    parts = [_fitted(e, p, tensor.shape) for p in parts]
    e.write(node, "Where", parts, broadcast("select", *(e.shape(p) for p in parts)))


# -------------------------------------------------------------------- reductions, products


@writes("variance")
def _variance(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    mean = _reduced(e, x, node, "ReduceMean", keep=True)
    apart = e.node("Sub", [x, mean], e.shape(x), fmt)
    squares = e.node("Mul", [apart, apart], e.shape(x), fmt)
    keep = bool(node.attributes["keep_dimensions"])
    e.result(node, _reduced(e, squares, node, "ReduceMean", keep=keep))


@writes("argument_of_largest")
def _argument(e: Emitter, node: Node) -> None:
    x = e.input(node.inputs[0])
    axes, keep = _axes(node, len(e.shape(x))), bool(node.attributes["keep_dimensions"])
    if len(axes) != 1:
        x, axes = e.reshape(x, (math.prod(e.shape(x)),)), [0]
    shape = [1 if i in axes else n for i, n in enumerate(e.shape(x)) if keep or i not in axes]
    e.result(node, e.node("ArgMax", [x], shape, "int64", axis=axes[0], keepdims=int(keep)))


@writes("cumulative_sum")
def _cumulative(e: Emitter, node: Node) -> None:
    x, _ = e.first(node)
    axis = e.scalar(int(node.attributes["axis"]), "int64")
    e.write(node, "CumSum", [x, axis], e.shape(x))


@writes("sort")
def _sort(e: Emitter, node: Node) -> None:
    x, fmt = e.first(node)
    axis = int(node.attributes["axis"]) % len(e.shape(x))
    made = e.made(node).shape
    count = made[axis] if len(made) == len(e.shape(x)) else e.shape(x)[axis]
    shape = (*e.shape(x)[:axis], count, *e.shape(x)[axis + 1 :])
    names = e.many("TopK", [x, e.ints(count)], [shape, shape], fmt, axis=axis)
    e.declare(names[1], shape, "int64")
    e.result(node, names[0])


@writes("matmul")
def _matmul(e: Emitter, node: Node) -> None:
    e.write(node, "MatMul", [e.input(i, e.made(node).format) for i in node.inputs])


@writes("einsum")
def _einsum(e: Emitter, node: Node) -> None:
    names = [e.input(i, e.made(node).format) for i in node.inputs]
    e.write(node, "Einsum", names, equation=str(node.attributes["equation"]))
