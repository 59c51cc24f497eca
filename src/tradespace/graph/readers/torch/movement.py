"""What moves elements: joins, copies, look-ups by index, resizing; and losses."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils import _pytree as pytree

from tradespace.graph.readers.torch.calls import bound, call_of, first, operands
from tradespace.graph.readers.torch.handlers import Recording, handles
from tradespace.graph.readers.torch.pointwise import record_view


@handles("cat", "concatenate")
def _concatenate(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    parts = [t for t in a["tensors"] if t.numel()]
    if len(parts) == 1 and tuple(parts[0].shape) == tuple(result.shape):
        r.add("copy", parts, result, shape=tuple(result.shape), function="concatenate")
    else:
        r.add("concatenate", parts, result, axis=int(a["dim"] or 0))


@handles("stack")
def _stack(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    a = bound(func, args, kwargs)
    r.add("copy", list(a["tensors"]), result, shape=tuple(result.shape), function="stack")


@handles("constant_pad_nd", "pad", "reflection_pad1d", "reflection_pad2d", "replication_pad2d")
def _pad(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    flat = [int(n) for n in args[1]]
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
    r.add("pad", [args[0]], result, padding=tuple(reversed(pairs)))


@handles(
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
def _resize(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    packet = call_of(func).name
    mode = "nearest" if "nearest" in packet else "cubic" if "cubic" in packet else "linear"
    r.add("resize", [args[0]], result, size=tuple(result.shape[2:]), mode=mode)


@handles("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle")
def _shuffle(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("copy", [args[0]], result, shape=tuple(result.shape), function=call_of(func).plain)


@handles(
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
    "index_add_",
    "index_copy_",
    "index_fill",
    "index_fill_",
    "masked_scatter_",
    "scatter_reduce",
    "scatter_reduce_",
    "max_unpool2d",
    "max_unpool3d",
    "searchsorted",
    "bucketize",
    "im2col",
    "col2im",
    "unfold_backward",
    "grid_sampler",
    "grid_sampler_2d",
)
def _gather(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    tensors = operands(args, kwargs)
    out = first(result)
    r.add("gather", tensors, out, shape=tuple(out.shape), function=call_of(func).plain)


@handles(
    "topk", "sort", "argsort", "unique", "_unique2", "nonzero", "histc", "bincount", "multinomial"
)
def _sort(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    out = first(result)
    r.add("sort", [args[0]], out, shape=tuple(out.shape))
    for other in pytree.tree_leaves(result)[1:]:
        r.add("view", [out], other, shape=tuple(other.shape), function="indices")


@handles("cumsum", "cumsum_", "cumprod", "logcumsumexp", "cummax", "cummin")
def _cumulative(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("cumulative_sum", [args[0]], first(result), axis=int(args[1]))
    for other in () if isinstance(result, torch.Tensor) else result[1:]:
        r.add("view", [first(result)], other, shape=tuple(other.shape), function="indices")


@handles("_fft_r2c", "_fft_c2r", "_fft_c2c")
def _fourier(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("fourier", [args[0]], result, shape=tuple(result.shape), axes=tuple(args[1]))


@handles("_cdist_forward", "_euclidean_dist", "cdist")
def _distances(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("distances", list(args[:2]), result)


@handles("cross_entropy_loss", "nll_loss", "nll_loss_nd", "nll_loss_forward", "nll_loss2d")
def _cross_entropy(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    r.add("cross_entropy", list(args[:2]), first(result))


@handles(
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
)
def _squared(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    out = first(result)
    if out.ndim == 0:
        r.add("squared_error", list(args[:2]), out)
    else:
        r.add("pointwise", list(args[:2]), out, function=call_of(func).plain)


@handles(
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
def _copy(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    tensors = operands(args, kwargs)
    same = any(result is t for t in tensors)
    if same and not call_of(func).inplace:
        return  # nothing had to be done
    signals = [t for t in tensors if r.is_signal(t)] or tensors
    r.add("copy", signals, result, shape=tuple(result.shape), function=call_of(func).plain)


@handles("_unsafe_view")
def _reshaped(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    record_view(r, "reshape", args[0], [result])
