"""Machine files, sweeps, timelines, layers and the commands."""

import io
import itertools
import json
import re
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tradespace.cli import run
from tradespace.core.errors import ProcessorError
from tradespace.files.units import parse_quantity
from tradespace.hardware.dlp.assembler import assemble
from tradespace.hardware.dlp.bounds import layer_bound
from tradespace.hardware.dlp.layers import convolution, dense
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.naming import parse_target, zoo_layers
from tradespace.hardware.dlp.scheduler.search import schedule
from tradespace.hardware.dlp.simulator.closed_form import simulate
from tradespace.hardware.dlp.sweep import next_purchase, parse_axis, sweep
from tradespace.hardware.dlp.timeline import render_html, render_text, timeline

SERIAL = (
    "move DRAM NRAM 1024\nmove DRAM WRAM 1024\nsync\ncompute MAC_32 256\nsync\nmove NRAM DRAM 4\n"
)
YAML = """
name: mine
clock: 1 GHz
bandwidth: 64 GB/s
memories: {NRAM: 128 KiB, WRAM: 256 KiB}
mac_per_cycle: {fp32: 256}
vector_per_cycle: {fp32: 256}
"""


@dataclass
class Ended:
    """How a command ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str


def dlp(arguments: Sequence[str]) -> Ended:
    """Run ``tradespace dlp`` with these arguments."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        code = run(["dlp", *arguments])
    return Ended(code, out.getvalue(), error.getvalue())


def test_gigabytes_and_gibibytes_are_told_apart() -> None:
    assert parse_quantity("64 GB/s", unit="B/s", what="It") == 64e9
    assert parse_quantity("64 GiB/s", unit="B/s", what="It") == 64 * 2**30


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("clock: 1 GHz", "clock: 1", "needs a unit, because 1", 3),
        ("bandwidth: 64 GB/s", "bandwith: 64 GB/s", "Unknown key 'bandwith'", 4),
        ("256 KiB", "256 KJ", "must be a size (unit B)", 5),
        ("{fp32: 256}", "{fp64: 256}", "Unknown number format 'fp64'", 6),
        ("name: mine", "whole_cycles: perhaps", "true or false", 2),
        ("name: mine", "array: 16", "rows x columns", 2),
        ("name: mine", "name: [", "lacks a comma or its closing bracket", None),
        ("name: mine", "name: mine\nname: yours", "'name' stands twice", 3),
        (", WRAM: 256 KiB", "", "has no 'WRAM'", 5),
        ("64 GB/s", "-64 GB/s", "must be more than 0", 4),
        ("mac_per_cycle: {fp32: 256}", "mac_per_cycle: {fp32: .inf}", "positive and finite", None),
        ("name: mine", "energy: 3", "must be a mapping", 2),
        ("name: mine", "energy: {operand_reuse: 0}", "operand_reuse", None),
        ("name: mine", "energy: {operations: {MAC: 1 pJ/op}}", "Unknown operation 'MAC'", 2),
    ],
)
def test_a_wrong_machine_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, message: str, line: int | None
) -> None:
    path = tmp_path / "machine.yaml"
    path.write_text(YAML.replace(old, new, 1))

    with pytest.raises(ProcessorError, match=re.escape(message)) as caught:
        load_machine(path)
    assert caught.value.place is not None
    assert line is None or caught.value.place.line == line
    assert caught.value.remedy


def test_a_machine_that_is_no_text_or_lacks_a_rate_is_refused(tmp_path: Path) -> None:
    program, path = tmp_path / "p.dlp", tmp_path / "machine.yaml"
    program.write_text(SERIAL)
    path.write_bytes(b"\xff\xfe\x00")
    binary = dlp(["time", str(program), "--machine", str(path)])
    path.write_text(YAML.replace("mac_per_cycle: {fp32: 256}\n", ""))
    lacking = dlp(["time", str(program), "--machine", str(path)])

    assert binary.exit_code == lacking.exit_code == 2
    assert "in UTF-16" in binary.stderr
    assert "has no rate for MAC_32. Add fp32 under mac_per_cycle" in lacking.stderr


