"""Published counts of networks for pictures, and what tells their variants apart."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tradespace.core.errors import GraphError
from tradespace.graph.counts import (
    backward_macs,
    depth,
    forward_macs,
    neurons,
    node_counts,
    parameters,
    parameters_by_role,
)
from tradespace.graph.memory import saved_activations, training_memory
from tradespace.graph.network import Network
from tradespace.graph.receptive_field import receptive_field
from tradespace.graph.zoo import network
from tradespace.graph.zoo.lenet import CONNECTIONS
from tradespace.graph.zoo.regnet import stages_of

GOLDEN: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(
    Path(__file__).parents[2] / "golden" / "networks_vision.yaml"
)
ROWS = GOLDEN["rows"]
EVERY = [*ROWS, *GOLDEN["beyond"]]


def by_name(row: dict[str, Any]) -> str:
    return str(row.get("id", row.get("network")))


def with_figure(figure: str, rows: list[dict[str, Any]] = ROWS) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", [row for row in rows if figure in row], ids=by_name)


def made(row: dict[str, Any]) -> Network:
    return network(row["network"], **row.get("settings", {}))


# ------------------------------------------------------------------------ published figures


@with_figure("parameters", EVERY)
def test_a_network_has_exactly_the_published_parameters(row: dict[str, Any]) -> None:
    assert parameters(made(row)) == row["parameters"]


@with_figure("macs")
def test_a_network_has_exactly_the_published_multiply_accumulates(row: dict[str, Any]) -> None:
    assert forward_macs(made(row)) == row["macs"]


@with_figure("macs_published", EVERY)
def test_a_network_has_the_printed_multiply_accumulates(row: dict[str, Any]) -> None:
    assert round(forward_macs(made(row)) / 1e6) == row["macs_published"] / 1e6


@with_figure("neurons")
def test_a_network_has_exactly_the_published_neurons(row: dict[str, Any]) -> None:
    found = made(row)

    assert neurons(found, row.get("neuron_convention", "layers")) == row["neurons"]
    assert neurons(found) == row.get("neurons_by_layers", row["neurons"])


@with_figure("modules")
def test_a_network_has_exactly_the_published_outputs_of_modules(row: dict[str, Any]) -> None:
    assert neurons(made(row), "modules") == row["modules"]


@with_figure("weights")
def test_a_network_has_exactly_the_published_weights(row: dict[str, Any]) -> None:
    assert parameters(made(row), "weights") == row["weights"]


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_the_parts_of_the_parameters_are_the_published_ones(row: dict[str, Any]) -> None:
    chosen = {**row.get("settings", {}), **row.get("parts_settings", {})}
    roles = parameters_by_role(network(row["network"], **chosen))
    parts = {
        "biases": roles.get("bias", 0),
        "norm_affine": roles.get("norm_scale", 0) + roles.get("norm_offset", 0),
        "statistics": roles.get("statistic", 0),
    }

    assert {part: count for part, count in parts.items() if part in row}.items() <= row.items()


def test_no_published_row_is_left_out_without_a_cause() -> None:
    met, unmet = {row["id"] for row in ROWS}, GOLDEN["unmet"]

    assert len(met) == len(ROWS)
    assert all(row["cause"] for row in unmet)
    assert met.isdisjoint(row["id"] for row in unmet)


@pytest.mark.parametrize(
    ("name", "backward"), [("alexnet-torchvision", 1_358_100_160), ("resnet50", 8_060_354_560)]
)
def test_going_back_takes_twice_the_products_less_the_gradient_of_the_picture(
    name: str, backward: int
) -> None:
    assert backward_macs(network(name)) == backward


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [("alexnet-torchvision", 118.5), ("vgg19", 2511), ("googlenet", 1543), ("resnet50", 2749)],
)
def test_training_keeps_what_was_measured_of_autograd(name: str, megabytes: float) -> None:
    # Masks of dropout and indices of pooling take other sizes on other devices.
    kept = saved_activations(network(name, batch=32)) / 1e6

    assert kept == pytest.approx(megabytes, rel=0.005)


# -------------------------------------------------------------------- conventions of exercises


def test_alexnet_counts_its_inputs_when_asked() -> None:
    assert neurons(network("alexnet", size=224), "layers+input") == 809_800
    assert neurons(network("alexnet"), "layers+input") == 813_859


def test_vgg19_has_as_many_channels_as_biases() -> None:
    vgg19 = network("vgg19")

    assert neurons(vgg19, "channels") == 14_696
    assert neurons(vgg19, "layers+input") == 15_011_816


@pytest.mark.parametrize(("name", "sums"), [("resnet50-v1", 16_107_496), ("resnet50", 16_634_344)])
def test_residual_sums_count_when_asked(name: str, sums: int) -> None:
    assert neurons(network(name), "layers+residual") == sums


def test_the_perceptrons_of_the_exercises_have_one_bias_a_layer_when_asked() -> None:
    assert parameters(network("mlp-33-512-10"), "shared-bias") == 22_018
    assert parameters(network("mlp-3-3-2"), "shared-bias") == 17


@pytest.mark.parametrize(
    ("name", "layers"),
    [("alexnet", 8), ("vgg16", 16), ("googlenet", 22), ("resnet18", 18), ("resnet152-v1", 152)],
)
def test_the_longest_path_has_the_layers_of_the_name(name: str, layers: int) -> None:
    assert depth(network(name)) == layers


# ------------------------------------------------------------------------------------- lenet


def test_lenet_5_has_the_published_connections() -> None:
    connections = {}
    for row in node_counts(network("lenet5-1998")):
        held = row.node.parameters
        if not held:
            continue
        if row.node.operator == "trainable_subsampling2d":
            connections[row.node.name] = row.elements * (2 * 2 + 1)
        elif row.node.operator == "radial_basis":
            connections[row.node.name] = row.macs
        else:
            connections[row.node.name] = row.macs + row.elements

    assert connections == {
        "C1": 122_304,
        "S2": 5_880,
        "C3": 151_600,
        "S4": 2_000,
        "C5": 48_120,
        "F6": 10_164,
        "output": 840,
    }
    assert sum(connections.values()) == 340_908


def test_the_connection_table_of_lenet_5_is_fair() -> None:
    seen = [sum(i in maps for maps in CONNECTIONS) for i in range(6)]

    assert [len(maps) for maps in CONNECTIONS] == [3] * 6 + [4] * 9 + [6]
    assert len(set(CONNECTIONS)) == 16
    assert seen == [10] * 6


def test_the_last_convolution_of_lenet_5_sees_the_whole_picture() -> None:
    for name in ("lenet5-1998", "lenet5-modern"):
        seen = receptive_field(network(name))

        assert seen is not None
        assert seen.size == ((32, 32) if name == "lenet5-1998" else (16, 16))


def test_the_patterns_of_lenet_5_are_not_trained() -> None:
    patterns = [p for p in network("lenet5-1998").parameters if p.role == "constant"]

    assert [p.elements for p in patterns] == [840]
    assert not patterns[0].trainable


# ---------------------------------------------------------------------------------- variants


def test_the_stride_of_a_bottleneck_changes_products_but_no_parameters() -> None:
    for layers in (50, 101, 152):
        old, new = network(f"resnet{layers}-v1"), network(f"resnet{layers}")

        assert parameters(old) == parameters(new)
        assert forward_macs(old) < forward_macs(new)


def test_googlenet_as_published_has_its_larger_windows_and_no_normalization() -> None:
    published = network("googlenet-2014")
    operators = {node.operator for node in published}

    # As counts of its Caffe model say.
    assert parameters(published) == 6_998_552
    assert round(forward_macs(published) / 1e9, 1) == 1.6
    assert "batch_norm" not in operators
    assert "local_response_norm" in operators


@pytest.mark.parametrize("name", ["googlenet", "inception-v3"])
def test_auxiliary_classifiers_cost_parameters_idle_and_products_run(name: str) -> None:
    none, idle, run = (network(name, auxiliary=way) for way in ("none", "idle", "run"))

    assert parameters(none) < parameters(idle) == parameters(run)
    assert forward_macs(none) == forward_macs(idle) < forward_macs(run)
    assert len(none.outputs) == len(idle.outputs) < len(run.outputs)


def test_the_second_look_costs_in_proportion_to_the_regions() -> None:
    none, one, many = (
        forward_macs(network("fasterrcnn-mobilenet", proposals=n)) for n in (0, 1, 150)
    )

    assert many - none == 150 * (one - none)
    assert one - none == 12_544 * 1024 + 1024 * 1024 + 1024 * 5 * 91


def test_detectors_do_not_train_the_normalizations_they_start_from() -> None:
    found = network("retinanet")
    fixed = [p for p in found.parameters if p.role in ("norm_scale", "norm_offset")]

    assert sum(p.elements for p in fixed) == 53_120
    assert not any(p.trainable for p in fixed)


def test_a_segmentation_network_labels_every_pixel() -> None:
    for name in ("fcn", "lraspp"):
        found = network(name, size=128, classes=5)

        assert set(found.shapes_of(found.outputs)) == {(1, 5, 128, 128)}


def test_the_widths_of_a_regnet_never_shrink() -> None:
    widths = [w for w, _, _ in stages_of(depth=27, start=48, slope=20.71, step=2.65, group=24)]

    assert all(a < b for a, b in pairwise(widths))
    assert widths == [48, 120, 336, 888]


# ------------------------------------------------------------------------------------- laws

FAMILIES = pytest.mark.parametrize(
    "name",
    [
        "alexnet",
        "vgg11",
        "googlenet",
        "inception-v3",
        "resnet18",
        "densenet121",
        "squeezenet1-1",
        "mobilenet-v1",
        "mobilenet-v2",
        "mobilenet-v3-small",
        "mnasnet0-5",
        "shufflenet-v2",
        "efficientnet-b0",
        "regnet-y-400mf",
        "convnext-tiny",
        "swin-t",
        "ssdlite320",
        "retinanet",
        "fcn",
        "lraspp",
    ],
)


@FAMILIES
@settings(max_examples=3)
@given(steps=st.integers(4, 8))
def test_larger_pictures_take_more_products_and_leave_convolutions_as_they_are(
    name: str, steps: int
) -> None:
    small, large = (network(name, size=32 * n) for n in (steps, steps + 1))

    assert forward_macs(small) < forward_macs(large)
    if name != "alexnet":  # its dense layers see every position
        assert parameters(small) == parameters(large)


def test_a_width_that_would_change_nothing_is_refused() -> None:
    with pytest.raises(GraphError, match="neither groups nor a width"):
        network("resnet18", width=128)


@pytest.mark.parametrize(
    "name", ["mobilenet-v1", "mobilenet-v2", "mobilenet-v3-large", "mnasnet1-0"]
)
def test_wider_networks_take_more_of_everything(name: str) -> None:
    sizes = [network(name, width=w) for w in (0.25, 0.5, 1.0, 1.4)]

    assert all(parameters(a) < parameters(b) for a, b in pairwise(sizes))
    assert all(forward_macs(a) < forward_macs(b) for a, b in pairwise(sizes))


@FAMILIES
def test_training_keeps_activations_in_proportion_to_the_batch(name: str) -> None:
    one, three = (training_memory(network(name, batch=n)).saved_bytes for n in (1, 3))

    # Means and deviations of batch normalization do not grow.
    assert 2.99 * one < three <= 3 * one


# ---------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("vgg16", {"depth": 17}, "no VGG with 17 layers"),
        ("resnet50", {"depth": 51}, "no residual network with 51 layers"),
        ("resnet50", {"stride_in": "7x7"}, "1x1 or its 3x3"),
        ("wrn-28-2", {"depth": 30}, "6 n \\+ 4 layers"),
        ("densenet121", {"depth": 122}, "no DenseNet with 122 layers"),
        ("googlenet", {"auxiliary": "maybe"}, "cannot be 'maybe'"),
        ("mobilenet-v3-large", {"variant": "medium"}, "no MobileNet v3 'medium'"),
        ("shufflenet-v2", {"width": 3.0}, "no ShuffleNet v2 of width 3.0"),
        ("efficientnet-v2-s", {"variant": "xl"}, "no EfficientNet v2 'xl'"),
        ("squeezenet1-0", {"version": "2.0"}, "no SqueezeNet 2.0"),
        ("regnet-y-400mf", {"step": 1.0}, "step 1.0"),
        ("vit-b-16", {"size": 225}, "225 pixels cannot be cut by 16"),
        ("swin-t", {"heads": (5, 6, 12, 24)}, "do not divide"),
        ("resnet50", {"size": 0}, "resnet50"),
        ("vgg16", {"size": 8}, "vgg16"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    name: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(GraphError, match=said):
        network(name, **settings)
