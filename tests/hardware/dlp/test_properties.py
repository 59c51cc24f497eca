"""Laws of programs, simulators and schedules, on generated programs, machines and layers."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tradespace.hardware.dlp.assembler import assemble
from tradespace.hardware.dlp.bounds import layer_bound
from tradespace.hardware.dlp.disassembler import disassemble
from tradespace.hardware.dlp.instructions import (
    Affine,
    Axis,
    Compute,
    Instruction,
    Loop,
    Move,
    Program,
    Sync,
    View,
)
from tradespace.hardware.dlp.layers import Layer, convolution, dense, elementwise, pool
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.scheduler.plans import candidates
from tradespace.hardware.dlp.scheduler.search import Schedule, schedule
from tradespace.hardware.dlp.scheduler.steady import steady_schedule
from tradespace.hardware.dlp.simulator.closed_form import simulate
from tradespace.hardware.dlp.simulator.functional import run
from tradespace.hardware.dlp.simulator.reference import reference_time_s
from tradespace.hardware.dlp.simulator.tokens import simulate_tokens
from tradespace.hardware.dlp.verifier import verify, verify_data

MOVES = st.builds(
    Move,
    st.sampled_from([View("DRAM")]),
    st.sampled_from([View("NRAM"), View("WRAM")]),
    st.integers(1, 10_000),
)
COMPUTES = st.builds(
    Compute,
    st.sampled_from(["MAC", "ADD", "DIV", "MAX"]),
    st.sampled_from([32, 16]),
    st.integers(1, 10_000),
)
STEPS: st.SearchStrategy[Instruction] = st.one_of(MOVES, COMPUTES, st.just(Sync()))


def loops(inner: st.SearchStrategy[Instruction]) -> st.SearchStrategy[Instruction]:
    return st.builds(
        Loop, st.integers(1, 6), st.lists(st.one_of(STEPS, inner), max_size=5).map(tuple)
    )


BODIES = st.lists(st.recursive(STEPS, loops, max_leaves=12), max_size=8).map(tuple)
PROGRAMS = st.builds(Program, BODIES)

AXES = st.builds(Axis, st.integers(1, 9), st.integers(0, 64)) | st.builds(
    Axis,
    st.integers(1, 4),
    st.integers(1, 64),
    st.integers(4, 9),
    st.builds(Affine, st.integers(0, 9), st.sampled_from([(), (("i", 3),), (("i", 1), ("j", -2))])),
)
VIEWS = st.builds(
    View,
    st.sampled_from(["DRAM", "NRAM", "WRAM"]),
    st.builds(
        Affine, st.integers(0, 999), st.sampled_from([(), (("j", 8),), (("i", -4), ("j", 2))])
    ),
    st.lists(AXES, max_size=3).map(tuple),
)


def small_machine(nram: int, wram: int) -> Machine:
    return replace(load_machine(), nram_bytes=nram, wram_bytes=wram)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    kind = draw(st.sampled_from(["dense", "dense", "conv", "conv", "pool", "elementwise"]))
    size = st.integers(1, 24)
    if kind == "dense":
        return dense(draw(size), draw(st.integers(1, 40)), draw(size))
    if kind == "elementwise":
        return elementwise(
            draw(st.integers(1, 2000)), operation=draw(st.sampled_from(["ADD", "MUL"]))
        )
    picture = (draw(st.integers(4, 12)), draw(st.integers(4, 12)))
    window = draw(st.integers(1, 4))
    padding = draw(st.integers(0, window - 1))
    stride = draw(st.integers(1, 3))
    images = draw(st.sampled_from([1, 1, 2]))
    if kind == "pool":
        operation = draw(st.sampled_from(["MAX", "ADD"]))
        channels = draw(st.integers(1, 5))
        return pool(
            channels,
            picture,
            window,
            stride=stride,
            padding=padding,
            operation=operation,
            images=images,
        )
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    return convolution(
        groups * draw(st.integers(1, 5)),
        picture,
        groups * draw(st.integers(1, 6)),
        window,
        stride=stride,
        padding=padding,
        groups=groups,
        images=images,
    )


def plain_result(layer: Layer, data: Mapping[str, NDArray[np.floating]]) -> NDArray[np.floating]:
    """Compute a layer from its definition, in double precision."""
    x = data["input"].astype(float)
    if layer.kind == "dense":
        return np.asarray(x @ data["weights"].astype(float))
    if layer.kind == "elementwise":
        other = data["other"].astype(float)
        return x + other if layer.operation == "ADD" else x * other
    (top, left), (down, right), (height, width) = layer.padding, layer.stride, layer.window
    fill = -np.inf if layer.operation == "MAX" else 0.0
    x = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)), constant_values=fill)
    made = np.zeros((layer.images, layer.groups * layer.outputs, layer.rows, layer.columns))
    for i in range(layer.rows):
        for j in range(layer.columns):
            part = x[:, :, i * down : i * down + height, j * right : j * right + width]
            if layer.operation == "MAX":
                made[:, :, i, j] = part.max((2, 3))
            elif layer.operation == "ADD":
                made[:, :, i, j] = part.sum((2, 3))
            else:
                weights = data["weights"].astype(float)
                for g in range(layer.groups):
                    outputs = slice(g * layer.outputs, (g + 1) * layer.outputs)
                    channels = slice(g * layer.channels, (g + 1) * layer.channels)
                    made[:, outputs, i, j] = np.einsum(
                        "bchw,nchw->bn", part[:, channels], weights[outputs]
                    )
    return made


MACHINES = st.builds(
    replace,
    st.just(load_machine()),
    bandwidth_bytes_per_s=st.sampled_from([1e9, 12.8e9, 64e9, 12345678.5]),
    overhead_cycles=st.sampled_from([0.0, 1.0, 2.5]),
    whole_cycles=st.booleans(),
    array=st.sampled_from([None, (16, 16), (7, 3)]),
)
MEMORIES = st.sampled_from([(512, 512), (1024, 4096), (4096, 1024), (16384, 32768)])
SEARCH = settings(max_examples=30, deadline=None)


def scheduled(layer: Layer, machine: Machine) -> Schedule | None:
    return schedule(layer, machine) if len(candidates(layer, machine, 32)) else None


@given(PROGRAMS, MACHINES)
def test_the_fast_simulator_equals_the_reference(program: Program, machine: Machine) -> None:
    timing = simulate(program, machine)

    assert timing.ticks == reference_time_s(program, machine) * timing.per_s


@given(BODIES, st.integers(1, 5), MACHINES)
def test_the_time_of_a_loop_is_the_time_of_its_unrolling(
    body: tuple[Instruction, ...], count: int, machine: Machine
) -> None:
    looped = simulate(Program((Loop(count, body),)), machine)
    flat = simulate(Program(body * count), machine)

    assert looped.ticks == flat.ticks
    assert looped.dram_bytes == flat.dram_bytes
    assert looped.energy_j == pytest.approx(flat.energy_j)


@given(PROGRAMS, st.floats(1, 8), st.floats(1, 8))
def test_more_bandwidth_or_rate_never_makes_a_program_slower(
    program: Program, bandwidth: float, rate: float
) -> None:
    machine = load_machine()
    better = replace(
        machine,
        bandwidth_bytes_per_s=machine.bandwidth_bytes_per_s * bandwidth,
        mac_per_cycle={b: r * rate for b, r in machine.mac_per_cycle.items()},
    )

    assert reference_time_s(program, better) <= reference_time_s(program, machine)


@given(PROGRAMS)
def test_a_program_survives_being_written_and_read(program: Program) -> None:
    assert assemble(disassemble(program)) == program


@given(VIEWS, VIEWS)
def test_addresses_survive_being_written_and_read(src: View, dst: View) -> None:
    size = src.count * dst.count
    program = Program((Loop(2, (Loop(3, (Move(src, dst, size),), "j"),), "i"),))

    assert assemble(disassemble(program)) == program


@SEARCH
@given(layers(), MEMORIES, st.integers(0, 2**32 - 1))
def test_every_scheduled_program_is_valid_and_computes_its_layer(
    layer: Layer, memories: tuple[int, int], seed: int
) -> None:
    machine = small_machine(*memories)
    found = scheduled(layer, machine)
    if found is None:
        return
    program = found.program
    rng = np.random.default_rng(seed)
    data = {
        a.name: rng.normal(size=a.shape).astype(np.float32)
        for a in program.arrays
        if a.name != "output"
    }
    want = plain_result(layer, data)

    verify(program, machine)
    verify_data(program, machine)
    got = run(program, machine, data)["output"]
    assert np.abs(got - want).max() <= 1e-5 * max(1.0, np.abs(want).max())


@SEARCH
@given(layers(), MEMORIES)
def test_no_valid_program_beats_the_certified_bounds(
    layer: Layer, memories: tuple[int, int]
) -> None:
    machine = small_machine(*memories)
    found = scheduled(layer, machine)
    if found is None:
        return
    timing = simulate(found.program, machine)
    bound = layer_bound(layer, machine)

    assert timing.ticks == found.ticks
    assert timing.time_s >= bound.certified_s * (1 - 1e-12)
    assert timing.dram_bytes == 4 * found.traffic_words
    assert found.traffic_words >= bound.traffic_words
    assert timing.energy_j >= 0.999999 * 4 * bound.traffic_words * machine.energy.dram_j_per_byte


@SEARCH
@given(layers(), MEMORIES)
def test_without_its_syncs_no_program_beats_the_certified_bound(
    layer: Layer, memories: tuple[int, int]
) -> None:
    machine = small_machine(*memories)
    found = scheduled(layer, machine)
    if found is None:
        return
    time_s, _ = simulate_tokens(found.program, machine)

    assert found.bound.certified_s * (1 - 1e-12) <= time_s <= found.time_s * (1 + 1e-12)


@SEARCH
@given(layers(), MEMORIES, st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 5]))
def test_more_memory_never_makes_a_schedule_slower(
    layer: Layer, memories: tuple[int, int], more_nram: int, more_wram: int
) -> None:
    small = scheduled(layer, small_machine(*memories))
    if small is None:
        return
    larger = small_machine(memories[0] * more_nram, memories[1] * more_wram)

    assert schedule(layer, larger, known=(small,)).ticks <= small.ticks


FACTORS = st.sampled_from([1, 1.1, 1.5, 2, 3, 4])


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(layers(), st.sampled_from([(512, 512), (700, 2048), (2048, 1024)]), FACTORS, FACTORS)
def test_a_steady_schedule_is_never_slower_with_more_memory_whoever_asks(
    layer: Layer, memories: tuple[int, int], more_nram: float, more_wram: float
) -> None:
    small = small_machine(*memories)
    if scheduled(layer, small_machine(512, 512)) is None:
        return
    large = small_machine(int(memories[0] * more_nram), int(memories[1] * more_wram))
    before, after = steady_schedule(layer, small), steady_schedule(layer, large)

    assert after.ticks <= before.ticks
    assert simulate(after.program, large).ticks == after.ticks


@SEARCH
@given(layers(), MEMORIES, FACTORS, FACTORS, FACTORS, FACTORS)
def test_a_schedule_on_more_of_anything_is_slower_by_its_own_gap_at_most(
    layer: Layer,
    memories: tuple[int, int],
    more_nram: float,
    more_wram: float,
    bandwidth: float,
    rate: float,
) -> None:
    small = small_machine(*memories)
    first = scheduled(layer, small)
    if first is None:
        return
    large = replace(
        small,
        nram_bytes=int(memories[0] * more_nram),
        wram_bytes=int(memories[1] * more_wram),
        bandwidth_bytes_per_s=small.bandwidth_bytes_per_s * bandwidth,
        mac_per_cycle={b: r * rate for b, r in small.mac_per_cycle.items()},
        vector_per_cycle={b: r * rate for b, r in small.vector_per_cycle.items()},
    )
    alone = schedule(layer, large)
    told = schedule(layer, large, known=(first,))

    assert alone.time_s <= first.time_s * (1 + alone.gap) * (1 + 1e-12)
    assert told.time_s <= first.time_s * (1 + 1e-12)
    assert simulate(told.program, large).ticks == told.ticks


@SEARCH
@given(layers(), MEMORIES)
def test_a_larger_machine_only_admits_more_plans(layer: Layer, memories: tuple[int, int]) -> None:
    small = candidates(layer, small_machine(*memories), 32)
    large = candidates(layer, small_machine(2 * memories[0], 2 * memories[1]), 32)
    plans = {large.plan(i): large.ticks[i] for i in range(len(large))}

    assert all(plans[small.plan(i)] == small.ticks[i] for i in range(len(small)))
    assert all(
        large.plan(i).memory_words(layer)[0] <= memories[0] // 2
        and large.plan(i).memory_words(layer)[1] <= memories[1] // 2
        for i in range(len(large))
    )


@SEARCH
@given(layers())
def test_a_fixed_matrix_unit_and_overheads_only_cost_time(layer: Layer) -> None:
    plain = load_machine()
    harder = replace(plain, array=(16, 16), overhead_cycles=1.0)
    free, costly = schedule(layer, plain), schedule(layer, harder)

    assert costly.time_s >= free.bound.certified_s
    assert simulate(costly.program, harder).ticks == costly.ticks
