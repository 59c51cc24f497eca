"""Calibration: measured grids, monotone predictions, honest errors, what is stored."""

from __future__ import annotations

import itertools
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.core.errors import GraphError, InputError
from tradespace.cost.calibration.classes import merge, sizes_of
from tradespace.cost.calibration.grid import Grid, build_grid
from tradespace.cost.calibration.probes import families
from tradespace.cost.calibration.record import Calibration, HoldOut, predict
from tradespace.cost.calibration.run import calibrate, time_network
from tradespace.cost.calibration.store import (
    calibrations,
    data_folder,
    load_calibration,
    save_calibration,
)
from tradespace.cost.calibration.timing import Timing, runner, time_pass
from tradespace.cost.calibration_thread import in_own_thread
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.work import Work
from tradespace.graph.works import network_works
from tradespace.graph.zoo import network

TIMES = st.floats(1e-7, 1.0)


def volume(point: tuple[float, ...]) -> float:
    return math.prod(point)


def grid_of(times: list[float], ticks: tuple[tuple[float, ...], ...]) -> Grid:
    points = list(itertools.product(*ticks))
    return build_grid(
        "dense",
        tuple(f"axis {i}" for i in range(len(ticks))),
        ticks,
        dict(zip(points, times, strict=False)),
        amount=volume,
        counts_macs=True,
    )


def machine(**more: Any) -> Calibration:
    """A made-up machine: 1 Gmac/s in products, 1 G elements/s in everything else."""
    ticks = ((1.0, 100.0), (1.0, 1000.0), (1.0, 1000.0))
    dense = build_grid(
        "dense",
        ("rows", "outputs", "inputs"),
        ticks,
        {p: volume(p) / 1e9 for p in itertools.product(*ticks)},
        amount=volume,
        counts_macs=True,
    )
    simple = {
        name: build_grid(
            name,
            ("elements",),
            ((1.0, 1e6),),
            {(1.0,): 1e-9, (1e6,): 1e-3},
            amount=volume,
            counts_macs=False,
        )
        for name in ("relu", "add", "softmax", "layer_norm", "concatenate", "mean", "embedding")
    }
    facts: dict[str, Any] = {
        "name": "made-up",
        "machine": {"cpu": "Abacus", "cores": 1, "memory_bytes": 10**9, "system": "wood"},
        "runtime": "onnxruntime",
        "device": "cpu",
        "number_format": "fp32",
        "threads": 1,
        "versions": {"onnxruntime": "0"},
        "date": "2026-01-01T00:00:00+00:00",
        "run_overhead_s": 1e-5,
        "operator_overhead_s": 1e-9,
        "bandwidth_bytes_per_s": 1e10,
        "grids": {"dense": dense, **simple},
    }
    return Calibration(**{**facts, **more})


# ------------------------------------------------------------------------------------ grids


@given(
    times=st.lists(TIMES, min_size=12, max_size=12),
    sizes=st.tuples(*(st.floats(1.0, 5000.0),) * 3),
    axis=st.integers(0, 2),
    factor=st.floats(1.0, 10.0),
)
def test_more_work_never_takes_less_time_whatever_was_measured(
    times: list[float], sizes: tuple[float, ...], axis: int, factor: float
) -> None:
    grid = grid_of(times, ((1.0, 64.0), (8.0, 64.0, 512.0), (8.0, 512.0)))
    larger = tuple(s * factor if i == axis else s for i, s in enumerate(sizes))

    assert grid.time_s(sizes, volume(sizes)) <= grid.time_s(larger, volume(larger)) * (1 + 1e-9)


@given(rate=st.floats(1e6, 1e12), sizes=st.tuples(*(st.floats(1.0, 1e5),) * 2))
def test_a_machine_of_constant_rate_is_predicted_exactly(
    rate: float, sizes: tuple[float, float]
) -> None:
    ticks = ((1.0, 32.0, 1024.0), (4.0, 512.0))
    grid = grid_of([volume(p) / rate for p in itertools.product(*ticks)], ticks)

    assert math.isclose(grid.time_s(sizes, volume(sizes)), volume(sizes) / rate, rel_tol=1e-9)


def test_measured_points_come_back_and_missing_ones_keep_a_neighbors_rate() -> None:
    ticks = ((1.0, 10.0), (1.0, 10.0))
    grid = build_grid(
        "dense",
        ("a", "b"),
        ticks,
        {(1.0, 1.0): 1.0, (1.0, 10.0): 10.0, (10.0, 1.0): 10.0},
        amount=volume,
        counts_macs=True,
    )

    assert grid.measured == 3
    assert math.isclose(grid.time_s((1, 10), 10), 10.0)
    assert math.isclose(grid.time_s((10, 10), 100), 100.0)


