"""Modules from what a person writes: what is built, and what each mistake is answered with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from tradespace.core.errors import GraphError, MissingExtraError  # noqa: E402
from tradespace.graph.counts import forward_macs, parameters  # noqa: E402
from tradespace.graph.readers.inputs import InputSpec, guess_input  # noqa: E402
from tradespace.graph.readers.sources import (  # noqa: E402
    is_torch_source,
    load_torch,
    parse_source,
)
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402

NETS = """
from dataclasses import dataclass

import torch
from torch import nn

from neighbor import WIDTH


@dataclass
class Settings:
    width: int = WIDTH


class MyNet(nn.Sequential):
    def __init__(self, depth=2, *, width=Settings().width, kernel=(3, 3)):
        super().__init__(*(nn.Linear(width, width) for _ in range(depth)))
        self.kernel = kernel


class Needs(nn.Module):
    def __init__(self, depth: int, width: int = 4):
        super().__init__()
        self.layer = nn.Linear(width, depth)

    def forward(self, x):
        return self.layer(x)


class DropPath(nn.Module):
    def __init__(self, depth=4, width=8):
        super().__init__()
        rates = [rate.item() for rate in torch.linspace(0, 0.3, depth)]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.Dropout(rate)) for rate in rates
        )

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Breaks(nn.Module):
    def __init__(self):
        super().__init__()
        raise ValueError("heads must divide the width")


def make(kind="small"):
    return nn.Linear(3, 4 if kind == "small" else 400)


def not_a_module():
    return 3


