"""What moves elements: joins, copies, look-ups by index, resizing; and losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradespace.graph.readers.torch.calls import Use
from tradespace.graph.readers.torch.handlers import handles
from tradespace.graph.readers.torch.pointwise import record_indices, record_view

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder


@handles("cat", "concatenate")
def _concatenate(r: Recorder, u: Use) -> None:
    parts = [t for t in u["tensors"] if t.numel()]
    if len(parts) == 1 and tuple(parts[0].shape) == u.shape:
        r.add("copy", parts, u.result, shape=u.shape, function="concatenate")
    else:
        r.add("concatenate", parts, u.result, axis=int(u["dim"] or 0))


@handles("stack")
def _stack(r: Recorder, u: Use) -> None:
    r.add("copy", list(u["tensors"]), u.result, shape=u.shape, function="stack")


@handles("constant_pad_nd", "pad", "reflection_pad1d", "reflection_pad2d", "replication_pad2d")
def _pad(r: Recorder, u: Use) -> None:
    flat = [int(n) for n in u.args[1]]
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
    r.add("pad", [u.args[0]], u.result, padding=tuple(reversed(pairs)))


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
def _resize(r: Recorder, u: Use) -> None:
    packet = u.call.name
    mode = "nearest" if "nearest" in packet else "cubic" if "cubic" in packet else "linear"
    r.add("resize", [u.args[0]], u.result, size=tuple(u.result.shape[2:]), mode=mode)


@handles("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin")
def _cumulative(r: Recorder, u: Use) -> None:
    r.add("cumulative_sum", [u.args[0]], u.first, axis=int(u.args[1]))
    record_indices(r, u)


@handles("_fft_r2c", "_fft_c2r", "_fft_c2c")
def _fourier(r: Recorder, u: Use) -> None:
    r.add("fourier", [u.args[0]], u.result, shape=u.shape, axes=tuple(u.args[1]))


@handles("_cdist_forward", "_euclidean_dist", "cdist")
def _distances(r: Recorder, u: Use) -> None:
    r.add("distances", list(u.args[:2]), u.result)


@handles("cross_entropy_loss", "nll_loss", "nll_loss_nd", "nll_loss_forward", "nll_loss2d")
def _cross_entropy(r: Recorder, u: Use) -> None:
    r.add("cross_entropy", list(u.args[:2]), u.first)


@handles(
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
)
def _squared(r: Recorder, u: Use) -> None:
    if u.first.ndim == 0:
        r.add("squared_error", list(u.args[:2]), u.first)
    else:
        r.add("pointwise", list(u.args[:2]), u.first, function=u.call.plain)


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
def _copy(r: Recorder, u: Use) -> None:
    tensors = u.operands
    same = any(u.result is t for t in tensors)
    if same and not u.call.inplace:
        return  # nothing had to be done
    signals = [t for t in tensors if r.is_signal(t)] or tensors
    r.add("copy", signals, u.result, shape=u.shape, function=u.call.plain)


@handles("_unsafe_view")
def _reshaped(r: Recorder, u: Use) -> None:
    record_view(r, "reshape", u.args[0], [u.result])