def test_results_that_cannot_be_written_leave_with_2(tmp_path: Path) -> None:
    program = tmp_path / "p.dlp"
    program.write_text(SERIAL)
    nowhere = str(tmp_path / "absent" / "x")
    written = dlp(["schedule", "8x16x4", "--out", nowhere])
    drawn = dlp(["timeline", str(program), "--out", nowhere])

    assert written.exit_code == drawn.exit_code == 2
    assert "Cannot write" in written.stderr
    assert "Cannot write" in drawn.stderr


def test_a_network_of_the_zoo_is_scheduled_swept_and_written(tmp_path: Path) -> None:
    name, out = "mlp-784-300-100-10", tmp_path / "programs"
    made = dlp(["schedule", name, "--out", str(out), "--json"])
    shown = dlp(["schedule", name, "--format", "fp16", "--batch", "2"])
    swept = dlp(["sweep", name, "--over", "wram=16KiB..64KiB", "--json"])
    facts, points = json.loads(made.stdout), json.loads(swept.stdout)["points"]

    assert facts["coverage"] == 1.0
    assert [row["how"] for row in facts["layers"]] == ["scheduled"] * 3 + ["streamed"]
    assert {p.name for p in out.iterdir()} == {"hidden1.dlp", "hidden2.dlp", "output.dlp"}
    for row, path in zip(facts["layers"], sorted(out.iterdir()), strict=False):
        assert simulate(assemble(path.read_text()), load_machine()).time_s <= row["time_s"]
    assert "total" in shown.stdout
    assert points[0]["time_s"] >= points[1]["time_s"] >= points[2]["time_s"]


@pytest.mark.slow
def test_a_steady_schedule_can_be_asked_for() -> None:
    result = dlp(["schedule", "8x16x4", "--steady", "--json"])

    assert result.exit_code == 0
    assert json.loads(result.stdout)["layers"][0]["gap"] >= 0


def test_a_sweep_is_never_slower_with_more_of_anything() -> None:
    axes = [
        parse_axis(text)
        for text in ("wram=4KiB..8KiB", "bandwidth=16..64", "rate=64..256", "clock=5e8..1e9")
    ]
    points = sweep((dense(24, 30, 20),), load_machine(), axes)
    times = {tuple(p.values.values()): p.time_s for p in points}

    assert len(points) == 2 * 3 * 3 * 2
    for mine, time_s in times.items():
        less = [t for other, t in times.items() if all(map(float.__le__, other, mine))]
        assert all(time_s <= t for t in less)


def test_a_machine_of_a_dozen_lines_times_programs(tmp_path: Path) -> None:
    path = tmp_path / "machine.yaml"
    path.write_text(YAML)

    assert simulate(assemble(SERIAL), load_machine(path)).time_s == 33.0625e-9


def test_whole_cycles_round_each_computation_up() -> None:
    program = assemble("compute MAC_32 100\ncompute MAC_32 300")
    machine = load_machine()

    assert simulate(program, machine).time_s == pytest.approx(400 / 256 * 1e-9, rel=1e-15)
    assert simulate(program, replace(machine, whole_cycles=True)).time_s == 3e-9


def test_a_fixed_matrix_unit_loses_what_its_edges_leave_idle() -> None:
    text = "compute MAC_32 4913 out=NRAM[0] in=NRAM[4096] w=WRAM[0] shape=17x17x17"
    machine = replace(load_machine(), array=(16, 16))

    assert simulate(assemble(text), machine).compute_s == pytest.approx(17 * 2 * 2 * 1e-9)


def test_half_precision_multiplies_twice_as_fast() -> None:
    machine = load_machine()
    full, half = (simulate(assemble(f"compute MAC_{b} 512"), machine) for b in (32, 16))

    assert full.time_s == 2 * half.time_s


def test_energy_is_the_sum_of_moves_operations_and_instructions() -> None:
    timing = simulate(assemble("move DRAM NRAM 64\nsync\ncompute ADD_32 16"), load_machine())
    moved = 64 * (162.5 + 4.76)
    added = 16 * (0.9 + 2 * 4 / 16 * 4.76)

    assert timing.energy_j == pytest.approx((moved + added + 2 * 70) * 1e-12)


