"""What commonest operators of torch give, found without asking torch.

torch finds the shape of a result on the meta device with the functions that its compiler
decomposes operators with: a sum takes 200 microseconds, the first convolution half a second
because a computer algebra system is imported. The shapes of the operators below follow from a
line of arithmetic. Each function returns None where anything is unusual (a number format that
changes, memory in an odd order, operands that do not fit): then torch is asked, and raises its
own error if it has one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch

from tradespace.core.errors import GraphError
from tradespace.graph.operators.convolutions import output_sizes
from tradespace.graph.operators.elementwise import reduced
from tradespace.graph.operators.products import broadcast
from tradespace.graph.readers.torch.calls import Call, spread

META = torch.device("meta")
Result: TypeAlias = "torch.Tensor | None"
Finder: TypeAlias = Callable[[Call, Sequence[Any], Mapping[str, Any]], Result]


def find_result(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    """Return the stand-in of a result, or None if torch has to be asked."""
    finder = _FINDERS.get(call.name)
    return finder(call, args, kwargs) if finder is not None else None


def stand_in_of(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor without memory that looks like another."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=META)


def _made(shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
    return torch.empty(tuple(shape), dtype=like.dtype, device=META)


def _ordered(x: torch.Tensor) -> bool:
    """Return whether memory is ordered as the dimensions are, gaps and repetitions allowed."""
    if x.is_contiguous():
        return True
    before = None
    for size, stride in zip(x.shape, x.stride(), strict=True):
        if size == 1 or stride == 0:
            continue
        if before is not None and stride > before:
            return False
        before = stride
    return True


def _like(x: torch.Tensor) -> Result:
    """Return what an operator that works element by element gives: dense, in the same order."""
    if _ordered(x):
        return torch.empty(x.shape, dtype=x.dtype, device=META)
    expected = 1
    for size, stride in sorted(zip(x.shape, x.stride(), strict=True), key=lambda pair: pair[::-1]):
        if size != 1 and stride != expected:
            return None
        expected *= size
    return stand_in_of(x)


def _stretched(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...] | None:
    """Return the shape that two shapes are stretched to, None if they do not fit."""
    try:
        return broadcast("torch", tuple(a), tuple(b))
    except GraphError:
        return None


def _unary(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x = args[0]
    if kwargs and any(isinstance(v, torch.Tensor | torch.dtype) for v in kwargs.values()):
        return None
    if any(isinstance(v, torch.Tensor | complex) for v in args[1:]) or not x.is_floating_point():
        return None
    return x if call.inplace else _like(x)


def _binary(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    if len(args) < 2 or any(k != "alpha" for k in kwargs):
        return None
    a, b = args[:2]
    if not isinstance(a, torch.Tensor) or not a.is_floating_point():
        return None
    if type(b) in (int, float):
        return a if call.inplace else _like(a)
    if not isinstance(b, torch.Tensor) or not b.is_floating_point():
        return None
    if b.ndim == 0 and a.ndim > 0:
        return a if call.inplace else _like(a)
    if a.dtype != b.dtype:
        return None
    shape = _stretched(a.shape, b.shape)
    if shape is None or (call.inplace and shape != tuple(a.shape)):
        return None
    if call.inplace:
        return a
    if _ordered(a) and _ordered(b):
        return _made(shape, a)
    return _like(a) if a.shape == b.shape and a.stride() == b.stride() else None


def _affine(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    """Layer and root-mean-square normalization."""
    if len(args) < 2:
        return None
    x, over = args[0], tuple(args[1])
    rest = [*args[2:4], kwargs.get("weight"), kwargs.get("bias")]
    held = [t for t in rest if isinstance(t, torch.Tensor)]
    fits = tuple(x.shape[x.ndim - len(over) :]) == over
    if not fits or any(tuple(t.shape) != over or t.dtype != x.dtype for t in held):
        return None
    return _made(x.shape, x)


def _batch_norm(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x = args[0]
    if x.ndim < 2 or not x.is_contiguous():
        return None
    held = [t for t in args[1:5] if isinstance(t, torch.Tensor)]
    if any(t.numel() != x.shape[1] or t.dtype != x.dtype for t in held):
        return None
    return _made(x.shape, x)


def _group_norm(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x, groups = args[:2]
    held = [t for t in args[2:4] if isinstance(t, torch.Tensor)]
    fits = x.ndim >= 2 and x.is_contiguous() and groups > 0 and not x.shape[1] % groups
    if not fits or any(t.numel() != x.shape[1] or t.dtype != x.dtype for t in held):
        return None
    return _made(x.shape, x)


def _linear(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x, w = args[:2]
    bias = args[2] if len(args) > 2 else kwargs.get("bias")
    if w.ndim != 2 or x.ndim < 1 or x.shape[-1] != w.shape[1] or x.dtype != w.dtype:
        return None
    if bias is not None and (tuple(bias.shape) != (w.shape[0],) or bias.dtype != x.dtype):
        return None
    return _made((*x.shape[:-1], w.shape[0]), x)


def _matrices(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    a, b = args[:2]
    if a.dtype != b.dtype or not a.is_floating_point() or kwargs:
        return None
    rank = {"mm": 2, "bmm": 3}.get(call.plain)
    if rank is not None and not a.ndim == b.ndim == rank:
        return None
    if b.ndim < 2 or a.ndim < b.ndim or a.shape[-1] != b.shape[-2]:
        return None
    lead = _stretched(a.shape[:-2], b.shape[:-2])
    if lead is None or (rank == 3 and a.shape[0] != b.shape[0]):
        return None
    return _made((*lead, a.shape[-2], b.shape[-1]), a)


def _added(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    """addmm: a matrix product and a bias."""
    bias, a, b = args[:3]
    if (
        not a.ndim == b.ndim == 2
        or a.shape[1] != b.shape[0]
        or not bias.dtype == a.dtype == b.dtype
    ):
        return None
    shape = (a.shape[0], b.shape[1])
    return _made(shape, a) if _stretched(shape, bias.shape) == shape else None


def _grouped(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    """Rows that each meet one of several matrices."""
    a, b = args[:2]
    if a.ndim != 2 or b.ndim != 3 or a.shape[1] != b.shape[1]:
        return None
    return _made((a.shape[0], b.shape[2]), a)


def _attention(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    if len(args) < 3:
        return None
    q, k, v = args[:3]
    more = dict(zip(("attn_mask", "dropout_p", "is_causal"), args[3:], strict=False))
    more.update(kwargs)
    mask = more.get("attn_mask")
    if not q.ndim == k.ndim == v.ndim == 4 or not q.dtype == k.dtype == v.dtype:
        return None
    alike = q.shape[0] == k.shape[0] == v.shape[0] and k.shape[1] == v.shape[1]
    heads = q.shape[1] == k.shape[1] or (
        bool(more.get("enable_gqa")) and not q.shape[1] % k.shape[1]
    )
    if not alike or not heads or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        return None
    scores = (*q.shape[:-1], k.shape[-2])
    if mask is not None and _stretched(scores, mask.shape) != scores:
        return None
    batch, count, length = (int(n) for n in q.shape[:-1])
    width = v.shape[-1]
    if more.get("dropout_p"):
        return _made((batch, count, length, width), q)
    # Fused kernels put the heads of a position side by side, so that joining them moves nothing.
    return _made((batch, length, count, width), q).transpose(1, 2)


def _convolution(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    if len(args) < 9:
        return None
    x, w, bias, stride, padding, dilation, transposed, extra, groups = args[:9]
    rank = w.ndim - 2
    if x.ndim != w.ndim or rank < 1 or not x.is_contiguous() or x.dtype != w.dtype:
        return None
    inside, outside = (
        (w.shape[0], w.shape[1] * groups)
        if transposed
        else (
            w.shape[1] * groups,
            w.shape[0],
        )
    )
    if x.shape[1] != inside or outside % groups or (bias is not None and bias.numel() != outside):
        return None
    wide = [spread(v, rank) for v in (stride, padding, dilation, extra)]
    sizes = []
    for n, k, s, p, d, e in zip(x.shape[2:], w.shape[2:], *wide, strict=True):
        if transposed:
            sizes.append((n - 1) * s - 2 * p + d * (k - 1) + e + 1)
        else:
            sizes.append((n + 2 * p - d * (k - 1) - 1) // s + 1)
    return _made((x.shape[0], outside, *sizes), x) if min(sizes) > 0 else None


def _pooled(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x = args[0]
    given = {**dict(call.arguments), **kwargs}
    given.update(zip((name for name, _ in call.arguments), args, strict=False))
    rank = int(call.plain[-2])
    kernel = spread(given["kernel_size"], rank)
    stride = spread(given["stride"], rank) if given["stride"] else kernel
    padding, ceil = spread(given["padding"], rank), bool(given["ceil_mode"])
    dilation = spread(given.get("dilation") or (1,), rank)
    if x.ndim != rank + 2 or not x.is_contiguous() or not x.is_floating_point():
        return None
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        return None
    window = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    try:
        sizes = output_sizes(call.name, x.shape, window, rank=rank, ceil=ceil)
    except GraphError:
        return None
    return _made((*x.shape[:2], *sizes), x)


def _adapted(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x, sizes = args[0], args[1]
    rank = int(call.plain[-2])
    if not isinstance(sizes, list | tuple) or x.ndim != rank + 2 or not x.is_contiguous():
        return None
    return _made((*x.shape[:2], *spread(sizes, rank)), x) if x.is_floating_point() else None


def _joined(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    parts = args[0]
    axis = args[1] if len(args) > 1 else kwargs.get("dim", 0)
    head = parts[0]
    if any(t.ndim != head.ndim or t.dtype != head.dtype or not t.is_contiguous() for t in parts):
        return None
    if not isinstance(axis, int) or not -head.ndim <= axis < head.ndim:
        return None
    axis %= head.ndim
    shape = list(head.shape)
    for t in parts[1:]:
        if any(i != axis and n != m for i, (n, m) in enumerate(zip(shape, t.shape, strict=True))):
            return None
        shape[axis] += t.shape[axis]
    return _made(shape, head)


def _reduced(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x = args[0]
    axes = args[1] if len(args) > 1 else kwargs.get("dim")
    keep = args[2] if len(args) > 2 else kwargs.get("keepdim", False)
    plain = x.is_floating_point() and x.is_contiguous() and kwargs.get("dtype") is None
    if not plain or not isinstance(axes, list | tuple) or not axes or len(args) > 3:
        return None
    if any(not -x.ndim <= a < x.ndim for a in axes):
        return None
    return _made(reduced((tuple(x.shape),), {"axes": axes, "keep_dimensions": keep})[0], x)


def _softmax(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x, axis = args[:2]
    wanted = args[2] if len(args) > 2 else kwargs.get("dtype")
    if not isinstance(axis, int) or not -x.ndim <= axis < x.ndim or not x.is_floating_point():
        return None
    return _like(x) if wanted is None or wanted in (x.dtype, False) else None


def _dropout(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    x, rate = args[:2]
    train = args[2] if len(args) > 2 else kwargs.get("train", True)
    if not x.is_floating_point() or not 0 <= rate <= 1:
        return None
    return x if call.inplace or not train else _like(x)


def _embedding(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    table, indices = args[:2]
    if table.ndim != 2 or indices.dtype not in (torch.int64, torch.int32):
        return None
    return _made((*indices.shape, table.shape[1]), table)


def _contiguous(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    if len(args) > 1 or kwargs:
        return None
    return args[0] if args[0].is_contiguous() else _made(args[0].shape, args[0])


def _clone(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    if len(args) > 1 or any(v is not None for v in kwargs.values()):
        return None
    return _like(args[0])


def _copied_into(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Result:
    into, new = args[:2]
    fits = _stretched(into.shape, new.shape) == tuple(into.shape)
    return into if fits and math.prod(into.shape) else None


_FINDERS: dict[str, Finder] = {
    "aten.linear": _linear,
    "aten.mm": _matrices,
    "aten.bmm": _matrices,
    "aten.matmul": _matrices,
    "aten._sparse_mm": _matrices,
    "aten.addmm": _added,
    "aten._grouped_mm": _grouped,
    "aten.scaled_dot_product_attention": _attention,
    "aten.convolution": _convolution,
    "aten.layer_norm": _affine,
    "aten.rms_norm": _affine,
    "aten.batch_norm": _batch_norm,
    "aten.group_norm": _group_norm,
    "aten.softmax": _softmax,
    "aten.log_softmax": _softmax,
    "aten._softmax": _softmax,
    "aten.dropout": _dropout,
    "aten.dropout_": _dropout,
    "aten.embedding": _embedding,
    "aten.cat": _joined,
    "aten.sum": _reduced,
    "aten.mean": _reduced,
    "aten.contiguous": _contiguous,
    "aten.clone": _clone,
    "aten.copy_": _copied_into,
}
for _rank in (1, 2, 3):
    for _name in (f"max_pool{_rank}d", f"avg_pool{_rank}d"):
        _FINDERS[f"aten.{_name}"] = _pooled
    _FINDERS[f"aten.adaptive_avg_pool{_rank}d"] = _adapted
_BINARY = ("add", "sub", "mul", "div")
_UNARY = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus"),
    *("sigmoid", "log_sigmoid", "tanh", "hardtanh", "hardsigmoid", "hardswish"),
    *("exp", "log", "sqrt", "rsqrt", "reciprocal", "pow", "square", "erf", "sin", "cos"),
    *("neg", "abs", "rsub", "clamp", "clamp_min", "clamp_max", "tril", "triu"),
)
for _names, _finder in ((_BINARY, _binary), (_UNARY, _unary)):
    for _name in _names:
        _FINDERS[f"aten.{_name}"] = _finder
        _FINDERS[f"aten.{_name}_"] = _finder
