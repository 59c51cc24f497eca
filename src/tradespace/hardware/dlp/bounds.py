"""How fast a layer can be at best, with the reason. Proofs are in ``docs/dlp/bounds.md``."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isqrt

from tradespace.hardware.dlp.costs import Ticks
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine

SOURCE = (
    "Smith, Lowery, Langou, van de Geijn, A Tight I/O Lower Bound for Matrix Multiplication, 2017"
)
ASSUMPTIONS = (
    "every operation of the layer's definition is executed, products with padded zeros included",
    "operands come from DRAM and results go there; each output is accumulated in one word",
    "all of NRAM and WRAM together hold any words, as one fast memory (a relaxation)",
)


@dataclass(frozen=True, slots=True)
class Bound:
    """Lower bounds of one layer on one machine.

    ``traffic_words`` is Q*, the least words across the chip's edge; ``t0_s`` = max(operations /
    rate, Q* / bandwidth); ``certified_s`` is T*, T0 with the ends that nothing avoids; no
    valid program of the layer is faster.
    """

    compulsory_words: int
    traffic_words: int
    traffic_reason: str
    compute_s: float
    transfer_s: float
    t0_s: float
    certified_s: float
    start_s: float
    end_s: float

    @property
    def limit(self) -> str:
        """What decides: "compute" or "transfer"."""
        return "compute" if self.compute_s >= self.transfer_s else "transfer"


def layer_bound(layer: Layer, machine: Machine, *, bits: int = 32) -> Bound:
    """Return the lower bounds of a layer.

    Examples
    --------
    >>> from tradespace.hardware.dlp.layers import dense
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> bound = layer_bound(dense(32, 256, 128), load_machine())
    >>> bound.t0_s, bound.traffic_words
    (4.096e-06, 45056)

    """
    ticks = Ticks.of(machine)
    word = bits // 8
    capacity = (machine.nram_bytes + machine.wram_bytes) // word
    compulsory = layer.input_words + layer.weight_words + layer.output_words
    reuse = _reuse(layer)
    traffic, reason = compulsory, "each word once"
    if layer.operation == "MAC":
        # 2 MACs / sqrt(R S) - 2 S, rounded down in whole numbers
        least = isqrt(4 * layer.macs_inside**2 // (reuse * capacity)) - 2 * capacity
        if least > traffic:
            traffic, reason = least, "2 MACs / sqrt(R S) - 2 S"
    each = ticks.operation(f"{layer.operation}_{bits}")
    word_ticks = word * ticks.byte
    compute, transfer = layer.macs * each, traffic * word_ticks
    start = int(_start_ticks(layer, each, word_ticks))
    end = word_ticks
    certified = max(compute + start + end, transfer + (each if layer.output_words == 1 else 0))
    return Bound(
        compulsory_words=compulsory,
        traffic_words=traffic,
        traffic_reason=reason,
        compute_s=ticks.seconds(compute),
        transfer_s=ticks.seconds(transfer),
        t0_s=ticks.seconds(max(compute, transfer)),
        certified_s=ticks.seconds(certified),
        start_s=ticks.seconds(start),
        end_s=ticks.seconds(end),
    )


def program_bound_s(
    machine: Machine, operations: dict[str, int] | tuple[tuple[str, int], ...], dram_bytes: int
) -> float:
    """Return the least time of the work in a program: both lanes full, all overlapped."""
    ticks = Ticks.of(machine)
    compute = sum(ticks.operation(kind) * n for kind, n in dict(operations).items())
    return ticks.seconds(max(compute, dram_bytes * ticks.byte))


def _reuse(layer: Layer) -> int:
    """Return R: how often a word of the input stands in the unfolded input matrix at most."""
    (height, width), (down, right) = layer.window, layer.stride
    return ceil(height / down) * ceil(width / right)


def _start_ticks(layer: Layer, each: int, word_ticks: int) -> Fraction:
    """Return how long the matrix unit idles at the start, whatever the program does.

    From w words at most w^2/4 products can be formed (a word of the input and a word of the
    weights meet in one product at most), so that at time w words / bandwidth the unit lags
    behind by at least that time minus w^2/4 operations. Products with padded zeros need no
    input and may fill the gap.
    """
    if layer.operation != "MAC":
        return Fraction(2 * word_ticks if layer.kind == "elementwise" else word_ticks)
    free = layer.macs - layer.macs_inside
    most = layer.input_words + layer.weight_words
    best = Fraction(0)
    peak = 2 * word_ticks // each
    for words in {2, min(most, max(2, peak)), min(most, max(2, peak - 1)), min(most, peak + 1)}:
        done = (words // 2) * ((words + 1) // 2) + free
        best = max(best, Fraction(words * word_ticks - min(done, layer.macs) * each))
    return best
