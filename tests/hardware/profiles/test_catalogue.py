"""The processors and regions of the package: complete, sourced, equal to what is published."""

from __future__ import annotations

import pytest

from tradespace.core.errors import ProcessorError
from tradespace.hardware.profiles import processor, processors, region, regions
from tradespace.hardware.profiles.records import FORMATS, Price, Processor, Region


def test_there_are_as_many_as_the_docs_say() -> None:
    assert len(processors()) >= 40
    assert len(regions()) >= 40


@pytest.mark.parametrize("name", sorted(processors()))
def test_every_figure_of_a_processor_has_a_source_and_a_date(name: str) -> None:
    chip = processor(name)
    figures = str(chip.source_of("peak_ops_per_s"))

    assert chip.id == name
    assert figures
    assert figures != "not stated"
    assert chip.year is None or str(chip.year) in figures
    assert set(chip.peak_ops_per_s) <= set(FORMATS)
    if chip.price_usd_per_h is not None:
        assert chip.source_of("price_usd_per_h").date
    if chip.launch_overhead_s:
        assert "assumed" in str(chip.source_of("launch_overhead_s"))


@pytest.mark.parametrize("name", sorted(regions()))
def test_every_region_has_a_source_and_a_year(name: str) -> None:
    found = region(name)

    assert found.source
    assert found.year
    assert found.to_dict()["id"] == name


@pytest.mark.parametrize(
    ("name", "fmt", "tera", "gb_per_s", "watts"),
    [
        ("v100-sxm2", "fp16", 125, 900, 300),
        ("v100-pcie", "fp32", 14, 900, 250),
        ("t4", "int8", 130, 320, 70),
        ("a100-40-sxm", "bf16", 312, 1555, 400),
        ("h100-sxm", "bf16", 989.4, 3350, 700),
        ("tpu-v3", "bf16", 123, 900, 450),
        ("jetson-orin-nano", "int8", 20, 68, 15),
        ("rtx-4090", "fp32", 82.6, 1008, 450),
    ],
)
def test_processors_have_their_published_figures(
    name: str, fmt: str, tera: float, gb_per_s: float, watts: float
) -> None:
    chip = processor(name)

    assert chip.peak_ops_per_s[fmt] == pytest.approx(tera * 1e12)
    assert chip.memory_bandwidth_bytes_per_s == pytest.approx(gb_per_s * 1e9)
    assert chip.tdp_w == watts


def test_the_textbook_processor_balances_at_four_multiply_accumulates_a_byte() -> None:
    assert processor("dlp").ridge_ops_per_byte("fp32") == 2 * 4
    assert processor("dlp").ridge_ops_per_byte("int8") is None


def test_names_can_be_spelt_as_people_do() -> None:
    assert processor("A100_40 SXM").id == "a100-40-sxm"
    assert region("FR").id == "grid-fr"


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(ProcessorError, match="Did you mean 'v100-pcie'"):
        processor("v100-pci")
    with pytest.raises(ProcessorError, match="tradespace list regions"):
        region("atlantis")


def test_nonsense_is_refused_where_it_is_made() -> None:
    with pytest.raises(ProcessorError, match="peak in fp32"):
        Processor(id="x", name="x", peak_ops_per_s={"fp32": 0.0})
    with pytest.raises(ProcessorError, match="overhead"):
        Processor(id="x", name="x", peak_ops_per_s={}, launch_overhead_s=-1.0)
    with pytest.raises(ProcessorError, match="low to high"):
        Price(2.0, 1.0)
    with pytest.raises(ProcessorError, match="PUE"):
        Region(id="x", name="x", carbon_g_per_kwh=1.0, pue=0.9)


def test_a_profile_as_plain_data_keeps_its_sources() -> None:
    plain = processor("t4").to_dict()

    assert plain["peak_ops_per_s"]["fp16"] == 65e12
    assert set(plain["sources"]) >= {"figures", "launch_overhead_s", "price_usd_per_h"}
