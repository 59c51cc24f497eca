"""``tradespace inspect`` and ``compare`` from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tradespace.cli import run

MLP = "mlp-784-300-100-10"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run([*arguments]) == code
    return capsys.readouterr().out


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*arguments]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_a_network_of_the_zoo_is_shown_with_its_conventions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, "inspect", MLP)

    assert "266,610" in text
    assert "one multiply-accumulate is 1" in text
    assert "hidden1" in text


def test_json_has_what_the_table_has(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(printed(capsys, "inspect", MLP, "--on", "t4", "--train", "adamw", "--json"))

    assert record["parameters"]["trainable"] == 266_610
    assert record["running"]["latency"]["time_s"] > 0
    assert {layer["name"] for layer in record["layers"]} >= {"hidden1", "hidden2", "output"}


@pytest.mark.parametrize("more", [[], ["--samples", "1e6"]])
def test_training_is_shown_for_a_run_or_for_a_million_samples(
    capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    text = printed(capsys, "inspect", MLP, "--train", "adamw", "--on", "t4", "--batch", "8", *more)

    assert ("125,000 steps" if more else "a million samples, rented") in text


def test_settings_reach_the_builder(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(printed(capsys, "inspect", "gpt-2", "--set", "length=64", "--json"))

    assert record["inputs"][0]["shape"] == [1, 64]


def test_formulas_evaluate_to_the_numbers_beside_them(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(printed(capsys, "inspect", "vgg11", "--json"))

    for layer in record["layers"]:
        if layer["macs"]:
            assert eval(layer["numbers"].replace("/", "//")) == layer["macs"]
    assert "C_in" in printed(capsys, "inspect", "vgg11", "--formulas")


def test_a_page_and_a_table_are_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page, table = tmp_path / "net.html", tmp_path / "net.csv"
    text = printed(capsys, "inspect", MLP, "--html", str(page), "--csv", str(table))

    assert "net.html" in text
    assert "<title>mlp-784" in page.read_text(encoding="utf-8")
    assert table.read_text(encoding="utf-8").startswith("name,operator,output_shape")


def test_the_batch_of_a_file_that_leaves_it_open_can_be_chosen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from onnx import TensorProto, helper, save

    place = tmp_path / "open.onnx"
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3], [0.0] * 12)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "open",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
        [weight],
    )
    save(helper.make_model(graph), place)
    record = json.loads(printed(capsys, "inspect", str(place), "--batch", "5", "--json"))

    assert record["macs"] == 5 * 4 * 3
    assert record["batch"] == 5


def test_a_budget_gives_the_largest_batch(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["inspect", "gpt-2", "--train", "adamw", "--budget", "memory <= 24 GB"]
    text = printed(capsys, *arguments)
    answer = json.loads(printed(capsys, *arguments, "--json"))

    assert f"largest batch is {answer['value']}" in text
    assert answer["above"]["memory"] > 24e9


def test_a_budget_that_nothing_keeps_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "inspect", "gpt-2", "--budget", "memory <= 1 MB", code=1)

    assert "no batch keeps" in text


def test_networks_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "compare", "alexnet", "vgg19", "bert-base")
    records = json.loads(printed(capsys, "compare", "alexnet", "vgg19", "--json"))

    assert "60,965,224" in text
    assert "143,667,240" in text
    assert "Accuracy as published" in text
    assert [r["name"] for r in records] == ["alexnet", "vgg19"]


def test_a_comparison_is_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "compare.html"
    printed(capsys, "compare", "alexnet", "vgg19", "--html", str(page))

    text = page.read_text(encoding="utf-8")
    assert "143,667,240" in text
    assert "<title>alexnet · vgg19</title>" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect", "resnet51"], "Did you mean"),
        (["inspect", MLP, "--on", "t5"], "processor"),
        (["inspect", MLP, "--set", "length"], "name=value"),
        (["inspect", "gpt-2", "--set", "a=1", "--set", "a=2"], "twice"),
        (["inspect", MLP, "--vary", "width"], "--budget"),
        (["inspect", MLP, "--budget", "speed <= 3"], "quantity to bound"),
        (["inspect", MLP, "--html", "/no/such/folder/x.html"], "cannot be written"),
        (["inspect", MLP, "--input", "1x784"], "--batch"),
        (["inspect", "no_such_model.onnx"], "no_such_model.onnx"),
        (["inspect", "."], "folder"),
        (["inspect", "no_such_model.py:Net", "--input", "1x3"], "no_such_model.py"),
        (["compare", "alexnet", "vgg20"], "vgg"),
    ],
)
def test_wrong_input_gives_one_clear_message(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in failed(capsys, *arguments)
