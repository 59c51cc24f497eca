"""Small tensors that an ONNX graph computes on the way to a shape: evaluated here.

Exporters write ``x.view(x.shape[0], -1)`` as a chain of Shape, Gather, Concat and Reshape. Once
the shape of the input is known every link is a handful of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
#: Elements up to which a result is computed.
SMALL = 1 << 16


def _axes(arrays: Sequence[Array | None], attributes: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the axes, an attribute in old files and an input in new ones."""
    if len(arrays) > 1 and arrays[1] is not None:
        return tuple(int(a) for a in np.atleast_1d(arrays[1]))
    axes = attributes.get("axes")
    return None if axes is None else tuple(int(a) for a in axes)


def _slice(arrays: Sequence[Array | None], attributes: Mapping[str, Any]) -> Array:
    x = np.asarray(arrays[0])
    given: list[Any] = [a.tolist() if a is not None else None for a in arrays[1:]]
    given += [None] * (4 - len(given))
    starts = attributes["starts"] if given[0] is None else given[0]
    ends = attributes["ends"] if given[1] is None else given[1]
    axes = given[2] if given[2] is not None else attributes.get("axes", range(len(starts)))
    steps = given[3] if given[3] is not None else [1] * len(starts)
    places: list[slice] = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # Going backward past the front is written as a very negative end.
        last = None if step < 0 and end < -x.shape[axis] else end
        places[axis] = slice(start, last, step)
    return x[tuple(places)]


def _unsqueeze(arrays: Sequence[Array | None], attributes: Mapping[str, Any]) -> Array:
    axes = _axes(arrays, attributes) or ()
    return np.expand_dims(np.asarray(arrays[0]), axes)


def _reshape(arrays: Sequence[Array | None], attributes: Mapping[str, Any]) -> Array:
    x, wanted = np.asarray(arrays[0]), [int(n) for n in np.asarray(arrays[1])]
    if not attributes.get("allowzero"):
        wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    return x.reshape(wanted)


def _constant_of_shape(arrays: Sequence[Array | None], attributes: Mapping[str, Any]) -> Array:
    value = attributes.get("value")
    one = np.zeros(1, np.float32) if value is None else np.asarray(value)
    return np.full(tuple(int(n) for n in np.asarray(arrays[0])), one.reshape(-1)[0], one.dtype)


def _divide(a: Array, b: Array) -> Array:
    if np.issubdtype(np.asarray(a).dtype, np.integer):
        # Toward zero, as in C.
        return np.asarray(np.trunc(np.true_divide(a, b))).astype(np.asarray(a).dtype)
    return np.asarray(np.true_divide(a, b))


def _reduce(function: Callable[..., Any]) -> Callable[..., Array]:
    def fold(arrays: Sequence[Array | None], attributes: Mapping[str, Any]) -> Array:
        keep = bool(attributes.get("keepdims", 1))
        x = np.asarray(arrays[0])
        return np.asarray(function(x, axis=_axes(arrays, attributes), keepdims=keep), x.dtype)

    return fold


#: Plain functions of their operands.
_PLAIN: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": _divide,
    "Pow": lambda a, b: np.power(a, b).astype(a.dtype),
    "Neg": np.negative,
    "Abs": np.abs,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Log": np.log,
    "Sin": np.sin,
    "Cos": np.cos,
    "Reciprocal": np.reciprocal,
    "Round": np.round,
    "Not": np.logical_not,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Where": np.where,
    "Identity": lambda x: x,
    "Sign": np.sign,
    "IsNaN": np.isnan,
    "MatMul": np.matmul,
}
#: Functions of operands and attributes.
_OTHERS: dict[str, Callable[[Sequence[Any], Mapping[str, Any]], Any]] = {
    "Mod": lambda x, a: (np.fmod if a.get("fmod") else np.mod)(x[0], x[1]),
    "Gather": lambda x, a: np.take(x[0], x[1].astype(np.int64), axis=a.get("axis", 0)),
    "Concat": lambda x, a: np.concatenate(x, axis=a.get("axis", 0)),
    "Unsqueeze": _unsqueeze,
    "Squeeze": lambda x, a: np.squeeze(x[0], _axes(x, a)),
    "Slice": _slice,
    "Reshape": _reshape,
    "Flatten": lambda x, a: x[0].reshape(int(np.prod(x[0].shape[: a.get("axis", 1)])), -1),
    "Transpose": lambda x, a: np.transpose(x[0], a.get("perm")),
    "ConstantOfShape": _constant_of_shape,
    "Range": lambda x, _: np.arange(x[0].item(), x[1].item(), x[2].item(), dtype=x[0].dtype),
    "Expand": lambda x, _: np.broadcast_to(
        x[0], np.broadcast_shapes(x[0].shape, tuple(int(n) for n in x[1]))
    ),
    "Tile": lambda x, _: np.tile(x[0], x[1].astype(int)),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "Max": lambda x, _: np.maximum.reduce(np.broadcast_arrays(*x)),
    "Min": lambda x, _: np.minimum.reduce(np.broadcast_arrays(*x)),
    "Sum": lambda x, _: sum(x[1:], x[0]),
    "CumSum": lambda x, _: np.cumsum(x[0], axis=int(x[1])),
    "Trilu": lambda x, a: (np.triu if a.get("upper", 1) else np.tril)(
        x[0], int(x[1]) if len(x) > 1 else 0
    ),
    "NonZero": lambda x, _: np.asarray(np.nonzero(x[0]), np.int64),
}


