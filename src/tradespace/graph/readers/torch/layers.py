"""Normalization, pooling, dropout, look-ups in tables, activations with settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tradespace.graph.readers.torch.calls import Use, spread
from tradespace.graph.readers.torch.handlers import handles
from tradespace.graph.readers.torch.pointwise import record_indices

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder


@handles("batch_norm", "_native_batch_norm_legit_no_training", "native_batch_norm", "instance_norm")
def _batch_norm(r: Recorder, u: Use) -> None:
    held = [u["weight"], u["bias"], u.get("running_mean"), u.get("running_var")]
    instance = u.call.plain == "instance_norm"
    more = {} if instance else {"offset": u["bias"] is not None}
    r.add(
        "instance_norm" if instance else "batch_norm",
        [u["input"]],
        u.first,
        weights=held,
        roles=("norm_scale", "norm_offset", "statistic", "statistic"),
        affine=u["weight"] is not None,
        statistics=u.get("running_mean") is not None,
        **more,
    )


@handles("layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm")
def _layer_norm(r: Recorder, u: Use) -> None:
    root = "rms" in u.call.name
    more = {} if root else {"offset": u.get("bias") is not None}
    r.add(
        "rms_norm" if root else "layer_norm",
        [u["input"]],
        u.first,
        weights=[u["weight"], u.get("bias")],
        roles=("norm_scale", "norm_offset"),
        axes=len(u["normalized_shape"]),
        affine=u["weight"] is not None,
        **more,
    )


@handles("group_norm")
def _group_norm(r: Recorder, u: Use) -> None:
    r.add(
        "group_norm",
        [u["input"]],
        u.result,
        weights=[u["weight"], u["bias"]],
        roles=("norm_scale", "norm_offset"),
        groups=u["num_groups"],
        affine=u["weight"] is not None,
        offset=u["bias"] is not None,
    )


@handles("softmax", "_softmax", "log_softmax", "_log_softmax", "_safe_softmax")
def _softmax(r: Recorder, u: Use) -> None:
    name = "log_softmax" if "log" in u.call.name else "softmax"
    r.add(name, [u.args[0]], u.result, axis=u["dim"])


def _function_and_rank(u: Use) -> tuple[str, int]:
    """Return what a pooling takes of each window, and over how many dimensions."""
    before, _, after = u.call.name.partition("_pool")
    return "max" if before.endswith("max") else "average", int(after[0])


@handles(
    *(
        f"{f}_pool{rank}d{more}"
        for f in ("max", "avg")
        for rank in (1, 2, 3)
        for more in ("", "_with_indices")
    )
)
def _pool(r: Recorder, u: Use) -> None:
    function, rank = _function_and_rank(u)
    x = u["self"]
    if x.ndim == rank + 1:  # no batch
        x = r.seen_as(x, (1, *x.shape))
    kernel = spread(u["kernel_size"], rank)
    r.add(
        f"{function}_pool{rank}d",
        [x],
        u.first,
        kernel=kernel,
        stride=spread(u["stride"], rank) if u["stride"] else kernel,
        padding=spread(u["padding"], rank),
        dilation=spread(u["dilation"], rank) if u.get("dilation") else 1,
        ceil=bool(u["ceil_mode"]),
    )
    record_indices(r, u)


@handles(
    *(
        f"{start}adaptive_{f}_pool{rank}d"
        for start in ("", "_")
        for f in ("max", "avg")
        for rank in (1, 2, 3)
    ),
    "fractional_max_pool2d",
    "fractional_max_pool3d",
)
def _adaptive(r: Recorder, u: Use) -> None:
    function, rank = _function_and_rank(u)
    size = u.shape[-rank:]
    if function == "average" and all(n == 1 for n in size) and len(u.shape) == rank + 2:
        # torch itself takes the mean then, and keeps no input for the backward pass.
        r.add("global_average_pool", [u.args[0]], u.first)
    else:
        r.add(f"adaptive_{function}_pool{rank}d", [u.args[0]], u.first, output_size=size)
        record_indices(r, u)


# ------------------------------------------------------------ activations, look-ups, others


@handles("glu")
def _gated(r: Recorder, u: Use) -> None:
    halves = [torch.empty(u.result.shape, dtype=u.result.dtype, device="meta") for _ in range(3)]
    shape = u.shape
    r.add("view", [u.args[0]], halves[:2], shape=(shape, shape), function="chunk")
    r.add("sigmoid", [halves[1]], halves[2])
    r.add("multiply", [halves[0], halves[2]], u.result)


@handles("rrelu_with_noise")
def _random_slopes(r: Recorder, u: Use) -> None:
    r.add("leaky_relu", [u.args[0]], u.first, inplace=u.call.inplace)


@handles("gelu")
def _gelu(r: Recorder, u: Use) -> None:
    r.add("gelu_tanh" if u["approximate"] == "tanh" else "gelu", [u["self"]], u.result)


@handles("hardtanh", "clamp", "clamp_min", "clamp_max")
def _clamp(r: Recorder, u: Use) -> None:
    packet = u.call.name
    bounds = (u.get("min_val", u.get("min")), u.get("max_val", u.get("max")))
    six = "hardtanh" in packet and bounds == (0.0, 6.0)
    name = "relu6" if six else "hard_tanh" if "hardtanh" in packet else "clamp"
    r.add(name, [u["self"]], u.result, inplace=u.call.inplace)


@handles("prelu", "_prelu_kernel")
def _prelu(r: Recorder, u: Use) -> None:
    r.add("prelu", [u.args[0]], u.result, weights=[u.args[1]], slopes=u.args[1].numel())


@handles("dropout", "native_dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
def _dropout(r: Recorder, u: Use) -> None:
    inplace = u.call.inplace
    r.add("dropout", [u.args[0]], u.first, inplace=inplace, rate=float(u["p"]))


@handles("embedding")
def _embedding(r: Recorder, u: Use) -> None:
    table = u["weight"]
    r.add(
        "embedding",
        [u["indices"]],
        u.result,
        weights=[table],
        roles=("embedding",),
        rows=table.shape[0],
        width=table.shape[1],
    )


@handles("embedding_bag", "_embedding_bag", "_embedding_bag_forward_only")
def _embedding_bag(r: Recorder, u: Use) -> None:
    table, indices, out = u["weight"], u["indices"], u.first
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