def test_a_grid_says_what_it_covers() -> None:
    grid = grid_of([1.0, 2.0], ((10.0, 100.0),))

    assert grid.covers((50,))
    assert not grid.covers((150,))
    assert grid.covers((150,), slack=2.0)


def test_a_grid_survives_as_plain_data_and_damage_is_noticed() -> None:
    grid = grid_of([1.0, 2.0, 3.0, 4.0], ((1.0, 2.0), (1.0, 2.0)))
    plain = json.loads(json.dumps(grid.to_dict()))

    assert Grid.from_dict(plain) == grid
    with pytest.raises(ValueError, match="times"):
        Grid.from_dict({**plain, "times_s": plain["times_s"][:-1]})
    with pytest.raises(ValueError, match="positive"):
        Grid.from_dict({**plain, "times_s": [0.0] * 4})


# ---------------------------------------------------------------------------------- classes


def conv(**more: Any) -> Work:
    facts: dict[str, Any] = {
        "name": "c",
        "operator": "convolution2d",
        "kind": "product",
        "macs": 1000,
        "batch": 1,
        "m": 196,
        "n": 64,
        "k": 576,
        "groups": 1,
        "window": 9,
        "elements": 196 * 64,
    }
    return Work(**{**facts, **more})


@pytest.mark.parametrize(
    ("work", "family"),
    [
        (conv(), "convolution 3x3"),
        (conv(window=1), "convolution 1x1"),
        (conv(window=25, k=1600), "convolution 5x5"),
        (conv(k=27), "convolution of images"),
        (conv(k=9, groups=64, n=1), "convolution depthwise"),
        (conv(k=36, groups=32, n=4), "convolution grouped"),
        (conv(operator="convolution1d"), "dense"),
        (conv(operator="dense", window=1), "dense"),
        (conv(operator="matmul", window=1), "matmul"),
        (conv(operator="attention", kind="attention"), "attention"),
        (conv(operator="lstm", kind="recurrent"), "lstm"),
        (Work(name="p", operator="max_pool2d", kind="pooling", window=9, elements=9), "max_pool2d"),
        (
            Work(name="p", operator="adaptive_average_pool2d", kind="pooling", read_bytes=8),
            "global_average_pool",
        ),
        (Work(name="r", operator="relu", kind="elementwise", elements=5), "relu"),
    ],
)
def test_every_operator_belongs_to_a_class(work: Work, family: str) -> None:
    assert sizes_of(work).family == family


def test_the_runtime_decides_what_is_merged() -> None:
    norm = Work(name="bn", operator="batch_norm", kind="normalization", elements=196 * 64)
    add = Work(name="add", operator="add", kind="elementwise", elements=196 * 64)
    relu = Work(name="relu", operator="relu", kind="elementwise", elements=196 * 64)
    gelu = Work(name="gelu", operator="gelu", kind="elementwise", elements=196 * 64)
    works = [conv(), norm, add, relu, gelu]

    assert [w.name for w in merge(works, "onnxruntime")] == ["c", "gelu"]
    assert [w.name for w in merge(works, "torch")] == ["c", "bn", "add", "relu", "gelu"]


@pytest.mark.parametrize("accelerator", [False, True])
def test_every_probe_is_a_chain_of_what_its_points_say(accelerator: bool) -> None:
    for family in families(accelerator=accelerator):
        points = []
        for probe in family.probes("fp32"):
            works = [w for w in network_works(probe.network) if sizes_of(w).family == family.name]
            wanted = sizes_of(works[0])
            points += list(probe.points)

            assert probe.amount > 0, (family.name, probe.points)
            assert len(wanted.sizes) == len(family.axes)
            for size, tick in zip(wanted.sizes, probe.points[0], strict=True):
                assert 0.6 <= size / tick <= 1.7, (family.name, probe.points, wanted)

        assert len(points) == len(set(points)), family.name


def test_an_accelerator_is_given_more_at_a_time() -> None:
    for small, large in zip(families(), families(accelerator=True), strict=True):
        most = max(p.amount for p in large.probes("bf16"))

        assert large.ticks[0][-1] > small.ticks[0][-1]
        assert most > max(p.amount for p in small.probes("fp32")), small.name


# ------------------------------------------------------------------------------- prediction


