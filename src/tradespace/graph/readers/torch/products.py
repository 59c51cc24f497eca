"""Products: dense layers, matrix products, convolutions, attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tradespace.graph.operators.products import product_equation
from tradespace.graph.readers.torch.calls import Use, spread
from tradespace.graph.readers.torch.handlers import handles

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder


@handles("linear")
def _linear(r: Recorder, u: Use) -> None:
    bias = u.get("bias")
    r.add(
        "dense",
        [u["input"]],
        u.result,
        weights=[u["weight"], bias],
        roles=("", "bias"),
        out_features=u.result.shape[-1],
        bias=bias is not None,
    )


@handles(
    "addmm", "mm", "bmm", "baddbmm", "addbmm", "matmul", "_sparse_mm", "mv", "dot", "addmv", "vdot"
)
def _matmul(r: Recorder, u: Use) -> None:
    name = u.call.name.removeprefix("aten.")
    added = name in ("addmm", "baddbmm", "addbmm", "addmv")
    operands: tuple[torch.Tensor, ...] = tuple(u.args)
    bias = operands[0] if added else None
    a, b = operands[1:3] if added else operands[:2]
    weighted = [t for t in (a, b) if r.weights(t) and not r.is_signal(t)]
    if len(weighted) == 1 and a.ndim >= 1 and b.ndim == 2 and weighted[0] is b:
        own = bias is not None and r.weights(bias)
        r.add(
            "dense",
            [a],
            u.result,
            weights=[b, bias if own else None],
            roles=("", "bias"),
            out_features=b.shape[-1],
            bias=bool(own),
        )
    else:
        _product(r, a, b, u.result)
    if bias is not None and not (r.weights(bias) and weighted):
        r.add("add", [u.first, bias], u.result)


def _product(r: Recorder, a: torch.Tensor, b: torch.Tensor, result: Any) -> None:
    """Record a product of two signals, or of a signal and a weight on the left."""
    weights = [t for t in (a, b) if r.weights(t) and not r.is_signal(t)]
    if a.ndim >= 2 and b.ndim >= 2 and not weights:
        r.add("matmul", [a, b], result)
        return
    for t in weights:  # an einsum sees both operands; the weight is an operand that is constant
        r.value(t)
    r.add("einsum", [a, b], result, equation=product_equation(a.ndim, b.ndim))


@handles("_grouped_mm")
def _grouped(r: Recorder, u: Use) -> None:
    """Rows that each meet one of several matrices: experts."""
    rows, matrices = u["self"], u["mat2"]
    if rows.ndim == 2 and matrices.ndim == 3 and r.weights(matrices):
        r.add(
            "dense",
            [rows],
            u.result,
            weights=[matrices],
            out_features=matrices.shape[-1],
            bias=False,
        )
    elif rows.ndim == 2 and matrices.ndim == 3:
        r.add("einsum", [rows, matrices], u.result, equation="mk,gkn->mn")
    else:
        _product(r, rows, matrices, u.result)


@handles("einsum")
def _einsum(r: Recorder, u: Use) -> None:
    r.add("einsum", list(u["tensors"]), u.result, equation=u["equation"])


@handles("bilinear")
def _bilinear(r: Recorder, u: Use) -> None:
    r.add(
        "einsum",
        [u["input1"], u["weight"], u["input2"]],
        u.result,
        equation="...i,oij,...j->...o",
    )


@handles("convolution", "_convolution")
def _convolution(r: Recorder, u: Use) -> None:
    weight, rank = u["weight"], u["weight"].ndim - 2
    fused: dict[str, Any] = {
        "out_channels": u.result.shape[1],
        "kernel": tuple(weight.shape[2:]),
        "stride": spread(u["stride"], rank),
        "padding": spread(u["padding"], rank),
        "dilation": spread(u["dilation"], rank),
        "groups": u["groups"],
        "bias": u["bias"] is not None,
    }
    name = f"convolution{rank}d"
    if u["transposed"]:
        name = f"transposed_{name}"
        fused["output_padding"] = spread(u["output_padding"], rank)
    r.add(name, [u["input"]], u.result, weights=[weight, u["bias"]], roles=("", "bias"), **fused)


@handles("scaled_dot_product_attention")
def _attention(r: Recorder, u: Use) -> None:
    mask = [u["attn_mask"]] if u["attn_mask"] is not None else []
    r.add(
        "attention",
        [u["query"], u["key"], u["value"], *mask],
        u.result,
        causal=bool(u["is_causal"]),
        dropout=float(u["dropout_p"]),
    )