READY = nn.Linear(2, 3)
NUMBER = 3
"""


@pytest.fixture
def nets(tmp_path: Path) -> str:
    (tmp_path / "neighbor.py").write_text("WIDTH = 16\n")
    file = tmp_path / "nets.py"
    file.write_text(NETS)
    return str(file)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("MyNet", 2 * (16 * 16 + 16)),
        ("MyNet()", 2 * (16 * 16 + 16)),
        ("MyNet(3, width=4)", 3 * (4 * 4 + 4)),
        ("MyNet(depth=1, width=4, kernel=[5, 5])", 4 * 4 + 4),
        ("make", 3 * 4 + 4),
        ("make(kind='large')", 3 * 400 + 400),
        ("READY", 2 * 3 + 3),
    ],
)
def test_classes_functions_and_ready_modules_are_found_with_their_arguments(
    nets: str, name: str, count: int
) -> None:
    module = load_torch(f"{nets}:{name}")

    assert sum(p.numel() for p in module.parameters()) == count


def test_settings_are_more_arguments() -> None:
    module = load_torch("torch.nn:Linear(784)", {"out_features": 10, "bias": False})

    assert parameters(read_torch(module, guess_input(module))) == 7840


def test_weights_take_no_memory(nets: str) -> None:
    module = load_torch(f"{nets}:MyNet(width=100000)")

    assert all(p.is_meta for p in module.parameters())


def test_what_was_loaded_can_be_read(nets: str) -> None:
    network = read_torch(load_torch(f"{nets}:MyNet(width=8)"), (2, 8))

    assert forward_macs(network) == 2 * 2 * 8 * 8


def test_a_constructor_that_looks_at_numbers_is_built_in_memory_and_noted(nets: str) -> None:
    notes: list[str] = []
    module = load_torch(f"{nets}:DropPath(depth=3)", notes=notes)
    rates = [m.p for m in module.modules() if isinstance(m, torch.nn.Dropout)]

    assert rates == pytest.approx([0, 0.15, 0.3])
    assert notes == ["DropPath was built in memory: its constructor looks at numbers"]


def test_building_leaves_random_numbers_and_the_import_path_alone(nets: str) -> None:
    random, path = torch.get_rng_state(), list(sys.path)

    load_torch(f"{nets}:DropPath")

    assert torch.equal(random, torch.get_rng_state())
    assert sys.path == path


def test_a_file_of_a_package_may_import_its_neighbors(tmp_path: Path) -> None:
    package = tmp_path / "packed_nets_for_tests"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "sizes.py").write_text("WIDTH = 6\n")
    (package / "nets.py").write_text(
        "from torch import nn\nfrom .sizes import WIDTH\n"
        "class Net(nn.Linear):\n    def __init__(self):\n        super().__init__(WIDTH, 2)\n"
    )

    module = load_torch(f"{package / 'nets.py'}:Net")

    assert module.in_features == 6


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("MyNett", "has no 'MyNett'", "Did you mean 'MyNet'"),
        ("Zebra", "has no 'Zebra'", "defines MyNet, Needs"),
        ("Settings", "no torch.nn.Module", "defines MyNet"),
        ("NUMBER", "is int, not a torch module", "defines MyNet"),
        ("not_a_module", "gave int, not a torch module", "torch.nn.Module"),
        ("Needs", r"Needs\(depth: int, width: int = 4\).*missing", r"Needs\(depth=\.\.\.\)"),
        ("Needs(depth=1, widht=3)", "unexpected keyword", "Did you mean 'width'"),
        ("READY(3)", "takes no arguments", "READY"),
        ("Breaks", "ValueError: heads must divide the width", "inspect"),
        ("MyNet(depth=two)", "'two'.*no literal", "function without arguments"),
        ("MyNet(depth=__import__('os').getcwd())", "no literal", "function"),
        ("MyNet(depth=2", "which network|cannot be read", "MyNet"),
        ("MyNet(**{'depth': 2})", "spreads a mapping", "by its name"),
        ("MyNet(2)(3)", "more than one pair of brackets|cannot be read", "MyNet"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(
    nets: str, name: str, message: str, remedy: str
) -> None:
    with pytest.raises(GraphError, match=message) as caught:
        load_torch(f"{nets}:{name}")

    assert pytest.importorskip("re").search(remedy, caught.value.remedy)


def test_an_exception_in_a_constructor_has_its_line(nets: str) -> None:
    with pytest.raises(GraphError) as caught:
        load_torch(f"{nets}:Breaks")
    place = caught.value.place

    assert place is not None
    assert place.file == nets
    assert place.line is not None
    assert "raise ValueError" in NETS.splitlines()[place.line - 1]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("import torch\nimport no_such_library_here\n", "no Python module 'no_such", 2),
        ("x = 1\ny = x / 0\n", "ZeroDivisionError: division by zero", 2),
        ("x = 1\nraise SystemExit('bye')\n", "ends the program: sys.exit.bye", 2),
        ("x = 1\nclass Net(:\n", "not valid Python", 2),
    ],
)
def test_a_file_that_cannot_be_imported_says_in_which_line(
    tmp_path: Path, text: str, message: str, line: int
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(text)

    with pytest.raises(GraphError, match=message) as caught:
        load_torch(f"{file}:Net")

    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == (str(file), line)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nets.py", "does not say which network"),
        ("nowhere/nets.py:Net", "There is no file"),
        ("no.such.package:Net", "no Python module"),
        ("", "does not say"),
    ],
)
def test_a_source_that_is_not_there_is_named(spec: str, message: str) -> None:
    with pytest.raises(GraphError, match=message) as caught:
        load_torch(spec)

    assert caught.value.remedy


def test_a_file_with_a_name_like_it_is_suggested(nets: str) -> None:
    with pytest.raises(GraphError) as caught:
        load_torch(nets.replace("nets.py", "netz.py") + ":MyNet")

    assert "nets.py" in caught.value.remedy


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(MissingExtraError, match=r"tradespace\[deep\]"):
        load_torch("nets.py:MyNet")


def test_arguments_are_read_as_literals() -> None:
    asked = parse_source("a/b.py:Outer.Inner(-1, x=(1, [2.5]), y={'k': None}, z='a:b')")

    assert (asked.source, asked.name) == ("a/b.py", "Outer.Inner")
    assert asked.args == (-1,)
    assert asked.kwargs == {"x": (1, [2.5]), "y": {"k": None}, "z": "a:b"}


def test_texts_that_name_torch_modules_are_told_from_others() -> None:
    assert is_torch_source("nets.py:MyNet(3)")
    assert is_torch_source("package.module:function")
    assert not is_torch_source("resnet50")
    assert not is_torch_source("model.onnx")


def test_a_dense_first_layer_tells_its_input() -> None:
    module = torch.nn.Sequential(torch.nn.Sequential(torch.nn.Linear(784, 10)))

    assert guess_input(module, batch=8) == InputSpec((8, 784))


@pytest.mark.parametrize(
    ("module", "example"),
    [
        (torch.nn.Conv2d(1, 4, 3), "1x1x224x224"),
        (torch.nn.Conv1d(2, 4, 3), "1x2x16000"),
        (torch.nn.Embedding(100, 4), "1x128:int64"),
        (torch.nn.LSTM(8, 4, batch_first=True), "1x100x8"),
        (torch.nn.ReLU(), "--input 1x3x224x224"),
        (torch.nn.Bilinear(2, 3, 4), "--input input1=1x... --input input2=1x..."),
    ],
)
def test_a_first_layer_that_does_not_tell_says_what_to_write(
    module: torch.nn.Module, example: str
) -> None:
    with pytest.raises(GraphError) as caught:
        guess_input(module)

    assert example in caught.value.remedy