def _announced(op: str, arrays: Sequence[Array | None]) -> int:
    """Return how many elements the result has, where that can be more than went in."""
    size = np.asarray(arrays[0]).size
    if op == "ConstantOfShape":
        return int(np.prod(np.asarray(arrays[0]), dtype=float))
    if op == "Expand" and arrays[1] is not None:
        return int(np.prod(np.maximum(np.asarray(arrays[1]), 1), dtype=float)) * size
    if op == "Tile" and arrays[1] is not None:
        return int(np.prod(np.asarray(arrays[1]), dtype=float)) * size
    if op == "Range":
        start, end, step = (float(np.asarray(a).item()) for a in arrays[:3] if a is not None)
        return int(abs((end - start) / step)) if step else SMALL + 1
    if op in ("MatMul", "Gather", "Where", "Equal", "Add", "Mul"):
        sizes = [np.size(a) for a in arrays if a is not None]
        return int(np.prod(sizes, dtype=float)) if max(sizes, default=0) > 256 else 0
    if op in _PLAIN or op in ("Max", "Min", "Mod", "Sum"):
        return math.prod(np.broadcast_shapes(*(a.shape for a in arrays if a is not None)))
    return 0


def fold(
    op: str, arrays: Sequence[Array | None], attributes: Mapping[str, Any]
) -> list[Array] | None:
    """Return what an operator makes of known numbers; None if it is not computed here.

    Examples
    --------
    >>> [made] = fold("Concat", [np.array([2]), np.array([-1])], {"axis": 0})
    >>> made.tolist()
    [2, -1]
    >>> fold("Conv", [np.zeros((1, 1, 4, 4))], {}) is None
    True

    """
    if op not in _PLAIN and op not in _OTHERS and op not in ("Cast", "Split"):
        return None
    given = [a for a in arrays if a is not None]
    if not given or any(a.size > SMALL for a in given):
        return None
    try:
        if _announced(op, arrays) > SMALL:
            return None
        with np.errstate(all="ignore"):
            if op == "Cast":
                return [given[0].astype(_numpy_type(int(attributes["to"])))]
            if op == "Split":
                return _split(arrays, attributes)
            made = _PLAIN[op](*given) if op in _PLAIN else _OTHERS[op](arrays, attributes)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
        return None  # the file is wrong there, or means something else: the shape rules will say
    result = np.asarray(made)
    if op in ("Add", "Sub", "Mul", "Neg", "Abs", "Floor", "Ceil", "Sqrt", "Identity"):
        result = result.astype(given[0].dtype, copy=False)
    return [result]


def _split(arrays: Sequence[Array | None], attributes: Mapping[str, Any]) -> list[Array] | None:
    x, axis = np.asarray(arrays[0]), int(attributes.get("axis", 0))
    sizes = attributes.get("split") if len(arrays) < 2 or arrays[1] is None else arrays[1].tolist()
    if sizes is None:
        count = int(attributes.get("num_outputs") or 0)
        return list(np.array_split(x, count, axis)) if 0 < count <= x.size else None
    return list(np.split(x, np.cumsum(sizes)[:-1], axis))


def _numpy_type(code: int) -> Any:
    import onnx

    return onnx.helper.tensor_dtype_to_np_dtype(code)
