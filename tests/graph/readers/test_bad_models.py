"""Files that are no model, damaged ones and inputs that do not fit: one clear sentence each."""

from __future__ import annotations

import json
import pickle
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tradespace.core.errors import GraphError
from tradespace.graph.counts import coverage, forward_macs, parameters, unknown_nodes
from tradespace.graph.readers.files import read_model_file
from tradespace.graph.readers.keras import read as keras_reader
from tradespace.graph.readers.onnx.read import read_onnx
from tradespace.graph.writers.onnx import to_onnx
from tradespace.graph.zoo import network


def value(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name: str, *shape: int) -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(np.ones(shape, np.float32), name)


def model(
    nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: Any = (), opset: int = 20
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializer=list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def dense(shape: Any, **more: Any) -> onnx.ModelProto:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="dense")]
    return model(nodes, [value("x", shape)], [value("y", None)], [weight("w", 8, 3)], **more)


def written(made: onnx.ModelProto) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(made.SerializeToString())


def plain(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content)


def zipped(**files: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)

    return write


def folder(*inside: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.mkdir()
        for name in inside:
            (path / name).write_bytes(b"x")

    return write


def keras_file(configuration: Any) -> Callable[[Path], None]:
    return zipped(config_dot_json=json.dumps(configuration))


def cut(write: Callable[[Path], None], share: float) -> Callable[[Path], None]:
    def shorter(path: Path) -> None:
        write(path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return shorter


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": [1.0]}))


def torch_saved(path: Path) -> None:
    zipped(archive__data_dot_pkl="x", archive__version="3")(path)


class Nothing:
    """Would be run by a loader of pickles."""

    def __reduce__(self) -> Any:
        return (print, ("code in a model file was run",))


def malicious(path: Path) -> None:
    path.write_bytes(pickle.dumps(Nothing()))


CIRCLE = model(
    [
        helper.make_node("Relu", ["b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
    ],
    [value("x", [1, 8])],
    [value("a", [1, 8])],
)
DANGLING = model(
    [helper.make_node("Add", ["x", "nowhere"], ["y"], name="sum")],
    [value("x", [1, 8])],
    [value("y", [1, 8])],
)
NO_MAKER = model(
    [helper.make_node("Relu", ["x"], ["y"])], [value("x", [1, 8])], [value("z", [1, 8])]
)
WRONG_RANK = model(
    [helper.make_node("Conv", ["x", "w"], ["y"], name="conv1")],
    [value("x", [1, 8])],
    [value("y", None)],
    [weight("w", 4, 3, 3, 3)],
)
FIXED = model(
    [
        helper.make_node("Reshape", ["x", "shape"], ["y"], name="fixed"),
    ],
    [value("x", ["batch", 8])],
    [value("y", None)],
    [onnx.numpy_helper.from_array(np.asarray([2, 4]), "shape")],
)
MLP = to_onnx(network("mlp-784-300-100-10"))
SEQUENTIAL = {
    "class_name": "Sequential",
    "config": {
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "InputLayer",
                "config": {"name": "pixels", "batch_shape": [None, None, 3]},
            },
            {
                "module": "keras.layers",
                "class_name": "Dense",
                "config": {"name": "dense", "units": 3, "use_bias": True},
            },
        ]
    },
}
WAITING = {
    "class_name": "Functional",
    "config": {
        "layers": [
            {"module": "keras.layers", "class_name": "InputLayer", "name": "x", "inbound_nodes": [],
             "config": {"name": "x", "batch_shape": [None, 3]}},
            {"module": "keras.layers", "class_name": "ReLU", "name": "a", "config": {"name": "a"},
             "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {
                 "shape": [None, 3], "keras_history": ["a", 0, 0]}}], "kwargs": {}}]},
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["a", 0, 0]],
    },
}  # fmt: skip

