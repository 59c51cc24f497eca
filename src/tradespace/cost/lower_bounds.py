"""Times and memory that nobody can go below, for what must be certain before any training.

A roofline estimates; these bound. They count only multiply-accumulates, two operations each,
and divide them by more than the fastest core does. For a convolution only one multiplication
for each output and input channel is counted, because transforms (Winograd, FFT) save the rest.
Products by Strassen's rule are left out: no runtime for inference uses it.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence

from tradespace.core.errors import ProcessorError
from tradespace.graph.counts import NodeCounts, backward_macs, node_counts
from tradespace.graph.memory import training_memory, weights_bytes
from tradespace.graph.network import Network
from tradespace.graph.work import Work
from tradespace.graph.works import network_works
from tradespace.hardware.profiles.records import Processor
from tradespace.hardware.roofline import rate_of

#: No processor is sold with a higher clock; the fastest boost to 6.2 GHz.
_MOST_CLOCK_HZ = 7e9
#: Operations of a core of x86 in a clock: two units for fused multiply-adds of 512 bits; AMX for
#: the short formats.
_MOST_PER_CLOCK = {"fp64": 32, "fp32": 64, "tf32": 512, "fp16": 1024, "bf16": 1024, "int8": 2048}
#: Operations a second of any other core. The fastest known multiplies matrices of fp32 on a unit
#: that it shares with its cluster, at 2.3e12 (S. Remke and A. Breuer, "Hello SME!", 2024,
#: arXiv:2409.18779).
_MOST_ELSEWHERE = {"fp64": 2e12, "fp32": 4e12}
_MOST_SHORT = 16e12
_X86 = ("x86_64", "amd64", "i386", "i686")
_SHORT = ("int8", "uint8", "int4", "fp8")
#: Memory that a process may have had at hand before, so that it is not seen to grow.
SLACK_BYTES = 16e6


def most_ops_per_s_of_a_core(number_format: str = "fp32", *, machine: str | None = None) -> float:
    """Return more operations a second than one core reaches.

    Parameters
    ----------
    number_format : str
        In which products are computed; one that is not known counts as the fastest.
    machine : str, optional
        As `platform.machine` names it; this machine if None.

    Examples
    --------
    >>> most_ops_per_s_of_a_core("fp32", machine="x86_64")
    448000000000.0

    """
    name = (platform.machine() if machine is None else machine).lower()
    if name in _X86:
        per_clock = _MOST_PER_CLOCK.get(number_format, 2 * _MOST_PER_CLOCK["int8"])
        return per_clock * _MOST_CLOCK_HZ
    return _MOST_ELSEWHERE.get(number_format, _MOST_SHORT)


def least_ops(works: Sequence[Work]) -> dict[str, float]:
    """Return the operations that no algorithm saves, by number format.

    Examples
    --------
    >>> conv = Work(name="c", operator="convolution2d", kind="product", macs=900, window=9)
    >>> least_ops([conv])
    {'fp32': 200.0}

    """
    found: dict[str, float] = {}
    for work in works:
        if work.macs:
            found[work.format] = found.get(work.format, 0.0) + 2 * work.macs / max(1, work.window)
    return found


def least_latency_s(
    network: Network,
    *,
    on: Processor | None = None,
    machine: str | None = None,
    batched: bool = False,
    rows: Sequence[NodeCounts] | None = None,
) -> float:
    """Return a time that no pass through a network goes below, in seconds.

    Parameters
    ----------
    network : Network
        For the rows of one call.
    on : Processor, optional
        Whose peaks bound it, all cores together; one core of this machine if None. Weights that
        do not fit twice into its largest memory on the chip are read from off the chip.
    machine : str, optional
        Kind of core, for `most_ops_per_s_of_a_core`.
    batched : bool
        Whether calls may be put together: weights that are read once then serve many, so that
        arithmetic alone bounds the time of each.
    rows : sequence of NodeCounts, optional
        Counts of the network's nodes, where they are at hand.

    Examples
    --------
    784-300-100-10 has 266,200 multiply-accumulates: 532,400 operations at 448e9 a second.

    >>> from tradespace.graph.zoo import network
    >>> round(least_latency_s(network("mlp-784-300-100-10"), machine="x86_64") * 1e6, 2)
    1.19

    """
    ops = least_ops(network_works(network, rows))
    held = {p.format for p in network.parameters} | {t.format for t in network.tensors}
    # Runtimes compute quantized signals in their short format, however the file spells them.
    short = bool(held.intersection(_SHORT))
    if on is None:
        return sum(
            n / most_ops_per_s_of_a_core("int4" if short else fmt, machine=machine)
            for fmt, n in ops.items()
        )
    compute = sum(n / _rate(on, "int8" if short else fmt) for fmt, n in ops.items())
    if batched or not on.memory_bandwidth_bytes_per_s or not on.on_chip_bytes:
        return compute
    streamed = max(0.0, weights_bytes(network) - 2 * on.on_chip_bytes)
    return max(compute, streamed / on.memory_bandwidth_bytes_per_s)


def _rate(processor: Processor, number_format: str) -> float:
    """Return the fastest that a processor computes a format or a rounded form of it."""
    rates = [processor.peak_ops_per_s.get("tf32", 0.0)]
    try:
        rates.append(rate_of(processor, number_format).ops_per_s)
    except ProcessorError:
        rates += processor.peak_ops_per_s.values()
    return max(rates) or float("inf")


def least_training_s(
    network: Network,
    *,
    samples: float,
    machine: str | None = None,
    rows: Sequence[NodeCounts] | None = None,
) -> float:
    """Return CPU seconds that no training by gradients goes below, on one core.

    Parameters
    ----------
    network : Network
        For one row.
    samples : float
        Rows that are seen, each as often as the passes.
    machine : str, optional
        Kind of core, for `most_ops_per_s_of_a_core`.
    rows : sequence of NodeCounts, optional
        Counts of the network's nodes, where they are at hand.

    Examples
    --------
    >>> from tradespace.graph.zoo import network
    >>> net = network("mlp-784-300-100-10")
    >>> round(least_training_s(net, samples=12 * 60_000, machine="x86_64"), 2)
    1.81

    """
    rows = node_counts(network) if rows is None else rows
    works = network_works(network, rows)
    least = sum(least_ops(works).values())
    if all(work.window == 1 for work in works if work.macs):
        macs = sum(row.macs for row in rows) + backward_macs(network, rows=rows)
        least = 2.0 * macs
    return samples * least / most_ops_per_s_of_a_core("fp32", machine=machine)


def least_training_bytes(network: Network, *, optimizer: str, batch: int) -> float:
    """Return bytes that a training in fp32 takes at least.

    Weights, gradients, the optimizer's state and the activations that the backward pass needs;
    `SLACK_BYTES` less, which a process may have had free already.

    Parameters
    ----------
    network : Network
        For one row.
    optimizer : str
        One of `tradespace.graph.memory.OPTIMIZERS`.
    batch : int
        Rows in a step.

    Examples
    --------
    >>> from tradespace.graph.zoo.mlp import mlp
    >>> net = mlp(widths=(1000, 4000, 1000))  # 8,005,000 parameters, four numbers each
    >>> least_training_bytes(net, optimizer="adam", batch=1)
    112104000.0

    """
    found = training_memory(network, optimizer=optimizer, device="cpu")
    return max(0.0, found.state_bytes + batch * found.saved_bytes - SLACK_BYTES)
