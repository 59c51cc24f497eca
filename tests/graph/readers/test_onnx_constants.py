"""Small tensors on the way to a shape: computed as ONNX's own reference computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from tradespace.graph.readers.onnx.constants import SMALL, fold

WHOLE, REAL = np.int64, np.float32


def ints(*values: int) -> Any:
    return np.asarray(values, WHOLE)


#: name -> (operator, operands, attributes).
CASES: dict[str, tuple[str, list[Any], dict[str, Any]]] = {
    "gather": ("Gather", [ints(2, 3, 4), np.asarray(1, WHOLE)], {"axis": 0}),
    "gather from the end": ("Gather", [ints(2, 3, 4), ints(-1, 0)], {}),
    "concatenation": ("Concat", [ints(2), ints(-1)], {"axis": 0}),
    "unsqueeze": ("Unsqueeze", [np.asarray(3, WHOLE), ints(0)], {}),
    "squeeze": ("Squeeze", [ints(3), ints(0)], {}),
    "squeeze everything": ("Squeeze", [np.ones((1, 3, 1), WHOLE)], {}),
    "slice": ("Slice", [ints(1, 2, 3, 4), ints(1), ints(3), ints(0)], {}),
    "slice to the end": ("Slice", [ints(1, 2, 3, 4), ints(-2), ints(2**31), ints(0)], {}),
    "slice backward": (
        "Slice",
        [ints(1, 2, 3, 4), ints(-1), ints(-(2**31)), ints(0), ints(-1)],
        {},
    ),
    "slice of two axes": (
        "Slice",
        [np.arange(12).reshape(3, 4), ints(0, 1), ints(2, 4), ints(0, 1), ints(1, 2)],
        {},
    ),
    "reshape": ("Reshape", [np.arange(6), ints(2, -1)], {}),
    "reshape that keeps a size": ("Reshape", [np.ones((2, 3), WHOLE), ints(0, 3, 1)], {}),
    "division toward zero": ("Div", [ints(-7, 7, 8), ints(2, 2, -3)], {}),
    "remainder": ("Mod", [ints(-7, 7), ints(2, 2)], {}),
    "truncating remainder": ("Mod", [ints(-7, 7), ints(2, 2)], {"fmod": 1}),
    "product": ("Mul", [ints(2, 3), np.asarray(4, WHOLE)], {}),
    "power": ("Pow", [ints(2, 3), ints(2, 2)], {}),
    "range": ("Range", [np.asarray(2, WHOLE), np.asarray(9, WHOLE), np.asarray(3, WHOLE)], {}),
    "range of floats": ("Range", [np.asarray(n, REAL) for n in (0, 1, 0.25)], {}),
    "expand": ("Expand", [np.ones((1, 3), WHOLE), ints(2, 1, 3)], {}),
    "tile": ("Tile", [ints(1, 2), ints(3)], {}),
    "where": ("Where", [np.asarray([True, False]), ints(1, 2), ints(3, 4)], {}),
    "equal": ("Equal", [ints(1, 2), ints(1, 3)], {}),
    "not": ("Not", [np.asarray([True, False])], {}),
    "cast": ("Cast", [np.asarray([1.7, -1.7], REAL)], {"to": int(onnx.TensorProto.INT64)}),
    "floor": ("Floor", [np.asarray([1.7, -1.7], REAL)], {}),
    "square root": ("Sqrt", [np.asarray([4.0, 2.0], REAL)], {}),
    "transposition": ("Transpose", [np.arange(6).reshape(2, 3)], {}),
    "transposition in an order": ("Transpose", [np.ones((2, 3, 4), WHOLE)], {"perm": [2, 0, 1]}),
    "product of all": ("ReduceProd", [np.arange(1, 7).reshape(2, 3)], {"keepdims": 0}),
    "sum along an axis": ("ReduceSum", [np.arange(6).reshape(2, 3), ints(1)], {}),
    "largest": ("Max", [ints(1, 5), ints(4, 2)], {}),
    "smallest": ("Min", [ints(1, 5), np.asarray(3, WHOLE)], {}),
    "running sums": ("CumSum", [ints(1, 2, 3), np.asarray(0, WHOLE)], {}),
    "triangle": ("Trilu", [np.ones((3, 3), REAL), np.asarray(1, WHOLE)], {"upper": 1}),
    "places that are not zero": ("NonZero", [np.asarray([[0, 1], [2, 0]], WHOLE)], {}),
    "split": ("Split", [ints(1, 2, 3, 4), ints(1, 3)], {"axis": 0}),
    "split evenly": ("Split", [ints(1, 2, 3, 4)], {"num_outputs": 2}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_small_tensor_is_what_onnx_computes(name: str) -> None:
    op, operands, attributes = CASES[name]
    names = [f"x{i}" for i in range(len(operands))]
    count = 2 if op == "Split" else 1
    outputs = [f"y{i}" for i in range(count)]
    made = onnx.helper.make_node(op, names, outputs, **attributes)
    graph = onnx.helper.make_graph(
        [made],
        "one",
        [
            onnx.helper.make_tensor_value_info(
                n, onnx.helper.np_dtype_to_tensor_dtype(o.dtype), o.shape
            )
            for n, o in zip(names, operands, strict=True)
        ],
        [onnx.helper.make_tensor_value_info(o, onnx.TensorProto.UNDEFINED, None) for o in outputs],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)])
    expected = ReferenceEvaluator(model).run(None, dict(zip(names, operands, strict=True)))
    found = fold(op, operands, attributes)

    assert found is not None
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    ("op", "operands", "attributes"),
    [
        ("ConstantOfShape", [ints(10**9, 10**9)], {}),
        ("Expand", [np.ones((1, 1), WHOLE), ints(10**9, 10**9)], {}),
        ("Tile", [ints(1, 2), ints(10**12)], {}),
        ("Range", [np.asarray(0, WHOLE), np.asarray(10**15, WHOLE), np.asarray(1, WHOLE)], {}),
        ("Range", [np.asarray(0, WHOLE), np.asarray(5, WHOLE), np.asarray(0, WHOLE)], {}),
        ("Split", [ints(1, 2)], {"num_outputs": 10**12}),
        ("Add", [np.zeros(SMALL + 1), np.zeros(SMALL + 1)], {}),
        ("Sub", [np.zeros((SMALL, 1)), np.zeros((1, SMALL))], {}),
        ("Max", [np.zeros((SMALL, 1)), np.zeros((1, SMALL))], {}),
        ("Reshape", [np.arange(6), ints(4, 2)], {}),
        ("Gather", [ints(1, 2), ints(9)], {}),
        ("Slice", [ints(1, 2)], {}),
        ("Conv", [np.ones((1, 1, 4, 4))], {}),
    ],
)
def test_what_is_large_or_makes_no_sense_is_not_computed(
    op: str, operands: list[Any], attributes: dict[str, Any]
) -> None:
    assert fold(op, operands, attributes) is None
