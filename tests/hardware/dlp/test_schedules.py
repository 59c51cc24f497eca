"""Near-optimal schedules: the figures of the table that the scheduler has to meet."""

import itertools
import time

import numpy as np
import pytest

from tradespace.core.errors import ProcessorError
from tradespace.hardware.dlp.layers import convolution, dense
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.naming import zoo_layers
from tradespace.hardware.dlp.network import schedule_layers_on
from tradespace.hardware.dlp.scheduler.search import pareto, schedule
from tradespace.hardware.dlp.simulator.closed_form import simulate
from tradespace.hardware.dlp.simulator.functional import run
from tradespace.hardware.dlp.verifier import verify, verify_data

MACHINE = load_machine()
NS = 1e-9


def convolutions(name: str) -> tuple:
    return tuple(layer for layer in zoo_layers(name) if layer.kind == "conv")


def test_exercise_1_is_scheduled_within_33_07_ns() -> None:
    assert schedule(dense(1, 256, 1), MACHINE).time_s <= 33.07 * NS


def test_exercise_2_is_scheduled_within_4103_ns() -> None:
    assert schedule(dense(32, 256, 128), MACHINE).time_s <= 4103 * NS


def test_exercise_2_is_scheduled_within_4170_ns_in_60_segments() -> None:
    found = schedule(dense(32, 256, 128), MACHINE, max_segments=60)

    assert found.time_s <= 4170 * NS
    assert simulate(found.program, MACHINE).n_segments <= 60


@pytest.mark.parametrize(
    ("shape", "factor"),
    [
        ((128, 128, 128), 1.0025),
        ((256, 256, 256), 1.003),
        ((512, 512, 512), 1.001),
        ((1024, 1024, 1024), 1.0003),
        ((1, 1024, 1024), 1.0005),
        ((16, 1024, 1024), 1.001),
        ((32, 4096, 32), 1.008),
    ],
)
def test_matrix_products_come_close_to_the_bound(
    shape: tuple[int, int, int], factor: float
) -> None:
    found = schedule(dense(*shape), MACHINE)

    assert found.bound.t0_s <= found.time_s <= factor * found.bound.t0_s
    assert simulate(found.program, MACHINE).ticks == found.ticks


def test_alexnets_convolutions_come_within_half_a_thousandth_of_the_bound() -> None:
    found = [schedule(layer, MACHINE) for layer in convolutions("alexnet-ungrouped")]
    bound = sum(one.bound.t0_s for one in found)

    assert bound == pytest.approx(4_205_602 * NS, abs=0.5 * NS)
    assert sum(one.time_s for one in found) <= 1.0005 * bound


@pytest.mark.parametrize(
    ("number", "time_ns", "words"),
    [
        (0, 415_900, 0.51e6),
        (1, 1_767_100, 1.29e6),
        (2, 589_900, 1.12e6),
        (3, 884_900, 1.65e6),
        (4, 589_900, 1.06e6),
    ],
)
def test_alexnets_convolutions_move_little_when_a_hundredth_of_time_is_given(
    number: int, time_ns: int, words: float
) -> None:
    layer = convolutions("alexnet-ungrouped")[number]
    found = schedule(layer, MACHINE, slack=0.0099)

    assert found.time_s <= time_ns * NS
    assert found.traffic_words <= words
    assert simulate(found.program, MACHINE).dram_bytes == 4 * found.traffic_words


@pytest.mark.slow
def test_vgg19s_convolutions_come_within_a_fifth_of_a_thousandth_of_the_bound() -> None:
    rows = schedule_layers_on(convolutions("vgg19"), MACHINE).rows
    found = [one for row in rows for one, _ in row.schedules]
    bound = sum(one.bound.t0_s for one in found)

    assert len(found) == 16
    assert bound == pytest.approx(76_204_800 * NS)
    assert sum(one.time_s for one in found) <= 1.0002 * bound


@pytest.mark.parametrize(
    "shape",
    [
        (1009, 1013, 1019),
        (127, 131, 137),
        (1, 100_000, 1),
        (7, 1, 1500),
        (5000, 3, 1),
        (1, 65_537, 3),
    ],
)
def test_odd_products_come_within_a_fiftieth_of_the_bound(shape: tuple[int, int, int]) -> None:
    found = schedule(dense(*shape), MACHINE)

    assert found.time_s <= 1.02 * found.bound.t0_s