def test_a_network_takes_what_its_operators_and_the_start_take() -> None:
    works = network_works(network("mlp-784-300-100-10"))
    found = predict(works, machine())
    macs = 784 * 300 + 300 * 100 + 100 * 10

    assert found.time_s == pytest.approx(macs / 1e9 + 10e-9 + 1e-5, rel=1e-6)
    assert [row.name for row in found.operators] == ["hidden1", "hidden2", "output", "softmax"]


@given(batch=st.integers(1, 64), more=st.integers(1, 64))
def test_a_larger_batch_never_takes_less_time(batch: int, more: int) -> None:
    times = [
        predict(network_works(network("mlp-784-300-100-10", batch=b)), machine()).time_s
        for b in (batch, batch + more)
    ]

    assert times[0] <= times[1]


def test_without_networks_held_out_the_error_is_said_to_be_unknown() -> None:
    found = predict([conv(operator="dense")], machine())

    assert "the error is not known" in found.notes[0]
    assert found.high_s == math.inf


def test_the_hold_out_error_stands_with_every_prediction_and_spans_it() -> None:
    held = (HoldOut("a", 1.1, 1.0), HoldOut("b", 0.8, 1.0), HoldOut("c", 1.0, 1.0))
    found = predict([conv(operator="dense")], machine(holdout=held))

    assert "hold-out median absolute error 10 % on 3 networks" in found.notes[0]
    assert found.bound_s == pytest.approx(found.time_s / 1.2)
    assert found.high_s == pytest.approx(found.time_s / 0.8)
    assert found.reading().low < found.time_s < found.reading().high


def test_what_lies_outside_of_the_measured_sizes_is_said() -> None:
    inside = conv(operator="dense", m=10, n=100, k=100, macs=10**5)
    outside = replace(inside, name="huge", k=10**6, macs=10**9)
    found = predict([inside, outside], machine())

    assert any("outside of the calibrated sizes" in n and "'huge'" in n for n in found.notes)
    assert not any("outside" in n for n in predict([inside], machine()).notes)


def test_what_was_not_measured_is_compared_to_its_kind_and_said() -> None:
    found = predict([conv(operator="unheard_of", window=1)], machine())
    odd = Work(name="o", operator="sine", kind="elementwise", elements=10**5)

    assert found.time_s > 0
    assert any("not measured" in note for note in predict([odd], machine()).notes)
    with pytest.raises(InputError, match="measured nothing like"):
        predict([odd], machine(grids={"dense": machine().grids["dense"]}))


def test_another_format_than_the_calibrated_one_is_said() -> None:
    works = network_works(network("mlp-784-300-100-10").with_format("bf16"))

    assert any("bf16" in note for note in predict(works, machine()).notes)


def test_a_calibrated_machine_is_a_processor_too() -> None:
    chip = machine().as_processor()

    assert chip.id == "this-machine"
    assert chip.peak_ops_per_s["fp32"] == pytest.approx(2e9)
    assert chip.memory_bytes == 1e9


# ------------------------------------------------------------------------------ the folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADESPACE_HOME", str(tmp_path))
    return tmp_path


def test_a_calibration_is_found_again(home: Path) -> None:
    made = machine(holdout=(HoldOut("a", 1.0, 1.1),))
    place = save_calibration(made)

    assert place.is_relative_to(home)
    assert list(calibrations()) == ["made-up"]
    assert load_calibration("made-up") == made


def test_this_machine_takes_the_latest_calibration_of_this_machine_only(home: Path) -> None:
    from tradespace.cost.calibration.machine import machine_facts

    with pytest.raises(InputError, match="not calibrated"):
        load_calibration()
    save_calibration(machine())
    with pytest.raises(InputError, match="of others: made-up"):
        load_calibration()
    save_calibration(machine(name="mine", machine=machine_facts()))

    assert load_calibration().name == "mine"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', "nonsense", '{"schema": 9}'])
def test_a_damaged_file_is_refused(home: Path, text: str) -> None:
    place = save_calibration(machine())
    place.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)calibrat") as caught:
        load_calibration("made-up")

    assert "tradespace calibrate" in caught.value.remedy


def test_a_file_of_a_later_version_is_refused(home: Path) -> None:
    place = save_calibration(machine())
    place.write_text(json.dumps({**machine().to_dict(), "schema": 2}), encoding="utf-8")
    with pytest.raises(InputError, match="schema 2"):
        load_calibration("made-up")


