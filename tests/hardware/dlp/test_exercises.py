"""The published exercises, solved by hand, against the simulators."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tradespace.hardware.dlp.assembler import assemble
from tradespace.hardware.dlp.bounds import layer_bound, program_bound_s
from tradespace.hardware.dlp.layers import dense
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.simulator.closed_form import simulate
from tradespace.hardware.dlp.simulator.reference import reference_time_s
from tradespace.hardware.dlp.verifier import verify

GOLDEN = YAML(typ="safe").load(Path(__file__).parents[2] / "golden" / "dlp_exercises.yaml")
MACHINE = load_machine()
SERIAL_1 = """
move DRAM NRAM 1024
move DRAM WRAM 1024
sync
compute MAC_32 256
sync
move NRAM DRAM 4
"""
SERIAL_2 = """
move DRAM NRAM 32768
move DRAM WRAM 131072
sync
compute MAC_32 1048576
sync
move NRAM DRAM 16384
"""


def double_buffered(tiles: int) -> str:
    """Inputs and first tile, then load tile t+1 and store tile t-1 beside computing tile t."""
    weights, work, result = 131072 // tiles, 1048576 // tiles, 16384 // tiles
    lines = ["move DRAM NRAM 32768", f"move DRAM WRAM {weights}", "sync"]
    for tile in range(tiles):
        if tile + 1 < tiles:
            lines.append(f"move DRAM WRAM {weights}")
        if tile:
            lines.append(f"move NRAM DRAM {result}")
        lines += [f"compute MAC_32 {work}", "sync"]
    return "\n".join([*lines, f"move NRAM DRAM {result}"])


def test_exercise_1_in_three_segments_takes_the_published_time() -> None:
    program = assemble(SERIAL_1)
    timing = simulate(program, MACHINE)

    verify(program, MACHINE)
    assert timing.time_s == GOLDEN["exercise_1"]["serial_s"]
    assert timing.n_segments == 3
    assert (
        program_bound_s(MACHINE, dict(timing.operations), timing.dram_bytes)
        == (GOLDEN["exercise_1"]["bound_s"])
    )


def test_exercise_2_in_three_segments_takes_the_published_time() -> None:
    assert simulate(assemble(SERIAL_2), MACHINE).time_s == GOLDEN["exercise_2"]["serial_s"]
    assert layer_bound(dense(32, 256, 128), MACHINE).t0_s == GOLDEN["exercise_2"]["bound_s"]


@pytest.mark.parametrize("tiles", [2, 4, 8, 16])
def test_exercise_2_double_buffered_takes_the_published_time(tiles: int) -> None:
    program = assemble(double_buffered(tiles))

    assert simulate(program, MACHINE).time_s == pytest.approx(
        GOLDEN["exercise_2"]["double_buffered_s"][tiles], rel=1e-15
    )
    assert reference_time_s(program, MACHINE) * 10**9 == round(
        GOLDEN["exercise_2"]["double_buffered_s"][tiles] * 1e9
    )


def test_the_speed_up_over_one_alu_at_12_8_gigabytes_is_6_4_in_fp32() -> None:
    rate_of_memory, rate_of_alu = 12.8e9 / 4, 1e9 / 2  # MACs a second: bytes; two cycles each

    assert rate_of_memory / rate_of_alu == 6.4