#: name -> (how the file is made, inputs given, what the message says, what the remedy says).
BAD: dict[str, tuple[Callable[[Path], None], Any, str, str]] = {
    "empty": (plain(b""), None, "is empty", "export it again"),
    "text": (plain(b"accuracy: 0.9\n"), None, "is text, no model", "as ONNX"),
    "noise": (plain(bytes(range(1, 255)) * 4), None, "no whole ONNX model", "cut short"),
    "folder": (folder(), None, "is a folder", "Give a file"),
    "saved model": (folder("saved_model.pb"), None, "SavedModel of TensorFlow", "tf2onnx"),
    "pickle": (pickled, None, "a pickle, which can run any code", r"my_model.py:MyNet"),
    "pickle with code": (malicious, None, "a pickle, which can run any code", "never|my_model"),
    "torch.save": (torch_saved, None, "what torch.save wrote", "my_model.py:MyNet"),
    "torchscript": (
        zipped(net__constants_dot_pkl="x", net__code__a_dot_py="x", net__data_dot_pkl="x"),
        None,
        "a TorchScript archive",
        "my_model.py:MyNet",
    ),
    "torch.export": (
        zipped(archive__models__model_dot_json="{}"),
        None,
        "a program that torch.export saved",
        "my_model.py:MyNet",
    ),
    "tflite": (plain(b"\x1c\0\0\0TFL3" + b"\0" * 90), None, "TensorFlow Lite", "tf2onnx"),
    "hdf5": (plain(b"\x89HDF\r\n\x1a\n" + b"\0" * 90), None, "an HDF5 file", "model.keras"),
    "safetensors": (
        plain((64).to_bytes(8, "little") + b'{"a":{"dtype":"F32"}}' + b"\0" * 80),
        None,
        "weights without a network",
        "my_model.py:MyNet",
    ),
    "gguf": (plain(b"GGUF\3\0\0\0" + b"\0" * 90), None, "a GGUF file", "zoo"),
    "gzip": (plain(b"\x1f\x8b\x08" + b"\0" * 90), None, "a compressed file", "Unpack"),
    "cut onnx": (cut(written(MLP), 0.6), None, "no whole ONNX model", "cut short"),
    "cut zip": (cut(keras_file(SEQUENTIAL), 0.6), None, "damaged or cut short", "again"),
    "zip": (zipped(readme_dot_txt="hello"), None, "without a config.json", "format of Keras 3"),
    "zip of nonsense": (zipped(config_dot_json="{"), None, "no whole Keras file", "again"),
    "zip of a list": (zipped(config_dot_json="[]"), None, "describes no model", "Keras 3"),
    "own class": (
        keras_file({"class_name": "Mine", "config": {}}),
        None,
        r"model of its own class \(Mine\)",
        "functional or Sequential",
    ),
    "open size, keras": (
        keras_file(SEQUENTIAL),
        None,
        "Dimension 1 of input 'pixels' is left open",
        "--input pixels=8x128x3",
    ),
    "unknown input, keras": (
        keras_file(SEQUENTIAL),
        {"pixel": (1, 2, 3)},
        "Unknown input of the model 'pixel'",
        "pixels",
    ),
    "wrong rank, keras": (
        keras_file(SEQUENTIAL),
        {"": (1, 2, 3, 4)},
        "Input 'pixels' has 3 dimensions",
        "Give 3 sizes",
    ),
    "circle, keras": (keras_file(WAITING), None, "'a' of 'bad' wait for each other", "again"),
    "circle": (written(CIRCLE), None, "need each other", "again"),
    "dangling": (written(DANGLING), None, "'sum' .Add. needs 'nowhere', which nothing makes", "ag"),
    "output from nowhere": (written(NO_MAKER), None, "Nothing makes the output 'z'", "again"),
    "from the future": (written(dense([1, 8], opset=99)), None, "operator set 99", "Update onnx"),
    "no shape": (
        written(dense(None)),
        None,
        "Input 'x' has no shape in the file",
        "--input x=8x3x224x224",
    ),
    "open size": (
        written(dense(["batch", "steps", 8])),
        None,
        "Dimension 1 of input 'x' .'steps'. is left open",
        "--input x=8x128x8",
    ),
    "odd first size": (
        written(dense(["frames", 8])),
        None,
        "Dimension 0 of input 'x' .'frames'. is left open",
        "--input x=8x8",
    ),
    "unknown input": (written(dense([1, 8])), {"y": (1, 8)}, "Unknown input of the model 'y'", "x"),
    "wrong rank": (written(dense([1, 8])), {"x": (8,)}, "Input 'x' has 2 dimensions", "2 sizes"),
    "wrong size": (
        written(dense([1, 8])),
        {"x": (1, 9)},
        "Dimension 1 of input 'x' is 8 in the file",
        "Give 1x8",
    ),
    "rank of a layer": (written(WRONG_RANK), None, "At 'conv1' of 'bad': .*convolution2d", "Check"),
    "fixed reshape": (written(FIXED), {"x": (3, 8)}, "'fixed' .Reshape. makes", "export it anew"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_gives_one_sentence_and_what_to_do(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, shapes, message, remedy = BAD[name]
    path = tmp_path / "bad.model"
    write(path)

    with pytest.raises(GraphError, match=message) as caught:
        read_model_file(path, shapes=shapes)
    error = caught.value
    assert error.remedy
    assert re.search(remedy, error.remedy + error.message)
    assert "\n" not in str(error)
    assert str(tmp_path) not in str(error)
    assert capsys.readouterr().out == ""


def test_a_file_that_is_not_there_is_named_with_one_that_is(tmp_path: Path) -> None:
    written(dense([1, 8]))(tmp_path / "net.onnx")

    with pytest.raises(GraphError, match=r"There is no file 'net.keras'") as caught:
        read_model_file(tmp_path / "net.keras")
    assert caught.value.remedy == "Did you mean 'net.onnx'?"


def test_files_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    swapped_onnx, swapped_keras = tmp_path / "a.keras", tmp_path / "b.onnx"
    written(dense([1, 8]))(swapped_onnx)
    keras_file(SEQUENTIAL)(swapped_keras)

    assert forward_macs(read_model_file(swapped_onnx)) == 8 * 3
    assert forward_macs(read_model_file(swapped_keras, shapes={"": (2, 5, 3)})) == 2 * 5 * 9


def test_weights_that_lie_elsewhere_are_not_needed(tmp_path: Path) -> None:
    made = to_onnx(network("mlp-784-300-100-10"))
    path = tmp_path / "net.onnx"
    onnx.save(made, str(path), save_as_external_data=True, location="net.data", size_threshold=0)
    (tmp_path / "net.data").unlink()

    assert parameters(read_model_file(path)) == 266610


def test_an_unknown_operator_is_named_and_the_rest_counted() -> None:
    nodes = [
        helper.make_node("FancyNorm", ["x", "g"], ["n"], name="fancy", domain="acme"),
        helper.make_node("MatMul", ["n", "w"], ["y"], name="dense"),
    ]
    made = model(
        nodes, [value("x", [2, 8])], [value("y", None)], [weight("w", 8, 3), weight("g", 8)]
    )
    made.opset_import.append(helper.make_opsetid("acme", 1))
    found = read_onnx(made)

    assert [n.attributes["function"] for n in unknown_nodes(found)] == ["acme.FancyNorm"]
    assert coverage(found) == 0.5
    assert forward_macs(found) == 2 * 8 * 3
    assert parameters(found) == 8 * 3 + 8
    assert any("Shapes after fancy are guesses" in note for note in found.notes)


def test_a_number_of_inputs_needs_names() -> None:
    nodes = [helper.make_node("Add", ["a", "b"], ["y"])]
    made = model(nodes, [value("a", ["n", 8]), value("b", ["n", 8])], [value("y", None)])

    with pytest.raises(GraphError, match="2 inputs: a, b") as caught:
        read_onnx(made, shapes={"": (4, 8)})
    assert "--input a=4x8" in caught.value.remedy
    assert read_onnx(made, shapes={"a": (4, 8)}).shapes_of((0, 1)) == ((4, 8), (4, 8))


def test_sizes_with_one_name_have_to_agree() -> None:
    nodes = [helper.make_node("Add", ["a", "b"], ["y"])]
    made = model(nodes, [value("a", ["n", 8]), value("b", ["n", 8])], [value("y", None)])

    with pytest.raises(GraphError, match="Dimension 'n' is both 4 and 5"):
        read_onnx(made, shapes={"a": (4, 8), "b": (5, 8)})


def test_a_batch_left_open_is_taken_as_one_and_said() -> None:
    found = read_onnx(dense(["batch_size", 8]))

    assert found.batch == 1
    assert found.notes == ("The batch is left open in the file; taken as 1.",)


def test_an_archive_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_reader, "_MOST_BYTES", 1 << 20)
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", " " * (1 << 21))

    assert path.stat().st_size < 10_000
    with pytest.raises(GraphError, match=r"configuration in 'bomb\.keras' takes 2097152 bytes"):
        read_model_file(path)


# --------------------------------------------------------------------- damage, at random


def broken_bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    if rng.random() < 0.3:
        return bytes(changed[: rng.randint(1, len(changed))])
    for _ in range(rng.randint(1, 6)):
        changed[rng.randrange(min(len(changed), 2000))] = rng.randrange(256)
    return bytes(changed)


def broken_graph(content: bytes, rng: random.Random) -> onnx.ModelProto:
    made = onnx.ModelProto.FromString(content)
    chosen = rng.choice(made.graph.node)
    kind = rng.randrange(5)
    made_names = [name for n in made.graph.node for name in n.output]
    if kind == 0 and chosen.input:
        chosen.input[rng.randrange(len(chosen.input))] = rng.choice(["", *made_names])
    elif kind == 1 and chosen.attribute:
        del chosen.attribute[rng.randrange(len(chosen.attribute))]
    elif kind == 2:
        chosen.op_type = rng.choice(["LSTM", "Gather", "Split", "Attention", "TopK", "Pad", "If"])
    elif kind == 3:
        dims = rng.choice(made.graph.initializer).dims
        if dims:
            dims[rng.randrange(len(dims))] = rng.choice([0, 2, -1, 10**18])
    elif chosen.attribute:
        attribute = rng.choice(chosen.attribute)
        if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice([0, -1, 7, 10**12])
        else:
            attribute.i = rng.choice([0, -1, 10**12])
    return made


SOURCES = [
    to_onnx(network("bert-base", layers=1, width=16, heads=2, length=4, vocabulary=20)),
    to_onnx(network("mobilenet-v3-small", width=0.25, size=32)),
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_damage_gives_a_network_or_one_sentence_never_a_traceback(
    seed: int, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    path = tmp_path / "net.onnx"
    refused: list[GraphError] = []
    for _ in range(60):
        content = rng.choice(SOURCES).SerializeToString()
        path.write_bytes(broken_bytes(content, rng))
        for source in (path, broken_graph(content, rng)):
            try:
                read_model_file(path) if source is path else read_onnx(source)
            except GraphError as error:
                refused.append(error)

    assert len(refused) > 20
    assert all(e.remedy and "\n" not in str(e) for e in refused)
