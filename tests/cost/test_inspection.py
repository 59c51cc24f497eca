"""Inspecting a network: totals, conventions, costs, the inverse question."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tradespace
from tradespace.core.errors import InputError
from tradespace.cost.budget import largest, parse_budget
from tradespace.cost.inspection import inspect
from tradespace.cost.layers import folded, grouped, repeated, summary
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.hardware.profiles import Region

MLP = "mlp-784-300-100-10"


def small(*, batch: int = 1, width: int = 32, depth: int = 2, known: bool = True) -> Network:
    b = Builder("small", batch=batch)
    x = b.input((3, 16, 16))
    for i in range(depth):
        x = b.relu(b.conv(x, width, 3, padding=1, name=f"block.{i}.conv"), name=f"block.{i}.relu")
    if not known:
        x = b.apply("unknown", x, name="mystery", shape=x.shape, function="fancy_op")
    return b.build(b.dense(b.flatten(x), 10, name="head"))


def test_the_keras_net_of_the_slides_has_its_published_figures() -> None:
    found = inspect(MLP)

    assert found.parameters["trainable"] == 266_610
    assert found.parameters["weights"] == 266_200 == found.macs
    assert found.parameters["shared-bias"] == 266_203
    assert found.neurons["layers"] == 410
    assert found.neurons["layers+input"] == 1194
    assert found.depth == 3


def test_every_total_names_its_convention() -> None:
    found = inspect(MLP, parameters="shared-bias", neurons="layers+input")

    assert found.conventions["parameters"].startswith("weights and one bias")
    assert "input" in found.conventions["neurons"]
    assert "counts 1" in found.conventions["macs"]


def test_layers_add_up_to_the_totals_at_every_grouping() -> None:
    layers = inspect("bert-base").layers
    found = inspect("bert-base")

    for rows in (
        layers,
        grouped(layers, 1),
        grouped(layers, 3),
        repeated(grouped(layers, 3)),
        folded(layers),
        summary(layers),
    ):
        assert sum(row.macs for row in rows) == found.macs
        assert sum(row.parameters for row in rows) == found.parameters["trainable"]
        assert sum(row.operators for row in rows) == len(layers)


def test_a_summary_fits_into_the_rows_asked_for() -> None:
    assert len(summary(inspect("vgg19").layers, most=30)) <= 30


def test_what_is_not_known_makes_the_total_a_lower_bound() -> None:
    found = inspect(small(known=False))

    assert found.lower_bound
    assert found.unknown == ("fancy_op",)
    assert found.coverage == pytest.approx(5 / 6)
    assert "at least" in repr(found)
    assert "Lower bound" in found._repr_html_()


def test_the_frame_has_a_row_for_every_layer() -> None:
    found = inspect(MLP)
    frame = found.frame()

    assert frame.height == len(found.layers)
    assert frame["macs"].sum() == found.macs


def test_it_prints_as_the_command_does(capsys: pytest.CaptureFixture[str]) -> None:
    inspect(MLP).show()
    text = capsys.readouterr().out

    assert "266,610" in text
    assert "hidden1" in text


def test_the_record_is_plain_data() -> None:
    found = inspect(MLP, on="t4", train="adam", region="fr", samples=1e6, batch=32)
    record = json.loads(json.dumps(found.to_dict()))

    assert record["parameters"]["trainable"] == 266_610
    assert record["running"]["processor"] == "t4"
    assert record["training"]["steps"] == 31_250


def test_the_page_holds_every_layer_and_escapes_names() -> None:
    b = Builder("<script>alert(1)</script>")
    network = b.build(b.dense(b.input((4,)), 2, name="</script><b>x"))
    page = inspect(network, on="t4").to_html()

    assert "<script>alert(1)" not in page
    assert "</script><b>x" not in page
    assert "treemap" in page


def test_energy_is_power_times_time_and_carbon_follows_the_region() -> None:
    found = inspect(MLP, on="v100-pcie", region="fr", batch=64).running
    assert found is not None
    assert found.energy_j is not None
    assert found.carbon_g is not None

    assert found.energy_j == pytest.approx(250.0 * found.latency.time_s)
    assert found.carbon_g == pytest.approx(found.energy_j / 3.6e6 * 56.039)


def test_energy_is_that_of_the_processors_and_carbon_adds_the_data_center() -> None:
    place = Region(id="x", name="X", carbon_g_per_kwh=100.0, pue=1.5)
    found = inspect(MLP, on="v100-pcie", train="adam", region=place, samples=1e6, chips=4)
    running, training = found.running, found.training
    assert running is not None
    assert training is not None
    assert training.time_s is not None

    assert running.energy_j == pytest.approx(250.0 * running.latency.time_s)
    assert training.energy_j == pytest.approx(4 * 250.0 * training.time_s)
    for one in (running, training):
        assert one.energy_j is not None
        assert one.carbon_g == pytest.approx(1.5 * one.energy_j / 3.6e6 * 100.0)


def test_the_deep_learning_processor_is_timed_by_its_programs() -> None:
    found = inspect(MLP, on="dlp").running
    assert found is not None

    assert 1.0 <= found.latency.time_s / found.latency.bound_s < 1.02
    assert "programs" in found.latency.method
    assert found.energy_j is not None
    assert sum(t.time_s for t in found.latency.operators) == pytest.approx(found.latency.time_s)


def test_a_training_run_multiplies_its_step() -> None:
    one = inspect(MLP, on="t4", train="adam", batch=32).training
    run = inspect(MLP, on="t4", train="adam", batch=32, samples=3200).training
    assert one is not None
    assert run is not None
    assert one.time_s is not None

    assert run.steps == 100
    assert run.time_s == pytest.approx(100 * one.time_s)


def test_more_chips_take_fewer_steps_and_the_same_energy() -> None:
    one = inspect(MLP, on="t4", train="adam", batch=32, samples=6400).training
    two = inspect(MLP, on="t4", train="adam", batch=32, samples=6400, chips=2).training
    assert one is not None
    assert two is not None

    assert two.steps == 100
    assert one.steps == 200
    assert two.energy_j == pytest.approx(one.energy_j)


def test_frozen_parts_take_neither_gradient_nor_state() -> None:
    whole = inspect(MLP, train="adam").training
    part = inspect(MLP, train="adam", freeze=("hidden1",)).training
    assert whole is not None
    assert part is not None

    frozen = 784 * 300 + 300
    assert whole.memory.gradients_bytes - part.memory.gradients_bytes == 4 * frozen
    assert whole.memory.optimizer_bytes - part.memory.optimizer_bytes == 8 * frozen
    assert part.backward_macs < whole.backward_macs


def test_a_stack_of_recurrent_layers_counts_as_its_layers_do() -> None:
    whole, single = Builder("whole"), Builder("single")
    x = whole.input((7, 5))
    stack = inspect(whole.build(whole.recurrent("lstm", x, 11, layers=3)))
    y = single.input((7, 5))
    for _ in range(3):
        y = single.recurrent("lstm", y, 11)
    layers = inspect(single.build(y))

    assert stack.neurons["layers"] == layers.neurons["layers"] == 3 * 7 * 11
    assert stack.neurons["channels"] == layers.neurons["channels"] == 3 * 11
    assert stack.depth == layers.depth == 3
    assert stack.macs == layers.macs


def test_adding_positions_is_no_residual_sum() -> None:
    b = Builder("positions")
    held = b.parameter("positions", (7, 5), "position")
    x = b.add(b.input((7, 5)), b.apply("fill", parameters=[held], shape=(7, 5)))
    found = inspect(b.build(b.add(x, b.dense(x, 5))))

    assert found.neurons["layers+residual"] - found.neurons["layers"] == 35


def test_a_format_of_one_byte_takes_a_quarter_of_the_weights() -> None:
    assert inspect(MLP, format="int8").memory.weights_bytes * 4 == (
        inspect(MLP).memory.weights_bytes
    )


def test_gpt_3_takes_seven_hundred_gigabytes() -> None:
    assert round(inspect("gpt-3").memory.weights_bytes / 1e9, -1) == 700


# ---------------------------------------------------------------- the inverse question


def test_the_largest_batch_keeps_the_bound_and_the_next_does_not() -> None:
    answer = largest("gpt-2", bounds=[parse_budget("memory <= 24 GB")], train="adamw")

    assert answer.value is not None
    assert answer.next_value == answer.value + 1
    assert answer.taken["memory"] <= 24e9 < answer.above["memory"]
    assert answer.evaluations < 15


@settings(max_examples=25, deadline=None)
@given(bound=st.integers(1_200_000, 400_000_000))
def test_the_search_finds_what_trying_each_batch_would(bound: int) -> None:
    answer = largest(MLP, bounds=[parse_budget(f"memory <= {bound} B")])

    first = inspect(MLP, batch=1).memory.peak_bytes
    second = inspect(MLP, batch=2).memory.peak_bytes
    slope = second - first
    assert answer.value == (bound - first) // slope + 1


def test_all_of_several_bounds_are_kept() -> None:
    bounds = [parse_budget("memory <= 2 MB"), parse_budget("macs <= 3e6")]
    answer = largest(MLP, bounds=bounds)

    assert answer.value == 11
    assert answer.above["macs"] > 3e6


def test_a_width_grows_in_steps_that_the_heads_divide() -> None:
    answer = largest("gpt-2", bounds=[parse_budget("parameters <= 200e6")], vary="width")

    assert answer.value is not None
    assert answer.value % 12 == 0
    assert answer.taken["parameters"] <= 200e6 < answer.above["parameters"]


def test_a_network_that_cannot_grow_further_says_why() -> None:
    answer = largest("gpt-2", bounds=[parse_budget("memory <= 100 GB")], vary="length")

    assert answer.value == 1024
    assert "1024 positions" in answer.limit


def test_nothing_that_keeps_the_bound_is_an_answer_too() -> None:
    answer = largest(MLP, bounds=[parse_budget("memory <= 10 B")])

    assert answer.value is None
    assert answer.above["memory"] > 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memory", "what <= bound"),
        ("memory >= 8 GB", "what <= bound"),
        ("memroy <= 8 GB", "Did you mean 'memory'"),
        ("memory <= 8", "memory"),
        ("memory <= 8 parsecs", "memory"),
        ("memory <= -1 GB", "positive"),
        ("memory <= nan GB", "memory"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_budget(text)


def test_a_bound_on_time_needs_a_processor() -> None:
    with pytest.raises(InputError, match="--on"):
        largest(MLP, bounds=[parse_budget("latency <= 1 ms")])


def test_parameters_do_not_grow_with_the_batch() -> None:
    with pytest.raises(InputError, match="does not grow with batch"):
        largest(MLP, bounds=[parse_budget("parameters <= 1e9")])


def test_only_sizes_of_the_network_can_be_varied() -> None:
    with pytest.raises(InputError, match="to vary"):
        largest("gpt-2", bounds=[parse_budget("memory <= 8 GB")], vary="colour")


# ---------------------------------------------------------------- laws


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 6),
    width=st.integers(1, 40),
    depth=st.integers(1, 5),
    more=st.integers(1, 8),
)
def test_costs_grow_with_batch_width_and_depth(
    batch: int, width: int, depth: int, more: int
) -> None:
    before = inspect(small(batch=batch, width=width, depth=depth), on="t4", train="adam")
    assert before.running is not None
    assert before.training is not None
    for bigger in (
        small(batch=batch + more, width=width, depth=depth),
        small(batch=batch, width=width + more, depth=depth),
        small(batch=batch, width=width, depth=depth + more),
    ):
        after = inspect(bigger, on="t4", train="adam")
        assert after.running is not None
        assert after.training is not None

        assert after.macs > before.macs
        assert after.backward_macs > before.backward_macs
        assert after.memory.peak_bytes > before.memory.peak_bytes
        assert after.training.memory.peak_bytes > before.training.memory.peak_bytes
        assert after.running.latency.time_s > before.running.latency.time_s


@settings(max_examples=20, deadline=None)
@given(batch=st.integers(1, 64))
def test_macs_are_proportional_to_the_batch_and_parameters_do_not_change(batch: int) -> None:
    one, many = inspect(small()), inspect(small(batch=batch))

    assert many.macs == batch * one.macs
    assert many.parameters == one.parameters
    assert many.neurons == one.neurons


def test_an_unknown_network_is_met_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'bert-base'"):
        tradespace.inspect("bert-bse")


@pytest.mark.parametrize(
    "options",
    [
        {"on": "no-such-chip"},
        {"train": "adma"},
        {"format": "fp31"},
        {"region": "atlantis"},
        {"parameters": "some"},
        {"neurons": "all"},
        {"freeze": ("nowhere",)},
        {"batch": 0},
        {"efficiency": 0.0, "on": "t4"},
        {"train": "adam", "on": "t4", "samples": -1.0},
        {"train": "adam", "checkpoint": 10**6},
        {"settings": {"colour": 3}},
        {"inputs": (1, 784)},
    ],
)
def test_options_that_make_no_sense_are_refused_with_a_remedy(options: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        inspect(MLP, **options)  # type: ignore[arg-type]

    assert caught.value.remedy


def test_an_object_that_is_no_network_is_refused() -> None:
    with pytest.raises(InputError, match="is no network"):
        inspect(3.5)
    assert math.isfinite(inspect(small()).arithmetic_intensity)
