"""Products: dense layers, matrix products, convolutions, attention."""

from __future__ import annotations

from typing import Any

import torch

from tradespace.graph.readers.torch.calls import bound, call_of, first, spread
from tradespace.graph.readers.torch.handlers import Recording, handles


@handles("linear")
def _linear(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    bias = a.get("bias")
    r.add(
        "dense",
        [a["input"]],
        result,
        weights=[a["weight"], bias],
        roles=("", "bias"),
        out_features=result.shape[-1],
        bias=bias is not None,
    )


@handles(
    "addmm", "mm", "bmm", "baddbmm", "addbmm", "matmul", "_sparse_mm", "mv", "dot", "addmv", "vdot"
)
def _matmul(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    name = call_of(func).name.removeprefix("aten.")
    added = name in ("addmm", "baddbmm", "addbmm", "addmv")
    operands: tuple[torch.Tensor, ...] = tuple(args)
    bias = operands[0] if added else None
    a, b = operands[1:3] if added else operands[:2]
    weighted = [t for t in (a, b) if r.weights(t) and not r.is_signal(t)]
    if len(weighted) == 1 and a.ndim >= 1 and b.ndim == 2 and weighted[0] is b:
        own = bias is not None and r.weights(bias)
        r.add(
            "dense",
            [a],
            result,
            weights=[b, bias if own else None],
            roles=("", "bias"),
            out_features=b.shape[-1],
            bias=bool(own),
        )
    else:
        _product(r, a, b, result)
    if bias is not None and not (r.weights(bias) and weighted):
        r.add("add", [first(result), bias], result)


def _product(r: Recording, a: torch.Tensor, b: torch.Tensor, result: Any) -> None:
    """Record a product of two signals, or of a signal and a weight on the left."""
    letters = "abcdefgh"
    lead_a, lead_b = max(0, a.ndim - 2), max(0, b.ndim - 2)
    longest = max(lead_a, lead_b)
    lead = letters[:longest]
    left = lead[longest - lead_a :] + ("mk" if a.ndim >= 2 else "k")
    right = lead[longest - lead_b :] + ("kn" if b.ndim >= 2 else "k")
    out = lead + ("m" if a.ndim >= 2 else "") + ("n" if b.ndim >= 2 else "")
    weights = [t for t in (a, b) if r.weights(t) and not r.is_signal(t)]
    if a.ndim >= 2 and b.ndim >= 2 and not weights:
        r.add("matmul", [a, b], result)
        return
    for t in weights:  # an einsum sees both operands; the weight is an operand that is constant
        r.value(t)
    r.add("einsum", [a, b], result, equation=f"{left},{right}->{out}")


@handles("_grouped_mm")
def _grouped(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    """Rows that each meet one of several matrices: experts."""
    a = bound(func, args, kwargs)
    rows, matrices = a["self"], a["mat2"]
    if rows.ndim == 2 and matrices.ndim == 3 and r.weights(matrices):
        r.add(
            "dense",
            [rows],
            result,
            weights=[matrices],
            out_features=matrices.shape[-1],
            bias=False,
        )
    elif rows.ndim == 2 and matrices.ndim == 3:
        r.add("einsum", [rows, matrices], result, equation="mk,gkn->mn")
    else:
        _product(r, rows, matrices, result)


@handles("einsum")
def _einsum(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    r.add("einsum", list(a["tensors"]), result, equation=a["equation"])


@handles("bilinear")
def _bilinear(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    r.add(
        "einsum",
        [a["input1"], a["weight"], a["input2"]],
        result,
        equation="...i,oij,...j->...o",
    )


@handles("convolution", "_convolution")
def _convolution(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    weight, rank = a["weight"], a["weight"].ndim - 2
    fused: dict[str, Any] = {
        "out_channels": result.shape[1],
        "kernel": tuple(weight.shape[2:]),
        "stride": spread(a["stride"], rank),
        "padding": spread(a["padding"], rank),
        "dilation": spread(a["dilation"], rank),
        "groups": a["groups"],
        "bias": a["bias"] is not None,
    }
    name = f"convolution{rank}d"
    if a["transposed"]:
        name = f"transposed_{name}"
        fused["output_padding"] = spread(a["output_padding"], rank)
    r.add(name, [a["input"]], result, weights=[weight, a["bias"]], roles=("", "bias"), **fused)


@handles("scaled_dot_product_attention")
def _attention(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    mask = [a["attn_mask"]] if a["attn_mask"] is not None else []
    r.add(
        "attention",
        [a["query"], a["key"], a["value"], *mask],
        result,
        causal=bool(a["is_causal"]),
        dropout=float(a["dropout_p"]),
    )
