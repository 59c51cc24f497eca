"""Time of a network on a processor by its roofline, and the work of training it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tradespace.core.plain import plain_fields
from tradespace.core.readings import Reading, ReadingKind
from tradespace.graph.formats import BITS
from tradespace.graph.work import Work
from tradespace.hardware.profiles.records import Processor
from tradespace.hardware.roofline import OperatorTime, rate_of, time_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A predicted time with what it rests on.

    Parameters
    ----------
    processor, number_format : str
        Where and in which format.
    operators : tuple of OperatorTime
        In order; operators that were merged into the one before are not among them.
    time_s : float
        Sum over operators, overheads included.
    bound_s : float
        The least to be expected: of a roofline the time without overheads, faster than which no
        program is that runs operator by operator; of a calibration by its largest error.
    high_s : float
        The most to be expected; infinite where nothing bounds it.
    notes : tuple of str
        What a reader has to know.
    method : str
        How it was found.

    """

    processor: str
    number_format: str
    operators: tuple[OperatorTime, ...]
    time_s: float
    bound_s: float
    notes: tuple[str, ...]
    method: str
    high_s: float = math.inf

    def time_by_bound_s(self) -> dict[str, float]:
        """Return the time of operators by the limit that they hit."""
        found = {"compute": 0.0, "memory": 0.0, "overhead": 0.0}
        for row in self.operators:
            found[row.bound] += row.time_s
        return found

    def reading(self, quality: str = "latency") -> Reading:
        """Return it as a prediction, between the bound and the most to be expected."""
        return Reading(
            quality,
            self.time_s,
            self.bound_s,
            self.high_s,
            "s",
            ReadingKind.PREDICTED,
            self.method,
            {"processor": self.processor, "format": self.number_format},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        times = {"time_by_bound_s": self.time_by_bound_s()}
        return {**plain_fields(self, number_format="format"), **times}

    def summary(self) -> dict[str, Any]:
        """Return plain data without the operators."""
        return {key: value for key, value in self.to_dict().items() if key != "operators"}


def fuse(works: Sequence[Work]) -> list[Work]:
    """Return the works as runtimes for inference run them: fusible ones merged.

    Batch normalizations disappear into the weights before them, activations work on results
    that are still in registers: neither moves bytes nor is started by itself. A fusible
    operator with nothing before it that computes stays.

    Examples
    --------
    >>> conv = Work(name="conv", operator="convolution2d", kind="product", macs=9)
    >>> relu = Work(name="relu", operator="relu", kind="elementwise", fusible=True)
    >>> [w.name for w in fuse([conv, relu, relu])]
    ['conv']

    """
    kept: list[Work] = []
    for work in works:
        if work.kind == "view":
            continue
        if work.fusible and kept and kept[-1].kind in ("product", "normalization"):
            last = kept[-1]
            added = 0 if work.kind == "normalization" else work.operations
            kept[-1] = replace(last, operations=last.operations + added)
        else:
            kept.append(work)
    return kept


def predict_latency(
    works: Sequence[Work],
    processor: Processor,
    *,
    number_format: str | None = None,
    fused: bool = True,
    efficiency: float = 1.0,
) -> Latency:
    """Return the time of a sequence of operators by the roofline.

    An estimate that knows nothing of the programs: real ones reach a part of both peaks, on
    server processors usually 30 to 80 %. A calibration predicts better, for the machine that
    it was made on.

    Parameters
    ----------
    works : sequence of Work
        Operators in order.
    processor : Processor
        Where they run.
    number_format : str, optional
        Format to run in; the works' own unless given.
    fused : bool
        Merge what runtimes for inference merge.
    efficiency : float
        Share of both peaks that programs reach, in (0, 1].

    Raises
    ------
    ProcessorError
        If the processor cannot compute in the format.

    Examples
    --------
    >>> from tradespace.hardware.profiles import processor
    >>> dense = Work(name="fc", operator="dense", kind="product", macs=10**9,
    ...              read_bytes=10**6, write_bytes=10**6)
    >>> found = predict_latency([dense], processor("t4"), number_format="fp16")
    >>> round(found.time_s * 1e6, 1), found.operators[0].bound
    (35.8, 'compute')

    """
    if not 0 < efficiency <= 1:
        from tradespace.core.errors import InputError

        msg = f"The efficiency is a share of the peak in (0, 1]; got {efficiency}."
        raise InputError(msg, remedy="Write 0.5, for example, or leave it out.")
    sequence = fuse(works) if fused else [w for w in works if w.kind != "view"]
    bandwidth = (processor.memory_bandwidth_bytes_per_s or math.inf) * efficiency
    rates = {fmt: rate_of(processor, fmt) for fmt in _formats(sequence, number_format)}
    scales = {
        own: BITS[number_format] / BITS[own] if number_format else 1.0
        for own in {w.format for w in sequence}
    }
    rows = tuple(
        time_at(
            work,
            ops_per_s=rates[_computed(number_format or work.format)].ops_per_s * efficiency,
            bandwidth_bytes_per_s=bandwidth,
            overhead_s=processor.launch_overhead_s,
            traffic_scale=scales[work.format],
        )
        for work in sequence
    )
    notes = [rate.note for rate in rates.values() if rate.note]
    if processor.memory_bandwidth_bytes_per_s is None:
        notes.append(f"the bandwidth of {processor.id} is not known: traffic bounds nothing")
    total = math.fsum(row.time_s for row in rows)
    overhead = math.fsum(row.overhead_s for row in rows)
    method = "roofline: the longer of arithmetic and traffic at "
    method += "peak" if efficiency == 1 else f"{100 * efficiency:g} % of the peaks"
    overhead_us = processor.launch_overhead_s * 1e6
    if overhead_us:
        source = processor.source_of("launch_overhead_s").text
        method += f", {overhead_us:g} us an operator ({source})"
    return Latency(
        processor=processor.id,
        number_format=number_format or _main_format(sequence),
        operators=rows,
        time_s=total,
        bound_s=(total - overhead) * efficiency,
        notes=tuple(notes),
        method=method,
    )


def _main_format(works: Sequence[Work]) -> str:
    """Return the format in which most is computed."""
    most = max(works, key=lambda w: (w.format in _COMPUTED, w.macs, w.operations), default=None)
    return "fp32" if most is None else _computed(most.format)


def _computed(fmt: str) -> str:
    """Return the format in which signals of a format are computed: indices cost no rate."""
    return fmt if fmt in _COMPUTED else "fp32"


_COMPUTED = ("fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "int8", "int4")


def _formats(works: Sequence[Work], number_format: str | None) -> set[str]:
    if number_format:
        return {number_format}
    return {_computed(work.format) for work in works}


def training_works(
    works: Sequence[Work],
    *,
    parameters: int,
    gradient_bytes: int = 4,
    state_bytes: int = 8,
    weight_bytes: int = 4,
) -> list[Work]:
    """Return the works of one training step: forward, backward, update.

    Parameters
    ----------
    works : sequence of Work
        A forward pass.
    parameters : int
        Trainable parameters.
    gradient_bytes, state_bytes, weight_bytes : int
        Bytes a parameter of its gradient, of the optimizer's state and of its stored value.

    Returns
    -------
    list of Work
        The backward pass takes two products of the same size for each product (the gradients
        of its two operands; the first product of the network has one, as nobody asks for
        the gradient of the network's input) and twice the traffic of everything else. Nothing
        is merged: training keeps what lies between. The update reads gradient, state and value
        of each parameter and writes state and value.

    Examples
    --------
    >>> w = Work(name="fc", operator="dense", kind="product", macs=100, read_bytes=8)
    >>> [(x.name, x.macs) for x in training_works([w, w], parameters=10)][2:]
    [('fc backward', 200), ('fc backward', 100), ('update', 0)]

    """
    forward = [replace(w, fusible=False) for w in works if w.kind != "view"]
    first = next((i for i, w in enumerate(forward) if w.macs and w.weight_bytes), None)
    if first is None:
        first = next((i for i, w in enumerate(forward) if w.macs), None)
    backward = [_backward(w, once=i == first) for i, w in enumerate(forward)]
    moved = gradient_bytes + state_bytes + weight_bytes
    update = Work(
        name="update",
        operator="update",
        kind="elementwise",
        operations=10 * parameters,
        read_bytes=parameters * moved,
        write_bytes=parameters * (state_bytes + weight_bytes),
        elements=parameters,
    )
    return [*forward, *reversed(backward), update]


def _backward(work: Work, *, once: bool) -> Work:
    times = 1 if once else 2
    return replace(
        work,
        name=f"{work.name} backward",
        macs=times * work.macs,
        operations=times * work.operations,
        read_bytes=times * work.read_bytes,
        write_bytes=times * work.write_bytes,
    )
