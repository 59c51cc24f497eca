"""What holds for every network of the zoo, whoever adds one."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tradespace.graph.counts import (
    backward_macs,
    forward_macs,
    neurons,
    node_counts,
    parameters,
    unknown_nodes,
)
from tradespace.graph.formats import FLOATS
from tradespace.graph.network import Network
from tradespace.graph.zoo import NetworkRow, network, network_row, networks

NAMES = tuple(networks())


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def default(name: str) -> Network:
    """Give the network with its default settings."""
    return network(name)


# ------------------------------------------------------------------------------- the registry


def test_a_row_says_where_the_network_comes_from(name: str) -> None:
    row = network_row(name)

    assert row.source
    assert row.title
    assert row.family
    assert row.task
    assert row.input
    assert 1950 < row.year < 2100


def test_a_network_carries_what_its_row_says(name: str, default: Network) -> None:
    row = network_row(name)

    assert default.name == name
    assert default.source
    assert {"year": row.year, "task": row.task, **row.facts}.items() <= default.facts.items()


def test_names_are_lower_case_and_no_name_stands_for_two_networks() -> None:
    aliases = [alias for row in networks().values() for alias in row.aliases]
    known = [*NAMES, *aliases]

    assert all(each == each.lower() and "_" not in each and " " not in each for each in known)
    assert len(set(known)) == len(known)
    assert all(network_row(alias).name in NAMES for alias in aliases)


def test_accuracies_are_percentages_and_the_best_of_five_is_never_worse() -> None:
    rows = [row for row in networks().values() if "top1" in row.facts]

    assert rows
    assert all(0 < row.facts["top1"] < 100 for row in rows)
    assert all(row.facts["top1"] < row.facts["top5"] < 100 for row in rows if "top5" in row.facts)


# -------------------------------------------------------------------------------- one network


def test_every_operator_is_known_and_has_a_name_of_its_own(default: Network) -> None:
    names = [node.name for node in default]

    assert not unknown_nodes(default)
    assert len(set(names)) == len(names)
    assert len({p.name for p in default.parameters}) == len(default.parameters)


def test_an_operator_reads_only_what_is_there_already(default: Network) -> None:
    there = set(default.inputs)
    for node in default:
        assert set(node.inputs) <= there
        there.update(node.outputs)

    assert set(default.outputs) <= there


def test_the_batch_stands_in_front_of_every_input_and_output(name: str, default: Network) -> None:
    many = network(name, batch=3)
    one = default.shapes_of(default.outputs)

    assert {shape[0] for shape in many.shapes_of(many.inputs)} == {3}
    # Detectors give a row for each proposal of each picture.
    assert many.shapes_of(many.outputs) == tuple((3 * first, *rest) for first, *rest in one)


def test_work_and_signals_grow_in_proportion_to_the_batch(name: str, default: Network) -> None:
    many = network(name, batch=3)
    one_by_one, three = node_counts(default), node_counts(many)

    assert parameters(many, "all") == parameters(default, "all")
    assert sum(r.macs for r in three) == 3 * sum(r.macs for r in one_by_one)
    assert neurons(many, rows=three) == neurons(default, rows=one_by_one)
    assert sum(r.elements for r in three if r.operator.weighted) == 3 * sum(
        r.elements for r in one_by_one if r.operator.weighted
    )


def test_two_bytes_instead_of_four_halve_signals_and_weights(default: Network) -> None:
    half = default.with_format("fp16")
    learned = [p.role != "statistic" for p in default.parameters]

    assert sum(p.size_bytes for p, at in zip(default.parameters, learned, strict=True) if at) == (
        2 * sum(p.size_bytes for p, at in zip(half.parameters, learned, strict=True) if at)
    )
    assert float_bytes(default) == 2 * float_bytes(half)
    assert forward_macs(half) == forward_macs(default)


def float_bytes(made: Network) -> int:
    return sum(t.size_bytes for t in made.tensors if t.format in FLOATS)


def test_going_back_takes_between_once_and_twice_the_products(default: Network) -> None:
    rows = node_counts(default)
    forward = sum(row.macs for row in rows)

    assert forward > 0
    assert forward <= backward_macs(default, rows=rows) <= 2 * forward


# ----------------------------------------------------------------------------------- settings


def smaller(setting: str, value: int) -> int | None:
    """Return a smaller value of a setting that more work should come with."""
    if setting == "filters":
        return value // 96 // 2 * 96
    if setting in ("layers", "middle", "blocks"):
        return max(1, value // 2) if value > 1 else None
    if setting in ("width", "hidden", "vocabulary", "classes", "channels"):
        return value // 2 if value % 2 == 0 else None
    return max(1, value // 2) if setting in ("length", "target_length") and value > 1 else None


def settings_of(row: NetworkRow) -> dict[str, Any]:
    """Return what a builder takes for a row, defaults filled in."""
    module, _, function = row.path.partition(":")
    builder = getattr(importlib.import_module(f"tradespace.graph.zoo.{module}"), function)
    known = inspect.signature(builder).parameters
    return {**{k: p.default for k, p in known.items()}, **row.settings}


#: Settings whose default depends on others.
MORE: tuple[tuple[str, str, Any, Any], ...] = (
    ("mlp-784-300-100-10", "widths", (784, 200, 100, 10), (784, 300, 100, 10)),
    ("gpt-2", "length", 512, 1024),
    ("gpt-2", "vocabulary", 25000, 50257),
    ("gpt-3", "past", 1, 2047),
    ("llama-7b", "length", 1024, 2048),
    ("llama-2-70b", "kv_heads", 8, 64),
    ("llama-7b", "past", 1, 2047),
    ("t5-small", "target_length", 57, 114),
    ("t5-small", "past", 1, 100),
    ("whisper-tiny", "target_length", 224, 448),
    ("whisper-tiny", "past", 1, 447),
    ("transformer-base", "target_length", 64, 128),
    ("lstm-keras-28-128", "inputs", 28, 29),
    ("lstm-keras-28-128", "length", 1, 2),
)


def variations() -> Iterator[tuple[str, str, Any, Any]]:
    """Yield a network of each builder with a setting, a smaller and a larger value."""
    yield from MORE
    # The last network of each builder: of residual ones a bottleneck, which has a width.
    for row in {row.path: row for row in networks().values()}.values():
        for setting, value in settings_of(row).items():
            if setting == "size" and isinstance(value, int):
                yield row.name, setting, value, 2 * value
            elif setting in ("width", "depth") and isinstance(value, float):
                yield row.name, setting, value / 2, value
            elif type(value) is int and (less := smaller(setting, value)):
                yield row.name, setting, less, value


@pytest.mark.parametrize(("row", "setting", "less", "more"), tuple(variations()))
def test_larger_settings_never_take_less_and_take_more_of_something(
    row: str, setting: str, less: Any, more: Any
) -> None:
    small, large = network(row, **{setting: less}), network(row, **{setting: more})
    before = parameters(small), forward_macs(small)
    after = parameters(large), forward_macs(large)

    assert before[0] <= after[0]
    assert before[1] <= after[1]
    assert before != after


@pytest.mark.parametrize(
    "family",
    [
        ("gpt-2", "gpt-2-medium", "gpt-2-large", "gpt-2-xl"),
        ("gpt-3-small", "gpt-3-medium", "gpt-3-large", "gpt-3-xl", "gpt-3-2.7b", "gpt-3-6.7b"),
        ("gpt-3-6.7b", "gpt-3-13b", "gpt-3"),
        ("distilbert", "bert-base", "bert-large"),
        ("transformer-base", "transformer-big"),
        ("llama-7b", "llama-13b", "llama-33b", "llama-65b"),
        ("llama-2-7b", "llama-2-13b", "llama-2-70b"),
        ("t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"),
        ("whisper-tiny", "whisper-base", "whisper-small", "whisper-medium", "whisper-large"),
        ("wav2vec2-base", "wav2vec2-large"),
        ("lstm-zaremba-small", "lstm-zaremba-medium", "lstm-zaremba-large"),
        ("keras-vgg16", "keras-vgg19"),
        ("keras-resnet50", "keras-resnet101", "keras-resnet152"),
        ("keras-resnet50v2", "keras-resnet101v2", "keras-resnet152v2"),
        ("keras-densenet121", "keras-densenet169", "keras-densenet201"),
        tuple(f"keras-efficientnetb{i}" for i in range(8)),
        ("keras-nasnetmobile", "keras-nasnetlarge"),
        ("vgg11", "vgg13", "vgg16", "vgg19"),
        ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
        ("resnet50-v1", "resnet101-v1", "resnet152-v1"),
        ("resnext50-32x4d", "resnext101-64x4d", "resnext101-32x8d"),
        ("resnet50", "wide-resnet50-2", "wide-resnet101-2"),
        ("densenet121", "densenet169", "densenet201"),
        ("mobilenet-v3-small", "mobilenet-v3-large"),
        ("mnasnet0-5", "mnasnet0-75", "mnasnet1-0", "mnasnet1-3"),
        ("shufflenet-v2-x0-5", "shufflenet-v2-x1-0", "shufflenet-v2-x1-5", "shufflenet-v2-x2-0"),
        tuple(f"efficientnet-b{i}" for i in range(8)),
        ("efficientnet-v2-s", "efficientnet-v2-m", "efficientnet-v2-l"),
        ("convnext-tiny", "convnext-small", "convnext-base", "convnext-large"),
        ("vit-b-16", "vit-l-16"),
        ("swin-t", "swin-s", "swin-b"),
    ],
    ids=lambda family: family[0],
)
def test_each_size_of_a_family_takes_more_of_everything(family: tuple[str, ...]) -> None:
    made = [network(each) for each in family]
    held, work = [parameters(m) for m in made], [forward_macs(m) for m in made]

    assert held == sorted(set(held))
    assert work == sorted(set(work))
