"""Which operator of ours an operator of torch is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils import _pytree as pytree

from tradespace.graph.readers.torch_recorder import Handler, Recorder

HANDLERS: dict[str, Handler] = {}


def _handles(*names: str) -> Callable[[Handler], Handler]:
    def keep(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[f"aten.{name}"] = handler
        return handler

    return keep


def _bound(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, with defaults."""
    found = dict(kwargs)
    for i, spec in enumerate(func._schema.arguments):  # noqa: SLF001 - the schema has no public name
        if i < len(args):
            found[spec.name] = args[i]
        elif spec.name not in found:
            found[spec.name] = spec.default_value if spec.has_default_value() else None
    return found


def _first(result: Any) -> torch.Tensor:
    found: torch.Tensor = pytree.tree_leaves(result)[0]
    return found


def _inplace(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


# ------------------------------------------------------------------------------- products


@_handles("linear")
def _linear(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
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


@_handles("addmm", "mm", "bmm", "baddbmm", "addbmm", "matmul", "mv", "dot", "addmv", "vdot")
def _matmul(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    name = str(func.overloadpacket).removeprefix("aten.")
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
        r.add("add", [_first(result), bias], result)


def _product(r: Recorder, a: torch.Tensor, b: torch.Tensor, result: Any) -> None:
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


@_handles("einsum")
def _einsum(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    r.add("einsum", list(a["tensors"]), result, equation=a["equation"])


@_handles("bilinear")
def _bilinear(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    r.add(
        "einsum",
        [a["input1"], a["weight"], a["input2"]],
        result,
        equation="...i,oij,...j->...o",
    )


@_handles("convolution", "_convolution")
def _convolution(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    weight, rank = a["weight"], a["weight"].ndim - 2
    fused: dict[str, Any] = {
        "out_channels": result.shape[1],
        "kernel": tuple(weight.shape[2:]),
        "stride": _spread(a["stride"], rank),
        "padding": _spread(a["padding"], rank),
        "dilation": _spread(a["dilation"], rank),
        "groups": a["groups"],
        "bias": a["bias"] is not None,
    }
    name = f"convolution{rank}d"
    if a["transposed"]:
        name = f"transposed_{name}"
        fused["output_padding"] = _spread(a["output_padding"], rank)
    r.add(name, [a["input"]], result, weights=[weight, a["bias"]], roles=("", "bias"), **fused)


def _spread(values: Sequence[int], rank: int) -> tuple[int, ...]:
    found = tuple(int(v) for v in values)
    return found * rank if len(found) == 1 else found


@_handles("scaled_dot_product_attention")
def _attention(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    mask = [a["attn_mask"]] if a["attn_mask"] is not None else []
    r.add(
        "attention",
        [a["query"], a["key"], a["value"], *mask],
        result,
        causal=bool(a["is_causal"]),
        dropout=float(a["dropout_p"]),
    )


# ------------------------------------------------------------------------------ recurrent


def _recurrent(cell: str) -> Handler:
    def handle(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        a = _bound(func, args, kwargs)
        x: Any = a.get("input", a.get("data"))
        weights = list(a["params"])
        layers, directions = int(a["num_layers"]), 2 if a["bidirectional"] else 1
        per_cell = len(weights) // (layers * directions)
        # weight_ih, weight_hh, then two biases, then a projection, as far as they are there.
        biases = 2 if a["has_biases"] else 0
        projected = per_cell - 2 - biases == 1
        hidden = weights[0].shape[0] // {"rnn": 1, "gru": 3, "lstm": 4}[cell]
        roles = ("", "", *("bias",) * biases, *("",) * projected) * (layers * directions)
        packed = x.ndim == 2
        steps_first = not packed and not a.get("batch_first", False)
        if packed or steps_first:
            shape = (1, *x.shape) if packed else (x.shape[1], x.shape[0], x.shape[2])
            x = _seen_as(r, x, shape)
        r.add(
            cell,
            [x],
            _first(result),
            weights=weights,
            roles=roles,
            hidden=hidden,
            layers=layers,
            bidirectional=bool(a["bidirectional"]),
            biases=biases,
            projection=weights[4].shape[0] if projected and biases else 0,
        )
        source = r.value(_first(result))
        for state in pytree.tree_leaves(result)[1:]:
            made = r.builder.apply_many(
                "view",
                source,
                name=r.name("view"),
                attributes={"shape": tuple(state.shape), "function": "state"},
                absolute=True,
            )[0]
            r.bind(state, made)

    return handle


def _seen_as(r: Recorder, x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return a stand-in of a signal that has another shape."""
    other = torch.empty(shape, dtype=x.dtype, device="meta")
    r.add("view", [x], other, shape=shape, function="transpose")
    return other


HANDLERS["aten.lstm"] = _recurrent("lstm")
HANDLERS["aten.gru"] = _recurrent("gru")
HANDLERS["aten.rnn_tanh"] = _recurrent("rnn")
HANDLERS["aten.rnn_relu"] = _recurrent("rnn")


def _cell(cell: str) -> Handler:
    def handle(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        a = _bound(func, args, kwargs)
        x = a["input"]
        step = _seen_as(r, x, (x.shape[0], 1, x.shape[1]))
        held = [a["w_ih"], a["w_hh"], a["b_ih"], a["b_hh"]]
        out = _first(result)
        wide = torch.empty((x.shape[0], 1, out.shape[-1]), dtype=out.dtype, device="meta")
        r.add(
            cell,
            [step],
            wide,
            weights=held,
            roles=("", "", "bias", "bias"),
            hidden=out.shape[-1],
            biases=2 if a["b_ih"] is not None else 0,
        )
        for state in pytree.tree_leaves(result):
            r.add("view", [wide], state, shape=tuple(state.shape), function="state")

    return handle


HANDLERS["aten.lstm_cell"] = _cell("lstm")
HANDLERS["aten.gru_cell"] = _cell("gru")
HANDLERS["aten.rnn_tanh_cell"] = _cell("rnn")
HANDLERS["aten.rnn_relu_cell"] = _cell("rnn")


# -------------------------------------------------------------- normalization and pooling


@_handles("batch_norm", "_native_batch_norm_legit_no_training", "native_batch_norm")
def _batch_norm(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    held = [a["weight"], a["bias"], a.get("running_mean"), a.get("running_var")]
    r.add(
        "batch_norm",
        [a["input"]],
        _first(result),
        weights=held,
        roles=("norm_scale", "norm_offset", "statistic", "statistic"),
        affine=a["weight"] is not None,
        offset=a["bias"] is not None,
        statistics=a.get("running_mean") is not None,
    )


@_handles("instance_norm")
def _instance_norm(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    held = [a["weight"], a["bias"], a.get("running_mean"), a.get("running_var")]
    r.add(
        "instance_norm",
        [a["input"]],
        result,
        weights=held,
        roles=("norm_scale", "norm_offset", "statistic", "statistic"),
        affine=a["weight"] is not None,
        statistics=a.get("running_mean") is not None,
    )


@_handles("layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm")
def _layer_norm(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    root = "rms" in str(func.overloadpacket)
    more = {} if root else {"offset": a.get("bias") is not None}
    r.add(
        "rms_norm" if root else "layer_norm",
        [a["input"]],
        _first(result),
        weights=[a["weight"], a.get("bias")],
        roles=("norm_scale", "norm_offset"),
        axes=len(a["normalized_shape"]),
        affine=a["weight"] is not None,
        **more,
    )


@_handles("group_norm")
def _group_norm(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    r.add(
        "group_norm",
        [a["input"]],
        result,
        weights=[a["weight"], a["bias"]],
        roles=("norm_scale", "norm_offset"),
        groups=a["num_groups"],
        affine=a["weight"] is not None,
        offset=a["bias"] is not None,
    )


@_handles("softmax", "_softmax", "log_softmax", "_log_softmax", "_safe_softmax")
def _softmax(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    name = "log_softmax" if "log" in str(func.overloadpacket) else "softmax"
    r.add(name, [args[0]], result, axis=_bound(func, args, kwargs)["dim"])


def _pool(function: str, rank: int) -> Handler:
    def handle(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        a = _bound(func, args, kwargs)
        x, out = a["self"], _first(result)
        if x.ndim == rank + 1:  # no batch
            x = _seen_as(r, x, (1, *x.shape))
        kernel = _spread(a["kernel_size"], rank)
        r.add(
            f"{function}_pool{rank}d",
            [x],
            out,
            kernel=kernel,
            stride=_spread(a["stride"], rank) if a["stride"] else kernel,
            padding=_spread(a["padding"], rank),
            dilation=_spread(a["dilation"], rank) if a.get("dilation") else 1,
            ceil=bool(a["ceil_mode"]),
        )

    return handle


def _adaptive(function: str, rank: int) -> Handler:
    def handle(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        out = _first(result)
        one = all(n == 1 for n in out.shape[-rank:])
        if one and function == "average" and out.ndim == rank + 2:
            # torch itself takes the mean then, and keeps no input for the backward pass.
            r.add("global_average_pool", [args[0]], out)
        else:
            size = tuple(out.shape[-rank:])
            r.add(f"adaptive_{function}_pool{rank}d", [args[0]], out, output_size=size)

    return handle


for _rank in (1, 2, 3):
    for _function, _names in {
        "max": (f"max_pool{_rank}d", f"max_pool{_rank}d_with_indices"),
        "average": (f"avg_pool{_rank}d",),
    }.items():
        for _name in _names:
            HANDLERS[f"aten.{_name}"] = _pool(_function, _rank)
        _short = "avg" if _function == "average" else "max"
        for _name in (f"adaptive_{_short}_pool{_rank}d", f"_adaptive_{_short}_pool{_rank}d"):
            HANDLERS[f"aten.{_name}"] = _adaptive(_function, _rank)


# ------------------------------------------------------------ activations, look-ups, others


@_handles("gelu", "gelu_")
def _gelu(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    r.add("gelu_tanh" if a["approximate"] == "tanh" else "gelu", [a["self"]], result)


@_handles("hardtanh", "hardtanh_", "clamp", "clamp_", "clamp_min", "clamp_max")
def _clamp(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    packet = str(func.overloadpacket)
    bounds = (a.get("min_val", a.get("min")), a.get("max_val", a.get("max")))
    six = "hardtanh" in packet and bounds == (0.0, 6.0)
    name = "relu6" if six else "hard_tanh" if "hardtanh" in packet else "clamp"
    r.add(name, [a["self"]], result, inplace=_inplace(packet))


@_handles("relu6", "relu6_")
def _relu6(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    del kwargs
    r.add("relu6", [args[0]], result, inplace=_inplace(str(func.overloadpacket)))


@_handles("prelu", "_prelu_kernel")
def _prelu(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    del func, kwargs
    r.add("prelu", [args[0]], result, weights=[args[1]], slopes=args[1].numel())


@_handles(
    "dropout",
    "dropout_",
    "native_dropout",
    "feature_dropout",
    "alpha_dropout",
    "feature_alpha_dropout",
    "feature_dropout_",
    "alpha_dropout_",
)
def _dropout(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    inplace = _inplace(str(func.overloadpacket))
    r.add("dropout", [args[0]], _first(result), inplace=inplace, rate=float(a["p"]))


@_handles("embedding")
def _embedding(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    table = a["weight"]
    r.add(
        "embedding",
        [a["indices"]],
        result,
        weights=[table],
        roles=("embedding",),
        rows=table.shape[0],
        width=table.shape[1],
    )


@_handles("embedding_bag", "_embedding_bag", "_embedding_bag_forward_only")
def _embedding_bag(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    table, indices, out = a["weight"], a["indices"], _first(result)
    rows = torch.empty((*indices.shape, table.shape[1]), dtype=table.dtype, device="meta")
    r.add(
        "embedding",
        [indices],
        rows,
        weights=[table],
        roles=("embedding",),
        rows=table.shape[0],
        width=table.shape[1],
    )
    if rows.ndim == 2:
        bags = out.shape[0]
        if bags and rows.shape[0] % bags == 0:
            rows = _seen_as(r, rows, (bags, rows.shape[0] // bags, table.shape[1]))
        else:
            r.add("gather", [rows], out, shape=tuple(out.shape), function="bags")
            return
    r.add("mean", [rows], out, axes=(1,))


@_handles("cat", "concatenate")
def _concatenate(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    parts = [t for t in a["tensors"] if t.numel()]
    if len(parts) == 1 and tuple(parts[0].shape) == tuple(result.shape):
        r.add("copy", parts, result, shape=tuple(result.shape), function="concatenate")
    else:
        r.add("concatenate", parts, result, axis=int(a["dim"] or 0))


@_handles("stack")
def _stack(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = _bound(func, args, kwargs)
    r.add("copy", list(a["tensors"]), result, shape=tuple(result.shape), function="stack")


@_handles("constant_pad_nd", "pad", "reflection_pad1d", "reflection_pad2d", "replication_pad2d")
def _pad(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    flat = [int(n) for n in args[1]]
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
    r.add("pad", [args[0]], result, padding=tuple(reversed(pairs)))


@_handles(
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "_upsample_nearest_exact2d",
    "upsample_bilinear2d",
    "upsample_linear1d",
    "upsample_trilinear3d",
    "upsample_bicubic2d",
    "_upsample_bilinear2d_aa",
    "_upsample_bicubic2d_aa",
)
def _resize(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    packet = str(func.overloadpacket)
    mode = "nearest" if "nearest" in packet else "cubic" if "cubic" in packet else "linear"
    r.add("resize", [args[0]], result, size=tuple(result.shape[2:]), mode=mode)


@_handles("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle")
def _shuffle(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("copy", [args[0]], result, shape=tuple(result.shape), function=_plain(func))


@_handles(
    "index",
    "index_select",
    "gather",
    "take",
    "take_along_dim",
    "_unsafe_index",
    "index_put",
    "index_put_",
    "scatter",
    "scatter_",
    "scatter_add",
    "scatter_add_",
    "masked_select",
    "masked_scatter",
    "index_add",
    "index_copy",
    "im2col",
    "col2im",
    "unfold_backward",
    "grid_sampler",
    "grid_sampler_2d",
)
def _gather(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    tensors = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
    out = _first(result)
    r.add("gather", tensors, out, shape=tuple(out.shape), function=_plain(func))


@_handles("topk", "sort", "argsort", "unique", "_unique2", "nonzero")
def _sort(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    out = _first(result)
    r.add("sort", [args[0]], out, shape=tuple(out.shape))
    for other in pytree.tree_leaves(result)[1:]:
        r.add("view", [out], other, shape=tuple(other.shape), function="indices")


@_handles("cumsum", "cumsum_", "cumprod", "logcumsumexp")
def _cumulative(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("cumulative_sum", [args[0]], result, axis=int(args[1]))


@_handles("cross_entropy_loss", "nll_loss", "nll_loss_nd", "nll_loss_forward", "nll_loss2d")
def _cross_entropy(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("cross_entropy", list(args[:2]), _first(result))


@_handles(
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
)
def _squared(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    out = _first(result)
    if out.ndim == 0:
        r.add("squared_error", list(args[:2]), out)
    else:
        r.add("pointwise", list(args[:2]), out, function=_plain(func))


@_handles(
    "clone",
    "contiguous",
    "_to_copy",
    "to",
    "copy_",
    "repeat",
    "repeat_interleave",
    "roll",
    "flip",
    "tril",
    "triu",
    "expand_copy",
    "tile",
    "rot90",
    "_unsafe_masked_index",
)
def _copy(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    tensors = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
    same = any(result is t for t in tensors)
    if same and not _inplace(str(func.overloadpacket)):
        return  # nothing had to be done
    signals = [t for t in tensors if r.is_signal(t)] or tensors
    r.add("copy", signals, result, shape=tuple(result.shape), function=_plain(func))


@_handles("_unsafe_view")
def _reshaped(r: Recorder, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    _view(r, "reshape", args[0], [result])


def _plain(func: Any) -> str:
    return str(func.overloadpacket).removeprefix("aten.").strip("_")


#: torch's names of what works element by element, where ours differ or it counts more than one.
_POINTWISE = {
    "add": "add",
    "sub": "subtract",
    "rsub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "true_divide": "divide",
    "pow": "power",
    "maximum": "maximum",
    "minimum": "minimum",
    "neg": "negate",
    "abs": "absolute",
    "exp": "exponential",
    "log": "logarithm",
    "sqrt": "square_root",
    "rsqrt": "reciprocal_square_root",
    "reciprocal": "reciprocal",
    "square": "square",
    "erf": "error_function",
    "sin": "sine",
    "cos": "cosine",
    "relu": "relu",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "silu": "silu",
    "mish": "mish",
    "sigmoid": "sigmoid",
    "log_sigmoid_forward": "log_sigmoid",
    "log_sigmoid": "log_sigmoid",
    "tanh": "tanh",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
    "softplus": "softplus",
    "threshold": "threshold",
    "where": "select",
    "masked_fill": "select",
}
_COMPARES = {
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "logical_and",
    "logical_or",
    "logical_not",
    "bitwise_and",
    "bitwise_or",
    "bitwise_not",
    "isnan",
    "isinf",
    "isin",
    "logical_xor",
}
_REDUCTIONS = {
    "sum": "sum",
    "mean": "mean",
    "prod": "product",
    "amax": "largest",
    "amin": "largest",
    "max": "largest",
    "min": "largest",
    "argmax": "argument_of_largest",
    "argmin": "argument_of_largest",
    "var": "variance",
    "std": "variance",
    "var_mean": "variance",
    "std_mean": "variance",
    "norm": "norm",
    "linalg_vector_norm": "norm",
    "logsumexp": "log_sum_exp",
    "any": "largest",
    "all": "largest",
}
# These must not be taken apart before they are seen.
for _packet in (*_POINTWISE, *_REDUCTIONS, *_COMPARES):
    for _form in (_packet, f"{_packet}_"):
        HANDLERS.setdefault(
            f"aten.{_form}",
            lambda r, func, args, kwargs, result: record_by_tags(
                r, func, str(func.overloadpacket), args, kwargs, result
            ),
        )


def record_by_tags(r: Recorder, func: Any, name: str, args: Any, kwargs: Any, result: Any) -> None:
    """Record an operator by its name or by what torch says of it; name it if that says nothing."""
    plain = name.removeprefix("aten.")
    inplace = _inplace(plain)
    short = plain.strip("_")
    tensors = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
    outputs = [t for t in pytree.tree_leaves(result) if isinstance(t, torch.Tensor)]
    if not outputs:
        return
    if short == "max" and len(args) > 1 and isinstance(args[1], torch.Tensor):
        short = "maximum"
    if short == "min" and len(args) > 1 and isinstance(args[1], torch.Tensor):
        short = "minimum"
    shape = tuple(outputs[0].shape)
    if short in _POINTWISE:
        ours = _POINTWISE[short]
        extra = {"shape": shape} if ours == "select" else {}
        r.add(ours, tensors, outputs[0], inplace=inplace, **extra)
        return
    if short in _COMPARES:
        r.add("compare", tensors, outputs[0], shape=shape)
        return
    if short in _REDUCTIONS:
        _reduction(r, func, short, args, kwargs, outputs)
        return
    if _is_view(func):
        _view(r, short, tensors[0], outputs)
        return
    if torch.Tag.pointwise in func.tags:
        r.add("pointwise", tensors, outputs[0], inplace=inplace, function=short)
        return
    if short in (
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "new_zeros",
        "new_ones",
        "new_full",
        "new_empty",
        "zero",
        "fill",
        "rand_like",
        "randn_like",
        "bernoulli",
        "new_empty_strided",
        "detach",
        "lift_fresh",
    ):
        if short == "detach":
            _view(r, short, tensors[0], outputs)
        # The others make a constant of a shape: nothing flows from the input.
        return
    r.add("unknown", tensors, outputs, shape=tuple(tuple(t.shape) for t in outputs), function=plain)


def _is_view(func: Any) -> bool:
    returned = func._schema.returns  # noqa: SLF001 - the schema has no public name
    return any(x.alias_info is not None and not x.alias_info.is_write for x in returned)


def _view(r: Recorder, function: str, x: torch.Tensor, outputs: list[torch.Tensor]) -> None:
    shapes = tuple(tuple(t.shape) for t in outputs)
    r.add("view", [x], outputs, shape=shapes if len(shapes) > 1 else shapes[0], function=function)


def _reduction(
    r: Recorder, func: Any, short: str, args: Any, kwargs: Any, outputs: list[torch.Tensor]
) -> None:
    a = _bound(func, args, kwargs)
    axes = a.get("dim")
    axes = None if axes is None or axes == [] else axes if isinstance(axes, int) else tuple(axes)
    keep = bool(a.get("keepdim", False))
    r.add(_REDUCTIONS[short], [args[0]], outputs[0], axes=axes, keep_dimensions=keep)
    for other in outputs[1:]:
        r.add("view", [outputs[0]], other, shape=tuple(other.shape), function="indices")
