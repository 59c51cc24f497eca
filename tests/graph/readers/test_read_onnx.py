"""The ONNX reader: operators against hand arithmetic, ONNX's own test models, quantized files."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.counts import (
    coverage,
    forward_macs,
    neurons,
    parameters,
    parameters_by_role,
    unknown_nodes,
)
from tradespace.graph.network import Network
from tradespace.graph.readers.onnx.read import read_onnx
from tradespace.graph.writers.onnx import sample_inputs, to_onnx

MS = "com.microsoft"
RNG = np.random.default_rng(0)


def info(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def numbers(name: str, values: Any, dtype: Any = np.float32) -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(np.asarray(values, dtype), name)


def learned(name: str, *shape: int) -> onnx.TensorProto:
    return numbers(name, RNG.random(shape))


def node(op: str, inputs: str, outputs: str = "y", domain: str = "", **more: Any) -> Any:
    names = [n if n != "-" else "" for n in inputs.split()]
    return helper.make_node(op, names, outputs.split(), name=op.lower(), domain=domain, **more)


def model(
    nodes: Sequence[Any],
    inputs: dict[str, Sequence[Any]],
    weights: Sequence[Any] = (),
    *,
    outputs: str = "y",
    opset: int = 23,
    kind: int = TensorProto.FLOAT,
    functions: Sequence[Any] = (),
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [info(k, v, kind) for k, v in inputs.items()],
        [info(o, None) for o in outputs.split()],
        initializer=list(weights),
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)]
    opsets += [helper.make_opsetid(f.domain, 1) for f in functions]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions))


def lstm_weights(hidden: int, width: int, directions: int = 1) -> list[Any]:
    return [
        learned("w", directions, 4 * hidden, width),
        learned("r", directions, 4 * hidden, hidden),
        learned("b", directions, 8 * hidden),
    ]


#: name -> (model, multiply-accumulates by hand, trainable parameters by hand, output shape).
CASES: dict[str, tuple[Callable[[], onnx.ModelProto], int, int, tuple[int, ...]]] = {
    "gemm, turned": (
        lambda: model(
            [node("Gemm", "x w c", transA=1, transB=1)],
            {"x": [8, 2]},
            [learned("w", 3, 8), learned("c", 3)],
        ),
        2 * 8 * 3,
        27,
        (2, 3),
    ),
    "matmul with a bias after it": (
        lambda: model(
            [node("MatMul", "x w", "h"), node("Add", "c h")],
            {"x": [2, 5, 8]},
            [learned("w", 8, 3), learned("c", 3)],
        ),
        2 * 5 * 8 * 3,
        27,
        (2, 5, 3),
    ),
    "matmul of two signals": (
        lambda: model([node("MatMul", "a b")], {"a": [2, 5, 8], "b": [2, 8, 3]}),
        2 * 5 * 8 * 3,
        0,
        (2, 5, 3),
    ),
    "weight on the left": (
        lambda: model([node("MatMul", "w x")], {"x": [2, 8, 3]}, [learned("w", 5, 8)]),
        2 * 5 * 8 * 3,
        40,
        (2, 5, 3),
    ),
    "einsum": (
        lambda: model(
            [node("Einsum", "x w", equation="bik,kj->bij")], {"x": [2, 5, 8]}, [learned("w", 8, 3)]
        ),
        2 * 5 * 8 * 3,
        24,
        (2, 5, 3),
    ),
    "convolution with groups and automatic padding": (
        lambda: model(
            [node("Conv", "x w b", group=2, auto_pad="SAME_LOWER", strides=[2, 2])],
            {"x": [2, 4, 9, 9]},
            [learned("w", 6, 2, 3, 3), learned("b", 6)],
        ),
        2 * 6 * 25 * 2 * 9,
        114,
        (2, 6, 5, 5),
    ),
    "transposed convolution of a given size": (
        lambda: model(
            [node("ConvTranspose", "x w", strides=[3, 2], output_shape=[10, 8])],
            {"x": [1, 4, 3, 3]},
            [learned("w", 4, 6, 3, 3)],
        ),
        4 * 9 * 6 * 9,
        216,
        (1, 6, 10, 8),
    ),
    "lstm in both directions": (
        lambda: model(
            [node("LSTM", "x w r b", "y", hidden_size=6, direction="bidirectional")],
            {"x": [5, 2, 8]},
            lstm_weights(6, 8, 2),
        ),
        2 * 5 * 2 * 4 * 6 * (8 + 6),
        2 * 4 * 6 * (8 + 6 + 2),
        (5, 2, 2, 6),
    ),
    "lstm whose last state alone is read": (
        lambda: model(
            [node("LSTM", "x w r b", "whole y", hidden_size=6)],
            {"x": [5, 2, 8]},
            lstm_weights(6, 8),
        ),
        2 * 5 * 4 * 6 * (8 + 6),
        4 * 6 * (8 + 6 + 2),
        (1, 2, 6),
    ),
    "attention with shared heads and a past": (
        lambda: model(
            [node("Attention", "q k v - pk pv", "y present_k present_v", q_num_heads=4,
                  kv_num_heads=2)],
            {"q": [2, 5, 32], "k": [2, 5, 16], "v": [2, 5, 16], "pk": [2, 2, 7, 8],
             "pv": [2, 2, 7, 8]},
        ),
        2 * 4 * 5 * 12 * 16,
        0,
        (2, 5, 32),
    ),
    "quantized convolution": (
        lambda: model(
            [node("QLinearConv", "x s z w s z s z b")],
            {"x": [1, 3, 8, 8]},
            [
                numbers("w", np.ones((4, 3, 3, 3)), np.int8),
                numbers("b", np.ones(4), np.int32),
                numbers("s", 0.1),
                numbers("z", 0, np.int8),
            ],
            kind=TensorProto.INT8,
        ),
        4 * 36 * 27,
        112,
        (1, 4, 6, 6),
    ),
    "integer product": (
        lambda: model(
            [node("MatMulInteger", "x w")],
            {"x": [2, 8]},
            [numbers("w", np.ones((8, 3)), np.int8)],
            kind=TensorProto.INT8,
        ),
        48,
        24,
        (2, 3),
    ),
    "fused matmul": (
        lambda: model(
            [node("FusedMatMul", "x w", domain=MS, transB=1)], {"x": [2, 8]}, [learned("w", 3, 8)]
        ),
        48,
        24,
        (2, 3),
    ),
    "weights of four bits": (
        lambda: model(
            [node("MatMulNBits", "x w s", domain=MS, N=6, K=32, bits=4, block_size=16)],
            {"x": [2, 32]},
            [numbers("w", np.ones((6, 2, 8)), np.uint8), numbers("s", np.ones(12))],
        ),
        2 * 32 * 6,
        192,
        (2, 6),
    ),
    "attention that projects itself": (
        lambda: model(
            [node("Attention", "x w b", domain=MS, num_heads=2)],
            {"x": [2, 5, 8]},
            [learned("w", 8, 24), learned("b", 24)],
        ),
        2 * 5 * 8 * 24 + 2 * 2 * 5 * 5 * 8,
        216,
        (2, 5, 8),
    ),
    "attention of heads": (
        lambda: model(
            [node("MultiHeadAttention", "q k v", domain=MS, num_heads=2)],
            {"q": [2, 5, 8], "k": [2, 7, 8], "v": [2, 7, 8]},
        ),
        2 * 2 * 5 * 7 * 8,
        0,
        (2, 5, 8),
    ),
    "attention of grouped heads": (
        lambda: model(
            [node("GroupQueryAttention", "q k v", domain=MS, num_heads=4, kv_num_heads=2)],
            {"q": [2, 5, 32], "k": [2, 5, 16], "v": [2, 5, 16]},
        ),
        2 * 2 * 5 * 5 * 32,
        0,
        (2, 5, 32),
    ),
    "normalization of a sum": (
        lambda: model(
            [node("SkipLayerNormalization", "a b g o", domain=MS)],
            {"a": [2, 5, 8], "b": [2, 5, 8]},
            [learned("g", 8), learned("o", 8)],
        ),
        0,
        16,
        (2, 5, 8),
    ),
    "gelu with a bias": (
        lambda: model([node("BiasGelu", "x b", domain=MS)], {"x": [2, 8]}, [learned("b", 8)]),
        0,
        8,
        (2, 8),
    ),
    "convolution with its activation": (
        lambda: model(
            [node("FusedConv", "x w", domain=MS, activation="Relu")],
            {"x": [1, 3, 8, 8]},
            [learned("w", 4, 3, 3, 3)],
        ),
        4 * 36 * 27,
        108,
        (1, 4, 6, 6),
    ),
    "table": (
        lambda: model(
            [node("Gather", "w x")], {"x": [2, 5]}, [learned("w", 50, 8)], kind=TensorProto.INT64
        ),
        0,
        400,
        (2, 5, 8),
    ),
    "parts of a sequence": (
        lambda: model(
            [
                node("SplitToSequence", "x two", "parts", axis=1),
                node("SequenceAt", "parts one", "part"),
                node("MatMul", "part w"),
            ],
            {"x": [3, 4]},
            [numbers("two", 2, np.int64), numbers("one", 1, np.int64), learned("w", 2, 5)],
        ),
        3 * 2 * 5,
        10,
        (3, 5),
    ),
    "shape computed on the way": (
        lambda: model(
            [
                node("Shape", "x", "s"),
                node("Gather", "s zero", "n", axis=0),
                node("Unsqueeze", "n axis", "n1"),
                node("Concat", "n1 rest", "target", axis=0),
                node("Reshape", "x target", "flat"),
                node("MatMul", "flat w"),
            ],
            {"x": [3, 2, 4]},
            [
                numbers("zero", 0, np.int64),
                numbers("axis", [0], np.int64),
                numbers("rest", [-1], np.int64),
                learned("w", 8, 5),
            ],
        ),
        3 * 8 * 5,
        40,
        (3, 5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_operator_has_the_counts_of_hand_arithmetic(name: str) -> None:
    make, macs, weights, shape = CASES[name]
    found = read_onnx(make())

    assert forward_macs(found) == macs
    assert parameters(found) == weights
    assert found.tensors[found.outputs[0]].shape == shape
    assert coverage(found) == 1.0


def test_only_the_last_state_counts_as_neurons_where_nothing_reads_the_others() -> None:
    last = read_onnx(CASES["lstm whose last state alone is read"][0]())
    whole = read_onnx(CASES["lstm in both directions"][0]())

    assert neurons(last) * last.batch == 2 * 6
    assert neurons(whole) * whole.batch == 5 * 2 * 2 * 6


def test_a_layer_normalization_written_out_is_one_again() -> None:
    nodes = [
        node("ReduceMean", "x", "m", axes=[-1]),
        node("Sub", "x m", "d"),
        node("Pow", "d two", "q"),
        node("ReduceMean", "q", "v", axes=[-1]),
        node("Add", "v eps", "ve"),
        node("Sqrt", "ve", "root"),
        node("Div", "d root", "unit"),
        node("Mul", "unit gamma", "scaled"),
        node("Add", "scaled beta", "y"),
    ]
    weights = [learned("gamma", 8), learned("beta", 8), numbers("two", 2), numbers("eps", 1e-5)]
    found = read_onnx(model(nodes, {"x": [2, 5, 8]}, weights, opset=13))

    assert [n.operator for n in found.nodes] == ["layer_norm"]
    assert parameters_by_role(found) == {"norm_scale": 8, "norm_offset": 8}


def test_a_condition_that_is_known_takes_its_branch() -> None:
    def branch(width: int) -> onnx.GraphProto:
        return helper.make_graph(
            [node("MatMul", "x w", f"out{width}")],
            "branch",
            [],
            [info(f"out{width}", None)],
            initializer=[learned("w", 8, width)],
        )

    condition = numbers("c", True, np.bool_)
    taken = node("If", "c", then_branch=branch(3), else_branch=branch(5))

    found = read_onnx(model([taken], {"x": [2, 8]}, [condition]))
    assert (forward_macs(found), parameters(found)) == (2 * 8 * 3, 24)
    assert coverage(found) == 1.0


def test_a_condition_on_data_is_named_and_counts_the_weights_of_its_branches() -> None:
    inner = helper.make_graph(
        [node("MatMul", "x w", "out")], "branch", [], [info("out", [2, 3])], [learned("w", 8, 3)]
    )
    nodes = [
        node("ReduceMax", "x", "top", keepdims=0),
        node("Cast", "top", "c", to=TensorProto.BOOL),
        node("If", "c", then_branch=inner, else_branch=inner),
    ]
    found = read_onnx(model(nodes, {"x": [2, 8]}))

    assert [n.attributes["function"] for n in unknown_nodes(found)] == ["If"]
    assert parameters(found) == 24
    assert any("branches on data" in note for note in found.notes)


def test_functions_of_the_model_are_expanded() -> None:
    body = helper.make_function(
        "acme",
        "Layer",
        ["x", "w"],
        ["y"],
        [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])],
        [helper.make_opsetid("", 23)],
    )
    nodes = [node("Layer", "x w", "h", domain="acme"), node("Layer", "h v", domain="acme")]
    weights = [learned("w", 8, 5), learned("v", 5, 3)]
    found = read_onnx(model(nodes, {"x": [2, 8]}, weights, functions=[body]))

    assert forward_macs(found) == 2 * (8 * 5 + 5 * 3)
    assert coverage(found) == 1.0


def test_what_no_output_needs_is_not_counted() -> None:
    nodes = [node("MatMul", "x w"), node("MatMul", "x v", "unused")]
    found = read_onnx(model(nodes, {"x": [2, 8]}, [learned("w", 8, 3), learned("v", 8, 99)]))

    assert forward_macs(found) == 48
    assert parameters(found) == 24 + 8 * 99


def test_a_mask_and_a_single_number_are_no_parameters() -> None:
    mask = numbers("val_3", np.where(np.tri(5), 0, -np.inf))
    nodes = [
        node("MatMul", "q k", "s"),
        node("Mul", "s val_1", "scaled"),
        node("Add", "scaled val_3", "masked"),
        node("Softmax", "masked", "p"),
        node("Add", "p position"),
    ]
    weights = [mask, numbers("val_1", 0.125), learned("position", 5, 5)]
    found = read_onnx(model(nodes, {"q": [2, 5, 8], "k": [2, 8, 5]}, weights))

    assert parameters(found) == 25


def test_a_table_of_rotations_is_no_parameter_and_a_nameless_array_is_one_with_a_note() -> None:
    angles = np.outer(np.arange(5), 1 / 10.0 ** np.arange(4))
    table = np.concatenate([np.cos(angles)] * 2, axis=-1)
    nodes = [node("Mul", "x val_1", "turned"), node("Add", "turned val_2")]
    weights = [numbers("val_1", table), learned("val_2", 5, 8)]
    found = read_onnx(model(nodes, {"x": [2, 5, 8]}, weights))

    assert parameters(found) == 40
    assert any("1 arrays (40 numbers)" in note for note in found.notes)


def test_a_tied_weight_stored_twice_counts_once_and_is_reported() -> None:
    table = RNG.random((50, 8)).astype(np.float32)
    nodes = [node("Gather", "table x", "h"), node("MatMul", "h onnx::MatMul_9")]
    weights = [numbers("table", table), numbers("onnx::MatMul_9", table.T)]
    found = read_onnx(model(nodes, {"x": [2, 5]}, weights, kind=TensorProto.INT64))
    other = [numbers("table", table), numbers("onnx::MatMul_9", table.T + 1)]

    assert parameters(found) == 400
    assert any("tied, counted once" in note for note in found.notes)
    assert parameters(read_onnx(model(nodes, {"x": [2, 5]}, other, kind=TensorProto.INT64))) == 800


def test_nodes_in_any_order_are_read() -> None:
    nodes = [node("Relu", "h"), node("MatMul", "x w", "h")]

    assert forward_macs(read_onnx(model(nodes, {"x": [2, 8]}, [learned("w", 8, 3)]))) == 48


def test_open_sizes_share_their_names() -> None:
    nodes = [node("Add", "a b", "h"), node("MatMul", "h w")]
    made = model(nodes, {"a": ["n", "t", 8], "b": ["n", "t", 8]}, [learned("w", 8, 3)])

    assert forward_macs(read_onnx(made, shapes={"a": (2, 5, 8)})) == 2 * 5 * 8 * 3


def test_a_fixed_batch_can_be_read_as_another_where_nothing_depends_on_it() -> None:
    made = CASES["gemm, turned"][0]()
    plain = model([node("MatMul", "x w")], {"x": [1, 8]}, [learned("w", 8, 3)])
    found = read_onnx(plain, shapes={"x": (4, 8)})

    assert forward_macs(found) == 4 * 8 * 3
    assert found.notes == ("The file fixes the batch of 'x' at 1; read with 4.",)
    with pytest.raises(GraphError, match="Dimension 1 of input 'x' is 2"):
        read_onnx(made, shapes={"x": (8, 3)})


def test_a_fixed_batch_that_layers_depend_on_is_refused_with_the_way_out() -> None:
    fixed = model(
        [node("Reshape", "x s", "h"), node("MatMul", "h w")],
        {"x": [2, 4, 2]},
        [numbers("s", [2, 8], np.int64), learned("w", 8, 3)],
    )

    with pytest.raises(
        GraphError, match="fixes the batch of 'x' at 2, and layers inside"
    ) as caught:
        read_onnx(fixed, shapes={"x": (4, 4, 2)})
    assert "with an open batch" in caught.value.remedy


# -------------------------------------------------------------------------- quantized files


def small() -> Network:
    b = Builder("small")
    x = b.input((3, 12, 12))
    x = b.relu(b.conv(x, 8, 3, padding=1, name="c1"))
    x = b.add(x, b.relu(b.conv(x, 8, 3, padding=1, name="c2")))
    return b.build(b.dense(b.global_pool(x), 5, name="head"))


@pytest.mark.parametrize("layout", ["pairs", "operators", "dynamic"])
def test_a_quantized_file_keeps_its_integers_and_says_its_formats(
    layout: str, tmp_path: Path
) -> None:
    quantization = pytest.importorskip("onnxruntime.quantization")
    net = small()
    onnx.save(to_onnx(net), str(tmp_path / "whole.onnx"))

    class Samples(quantization.CalibrationDataReader):  # type: ignore[misc]  # a library without types
        left = 2

        def get_next(self) -> Any:
            self.left -= 1
            return sample_inputs(net) if self.left >= 0 else None

    source, target = str(tmp_path / "whole.onnx"), str(tmp_path / "int8.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if layout == "dynamic":
            kind = quantization.QuantType.QUInt8
            quantization.quantize_dynamic(source, target, weight_type=kind)
        else:
            wanted = quantization.QuantFormat
            chosen = wanted.QDQ if layout == "pairs" else wanted.QOperator
            quantization.quantize_static(source, target, Samples(), quant_format=chosen)
    found = read_onnx(target)
    weights = {p.format for p in found.parameters if p.role == "weight"}
    products = [n for n in found.nodes if n.operator == "convolution2d"]

    assert [parameters(found, c) for c in ("trainable", "weights")] == [
        parameters(net, c) for c in ("trainable", "weights")
    ]
    assert (forward_macs(found), neurons(found)) == (forward_macs(net), neurons(net))
    assert weights <= {"int8", "uint8"}
    if layout != "dynamic":
        assert all(found.tensors[n.outputs[0]].format == "int8" for n in products)


# -------------------------------------------------------------------- models of ONNX itself


#: Published counts of networks that the onnx package brings as graphs: torchvision's.
LIGHT = {
    "light_resnet50.onnx": 4_089_184_256,
    "light_vgg19.onnx": 19_632_062_464,
    "light_densenet121.onnx": 2_834_161_664,
    "light_squeezenet.onnx": 349_151_936,
}


@pytest.mark.parametrize("name", LIGHT)
def test_a_model_of_the_onnx_package_has_the_published_products(name: str) -> None:
    path = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / name
    if not path.exists():
        pytest.skip("this onnx package brings no models")
    found = read_onnx(path)

    assert forward_macs(found) == LIGHT[name]
    assert coverage(found) == 1.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_test_model_of_onnx_reads_in_its_shapes_or_is_named() -> None:
    collect = pytest.importorskip("onnx.backend.test.case.node").collect_testcases
    outcomes: Counter[str] = Counter()
    wrong = []
    for case in collect(None):
        made = case.model
        tensors = [i for i in made.graph.input if i.type.HasField("tensor_type")]
        if len(tensors) < len(made.graph.input):
            with pytest.raises(GraphError, match="is no tensor"):
                read_onnx(made)
            continue
        given, expected = case.data_sets[0]
        shapes = {}
        for item, value in zip(made.graph.input, given, strict=False):
            array = value if not hasattr(value, "dims") else None
            whole = array is not None and np.asarray(array).dtype == np.int64
            if whole and np.ndim(array) <= 1 and np.size(array) <= 16:
                # Numbers that decide a shape are constants in any model that can be read.
                made.graph.initializer.append(numbers(item.name, array, np.int64))
            else:
                shapes[item.name] = tuple(value.dims) if array is None else np.shape(array)
        found = read_onnx(made, shapes=shapes)
        wanted = [
            tuple(o.dims) if hasattr(o, "dims") else np.shape(o)
            for o in expected
            if not isinstance(o, list)
        ]
        if unknown_nodes(found):
            outcomes["named"] += 1
        elif found.shapes_of(found.outputs) == tuple(wanted):
            outcomes["right"] += 1
        elif len(found.outputs) < len(wanted):
            outcomes["constant"] += 1  # an output that no input reaches
        else:
            wrong.append(case.name)

    # The shape that ONNX's own case of blocks gives for a tensor of four bits is that of bytes.
    assert set(wrong) <= {"test_quantizelinear_blocked_symmetric"}
    assert outcomes["right"] > 1450
    assert outcomes["named"] < 350


@pytest.mark.slow
def test_our_shapes_are_those_of_onnx_shape_inference() -> None:
    from tradespace.graph.zoo import network

    for name in ("resnet18", "mobilenet-v3-small", "densenet121", "shufflenet-v2-x0-5"):
        made = to_onnx(network(name, batch=2))
        inferred = onnx.shape_inference.infer_shapes(made, data_prop=True, strict_mode=True)
        theirs = Counter(
            tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
            for v in inferred.graph.value_info
            if v.type.tensor_type.elem_type == TensorProto.FLOAT
            and not v.name.startswith("constant")
        )
        found = read_onnx(made)
        ours = Counter(found.tensors[i].shape for n in found.nodes for i in n.outputs)

        # A product and its bias are two nodes in the file and one dense layer here.
        assert set(ours) == set(theirs)
        assert not ours - theirs