def test_the_published_bounds_that_are_too_high_are_not_used() -> None:
    machine = load_machine()
    product = layer_bound(dense(4096, 64, 4096), machine)
    first = layer_bound(convolution(3, 227, 96, 11, stride=4), machine)

    assert product.traffic_words <= 18.87e6  # the claim of 23.63 million words is beaten
    assert first.traffic_words <= 0.504e6  # the claim of 0.535 million words is beaten


def test_schedules_beat_the_two_published_forms_that_are_no_bounds() -> None:
    machine = load_machine()
    product = schedule(dense(4096, 64, 4096), machine, objectives=("traffic", "time"))
    first = schedule(convolution(3, 227, 96, 11, stride=4), machine, slack=0.0099)

    assert product.traffic_words < 18.87e6 < 23.63e6
    assert first.traffic_words < 0.504e6 < 0.535e6


def test_vgg19_has_sixteen_convolutions_and_the_known_operations() -> None:
    layers = [layer for layer in zoo_layers("vgg19") if layer.kind == "conv"]

    assert len(layers) == 16
    assert sum(layer.macs for layer in layers) == 19_508_428_800


def test_grouped_alexnet_has_half_the_operations_in_its_grouped_layers() -> None:
    grouped, plain = zoo_layers("alexnet"), zoo_layers("alexnet-ungrouped")

    assert [2 * a.macs == b.macs for a, b in zip(grouped, plain, strict=True)][2] is True
    assert sum(a.macs for a in grouped if a.kind == "conv") == 665_784_864


def test_a_convolution_can_be_named_by_its_dimensions() -> None:
    layer, *_ = parse_target("conv:3-227-227-96-11-11-4")

    assert layer.macs == 105_415_200


def test_more_memory_and_bandwidth_never_slow_a_sweep() -> None:
    axes = [parse_axis("wram=4KiB..16KiB"), parse_axis("nram=4KiB..16KiB")]
    points = sweep((dense(40, 60, 50),), load_machine(), axes)
    times = {tuple(p.values.values()): p.time_s for p in points}

    assert len(points) == 9
    for (wram, nram), time_s in times.items():
        assert all(time_s <= t for (w, n), t in times.items() if w <= wram and n <= nram)


def test_the_next_purchase_is_the_resource_that_decides() -> None:
    assert next_purchase((dense(256, 256, 256),), load_machine())[0][0] == "rate"
    assert next_purchase((dense(1, 1024, 1024),), load_machine())[0][0] == "bandwidth"


def test_a_timeline_has_every_instruction_and_ends_with_the_program() -> None:
    found = schedule(dense(32, 64, 16), load_machine(), max_segments=30)
    chart = timeline(found.program, load_machine())

    assert chart.ends_s[-1] == pytest.approx(found.time_s)
    assert max(chart.live_bytes["WRAM"]) <= 64 * 16 * 4
    assert max(chart.live_bytes["NRAM"]) > 0
    for lane in ("transfer", "compute"):
        bars = [bar for bar in chart.bars if bar.lane == lane]
        assert all(a.end_s <= b.start_s + 1e-18 for a, b in itertools.pairwise(bars))
    assert "transfer" in render_text(chart)


def test_the_page_of_a_timeline_loads_nothing_from_elsewhere() -> None:
    page = render_html(timeline(assemble(SERIAL), load_machine()), title="<serial>")

    assert "<script src" not in page
    assert "http" not in page
    assert "&lt;serial&gt;" in page
    assert page.count("<rect") == 4
    assert [page.count(f'<rect class="{kind}"') for kind in ("load", "compute", "store")] == [
        2,
        1,
        1,
    ]
    assert "transfer busy 97.0 %, compute 3.0 %" in page


