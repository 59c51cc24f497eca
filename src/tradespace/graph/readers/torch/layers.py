"""Normalization, pooling, dropout, look-ups in tables, activations with settings."""

from __future__ import annotations

from typing import Any

import torch

from tradespace.graph.readers.torch.calls import bound, call_of, first, spread
from tradespace.graph.readers.torch.handlers import HANDLERS, Handler, Recording, handles


@handles("batch_norm", "_native_batch_norm_legit_no_training", "native_batch_norm")
def _batch_norm(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    held = [a["weight"], a["bias"], a.get("running_mean"), a.get("running_var")]
    r.add(
        "batch_norm",
        [a["input"]],
        first(result),
        weights=held,
        roles=("norm_scale", "norm_offset", "statistic", "statistic"),
        affine=a["weight"] is not None,
        offset=a["bias"] is not None,
        statistics=a.get("running_mean") is not None,
    )


@handles("instance_norm")
def _instance_norm(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
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


@handles("layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm")
def _layer_norm(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    root = "rms" in call_of(func).name
    more = {} if root else {"offset": a.get("bias") is not None}
    r.add(
        "rms_norm" if root else "layer_norm",
        [a["input"]],
        first(result),
        weights=[a["weight"], a.get("bias")],
        roles=("norm_scale", "norm_offset"),
        axes=len(a["normalized_shape"]),
        affine=a["weight"] is not None,
        **more,
    )


@handles("group_norm")
def _group_norm(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
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


@handles("softmax", "_softmax", "log_softmax", "_log_softmax", "_safe_softmax")
def _softmax(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    name = "log_softmax" if "log" in call_of(func).name else "softmax"
    r.add(name, [args[0]], result, axis=bound(func, args, kwargs)["dim"])


def _pool(function: str, rank: int) -> Handler:
    def handle(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        a = bound(func, args, kwargs)
        x, out = a["self"], first(result)
        if x.ndim == rank + 1:  # no batch
            x = r.seen_as(x, (1, *x.shape))
        kernel = spread(a["kernel_size"], rank)
        r.add(
            f"{function}_pool{rank}d",
            [x],
            out,
            kernel=kernel,
            stride=spread(a["stride"], rank) if a["stride"] else kernel,
            padding=spread(a["padding"], rank),
            dilation=spread(a["dilation"], rank) if a.get("dilation") else 1,
            ceil=bool(a["ceil_mode"]),
        )
        _positions(r, result)

    return handle


def _positions(r: Recording, result: Any) -> None:
    """Record where the largest elements stood, if that is given too."""
    if not isinstance(result, torch.Tensor):
        for other in result[1:]:
            r.add("view", [result[0]], other, shape=tuple(other.shape), function="indices")


def _adaptive(function: str, rank: int) -> Handler:
    def handle(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        out = first(result)
        one = all(n == 1 for n in out.shape[-rank:])
        if one and function == "average" and out.ndim == rank + 2:
            # torch itself takes the mean then, and keeps no input for the backward pass.
            r.add("global_average_pool", [args[0]], out)
        else:
            size = tuple(out.shape[-rank:])
            r.add(f"adaptive_{function}_pool{rank}d", [args[0]], out, output_size=size)
            _positions(r, result)

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


HANDLERS["aten.fractional_max_pool2d"] = _adaptive("max", 2)
HANDLERS["aten.fractional_max_pool3d"] = _adaptive("max", 3)


@handles("glu")
def _gated(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    halves = [torch.empty(result.shape, dtype=result.dtype, device="meta") for _ in range(3)]
    shape = tuple(result.shape)
    r.add("view", [args[0]], halves[:2], shape=(shape, shape), function="chunk")
    r.add("sigmoid", [halves[1]], halves[2])
    r.add("multiply", [halves[0], halves[2]], result)


@handles("rrelu_with_noise", "rrelu_with_noise_")
def _random_slopes(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("leaky_relu", [args[0]], first(result), inplace=call_of(func).inplace)


@handles("gelu", "gelu_")
def _gelu(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    r.add("gelu_tanh" if a["approximate"] == "tanh" else "gelu", [a["self"]], result)


@handles("hardtanh", "hardtanh_", "clamp", "clamp_", "clamp_min", "clamp_max")
def _clamp(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    packet = call_of(func).name
    bounds = (a.get("min_val", a.get("min")), a.get("max_val", a.get("max")))
    six = "hardtanh" in packet and bounds == (0.0, 6.0)
    name = "relu6" if six else "hard_tanh" if "hardtanh" in packet else "clamp"
    r.add(name, [a["self"]], result, inplace=call_of(func).inplace)


@handles("prelu", "_prelu_kernel")
def _prelu(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    del func, kwargs
    r.add("prelu", [args[0]], result, weights=[args[1]], slopes=args[1].numel())


@handles(
    "dropout",
    "dropout_",
    "native_dropout",
    "feature_dropout",
    "alpha_dropout",
    "feature_alpha_dropout",
    "feature_dropout_",
    "alpha_dropout_",
)
def _dropout(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    inplace = call_of(func).inplace
    r.add("dropout", [args[0]], first(result), inplace=inplace, rate=float(a["p"]))


@handles("embedding")
def _embedding(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
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


@handles("embedding_bag", "_embedding_bag", "_embedding_bag_forward_only")
def _embedding_bag(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    table, indices, out = a["weight"], a["indices"], first(result)
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
            rows = r.seen_as(rows, (bags, rows.shape[0] // bags, table.shape[1]))
        else:
            r.add("gather", [rows], out, shape=tuple(out.shape), function="bags")
            return
    r.add("mean", [rows], out, axes=(1,))
