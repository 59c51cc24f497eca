"""ONNX operators that work element by element or reduce: activations, arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tradespace.graph.operators import AXES, Operator, named
from tradespace.graph.operators.products import broadcast
from tradespace.graph.readers.onnx.layers import HANDLERS, Handler, handles
from tradespace.graph.readers.onnx.recorder import Call, Item, Recorder, UndeterminedError

# ----------------------------------------------------------------------------- activations


def _one(name: str) -> Handler:
    def read(r: Recorder, call: Call) -> None:
        r.add(call, name, [call.item(0)], format=r.result_format(call))

    return read


@handles("Gelu", "ms.Gelu", "ms.FastGelu", "ms.BiasGelu")
def _gelu(r: Recorder, call: Call) -> None:
    x, bias = call.item(0), call.optional(1)
    if bias is not None:
        x = r.add(call, "add", [x, bias], name=f"{call.name}.bias", bind=False)[0]
    tanh = call.op == "FastGelu" or call.attributes.get("approximate") == "tanh"
    r.add(call, "gelu_tanh" if tanh else "gelu", [x])


@handles("Clip")
def _clip(r: Recorder, call: Call) -> None:
    bounds = []
    for index, name in ((1, "min"), (2, "max")):
        try:
            given = call.numbers(index, name)
        except UndeterminedError:
            given = None
        bounds.append(given[0] if given else None)
    r.add(call, "relu6" if bounds == [0, 6] else "clamp", [call.item(0)])


@handles("PRelu")
def _prelu(r: Recorder, call: Call) -> None:
    slope = call.item(1)
    if slope.value is not None or not slope.held:
        r.add(call, "leaky_relu", [call.item(0)])
        return
    r.add(call, "prelu", [call.item(0)], weights=[(slope, "weight")], slopes=slope.elements)


@handles("Dropout")
def _dropout(r: Recorder, call: Call) -> None:
    rate = call.attributes.get("ratio")
    if rate is None:
        known = call.optional(1)
        rate = known.array.item() if known is not None and known.array is not None else 0.5
    r.add(call, "dropout", [call.item(0)], rate=float(rate))


# ------------------------------------------------------------------------------ arithmetic


def _operands(r: Recorder, items: Sequence[Item | None]) -> list[Item]:
    """Return the operands that move: single numbers that nobody learned are left out."""
    given = [i for i in items if i is not None]
    return [i for i in given if i.value is not None or i.elements > 1 or r.is_parameter(i)]


def _arithmetic(name: str) -> Handler:
    def read(r: Recorder, call: Call) -> None:
        quantized = call.op.startswith("QLinear")
        items = [call.optional(0), call.optional(3)] if quantized else call.inputs
        operands = _operands(r, items)
        if name == "power" and len(operands) == 1:
            exponent = call.optional(1)
            if exponent is not None and exponent.array is not None and exponent.array.item() == 2:
                r.add(call, "square", operands)
                return
        if len(operands) == 1 and name in ("maximum", "minimum"):
            r.add(call, "clamp", operands)
            return
        _stretch(call, operands, items)
        made = r.add(call, name, operands, format="int8" if quantized else r.result_format(call))
        if call.op == "Mean":
            r.add(call, "divide", made)

    return read


def _stretch(call: Call, operands: list[Item], items: Sequence[Item | None]) -> None:
    """Keep a single number whose dimensions stretch the result: (1, 1, 1) to (3,)."""
    whole = broadcast(call.name, *(i.shape for i in items if i is not None))
    if broadcast(call.name, *(i.shape for i in operands)) != whole:
        operands += [i for i in items if i is not None and i not in operands]


def _compare(r: Recorder, call: Call) -> None:
    items = [i for i in call.inputs if i is not None]
    whole = broadcast(call.name, *(i.shape for i in items))
    r.add(call, "compare", _operands(r, items), format="bool", shape=whole)


def _select(r: Recorder, call: Call) -> None:
    items = [i for i in call.inputs if i is not None]
    whole = broadcast(call.name, *(i.shape for i in items))
    fmt = call.item(1).format
    r.add(call, "select", _operands(r, items), format=fmt, shape=whole)


@handles("Shrink", "Mod", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot")
def _function(r: Recorder, call: Call) -> None:
    operands, function = _operands(r, call.inputs), call.op.lower()
    r.add(call, "pointwise", operands, format=r.result_format(call), function=function)


# ------------------------------------------------------------------------------ reductions


def _reduction(name: str) -> Handler:
    def read(r: Recorder, call: Call) -> None:
        x = call.item(0)
        if call.op.startswith("Arg"):
            axes: Any = int(call.attributes.get("axis", 0))
        else:
            given = call.numbers(1, "axes")
            axes = tuple(int(n) for n in given) if given else None
            if axes is None and call.attributes.get("noop_with_empty_axes"):
                r.bind(call, [x])
                return
        keep = bool(call.attributes.get("keepdims", 1))
        rank = len(x.shape)
        everywhere = axes is not None and not isinstance(axes, int) and rank in (3, 4, 5)
        if everywhere and name == "mean" and sorted(a % rank for a in axes) == [*range(2, rank)]:
            # What torch and Keras call global average pooling.
            r.add(call, "global_average_pool", [x], keep_dimensions=keep)
            return
        fmt = "int64" if call.op.startswith("Arg") else x.format
        r.add(call, name, [x], format=fmt, axes=axes, keep_dimensions=keep)

    return read


@handles("CumSum", "CumProd")
def _cumulative(r: Recorder, call: Call) -> None:
    known = call.optional(1)
    axis = -1 if known is None or known.array is None else int(known.array.item())
    r.add(call, "cumulative_sum", [call.item(0)], axis=axis)


@handles("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def _loss(r: Recorder, call: Call) -> None:
    if call.attributes.get("reduction", "mean") == "none":
        msg = f"{call.name!r} gives a loss for each sample"
        raise UndeterminedError(msg)
    r.add(call, "cross_entropy", [call.item(0), call.item(1)], format=call.item(0).format)


# ------------------------------------------------------------------- what ONNX has too


def _shaped(rule: Operator) -> Handler:
    """Return what reads an operator whose result has the shape that onnx infers."""
    names = [a.name for a in rule.attributes]

    def read(r: Recorder, call: Call) -> None:
        shape, fmt = r.inferred(call)
        items = (
            [call.item(0)] if len(rule.inputs) == 1 else [i for i in call.inputs if i is not None]
        )
        more: dict[str, Any] = {"function": call.op.lower()} if "function" in names else {}
        r.add(call, rule.name, items, format=fmt, shape=shape, **more)

    return read


def _reader(rule: Operator) -> Handler:
    own = {"compare": _compare, "select": _select, "pointwise": _function}.get(rule.name)
    if own is not None:
        return own
    if rule.inputs == ("operand...",):
        return _arithmetic(rule.name)
    if AXES in rule.attributes:
        return _reduction(rule.name)
    return _shaped(rule) if rule.attributes else _one(rule.name)


HANDLERS.update({theirs: _reader(rule) for theirs, rule in named("onnx").items()})
HANDLERS["Mean"] = _arithmetic("add")
