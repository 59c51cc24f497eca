"""ONNX operators with weights: products and convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.handlers import Handlers
from tradespace.graph.network import Shape
from tradespace.graph.operators.products import product_equation
from tradespace.graph.readers.onnx.recorder import Call, Item, Recorder, UndeterminedError

Handler = Callable[[Recorder, Call], None]
#: Contributed operators carry ``ms.`` before their name.
HANDLERS: Handlers[Handler] = Handlers()
handles = HANDLERS.handles


def per_axis(values: Sequence[int] | None, rank: int, default: int = 1) -> tuple[int, ...]:
    """Return a value for each spatial dimension."""
    return tuple(int(v) for v in values) if values else (default,) * rank


def padding(call: Call, rank: int) -> Any:
    """Return the padding in our words: pairs, ``"valid"``, or ``"same"`` either way round."""
    mode = call.attributes.get("auto_pad", "NOTSET")
    if mode == "VALID":
        return "valid"
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        return "same"
    pads = [int(n) for n in call.attributes.get("pads", (0,) * 2 * rank)]
    return tuple((pads[i], pads[rank + i]) for i in range(rank))


def following_bias(r: Recorder, call: Call, sizes: tuple[Shape, ...]) -> Item | None:
    """Return the parameter that the next node alone adds to a result, and skip that node."""
    following = r.following(call.outputs[0])
    if following is None or following.op != "Add":
        return None
    others = [i for i in following.node.input if i != call.outputs[0]]
    found = r.items.get(others[0]) if len(others) == 1 else None
    if found is None or found.value is not None or not found.held or found.shape not in sizes:
        return None
    if not r.is_parameter(found) and found.elements > 1:
        return None
    r.merged[id(following.node)] = call.outputs[0]
    return found


# -------------------------------------------------------------------------------- products


@handles("MatMul", "ms.FusedMatMul")
def _matmul(r: Recorder, call: Call) -> None:
    a, b = call.item(0), call.item(1)
    if call.attributes.get("transA"):
        a = _turned(r, a, call)
    if call.attributes.get("transB"):
        b = _turned(r, b, call)
    product(r, call, a, b)


def _turned(r: Recorder, item: Item, call: Call) -> Item:
    if item.value is None:
        return Item((*item.shape[:-2], *item.shape[:-3:-1]), item.format, held=item.held)
    rank = len(item.shape)
    return r.transpose(item, [*range(rank - 2), rank - 1, rank - 2], call)


def dense(
    r: Recorder,
    call: Call,
    x: Item,
    weight: Item,
    bias: Item | None,
    *,
    out: int = 0,
    fmt: str = "",
    bind: bool = True,
) -> Item:
    """Record a dense layer; it has as many outputs as its weight has columns, or `out`."""
    return r.add(
        call,
        "dense",
        [x],
        weights=[(weight, "weight"), (bias, "bias")],
        format=fmt,
        bind=bind,
        out_features=out or weight.shape[1],
        bias=bias is not None,
    )[0]


def product(r: Recorder, call: Call, a: Item, b: Item, fmt: str = "") -> None:
    """Record a matrix product: a dense layer if the right side is a weight."""
    fmt = fmt or r.inferred_format(call)
    if b.value is None and b.held and len(b.shape) == 2 and a.value is not None:
        if a.shape[-1] != b.shape[0]:
            msg = f"Node {call.name!r} multiplies {a.shape} by a weight of {b.shape}."
            raise GraphError(msg, remedy="Check the shape of the network's input.")
        out = b.shape[1]
        bias = following_bias(r, call, ((out,), (1, out), (1, 1, out)))
        dense(r, call, a, b, bias, fmt=fmt)
        return
    if a.value is not None and b.value is not None and len(a.shape) >= 2 and len(b.shape) >= 2:
        r.add(call, "matmul", [a, b], format=fmt)
        return
    equation = product_equation(len(a.shape), len(b.shape))
    operands = [_whole(r, a, call), _whole(r, b, call)]
    r.add(call, "einsum", operands, format=fmt, equation=equation)


def _whole(r: Recorder, item: Item, call: Call) -> Item:
    """Return an operand of a product; a weight is learned whatever it is called."""
    if item.value is None and item.held:
        own = r.declare(item, "weight", call.name)
        r.constant(item, f"{call.name}.constant", own)
    return item


@handles("Gemm", "ms.QGemm")
def _gemm(r: Recorder, call: Call) -> None:
    quantized = call.op == "QGemm"
    a, b, c = (
        (call.item(0), call.item(3), call.optional(6))
        if quantized
        else (call.item(0), call.item(1), call.optional(2))
    )
    if call.attributes.get("transA"):
        a = _turned(r, a, call)
    if call.attributes.get("transB"):
        b = _turned(r, b, call)
    fmt = "int8" if quantized else ""
    if b.value is None and b.held and a.value is not None:
        own = c is not None and c.value is None and bool(c.held) and c.elements == b.shape[1]
        if c is None:
            c = following_bias(r, call, ((b.shape[1],), (1, b.shape[1])))
            own = c is not None
        made = dense(r, call, a, b, c if own else None, fmt=fmt)
        if c is not None and not own:
            r.add(call, "add", [made, c])
        return
    product(r, call, a, b, fmt)
    if c is not None:
        r.add(call, "add", [r.items[call.outputs[0]], c])


@handles("MatMulInteger", "ms.DynamicQuantizeMatMul", "ms.MatMulIntegerToFloat")
def _matmul_integer(r: Recorder, call: Call) -> None:
    product(r, call, call.item(0), call.item(1), "int32" if call.op == "MatMulInteger" else "fp32")


@handles("QLinearMatMul")
def _matmul_quantized(r: Recorder, call: Call) -> None:
    product(r, call, call.item(0), call.item(3), "int8")


@handles("ms.MatMulNBits")
def _matmul_bits(r: Recorder, call: Call) -> None:
    weight, out = call.item(1), int(call.attributes["N"])
    bits = int(call.attributes.get("bits", 4))
    inner = int(call.attributes["K"])
    fmt = {4: "int4", 8: "int8"}.get(bits)
    if fmt is None or weight.value is not None:
        msg = f"{call.name!r} packs weights into {bits} bits"
        raise UndeterminedError(msg)
    r.repack(weight, (out, inner), fmt)
    dense(r, call, call.item(0), weight, call.optional(5), out=out)


@handles("Einsum")
def _einsum(r: Recorder, call: Call) -> None:
    operands = [_whole(r, call.item(i), call) for i in range(len(call.inputs))]
    r.add(call, "einsum", operands, equation=call.attributes["equation"])


# ---------------------------------------------------------------------------- convolutions


@handles("Conv", "ConvInteger", "QLinearConv", "ms.FusedConv")
def _convolution(r: Recorder, call: Call) -> None:
    quantized = call.op == "QLinearConv"
    x, weight = call.item(0), call.item(3 if quantized else 1)
    bias = call.optional(8 if quantized else 2) if call.op != "ConvInteger" else None
    rank, a = len(weight.shape) - 2, call.attributes
    if rank not in (1, 2, 3):
        msg = f"{call.name!r} is a convolution over {rank} dimensions"
        raise UndeterminedError(msg)
    out = weight.shape[0]
    if bias is None and call.op == "Conv":
        ones = (1,) * rank
        bias = following_bias(r, call, ((1, out, *ones), (out, *ones)))
    made = r.add(
        call,
        f"convolution{rank}d",
        [x],
        weights=[(weight, "weight"), (bias, "bias")],
        format={"QLinearConv": "int8", "ConvInteger": "int32"}.get(call.op)
        or r.result_format(call),
        out_channels=out,
        kernel=tuple(weight.shape[2:]),
        stride=per_axis(a.get("strides"), rank),
        padding=padding(call, rank),
        dilation=per_axis(a.get("dilations"), rank),
        groups=int(a.get("group", 1)),
        bias=bias is not None,
    )
    if call.op == "FusedConv" and a.get("activation"):
        name = {"Relu": "relu", "LeakyRelu": "leaky_relu", "HardSigmoid": "hard_sigmoid"}
        ours = name.get(a["activation"], str(a["activation"]).lower())
        r.add(call, ours if ours in ("sigmoid", "tanh", *name.values()) else "clamp", made)


@handles("ConvTranspose")
def _transposed(r: Recorder, call: Call) -> None:
    x, weight, bias = call.item(0), call.item(1), call.optional(2)
    rank, a = len(weight.shape) - 2, call.attributes
    groups = int(a.get("group", 1))
    kernel, stride = tuple(weight.shape[2:]), per_axis(a.get("strides"), rank)
    dilation = per_axis(a.get("dilations"), rank)
    extra = per_axis(a.get("output_padding"), rank, 0)
    pads = padding(call, rank)
    if a.get("output_shape"):
        sizes = per_axis(a["output_shape"], rank)
        total = [
            (n - 1) * s + d * (k - 1) + 1 - out
            for n, s, d, k, out in zip(x.shape[2:], stride, dilation, kernel, sizes, strict=True)
        ]
        # The runtime pads or crops until the size is reached.
        pads = tuple((max(0, t) // 2, max(0, t) - max(0, t) // 2) for t in total)
        extra = tuple(max(0, -t) for t in total)
    r.add(
        call,
        f"transposed_convolution{rank}d",
        [x],
        weights=[(weight, "weight"), (bias, "bias")],
        out_channels=weight.shape[1] * groups,
        kernel=kernel,
        stride=stride,
        padding=pads,
        dilation=dilation,
        output_padding=extra,
        groups=groups,
        bias=bias is not None,
    )
