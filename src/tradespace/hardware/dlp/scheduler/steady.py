"""Schedules that more memory never makes slower, whoever asks and in whatever order."""

from __future__ import annotations

from dataclasses import replace

from tradespace.core.errors import ProcessorError
from tradespace.hardware.dlp.bounds import layer_bound
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.scheduler.search import Schedule, retimed, schedule

_LEAST = 5  # the smallest memory that is looked at has 2**5 bytes


def steady_schedule(layer: Layer, machine: Machine, *, bits: int = 32) -> Schedule:
    """Return the fastest schedule of all machines that have no more memory than this one.

    The smaller machines are those whose memories are powers of two. A larger machine has all of
    them and perhaps more, so that its schedule is never slower: the fastest of a larger set.
    A machine whose certified bound is no less than what is reached already is left out, which
    changes nothing. Memory beyond a power of two is not used.

    Parameters
    ----------
    layer : Layer
        What to compute.
    machine : Machine
        Where; everything but its memories is taken as it is.
    bits : int
        Number format, 32 or 16.

    Raises
    ------
    ProcessorError
        If no plan fits memories that are powers of two.

    Examples
    --------
    >>> from tradespace.hardware.dlp.layers import dense
    >>> from tradespace.hardware.dlp.machine import load_machine
    >>> small = replace(load_machine(), nram_bytes=2048, wram_bytes=2048)
    >>> large = replace(small, nram_bytes=2500)
    >>> layer = dense(20, 30, 10)
    >>> steady_schedule(layer, large).ticks <= steady_schedule(layer, small).ticks
    True

    """
    best: Schedule | None = None
    for nram in _rungs(machine.nram_bytes):
        for wram in _rungs(machine.wram_bytes):
            smaller = replace(machine, nram_bytes=nram, wram_bytes=wram)
            if best is not None:
                proved = layer_bound(layer, smaller, bits=bits).certified_s
                if proved >= best.time_s:
                    continue
            try:
                found = schedule(layer, smaller, bits=bits)
            except ProcessorError:
                break  # less memory for weights does not help
            if best is None or (found.ticks, found.traffic_words) < (
                best.ticks,
                best.traffic_words,
            ):
                best = found
    if best is None:
        return schedule(layer, machine, bits=bits)  # raises, or finds what needs less still
    return retimed(best, machine)


def _rungs(memory_bytes: int) -> list[int]:
    """Return the powers of two that fit, the largest first.

    Examples
    --------
    >>> _rungs(1500)
    [1024, 512, 256, 128, 64, 32]

    """
    return [2**i for i in range(memory_bytes.bit_length() - 1, _LEAST - 1, -1)]
