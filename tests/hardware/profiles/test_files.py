"""A person's own processor and region: a dozen lines of YAML, errors with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradespace.core.errors import ProcessorError
from tradespace.cost.latency import predict_latency
from tradespace.graph.work import Work
from tradespace.hardware.profiles import processor, region

BOARD = """\
name: My board
vendor: Someone
class: embedded
year: 2024
peak: {fp32: 1.28 TFLOP/s, int8: 20 TOPS}
memory: 8 GB
bandwidth: 68 GB/s
on_chip: 2 MiB
power: 15 W
price: 0.05 to 0.10 USD/h
launch_overhead: 5 us
source: data sheet of 2024
"""


def write(folder: Path, text: str, name: str = "board.yaml") -> Path:
    place = folder / name
    place.write_text(text, encoding="utf-8")
    return place


def test_a_dozen_lines_describe_a_processor(tmp_path: Path) -> None:
    found = processor(write(tmp_path, BOARD))

    assert found.id == "board"
    assert dict(found.peak_ops_per_s) == {"fp32": 1.28e12, "int8": 20e12}
    assert found.memory_bytes == 8e9
    assert found.memory_bandwidth_bytes_per_s == 68e9
    assert found.on_chip_bytes == 2 * 2**20
    assert found.tdp_w == 15
    assert found.price_usd_per_h is not None
    assert (found.price_usd_per_h.low, found.price_usd_per_h.high) == (0.05, 0.10)
    assert found.launch_overhead_s == pytest.approx(5e-6)
    assert str(found.source_of("tdp_w")) == "data sheet of 2024"


def test_what_is_left_out_is_unknown_and_never_zero(tmp_path: Path) -> None:
    found = processor(write(tmp_path, "peak: {fp32: 1 TFLOP/s}\n"))

    assert found.tdp_w is None
    assert found.memory_bytes is None
    assert found.price_usd_per_h is None
    assert "taken as 0" in str(found.source_of("launch_overhead_s"))


def test_a_network_can_be_timed_on_a_board_of_ones_own(tmp_path: Path) -> None:
    work = Work(name="x", operator="dense", kind="product", macs=64 * 10**7)
    found = predict_latency([work], processor(write(tmp_path, BOARD)))

    assert found.time_s == pytest.approx(1e-3 + 5e-6)


@pytest.mark.parametrize(
    ("wrong", "right", "line", "said", "remedy"),
    [
        ("bandwith: 68 GB/s", "bandwidth: 68 GB/s", 7, "bandwith", "Did you mean 'bandwidth'"),
        ("memory: 8", "memory: 8 GB", 6, "memory", "unit"),
        ("power: lots", "power: 15 W", 9, "power", "15 W"),
        ("power: -15 W", "power: 15 W", 9, "power", "15 W"),
        ("power: 0 W", "power: 15 W", 9, "more than 0", "15 W"),
        ("year: soon", "year: 2024", 4, "year", "2024"),
        ("price: 0.05 USD", "price: 0.05 to 0.10 USD/h", 10, "price", "USD/h"),
        ("launch_overhead: 5", "launch_overhead: 5 us", 11, "launch_overhead", "5 us"),
        ("peak: 3", "peak: {fp32: 1.28 TFLOP/s, int8: 20 TOPS}", 5, "peak", "TFLOP/s"),
        (
            "peak: {fp23: 1 TFLOP/s}",
            "peak: {fp32: 1.28 TFLOP/s, int8: 20 TOPS}",
            5,
            "fp23",
            "Did you mean 'fp32'",
        ),
        (
            "peak: {fp32: 1 Tflop}",
            "peak: {fp32: 1.28 TFLOP/s, int8: 20 TOPS}",
            5,
            "Unknown unit 'Tflop'",
            "TFLOPS",
        ),
        ("peak: {}", "peak: {fp32: 1.28 TFLOP/s, int8: 20 TOPS}", 5, "at least one", "fp32"),
        ("name: [a, b]", "name: My board", 1, "name", "quotes"),
    ],
)
def test_errors_name_line_cause_and_remedy(
    tmp_path: Path, wrong: str, right: str, line: int, said: str, remedy: str
) -> None:
    assert right in BOARD
    place = write(tmp_path, BOARD.replace(right, wrong))
    with pytest.raises(ProcessorError) as caught:
        processor(place)

    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == (str(place), line)
    assert said in caught.value.message
    assert remedy in caught.value.remedy or remedy in caught.value.message


@pytest.mark.parametrize(
    "text", ["peak: [", "- a\n- b\n", "", "\tpeak: 3", "peak: {fp32: 1 TFLOP/s}\npeak: 2\n"]
)
def test_a_file_that_is_no_mapping_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProcessorError) as caught:
        processor(write(tmp_path, text))

    assert caught.value.place is not None
    assert caught.value.remedy


def test_a_missing_a_huge_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProcessorError, match="no such file"):
        processor(tmp_path / "none.yaml")
    with pytest.raises(ProcessorError, match="has at most 100 kB"):
        processor(write(tmp_path, "# " + "x" * 200_000))
    blob = tmp_path / "blob.yaml"
    blob.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProcessorError, match="in UTF-8"):
        processor(blob)


def test_a_region_of_ones_own_gives_carbon_and_pue(tmp_path: Path) -> None:
    place = write(tmp_path, "name: My roof\ncarbon: 0.041 kg/kWh\npue: 1.05\n", "roof.yaml")
    found = region(place)

    assert found.carbon_g_per_kwh == pytest.approx(41)
    assert found.pue == 1.05


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\n", "carbon"),
        ("carbon: 300\n", "carbon"),
        ("carbon: 300 g/kWh\npue: 0.5\n", "PUE"),
        ("carbon: 300 g/kWh\npue: low\n", "'pue' must be a number"),
        ("carbons: 300 g/kWh\n", "Unknown key"),
    ],
)
def test_a_wrong_region_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProcessorError, match=said) as caught:
        region(write(tmp_path, text, "roof.yaml"))

    assert caught.value.place is not None
