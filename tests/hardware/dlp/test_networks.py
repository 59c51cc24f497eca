"""Networks of the zoo on the processor: what each operator becomes, and what is left apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.errors import ProcessorError
from tradespace.graph.builder import Builder
from tradespace.graph.counts import forward_macs
from tradespace.graph.network import Network
from tradespace.graph.zoo import network, networks
from tradespace.hardware.dlp.layers import Layer, dense
from tradespace.hardware.dlp.lowering import network_steps, split_layer
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.network import schedule_layers_on, schedule_network_on
from tradespace.hardware.dlp.results import NetworkOnDlp
from tradespace.hardware.dlp.scheduler.search import schedule
from tradespace.hardware.dlp.simulator.closed_form import simulate
from tradespace.hardware.dlp.simulator.functional import run
from tradespace.hardware.dlp.streamed import stream_program, time_stream
from tradespace.hardware.dlp.verifier import verify, verify_data

MACHINE = load_machine()
SMALL = ("mlp-784-300-100-10", "lstm-keras-28-128", "gru-28-128", "rnn-32-64")


def steps_macs(target: Network) -> int:
    """Count the multiply-accumulates that the processor is given, padded zeros left out."""
    total = 0
    for step in network_steps(target):
        total += sum(x.macs_inside * n for x, n in step.parts if x.operation == "MAC")
        total += sum(r.sets * r.steps * r.m * r.k * r.n for r in step.recurrences)
    return total


def one_convolution(rank: int, **settings: object) -> Network:
    b = Builder("one")
    shape = {1: (4, 23), 2: (4, 11, 13), 3: (4, 5, 6, 7)}[rank]
    x = b.input(shape)
    return b.build(b.apply(f"convolution{rank}d", x, out_channels=6, **settings))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(networks()))
def test_every_network_of_the_zoo_is_covered_to_the_last_multiplication(name: str) -> None:
    target = network(name)
    steps = network_steps(target)

    assert [s.name for s in steps if s.how == "none"] == []
    assert sum(s.macs for s in steps) == forward_macs(target)
    assert steps_macs(target) <= forward_macs(target)  # less the products with padded zeros
    for step in steps:
        done = sum(x.macs * n for x, n in step.parts if x.operation == "MAC")
        assert done >= step.macs or step.how in ("recurrent", "streamed")


@pytest.mark.parametrize("name", SMALL)
def test_no_network_is_faster_than_the_sum_of_its_bounds(name: str) -> None:
    found = schedule_network_on(network(name), MACHINE)

    assert found.coverage == 1.0
    assert found.macs == forward_macs(network(name))
    for row in found.rows:
        assert row.time_s >= row.bound_s * (1 - 1e-12)
        assert row.traffic_bytes >= row.bound_bytes
        assert row.energy_j > 0
    assert found.time_s == sum(row.time_s for row in found.rows)


@pytest.mark.slow
def test_vgg19_on_the_processor_is_its_convolutions_and_what_they_wait_for() -> None:
    found = schedule_network_on(network("vgg19"), MACHINE)
    convolutions = [row for row in found.rows if row.operator == "convolution2d"]
    alone = sum(row.schedules[0][0].time_s for row in convolutions)

    assert len(convolutions) == 16
    assert sum(row.schedules[0][0].bound.t0_s for row in convolutions) == pytest.approx(
        76_204_800e-9
    )
    assert alone <= 1.0002 * 76_204_800e-9
    assert sum(row.time_s for row in convolutions) > alone  # activations and biases
    assert found.gap < 0.001
    assert all(row.merged for row in convolutions)


def test_activations_cost_their_operations_and_folded_normalizations_nothing() -> None:
    b = Builder("block")
    x = b.conv(b.input((8, 12, 12)), 16, 3, padding=1, bias=False, name="conv")
    plain = schedule_network_on(b.build(x), MACHINE)
    b = Builder("block")
    x = b.conv(b.input((8, 12, 12)), 16, 3, padding=1, bias=False, name="conv")
    x = b.relu(b.batch_norm(x, name="norm"), name="relu")
    merged = schedule_network_on(b.build(x), MACHINE)
    operations = 16 * 12 * 12

    assert [row.merged for row in merged.rows] == [("norm", "relu")]
    assert merged.time_s - plain.time_s == pytest.approx(operations / 256e9)
    assert merged.traffic_bytes == plain.traffic_bytes


def test_a_result_that_two_operators_need_is_not_merged_away() -> None:
    b = Builder("fork")
    x = b.conv(b.input((8, 12, 12)), 8, 3, padding=1, name="conv")
    found = schedule_network_on(b.build(b.add(x, b.relu(x, name="relu"))), MACHINE)

    assert [row.how for row in found.rows] == ["scheduled", "streamed", "streamed"]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {"kernel": 3, "padding": "same", "stride": 2},
        {"kernel": 3, "padding": ((1, 2),), "groups": 2},
        {"kernel": 3, "dilation": 2, "padding": 2},
        {"kernel": 2, "dilation": 3},
        {"kernel": 3, "dilation": 2, "stride": 2, "padding": 2},
        {"kernel": 1, "padding": 1},
    ],
)
def test_every_kind_of_convolution_keeps_its_operations(
    rank: int, settings: dict[str, object]
) -> None:
    chosen = dict(settings)
    if isinstance(chosen.get("padding"), tuple):
        chosen["padding"] = chosen["padding"] * rank  # type: ignore[operator] # a tuple of pairs
    target = one_convolution(rank, **chosen)
    (step,) = network_steps(target)
    outputs = target.tensors[target.outputs[0]].elements
    found = schedule_network_on(target, MACHINE)

    assert sum(layer.macs * n for layer, n in step.parts) == forward_macs(target)
    assert sum(layer.output_words * n for layer, n in step.parts) in (outputs, outputs)
    assert found.bound_s <= found.time_s


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (4, 2), (3, 1), (5, 3)])
@pytest.mark.parametrize("rank", [1, 2])
def test_transposed_convolutions_are_done_phase_by_phase(
    kernel: int, stride: int, rank: int
) -> None:
    b = Builder("up")
    shape = {1: (4, 9), 2: (4, 6, 7)}[rank]
    x = b.apply(
        f"transposed_convolution{rank}d",
        b.input(shape),
        out_channels=5,
        kernel=kernel,
        stride=stride,
    )
    target = b.build(x)

    assert steps_macs(target) == forward_macs(target)


def test_what_the_processor_cannot_do_is_named_and_in_no_total() -> None:
    b = Builder("strange")
    x = b.dense(b.input((16,)), 8, name="known")
    x = b.apply("unknown", x, shape=(1, 8), function="mystery", name="strange")
    found = schedule_network_on(b.build(x), MACHINE)

    assert [(u.name, u.operator) for u in found.uncovered] == [("strange", "unknown")]
    assert found.coverage == 0.5
    assert [row.name for row in found.rows] == ["known"]
    assert found.to_dict()["uncovered"][0]["reason"]


def test_a_machine_too_small_for_a_layer_leaves_it_named() -> None:
    tiny = replace(MACHINE, nram_bytes=64, wram_bytes=4)
    b = Builder("big")
    found = schedule_network_on(b.build(b.conv(b.input((8, 12, 12)), 8, 3, name="conv")), tiny)

    assert found.rows == ()
    assert "No plan of layer" in found.uncovered[0].reason


def test_half_precision_halves_time_and_traffic_and_other_formats_are_refused() -> None:
    target = network("mlp-784-300-100-10")
    full = schedule_network_on(target, MACHINE)
    half = schedule_network_on(target, MACHINE, number_format="fp16")

    assert half.time_s == pytest.approx(full.time_s / 2, rel=0.02)
    with pytest.raises(ProcessorError, match="no number format 'int8'"):
        schedule_network_on(target, MACHINE, number_format="int8")


def test_a_recurrent_layer_keeps_weights_that_fit_on_the_chip() -> None:
    b = Builder("memory")
    target = b.build(b.recurrent("lstm", b.input((20, 28)), 64))
    fits = schedule_network_on(target, MACHINE)
    reloads = schedule_network_on(target, replace(MACHINE, wram_bytes=16384))

    assert fits.gap < 1 < reloads.gap
    assert reloads.traffic_bytes > 5 * fits.traffic_bytes


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from([32, 16])
)
def test_streams_move_and_compute_all_and_stay_within_memory(
    read: int, write: int, operations: int, bits: int
) -> None:
    timing = time_stream(
        MACHINE, read_bytes=read, write_bytes=write, operations=operations, bits=bits
    )
    program = stream_program(
        read_bytes=read, write_bytes=write, operations=operations, bits=bits, tiles=7
    )
    seven = simulate(program, MACHINE)
    least = max((read + write) / 64e9, operations / (8192e9 / bits))

    assert timing.dram_bytes == seven.dram_bytes == read + write
    assert sum(timing.operations.values()) == sum(seven.operations.values()) == operations
    assert timing.time_s >= least * (1 - 1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 20000), st.integers(1, 60000), st.integers(1, 3))
def test_pieces_of_a_layer_have_all_its_operations(m: int, k: int, n: int, times: int) -> None:
    layer = dense(m, k, n)
    pieces = split_layer(layer, times)

    assert sum(piece.macs * count for piece, count in pieces) == times * layer.macs
    assert all(p.macs <= 1_500_000_000 or p.height * p.outputs == 1 for p, _ in pieces)


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    window=st.integers(2, 4),
    stride=st.integers(1, 3),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    kind=st.sampled_from(["conv", "MAX"]),
    groups=st.integers(1, 3),
)
def test_padding_may_differ_before_and_after(
    size: tuple[int, int],
    window: int,
    stride: int,
    before: int,
    after: int,
    kind: str,
    groups: int,
) -> None:
    before, after = min(before, window - 1), min(after, window - 1)
    channels = 3 if kind == "conv" else 1
    layer = Layer(
        "padded",
        "conv" if kind == "conv" else "pool",
        channels=channels,
        height=size[0],
        width=size[1],
        outputs=2 if kind == "conv" else 1,
        window=(window, window),
        stride=(stride, stride),
        padding=(before, before),
        trailing=(after, after),
        groups=groups,
        operation="MAC" if kind == "conv" else "MAX",
    )
    program = schedule(layer, MACHINE).program
    rng = np.random.default_rng(0)
    data = {
        a.name: rng.normal(size=a.shape).astype(np.float32)
        for a in program.arrays
        if a.name != "output"
    }
    x = np.pad(
        data["input"][0].astype(float),
        ((0, 0), (before, after), (before, after)),
        constant_values=0.0 if kind == "conv" else -np.inf,
    )
    windows = np.lib.stride_tricks.sliding_window_view(x, (window, window), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    if kind == "conv":
        weights = data["weights"].astype(float).reshape(groups, 2, channels, window, window)
        grouped = windows.reshape(groups, channels, *windows.shape[1:])
        want = np.einsum("gcyxhw,gnchw->gnyx", grouped, weights).reshape(
            2 * groups, *windows.shape[1:3]
        )
    else:
        want = windows.max((-2, -1))

    verify(program, MACHINE)
    verify_data(program, MACHINE)
    got = run(program, MACHINE, data)["output"][0]
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * max(1.0, np.abs(want).max())


def test_known_programs_stay_available_to_a_network_on_a_better_machine() -> None:
    target = network("mlp-784-300-100-10")
    worse = replace(MACHINE, nram_bytes=16384, wram_bytes=16384)
    before = schedule_network_on(target, worse)
    after = schedule_network_on(target, MACHINE, known=(before,))

    assert after.time_s <= before.time_s
    assert isinstance(after, NetworkOnDlp)


def test_layers_and_networks_have_the_same_record() -> None:
    found = schedule_layers_on([dense(32, 256, 128), dense(1, 256, 1)], MACHINE)

    assert [row.name for row in found.rows] == ["32x256x128", "1x256x1"]
    assert found.rows[0].bound_s == found.rows[0].schedules[0][0].bound.certified_s
    with pytest.raises(ProcessorError, match="No plan"):
        schedule_layers_on([dense(8, 8, 8)], replace(MACHINE, wram_bytes=1))