@pytest.mark.parametrize("bits", [32, 16])
def test_a_layer_larger_than_every_memory_computes_its_product(bits: int) -> None:
    layer = dense(210, 190, 230)
    machine = type(MACHINE)(
        "small", 1e9, 64e9, 8192, 16384, MACHINE.mac_per_cycle, MACHINE.vector_per_cycle
    )
    found = schedule(layer, machine, bits=bits)
    rng = np.random.default_rng(1)
    kind = np.float32 if bits == 32 else np.float16
    x, w = rng.normal(size=(210, 190)).astype(kind), rng.normal(size=(190, 230)).astype(kind)
    want = x.astype(float) @ w.astype(float)

    verify(found.program, machine)
    got = run(found.program, machine, {"input": x, "weights": w})["output"]
    assert np.abs(got - want).max() <= (1e-4 if bits == 32 else 0.2)


@pytest.mark.slow
@pytest.mark.parametrize("slack", [0.0, 0.0099])
@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("name", ["alexnet", "alexnet-ungrouped"])
def test_the_programs_of_alexnets_convolutions_compute_them(
    name: str, number: int, slack: float
) -> None:
    layer = convolutions(name)[number]
    program = schedule(layer, MACHINE, slack=slack).program
    rng = np.random.default_rng(0)
    data = {
        a.name: rng.normal(size=a.shape).astype(np.float32)
        for a in program.arrays
        if a.name != "output"
    }
    pad, stride = layer.padding[0], layer.stride[0]
    x = np.pad(data["input"][0].astype(float), ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, layer.window, axis=(1, 2))
    windows = windows[:, ::stride, ::stride].reshape(
        layer.groups, layer.channels, layer.rows, layer.columns, *layer.window
    )
    weights = data["weights"].astype(float).reshape(layer.groups, layer.outputs, -1)
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(layer.groups, layer.terms, -1)
    want = (weights @ columns).reshape(-1, layer.rows, layer.columns)

    verify(program, MACHINE)
    verify_data(program, MACHINE)
    got = run(program, MACHINE, data)["output"][0]
    assert np.abs(got - want).max() <= 1e-6 * np.abs(want).max()


def test_programs_of_large_layers_stay_short() -> None:
    program = schedule(dense(1, 9216, 4096), MACHINE).program

    assert program.n_instructions < 1000 < simulate(program, MACHINE).n_segments


def test_half_precision_takes_half_the_time_where_arithmetic_decides() -> None:
    full, half = (schedule(dense(128, 128, 128), MACHINE, bits=bits) for bits in (32, 16))

    assert half.time_s == pytest.approx(full.time_s / 2, rel=0.01)


def test_a_pareto_front_holds_no_dominated_schedule() -> None:
    front = pareto(convolutions("alexnet-ungrouped")[0], MACHINE)

    assert len(front) >= 2
    for one, other in itertools.pairwise(front):
        assert other.traffic_words < one.traffic_words


def test_objectives_that_put_traffic_first_move_no_more() -> None:
    layer = convolutions("alexnet-ungrouped")[2]
    lean = schedule(layer, MACHINE, objectives=("traffic", "time"))

    assert lean.traffic_words <= schedule(layer, MACHINE).traffic_words


def test_memories_too_small_for_any_plan_are_named() -> None:
    machine = type(MACHINE)(
        "tiny", 1e9, 64e9, 8, 4, MACHINE.mac_per_cycle, MACHINE.vector_per_cycle
    )

    with pytest.raises(ProcessorError, match="No plan of layer 'conv' fits machine 'tiny'"):
        schedule(convolution(8, 9, 8, 3), machine)


@pytest.mark.slow
def test_alexnet_vgg19_and_a_large_product_are_scheduled_in_seconds() -> None:
    start = time.process_time()
    schedule_layers_on(zoo_layers("alexnet-ungrouped"), MACHINE)
    schedule_layers_on(zoo_layers("vgg19"), MACHINE)
    schedule(dense(1024, 1024, 1024), MACHINE)

    assert time.process_time() - start < 6  # a guard; benchmarks/dlp_schedules.py measures it
