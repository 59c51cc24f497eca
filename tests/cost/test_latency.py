"""Times by the roofline: laws that hold for every processor."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.core.errors import InputError, ProcessorError
from tradespace.cost.latency import fuse, predict_latency, training_works
from tradespace.graph.counts import backward_macs, forward_macs
from tradespace.graph.work import Work
from tradespace.graph.works import network_works
from tradespace.graph.zoo import network
from tradespace.hardware.profiles import Processor, processor, processors
from tradespace.hardware.roofline import operator_time, rate_of, roofline_latency_s

COUNTS = st.integers(0, 10**12)
RATES = st.floats(1e6, 1e15)
FACTORS = st.floats(1.0, 100.0)


def made(macs: int, moved: int, kind: str = "product") -> Work:
    return Work(name="x", operator="dense", kind=kind, macs=macs, read_bytes=moved)


def board(peak: float = 1e12, bandwidth: float = 1e10, overhead: float = 0.0) -> Processor:
    return Processor(
        id="board",
        name="Board",
        peak_ops_per_s={"fp32": peak},
        memory_bandwidth_bytes_per_s=bandwidth,
        launch_overhead_s=overhead,
    )


@given(ops=COUNTS, moved=COUNTS, peak=RATES, bandwidth=RATES, factor=FACTORS)
def test_more_peak_or_bandwidth_never_takes_longer(
    ops: int, moved: int, peak: float, bandwidth: float, factor: float
) -> None:
    rates = {"peak_ops_per_s": peak, "bandwidth_bytes_per_s": bandwidth}
    before = roofline_latency_s(ops=ops, traffic_bytes=moved, **rates)
    for name in rates:
        faster = {**rates, name: rates[name] * factor}

        assert roofline_latency_s(ops=ops, traffic_bytes=moved, **faster) <= before


@given(ops=COUNTS, moved=COUNTS, more=COUNTS)
def test_more_work_never_takes_less_time(ops: int, moved: int, more: int) -> None:
    peaks = {"peak_ops_per_s": 1e12, "bandwidth_bytes_per_s": 1e10}
    before = roofline_latency_s(ops=ops, traffic_bytes=moved, **peaks)

    assert before <= roofline_latency_s(ops=ops + more, traffic_bytes=moved, **peaks)
    assert before <= roofline_latency_s(ops=ops, traffic_bytes=moved + more, **peaks)


@given(works=st.lists(st.builds(made, COUNTS, COUNTS), max_size=6), factor=FACTORS)
def test_a_faster_processor_never_makes_a_network_slower(works: list[Work], factor: float) -> None:
    slow = predict_latency(works, board())
    for faster in (board(peak=1e12 * factor), board(bandwidth=1e10 * factor)):
        assert predict_latency(works, faster).time_s <= slow.time_s


@given(works=st.lists(st.builds(made, COUNTS, COUNTS), min_size=1, max_size=6))
def test_a_network_takes_the_sum_of_its_operators_and_never_less_than_the_bound(
    works: list[Work],
) -> None:
    found = predict_latency(works, board(overhead=1e-6), fused=False)

    assert math.isclose(found.time_s, sum(row.time_s for row in found.operators))
    assert found.bound_s <= found.time_s
    assert math.isclose(sum(found.time_by_bound_s().values()), found.time_s)
    assert found.reading().low == found.bound_s


@given(macs=st.integers(1, 10**9), share=st.floats(0.01, 1.0))
def test_a_lower_efficiency_takes_longer_but_leaves_the_bound(macs: int, share: float) -> None:
    full = predict_latency([made(macs, 0)], board())
    part = predict_latency([made(macs, 0)], board(), efficiency=share)

    assert math.isclose(part.time_s, full.time_s / share)
    assert math.isclose(part.bound_s, full.bound_s)


@pytest.mark.parametrize("share", [0.0, -1.0, 1.1])
def test_an_efficiency_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="share"):
        predict_latency([made(1, 1)], board(), efficiency=share)


def test_a_view_takes_no_time() -> None:
    assert operator_time(made(0, 10**9, "view"), board(overhead=1.0)).time_s == 0


def test_each_limit_is_named() -> None:
    works = [made(10**9, 1), made(1, 10**9), made(1, 1)]
    found = predict_latency(works, board(overhead=1e-5))

    assert [row.bound for row in found.operators] == ["compute", "memory", "overhead"]


def test_a_format_that_is_lacking_is_computed_in_a_wider_one_and_said() -> None:
    found = predict_latency([made(10**9, 10**6)], processor("k80"), number_format="int8")

    assert any("computed in fp32" in note for note in found.notes)
    assert found.number_format == "int8"


def test_halving_the_width_halves_the_traffic() -> None:
    card = processor("a100-40-sxm")
    wide = operator_time(made(0, 10**9), card, number_format="fp32")
    narrow = operator_time(made(0, 10**9), card, number_format="bf16")

    assert math.isclose(narrow.memory_s, wide.memory_s / 2)


def test_an_unknown_bandwidth_bounds_nothing_and_is_said() -> None:
    chip = replace(board(), memory_bandwidth_bytes_per_s=None)
    found = predict_latency([made(10, 10**12)], chip)

    assert found.operators[0].memory_s == 0
    assert any("bandwidth" in note for note in found.notes)


@pytest.mark.parametrize("name", sorted(processors()))
def test_every_processor_times_a_network_in_every_format_that_it_has(name: str) -> None:
    chip = processor(name)
    works = network_works(network("mlp-784-300-100-10"))
    for fmt in chip.peak_ops_per_s:
        assert predict_latency(works, chip, number_format=fmt).time_s > 0


def test_a_rate_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ProcessorError, match="fp33"):
        rate_of(board(), "fp33")
    with pytest.raises(ProcessorError, match="no rate for fp64"):
        rate_of(board(), "fp64")


def test_merging_keeps_every_operation_but_those_folded_into_weights() -> None:
    conv = Work(name="conv", operator="convolution2d", kind="product", macs=100)
    norm = Work(name="bn", operator="batch_norm", kind="normalization", fusible=True, operations=7)
    relu = Work(name="relu", operator="relu", kind="elementwise", fusible=True, operations=5)
    pool = Work(name="pool", operator="max_pool2d", kind="pooling", operations=3)
    merged = fuse([relu, conv, norm, relu, pool, relu])

    assert [w.name for w in merged] == ["relu", "conv", "pool", "relu"]
    assert merged[1].operations == 5


def test_training_works_hold_forward_and_backward_products() -> None:
    net = network("mlp-784-300-100-10")
    works = training_works(network_works(net), parameters=266_610)

    assert sum(w.macs for w in works) == forward_macs(net) + backward_macs(net)
    assert works[-1].operator == "update"
    assert not any(w.fusible for w in works)
