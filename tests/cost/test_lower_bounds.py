"""Bounds are below whatever is measured, and grow with the work."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.cost.lower_bounds import (
    SLACK_BYTES,
    least_latency_s,
    least_ops,
    least_training_bytes,
    least_training_s,
    most_ops_per_s_of_a_core,
)
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.works import network_works
from tradespace.graph.zoo.mlp import mlp
from tradespace.hardware.profiles import processor

WIDTHS = st.lists(st.integers(1, 400), min_size=2, max_size=4)


def convolution() -> Network:
    b = Builder("conv")
    return b.build(b.conv(b.input((8, 16, 16)), 4, 3, padding=1, bias=False))


@given(widths=WIDTHS, at=st.integers(0, 3), more=st.integers(1, 50))
def test_a_wider_layer_never_lowers_a_bound(widths: list[int], at: int, more: int) -> None:
    wider = list(widths)
    wider[at % len(widths)] += more
    small, large = mlp(widths=widths), mlp(widths=wider)

    assert least_latency_s(small) <= least_latency_s(large)
    assert least_training_s(small, samples=200) <= least_training_s(large, samples=200)
    assert least_training_bytes(small, optimizer="adam", batch=32) <= least_training_bytes(
        large, optimizer="adam", batch=32
    )


def test_a_convolution_counts_one_product_for_a_pair_of_channels() -> None:
    # 16 x 16 positions, 8 by 4 channels, two operations; the window of 9 is left out.
    assert least_ops(network_works(convolution())) == {"fp32": 2 * 16 * 16 * 8 * 4}


def test_no_product_of_matrices_on_this_machine_is_faster_than_the_bound() -> None:
    n = 512
    a = np.ones((n, n), dtype=np.float32)
    best = np.inf
    for _ in range(5):
        start = time.process_time()
        for _ in range(4):
            a @ a
        best = min(best, (time.process_time() - start) / 4)

    # All threads together take this CPU time, so that it is that of one core.
    assert 2 * n**3 / best < most_ops_per_s_of_a_core("fp32")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_shorter_formats_are_never_taken_to_be_slower(machine: str) -> None:
    rates = [
        most_ops_per_s_of_a_core(fmt, machine=machine) for fmt in ("fp64", "fp32", "bf16", "int8")
    ]

    assert rates == sorted(rates)
    assert most_ops_per_s_of_a_core("unheard of", machine=machine) >= rates[-1]


def test_quantized_signals_count_at_the_rate_of_short_formats() -> None:
    plain = mlp(widths=(64, 64))

    assert least_latency_s(plain.with_format("int8")) < least_latency_s(plain)


def test_a_named_processor_bounds_by_its_peaks_and_by_weights_that_it_cannot_hold() -> None:
    chip = processor("jetson-nano")
    narrow, wide = mlp(widths=(64, 64)), mlp(widths=(8192, 8192))
    fastest = max(chip.peak_ops_per_s.values())
    assert chip.on_chip_bytes is not None
    assert chip.memory_bandwidth_bytes_per_s is not None
    streamed = 4 * 8192 * 8193 - 2 * chip.on_chip_bytes

    assert 2 * 64 * 64 / fastest <= least_latency_s(narrow, on=chip) <= 2 * 64 * 64 / 1e11
    assert least_latency_s(wide, on=chip) == streamed / chip.memory_bandwidth_bytes_per_s
    # In a batch the weights are read once for all rows.
    assert least_latency_s(wide, on=chip, batched=True) < least_latency_s(wide, on=chip)
    assert least_latency_s(narrow, on=chip, batched=True) == least_latency_s(narrow, on=chip)


def test_training_in_fp32_by_adam_takes_four_numbers_a_parameter_and_the_activations() -> None:
    net = mlp(widths=(2000, 3000, 1000), output="")
    count = 2000 * 3000 + 3000 + 3000 * 1000 + 1000

    # Of each row the inputs of both layers; the last outputs are nobody's input.
    kept = 10 * 4 * (2000 + 3000)
    assert least_training_bytes(net, optimizer="adam", batch=10) == 16 * count + kept - SLACK_BYTES