@pytest.mark.parametrize("name", ["", "../evil", "this-machine", "a/b", ".hidden"])
def test_a_name_that_is_no_file_name_is_refused(home: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be called"):
        save_calibration(machine(name=name))


def test_an_unknown_name_is_met_with_the_nearest(home: Path) -> None:
    save_calibration(machine())
    with pytest.raises(InputError, match="Did you mean 'made-up'"):
        load_calibration("made-upp")


@pytest.mark.skipif(sys.platform != "linux", reason="where users keep data on Linux")
def test_the_folder_is_the_one_named_or_that_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("TRADESPACE_HOME", raising=False)
    assert data_folder() == tmp_path / "share" / "tradespace"

    monkeypatch.setenv("TRADESPACE_HOME", str(tmp_path / "mine"))
    assert data_folder() == tmp_path / "mine"


# ------------------------------------------------------------------------------- measuring


class _Recorded:
    """A runner on which every operator takes a nanosecond for each unit of work."""

    name, device, threads, number_format = "recorded", "cpu", 1, "fp32"

    def versions(self) -> dict[str, str]:
        return {"recorded": "1"}

    def device_name(self) -> str:
        return ""

    def prepare(self, network: Network) -> Any:
        if any(n.operator == "gelu" for n in network.nodes):
            msg = "no gelu here"
            raise GraphError(msg)
        works = merge(network_works(network), "onnxruntime")
        return 1e-6 + sum(1e-9 * sizes_of(w).amount for w in works)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def passed(run: float, **more: Any) -> Timing:
        return Timing(run, run, 1, run, run)

    monkeypatch.setattr("tradespace.cost.calibration.run.runner", lambda *a, **k: _Recorded())
    monkeypatch.setattr("tradespace.cost.calibration.run.time_pass", passed)


def test_a_machine_of_known_speed_is_found_out(recorded: None) -> None:
    seen: list[tuple[int, int]] = []
    made = calibrate(
        holdout=[("mlp-784-300-100-10", {})],
        chosen=lambda f: f.name in ("dense", "relu", "softmax", "gelu"),
        progress=lambda done, total, text: seen.append((done, total)),
    )

    assert made.run_overhead_s == pytest.approx(1e-6, rel=0.1)
    assert made.grids["dense"].best_ops_per_s == pytest.approx(2e9, rel=0.01)
    assert made.median_error == pytest.approx(0.0, abs=0.05)
    assert seen[-1][0] == seen[-1][1]
    assert "gelu" not in made.grids
    assert any("no gelu here" in failure for failure in made.failures)
    assert Calibration.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_the_time_to_believe_is_that_of_the_thread_unless_several_work() -> None:
    busy = Timing(wall_s=2.0, cpu_s=1.0, runs=3, total_wall_s=6.0, total_cpu_s=3.0)

    assert busy.value(single=True) == 1.0
    assert busy.value(single=False) == 2.0


def test_timing_takes_the_least_of_several_runs() -> None:
    calls: list[int] = []
    timing = time_pass(lambda: calls.append(1), least=5, enough_s=0.0)

    assert len(calls) == 6
    assert timing.runs == 5
    assert 0 <= timing.cpu_s <= timing.total_cpu_s


def test_onnx_runtime_runs_what_is_predicted() -> None:
    run = runner("onnxruntime")
    net = network("mlp-784-300-100-10")
    timing = in_own_thread(lambda: time_network(run, net, least=3, enough_s=0.0))

    assert 0 < timing.cpu_s < 1
    assert "onnxruntime" in run.versions()


@pytest.mark.slow
def test_a_small_calibration_of_this_machine_measures_and_predicts() -> None:
    made = calibrate(
        holdout=[],
        chosen=lambda f: f.name in ("softmax", "matmul", "relu"),
    )
    b = Builder("matmul")
    x, y = b.tensor_input((4, 128, 128), name="x"), b.tensor_input((4, 128, 128), name="y")
    found = predict(network_works(b.build(b.matmul(x, y))), made)

    assert not made.failures
    assert made.grids["matmul"].best_ops_per_s > 1e8
    assert 0 < found.time_s < 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"runtime": "tensorflow"}, "runtime"),
        ({"device": "cuda"}, "--runtime torch"),
        ({"number_format": "bf16"}, "fp32"),
        ({"threads": 0}, "thread"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        runner(**given)

    assert said in str(caught.value)


@pytest.mark.slow
def test_calibrating_leaves_the_rounding_of_tiny_numbers_as_it_was() -> None:
    smallest_normal = 2.2250738585072014e-308

    calibrate(holdout=(), chosen=lambda family: family.name == "relu")

    assert smallest_normal / 2 > 0.0


def test_an_error_in_a_thread_of_its_own_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        in_own_thread(lambda: 1 // 0)
