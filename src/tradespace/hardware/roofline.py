"""The least time in which an operator can run, and which limit it hits.

A lower bound with perfect overlap of arithmetic and traffic, plus the cost of starting the
operator. What real kernels reach of it is the work of `tradespace.cost.calibration.record`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tradespace.core.errors import ProcessorError
from tradespace.core.suggest import allowed_text
from tradespace.graph.formats import BITS
from tradespace.graph.work import Work
from tradespace.hardware.profiles.records import FORMATS, Processor

Bound = Literal["compute", "memory", "overhead"]

#: What a program does where a processor lacks a format: compute in a wider one that holds all
#: its values, in order of preference.
_WIDER = {
    "int4": ("int8", "fp8", "fp16", "bf16", "fp32"),
    "int8": ("fp16", "bf16", "fp32"),
    "fp8": ("fp16", "bf16", "fp32"),
    "fp16": ("fp32",),
    "bf16": ("fp32",),
    "tf32": ("fp32",),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate at which a format is computed, and in which format that happens."""

    ops_per_s: float
    computed_in: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """The roofline of one operator.

    Parameters
    ----------
    name, operator : str
        Of the work.
    time_s : float
        The longer of compute and memory, plus the overhead.
    compute_s, memory_s, overhead_s : float
        What arithmetic, traffic and starting take, each for itself.
    bound : str
        Which of them decides: ``"compute"``, ``"memory"`` or ``"overhead"``.

    """

    name: str
    operator: str
    time_s: float
    compute_s: float
    memory_s: float
    overhead_s: float
    bound: Bound


def roofline_latency_s(
    *,
    ops: float,
    traffic_bytes: float,
    peak_ops_per_s: float,
    bandwidth_bytes_per_s: float = math.inf,
    overhead_s: float = 0.0,
) -> float:
    """Return the least time in which a kernel can run, plus its overhead.

    Parameters
    ----------
    ops : float
        Arithmetic operations; one multiply-accumulate counts as two.
    traffic_bytes : float
        Bytes moved between the processor and its memory.
    peak_ops_per_s, bandwidth_bytes_per_s : float
        Peaks of the processor; positive.
    overhead_s : float
        Time of starting it.

    Returns
    -------
    float
        Seconds, lower is better.

    Raises
    ------
    ProcessorError
        If a peak is zero or negative.

    References
    ----------
    S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual performance
    model for multicore architectures", Communications of the ACM 52(4), 2009.
    doi:10.1145/1498765.1498785

    Examples
    --------
    A 1000 x 1000 single-precision matrix times a vector, at 1 Gop/s and 1 GB/s: 4 MB take
    4 ms, 2 Mop take 2 ms, so memory decides.

    >>> roofline_latency_s(
    ...     ops=2e6, traffic_bytes=4e6, peak_ops_per_s=1e9, bandwidth_bytes_per_s=1e9
    ... )
    0.004

    """
    if not (peak_ops_per_s > 0 and bandwidth_bytes_per_s > 0):
        msg = f"Peaks must be positive; got {peak_ops_per_s} op/s, {bandwidth_bytes_per_s} B/s."
        raise ProcessorError(msg, remedy="Correct the profile of the processor.")
    return max(ops / peak_ops_per_s, traffic_bytes / bandwidth_bytes_per_s) + overhead_s


def rate_of(processor: Processor, number_format: str) -> Rate:
    """Return how fast a processor computes in a format.

    Where it lacks the format, or computes faster in a wider one, programs convert and compute
    in that; the note says so.

    Raises
    ------
    ProcessorError
        If it has neither the format nor a wider one.

    Examples
    --------
    >>> from tradespace.hardware.profiles import processor
    >>> rate_of(processor("k80"), "fp16")
    Rate(ops_per_s=8740000000000.0, computed_in='fp32', note='k80 has no fp16: computed in fp32')

    """
    if number_format not in FORMATS:
        msg = f"Unknown number format {number_format!r}."
        raise ProcessorError(msg, remedy=f"Use one of {', '.join(FORMATS)}.")
    peaks = processor.peak_ops_per_s
    own = peaks.get(number_format, 0.0)
    for wider in _WIDER.get(number_format, ()):
        if peaks.get(wider, 0.0) > own:
            why = "is faster in" if own else "has no"
            lacking = wider if own else number_format
            note = f"{processor.id} {why} {lacking}: computed in {wider}"
            return Rate(peaks[wider], wider, note)
    if own:
        return Rate(own, number_format)
    msg = f"{processor.id!r} has no rate for {number_format}."
    remedy = f"It has {allowed_text(peaks)}." if peaks else "Its profile states no rate at all."
    raise ProcessorError(msg, remedy=remedy)


def operator_time(
    work: Work, processor: Processor, *, number_format: str | None = None
) -> OperatorTime:
    """Return the roofline of one operator.

    Parameters
    ----------
    work : Work
        What it asks.
    processor : Processor
        Where it runs; an unknown bandwidth bounds nothing.
    number_format : str, optional
        Format to run in; the work's own unless given. Its bytes are scaled by the width.

    Raises
    ------
    ProcessorError
        If the processor cannot compute in the format.

    Examples
    --------
    >>> from tradespace.hardware.profiles import processor
    >>> dense = Work(name="fc", operator="dense", kind="product", macs=16_777_216,
    ...              read_bytes=67_125_248, write_bytes=16_384)
    >>> found = operator_time(dense, processor("dlp"))
    >>> found.bound, round(found.time_s * 1e3, 3)
    ('memory', 1.049)

    """
    fmt = number_format or work.format
    rate = rate_of(processor, fmt).ops_per_s
    scale = BITS[fmt] / BITS[work.format] if fmt != work.format else 1.0
    return time_at(
        work,
        ops_per_s=rate,
        bandwidth_bytes_per_s=processor.memory_bandwidth_bytes_per_s or math.inf,
        overhead_s=processor.launch_overhead_s,
        traffic_scale=scale,
    )


def time_at(
    work: Work,
    *,
    ops_per_s: float,
    bandwidth_bytes_per_s: float,
    overhead_s: float,
    traffic_scale: float = 1.0,
) -> OperatorTime:
    """Return the roofline of one operator at given rates; a view takes no time."""
    if work.kind == "view":
        return OperatorTime(work.name, work.operator, 0.0, 0.0, 0.0, 0.0, "overhead")
    compute = (2 * work.macs + work.operations) / ops_per_s
    memory = (work.read_bytes + work.write_bytes) * traffic_scale / bandwidth_bytes_per_s
    longer = max(compute, memory)
    bound: Bound = "compute" if compute >= memory else "memory"
    if overhead_s > longer:
        bound = "overhead"
    return OperatorTime(
        work.name, work.operator, longer + overhead_s, compute, memory, overhead_s, bound
    )