def test_the_time_command_gives_time_bound_and_idle_lanes(tmp_path: Path) -> None:
    path = tmp_path / "serial.dlp"
    path.write_text(SERIAL)
    result = dlp(["time", str(path), "--json"])
    facts = json.loads(result.stdout)

    assert result.exit_code == 0
    assert facts["time_s"] == 33.0625e-9
    assert facts["bound_s"] == 32.0625e-9
    assert [s["idle"] for s in facts["segments"]] == ["compute", "transfer", "compute"]


def test_the_schedule_command_writes_a_program_that_runs(tmp_path: Path) -> None:
    program, data, out = tmp_path / "p.dlp", tmp_path / "x.npz", tmp_path / "y.npz"
    x, w = np.ones((8, 16)), np.full((16, 4), 2.0)
    np.savez(data, input=x, weights=w)
    written = dlp(["schedule", "8x16x4", "--out", str(program), "--json"])
    ran = dlp(["run", str(program), "--data", str(data), "--out", str(out), "--json"])

    assert written.exit_code == ran.exit_code == 0
    assert json.loads(written.stdout)["layers"][0]["gap"] >= 0
    assert json.loads(ran.stdout)["output"] == (x @ w).tolist()
    with np.load(out) as results:
        assert (results["output"] == x @ w).all()


def test_a_program_from_text_has_line_numbers_in_its_segments(tmp_path: Path) -> None:
    path = tmp_path / "p.dlp"
    dlp(["schedule", "8x16x4", "--out", str(path)])
    result = dlp(["time", str(path), "--tokens"])

    assert result.exit_code == 0
    assert "above the bound" in result.stdout
    assert "without its syncs" in result.stdout


def test_the_sweep_and_timeline_commands_answer_in_json(tmp_path: Path) -> None:
    path = tmp_path / "p.dlp"
    path.write_text(SERIAL)
    swept = dlp(["sweep", "8x16x4", "--over", "bandwidth=16..64", "--json"])
    drawn = dlp(["timeline", str(path), "--json"])
    page = dlp(["timeline", str(path), "--html"])

    assert len(json.loads(swept.stdout)["points"]) == 3
    assert len(json.loads(drawn.stdout)["bars"]) == 4
    assert page.exit_code == 0
    assert path.with_suffix(".html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    "arguments",
    [
        ["time", "absent.dlp"],
        ["run", "absent.dlp", "--data", "absent.npz"],
        ["schedule", "alexnett"],
        ["schedule", "8x8x8", "--format", "fp64"],
        ["schedule", "8x8x8", "--objective", "speed"],
        ["schedule", "8x8x8", "--machine", "absent.yaml"],
        ["schedule", "0x8x8"],
        ["schedule", "conv:1-2-2-1-9-9"],
        ["schedule", "8x8x8", "--max-segments", "0"],
        ["schedule", "8x8x8", "--slack", "-1"],
        ["schedule", "resnt50"],
        ["sweep", "8x8x8", "--over", "dram=1..2"],
        ["sweep", "8x8x8", "--over", "wram=64KiB..4KiB"],
        ["sweep", "8x8x8", "--over", "wram=4..8 Hz"],
        ["timeline", "absent.dlp"],
    ],
)
def test_wrong_input_leaves_with_2_and_a_remedy(arguments: list[str]) -> None:
    result = dlp(arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(("error: ", "Usage: "))
    assert "Traceback" not in result.stderr


def test_data_that_do_not_fit_leave_with_2(tmp_path: Path) -> None:
    program, data = tmp_path / "p.dlp", tmp_path / "x.npz"
    dlp(["schedule", "8x16x4", "--out", str(program)])
    np.savez(data, input=np.ones((8, 15)))
    wrong = dlp(["run", str(program), "--data", str(data)])
    np.savez(data, input=np.ones((8, 16)))
    missing = dlp(["run", str(program), "--data", str(data)])
    data.write_text("no archive")
    broken = dlp(["run", str(program), "--data", str(data)])

    assert wrong.exit_code == missing.exit_code == broken.exit_code == 2
    assert "Array 'weights' is read here, but not among the data" in missing.stderr
    assert "has shape (8, 15)" in wrong.stderr
    assert "no NPZ file" in broken.stderr
