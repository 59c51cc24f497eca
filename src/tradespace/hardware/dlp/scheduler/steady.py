"""Schedules that more memory never makes slower, whoever asks and in whatever order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tradespace.core.errors import ProcessorError
from tradespace.hardware.dlp.bounds import layer_bound
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.scheduler.plans import candidates
from tradespace.hardware.dlp.scheduler.search import TASKS, Schedule, Search, retimed
from tradespace.hardware.dlp.scheduler.table import Plan

_LEAST = 5  # the smallest memory that is looked at has 2**5 bytes

_EACH = 3  # plans that are looked at for each machine
_LONGEST = 6000  # computations of a plan that is looked at


def steady_schedule(layer: Layer, machine: Machine, *, bits: int = 32) -> Schedule:
    """Return the fastest schedule of all machines that have no more memory than this one.

    The smaller machines are those whose memories are powers of two. A larger machine has all of
    them and perhaps more, so that its schedule is never slower: the fastest of a larger set.
    A machine whose certified bound is no less than what is reached already is left out, which
    changes nothing. Memory beyond a power of two is not used, nor are plans of very many
    computations.

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
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> small = replace(load_machine(), nram_bytes=2048, wram_bytes=2048)
    >>> large = replace(small, nram_bytes=2500)
    >>> layer = dense(20, 30, 10)
    >>> steady_schedule(layer, large).ticks <= steady_schedule(layer, small).ticks
    True

    """
    best: Schedule | None = None
    done: dict[Plan, Schedule] = {}
    tables = [
        candidates(layer, machine, bits, most_tasks=TASKS, thorough=thorough)
        for thorough in (False, True)
    ]
    tables = [t.where(t.tasks <= _LONGEST) for t in tables]
    for nram in _rungs(machine.nram_bytes):
        for wram in _rungs(machine.wram_bytes):
            smaller = replace(machine, nram_bytes=nram, wram_bytes=wram)
            bound = layer_bound(layer, smaller, bits=bits)
            if best is not None and bound.certified_s >= best.time_s:
                continue
            room = np.array([nram, wram]) // (bits // 8)
            fitting = [t.where(np.all(t.needs <= room, axis=1)) for t in tables]
            found = fitting[0] if len(fitting[0]) else fitting[1]
            if not len(found):
                break  # less memory for weights does not help
            one = Search(layer, smaller, bits, bound, done).fastest(found, most=_EACH)
            best = one if best is None else min(best, one, key=_order)
    if best is None:
        msg = (
            f"No plan of layer {layer.name!r} fits machine {machine.name!r} when its memories "
            "are rounded down to powers of two (of those with few enough computations)."
        )
        raise ProcessorError(msg, remedy="Leave out the promise about memory, or add memory.")
    return retimed(best, machine)


def _order(one: Schedule) -> tuple[int, int]:
    return one.ticks, one.traffic_words


def _rungs(memory_bytes: int) -> list[int]:
    """Return the powers of two that fit, the largest first.

    Examples
    --------
    >>> _rungs(1500)
    [1024, 512, 256, 128, 64, 32]

    """
    return [2**i for i in range(memory_bytes.bit_length() - 1, _LEAST - 1, -1)]
