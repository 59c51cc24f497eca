"""Number formats, attributes and constants of ONNX in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradespace.graph.network import Shape
from tradespace.graph.readers.onnx.constants import SMALL
from tradespace.graph.readers.onnx.recorder import Call, Item

#: Number formats by the codes of onnx; what has none of its own counts as the next wider.
FORMATS = {
    "FLOAT": "fp32",
    "DOUBLE": "fp64",
    "FLOAT16": "fp16",
    "BFLOAT16": "bf16",
    "COMPLEX64": "complex64",
    "COMPLEX128": "complex128",
    "INT64": "int64",
    "INT32": "int32",
    "INT16": "int16",
    "INT8": "int8",
    "INT4": "int4",
    "UINT64": "int64",
    "UINT32": "int32",
    "UINT16": "int16",
    "UINT8": "uint8",
    "UINT4": "int4",
    "BOOL": "bool",
    "FLOAT8E4M3FN": "fp8",
    "FLOAT8E4M3FNUZ": "fp8",
    "FLOAT8E5M2": "fp8",
    "FLOAT8E5M2FNUZ": "fp8",
}


def float_codes() -> frozenset[int]:
    """Return the codes of formats that parameters have."""
    import onnx

    codes = onnx.TensorProto
    return frozenset((codes.FLOAT, codes.DOUBLE, codes.FLOAT16, codes.BFLOAT16))


def format_of(code: int) -> str:
    """Return the number format of a code; bytes for what is no number."""
    import onnx

    name = onnx.TensorProto.DataType.Name(code) if code else "FLOAT"
    return FORMATS.get(name, "uint8")


def code_of(item: Item) -> int:
    """Return the code of onnx; signals between quantized operators are floats to it."""
    import onnx

    fmt = item.format
    if item.value is not None and fmt == "int8":
        fmt = "fp32"
    name = next((n for n, f in FORMATS.items() if f == fmt), "FLOAT")
    return int(onnx.TensorProto.DataType.Value(name))


def format_of_array(array: NDArray[Any]) -> str:
    """Return the number format of numbers."""
    import onnx

    return format_of(int(onnx.helper.np_dtype_to_tensor_dtype(array.dtype)))


def numbers_of(tensor: Any) -> Callable[[], NDArray[Any] | None]:
    """Return how to get the numbers of a tensor; none if they lie in another file."""

    def read() -> NDArray[Any] | None:
        import onnx

        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            return None
        found: NDArray[Any] = onnx.numpy_helper.to_array(tensor)
        return found

    return read


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the attributes of a node as plain values."""
    import onnx

    found: dict[str, Any] = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        elif isinstance(value, onnx.TensorProto):
            value = onnx.numpy_helper.to_array(value)
        found[attribute.name] = value
    return found


def constant(call: Call) -> Item:
    """Return what a Constant node holds."""
    a = call.attributes
    name, value = next(iter(a.items()), ("value", np.zeros(0)))
    if name in ("value_string", "value_strings", "sparse_value"):
        return Item((), "uint8")
    kind: Any = np.int64 if name in ("value_int", "value_ints") else None
    kind = np.float32 if name in ("value_float", "value_floats") else kind
    array = np.asarray(value, kind)
    held = (call.outputs[0],) if array.size > 1 else ()
    few = array.size <= SMALL
    return Item(array.shape, format_of_array(array), held=held, array=array if few else None)


def is_open(made: Any) -> bool:
    """Return whether an inferred type leaves a dimension open."""
    tensor = made.tensor_type
    if not made.HasField("tensor_type") or not tensor.HasField("shape"):
        return True
    return any(not d.HasField("dim_value") for d in tensor.shape.dim)


def shape_and_format(made: Any) -> tuple[Shape, str]:
    """Return shape and format of an inferred type."""
    tensor = made.tensor_type
    return tuple(int(d.dim_value) for d in tensor.shape.dim), format_of(tensor.elem_type)
