"""Which measured class an operator belongs to, at which sizes, and what a runtime merges."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tradespace.core.errors import InputError
from tradespace.graph.formats import BITS
from tradespace.graph.work import Work

#: Activations that ONNX Runtime computes while it writes the result of a layer.
_WRITTEN_ALONG = ("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "hard_sigmoid", "clamp")
#: Operators that cost what another costs, element by element.
_ALIKE = {
    **dict.fromkeys(("relu6", "leaky_relu", "clamp", "threshold", "absolute", "negate"), "relu"),
    **dict.fromkeys(("subtract", "divide", "maximum", "minimum", "compare"), "add"),
    **dict.fromkeys(("transpose", "view"), "copy"),
}
#: Views for which ONNX Runtime copies: another order, a slice or a split.
_COPIED = ("transpose", "view")
#: Classes that stand in where an operator was not measured, by kind, best first.
_STAND_INS = {
    "product": ("dense", "convolution 3x3"),
    "attention": ("attention", "matmul"),
    "recurrent": ("lstm", "dense"),
    "normalization": ("layer_norm", "softmax"),
    "pooling": ("average_pool2d", "max_pool2d"),
    "reduction": ("mean", "global_average_pool"),
    "lookup": ("embedding", "concatenate"),
    "movement": ("concatenate", "add"),
    "elementwise": ("sigmoid", "add"),
}


@dataclass(frozen=True, slots=True)
class Sized:
    """A class of operators, the sizes by which it is measured, and the work."""

    family: str
    sizes: tuple[float, ...]
    amount: float


def sizes_of(work: Work) -> Sized:
    """Return the class and sizes of an operator.

    Examples
    --------
    >>> conv = Work(name="c", operator="convolution2d", kind="product", macs=196 * 64 * 576,
    ...             batch=1, m=196, n=64, k=576, groups=1, window=9, elements=196 * 64)
    >>> sizes_of(conv)
    Sized(family='convolution 3x3', sizes=(196, 64, 64.0), amount=7225344)

    """
    if work.operator.startswith("convolution") and work.macs:
        return _convolution(work)
    if work.operator in ("matmul", "einsum") and work.macs:
        return Sized("matmul", (work.m, work.n, work.k), work.macs)
    if work.kind == "attention" and work.macs:
        return Sized("attention", (work.m, work.k, max(1.0, work.n / 2)), work.macs)
    if work.kind == "recurrent" and work.macs:
        return Sized(work.operator, (work.m, work.n, work.k), work.macs)
    if work.kind == "product" and work.macs:
        rows = work.m * max(1, work.batch)
        return Sized("dense", (rows, max(1, work.n), max(1, work.k)), work.macs)
    elements = max(1, work.elements)
    if work.kind == "pooling" and work.window > 1 and not work.operator.startswith("adaptive"):
        return Sized(work.operator, (elements, work.window), elements * work.window)
    if work.kind in ("pooling", "reduction"):
        read = max(1.0, work.read_bytes * 8 / BITS.get(work.format, 32))
        name = work.operator
        if name.startswith("adaptive"):
            name = f"global_{'max' if '_max_' in name else 'average'}_pool"
        return Sized(name, (read,), read)
    return Sized(_ALIKE.get(work.operator, work.operator), (elements,), elements)


def _convolution(work: Work) -> Sized:
    channels = work.k / work.window
    if work.groups > 1 and channels == 1:
        size = work.m * work.groups * work.n
        return Sized("convolution depthwise", (size, work.window), work.macs)
    if not work.operator.endswith("2d"):
        rows = max(1, work.m)
        return Sized("dense", (rows, max(1, work.n), max(1, work.k)), work.macs)
    if work.groups > 1:
        return Sized("convolution grouped", (work.m, work.groups, work.n), work.macs)
    if channels <= 4:
        return Sized("convolution of images", (work.m, work.n, work.window), work.macs)
    if work.window == 1:
        return Sized("convolution 1x1", (work.m, work.n, channels), work.macs)
    name = "convolution 3x3" if work.window <= 16 else "convolution 5x5"
    return Sized(name, (work.m, work.n, channels), work.macs)


def fallback_of(work: Work, measured: Collection[str]) -> Sized:
    """Return a measured class that stands in for one that was not.

    Raises
    ------
    InputError
        If there is none.

    """
    for name in _STAND_INS.get(work.kind, ()):
        if name not in measured:
            continue
        if name in ("dense", "convolution 3x3", "matmul", "attention", "lstm") and work.macs:
            rows, n, k = max(1, work.m), max(1, work.n), max(1, work.k)
            return Sized(name, (rows, n, k), work.macs)
        elements = float(max(1, work.elements))
        if name in ("average_pool2d", "max_pool2d"):
            return Sized(name, (elements, max(1, work.window)), elements * max(1, work.window))
        if name not in ("dense", "convolution 3x3", "matmul", "attention", "lstm"):
            return Sized(name, (elements,), elements)
    msg = f"The calibration measured nothing like {work.operator!r} ({work.kind})."
    raise InputError(msg, remedy="Calibrate again with this version: tradespace calibrate.")


def merge(works: Sequence[Work], runtime: str) -> list[Work]:
    """Return the operators as a runtime runs them.

    ONNX Runtime folds batch normalizations into the layer before them, computes simple
    activations and the sum with a shortcut while it writes a convolution's result, and copies
    where PyTorch only looks at the same memory in another way. PyTorch runs operator by
    operator.

    Examples
    --------
    >>> conv = Work(name="conv", operator="convolution2d", kind="product", macs=9)
    >>> add = Work(name="add", operator="add", kind="elementwise")
    >>> relu = Work(name="relu", operator="relu", kind="elementwise", fusible=True)
    >>> [w.name for w in merge([conv, add, relu], "onnxruntime")]
    ['conv']
    >>> [w.name for w in merge([conv, add, relu], "torch")]
    ['conv', 'add', 'relu']

    """
    kept: list[Work] = []
    for work in works:
        optimizing = runtime == "onnxruntime"
        if work.kind == "view" and not (optimizing and work.operator in _COPIED):
            continue
        last = kept[-1] if kept else None
        if optimizing and last is not None and _merges(last, work):
            kept[-1] = replace(last, operations=last.operations + work.operations)
        else:
            kept.append(work)
    return kept


def _merges(last: Work, work: Work) -> bool:
    if last.kind == "product":
        if work.operator == "batch_norm" or work.operator in _WRITTEN_ALONG:
            return True
        same = math.isclose(work.elements, last.elements)
        return work.operator == "add" and last.operator == "convolution2d" and same
    return last.operator == "batch_norm" and work.operator in _WRITTEN_ALONG
