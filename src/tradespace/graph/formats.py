"""Number formats and the bytes that they take."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.core.suggest import unknown

#: format -> bits of an element.
BITS: dict[str, int] = {
    "fp64": 64,
    "fp32": 32,
    "tf32": 32,
    "fp16": 16,
    "bf16": 16,
    "fp8": 8,
    "complex64": 64,
    "complex128": 128,
    "int64": 64,
    "int32": 32,
    "int16": 16,
    "int8": 8,
    "uint8": 8,
    "int4": 4,
    "bool": 8,
}
#: Formats that carry signals and weights; the others carry indices and masks.
FLOATS = ("fp64", "fp32", "tf32", "fp16", "bf16", "fp8")
#: What weights and activations may be asked to take.
CHOICES = (*FLOATS, "int8", "int4")


def check_format(name: str) -> str:
    """Return the name of a format in which a network can be held.

    Raises
    ------
    GraphError
        If there is no such format.

    """
    if name not in CHOICES:
        raise unknown(GraphError, "number format", name, CHOICES)
    return name


def size_bytes(elements: int, fmt: str) -> int:
    """Return the bytes of a tensor; half bytes are rounded up for the tensor as a whole.

    Examples
    --------
    >>> size_bytes(1000, "bf16"), size_bytes(3, "int4")
    (2000, 2)

    """
    return -(-elements * BITS[fmt] // 8)
