"""Finds the best plan: candidates in order of their least time, evaluated until none can win."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from tradespace.core.errors import ProcessorError
from tradespace.hardware.dlp.bounds import Bound, layer_bound
from tradespace.hardware.dlp.costs import Ticks, compute_energy_j, move_energy_j
from tradespace.hardware.dlp.instructions import Program
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.scheduler.balance import Balanced, balance
from tradespace.hardware.dlp.scheduler.emit import write_program
from tradespace.hardware.dlp.scheduler.planewise import Planewise, stream_planes
from tradespace.hardware.dlp.scheduler.plans import candidates
from tradespace.hardware.dlp.scheduler.streaming import Streaming, stream_columns, stream_rows
from tradespace.hardware.dlp.scheduler.table import (
    COLUMNS,
    PLANES,
    ROWS,
    TILES,
    Integers,
    Numbers,
    Plan,
    Rates,
    Table,
    panel_ratio,
    store_ratio,
)
from tradespace.hardware.dlp.scheduler.tiling import tile_results
from tradespace.hardware.dlp.scheduler.work import Work

Objective = Literal["time", "traffic", "energy"]
_EVALUATIONS = 6
_EFFORT = 3000  # computations that a search may look at
_EACH = 60  # computations that a plan costs besides
_SMALL = 1500
_ENOUGH = 1.0001  # of what is proved
_FAR = 1.001  # of it: worth looking longer
_NEARLY = 1.0002  # of what is hoped for, where looking costs more
TASKS = 1200
_TURNS = 24  # plans of a kind that may be looked at
_SIZES = {  # by kind, the settings that tell tiles apart: blocks, rows, columns, orders
    COLUMNS: [0, 3],
    ROWS: [0, 1, 3],
    TILES: [0, 1, 2, 8],
    PLANES: [0, 1],
}


@dataclass(frozen=True)
class Schedule:
    """A layer scheduled: its plan, time and traffic, and how far it is from the bound."""

    layer: Layer
    machine: Machine
    bits: int
    plan: Plan
    work: Work
    balanced: Balanced
    ticks: int
    time_s: float
    traffic_words: int
    energy_j: float
    bound: Bound

    @property
    def n_segments(self) -> int:
        """Segments that take time."""
        pairs = zip(self.balanced.moves, self.balanced.computes, strict=True)
        return sum(1 for moves, computes in pairs if moves or computes)

    @property
    def gap(self) -> float:
        """Time over the certified bound, less one."""
        return self.time_s / self.bound.certified_s - 1

    @cached_property
    def program(self) -> Program:
        """The program, written when it is first asked for."""
        return write_program(self.layer, self.plan, self.work, self.balanced, bits=self.bits)


def schedule(
    layer: Layer,
    machine: Machine,
    *,
    bits: int = 32,
    objectives: tuple[Objective, ...] = ("time", "traffic", "energy"),
    slack: float = 0.0,
    max_segments: int | None = None,
    known: tuple[Schedule, ...] = (),
) -> Schedule:
    """Return the best schedule found.

    Parameters
    ----------
    layer : Layer
        What to compute.
    machine : Machine
        Where.
    bits : int
        Number format, 32 or 16.
    objectives : tuple of str
        In order of importance.
    slack : float
        By how much the first objective may be worse than its best, for the sake of the
        second: 0.01 accepts 1 % more time for less traffic.
    max_segments : int, optional
        Most segments, for programs that are to be read.
    known : tuple of Schedule
        Schedules of the same layer for machines that have less of something and more of
        nothing. Their programs stay available, so that the result is never slower than theirs.

    Raises
    ------
    ProcessorError
        If no plan fits the machine.

    Examples
    --------
    >>> from tradespace.hardware.dlp.layers import dense
    >>> from tradespace.hardware.dlp.machine_file import load_machine
    >>> found = schedule(dense(32, 256, 128), load_machine())
    >>> found.time_s < 4103e-9
    True

    """
    found = candidates(layer, machine, bits, most_tasks=max_segments or TASKS)
    if not len(found):
        found = candidates(layer, machine, bits, most_tasks=max_segments or TASKS, thorough=True)
    if not len(found):
        msg = (
            f"No plan of layer {layer.name!r} fits machine {machine.name!r} "
            f"({machine.nram_bytes} bytes of NRAM, {machine.wram_bytes} of WRAM)."
        )
        raise ProcessorError(msg, remedy="Use larger memories or a smaller number format.")
    if max_segments is not None:
        few = found.tasks <= max_segments
        found = found.where(few if few.any() else found.tasks == found.tasks.min())
    bound = layer_bound(layer, machine, bits=bits)
    search = Search(layer, machine, bits, bound)
    unknown = set(objectives) - {"time", "traffic", "energy"}
    if unknown or not objectives or slack < 0:
        msg = f"Objectives are {', '.join(objectives) or 'empty'} and slack is {slack}."
        raise ProcessorError(msg, remedy="Use time, traffic, energy in any order; slack from 0.")
    primary = objectives[0]
    if primary != "time":
        best = search.least(found, np.lexsort((found.ticks, found.words)), objectives)
    else:
        best = search.fastest(found)
        if slack > 0 and len(objectives) > 1:
            limit = int(best.ticks * (1 + slack))
            leaner = found.where((found.ticks <= limit) & (found.words < best.traffic_words))
            best = search.leanest(leaner, np.lexsort((leaner.ticks, leaner.words)), limit) or best
    for other in known:
        need = other.plan.memory_words(layer)
        if need[0] * bits // 8 <= machine.nram_bytes and need[1] * bits // 8 <= machine.wram_bytes:
            again = search.retimed(other)
            best = min(best, again, key=lambda s: (s.ticks, s.traffic_words))
    return best


def _preference(found: Table, word: int) -> Numbers:
    """Return what candidates are ordered by: their time, with a little for what else they cost.

    Among almost equal times, plans that move less keep their promise more often, and those of
    few computations make short programs that are found soon.
    """
    many = (found.tasks > TASKS).astype(float) + (found.tasks > 4 * TASKS)
    share = 1 + 1e-8 * found.tasks + 3e-4 * many
    return np.asarray(found.ticks * share + 0.001 * word * found.words)


def retimed(one: Schedule, machine: Machine) -> Schedule:
    """Return the very program of a schedule, timed on another machine that it fits."""
    bound = layer_bound(one.layer, machine, bits=one.bits)
    return Search(one.layer, machine, one.bits, bound).retimed(one)


def pareto(
    layer: Layer,
    machine: Machine,
    *,
    bits: int = 32,
    slacks: tuple[float, ...] = (0.0, 0.001, 0.01, 0.1),
) -> tuple[Schedule, ...]:
    """Return schedules none of which is both faster and leaner than another."""
    made: list[Schedule] = []
    for slack in slacks:
        one = schedule(layer, machine, bits=bits, slack=slack)
        if all(one.traffic_words < other.traffic_words for other in made):
            made.append(one)
    return tuple(made)


def _mixed(found: Table, preference: Numbers) -> list[int]:
    """Return the first few candidates, kinds of plans taking turns, no two of one tile size."""
    turns: list[tuple[int, float, int]] = []
    for kind, columns in _SIZES.items():
        mine = np.flatnonzero(found.kinds == kind)
        order = mine[np.lexsort((found.words[mine], preference[mine]))]
        seen: set[tuple[int, ...]] = set()
        for at in order:
            size = tuple(found.settings[at, columns])
            if size not in seen:
                turns.append((len(seen), float(found.ticks[at]), int(at)))
                seen.add(size)
            if len(seen) == _TURNS:
                break
    return [at for _, _, at in sorted(turns)]


@dataclass(slots=True)
class Search:
    """Evaluates plans of one layer on one machine; no plan twice."""

    layer: Layer
    machine: Machine
    bits: int
    bound: Bound
    done: dict[Plan, Schedule] = field(default_factory=dict)

    def fastest(self, found: Table, *, most: int | None = None) -> Schedule:
        """Return the fastest of the candidates, in order of their least time."""
        preference = _preference(found, Rates.of(self.layer, self.machine, self.bits).word)
        best: Schedule | None = None
        spent = 0
        ticks = Ticks.of(self.machine)
        least = float(found.ticks.min())
        proved = self.bound.certified_s * ticks.per_s  # nothing is faster
        for at in _mixed(found, preference)[:most]:
            if best is not None:
                small = spent < _SMALL  # then it costs little to doubt the estimates
                enough = _ENOUGH * proved if small else _NEARLY * max(least, proved)
                effort = _EFFORT if best.ticks <= _FAR * max(least, proved) else 1.5 * _EFFORT
                if best.ticks <= enough or spent > effort:
                    break
                if found.ticks[at] * (0.8 if small else 1.0) >= best.ticks:
                    continue
            made = self.evaluate(found.plan(at))
            spent += len(made.work.tasks) + _EACH
            if best is None or (made.ticks, made.traffic_words) < (best.ticks, best.traffic_words):
                best = made
        assert best is not None  # noqa: S101 - what our own code guarantees
        return best

    def least(self, found: Table, order: Integers, objectives: tuple[Objective, ...]) -> Schedule:
        """Return the best by the objectives among the first few."""

        def rank(made: Schedule) -> tuple[float, ...]:
            values = {"time": made.time_s, "traffic": made.traffic_words, "energy": made.energy_j}
            return tuple(values[objective] for objective in objectives)

        tried = (self.evaluate(found.plan(at)) for at in order[:_EVALUATIONS])
        return min(tried, key=rank)

    def leanest(self, found: Table, order: Integers, limit: int) -> Schedule | None:
        """Return the candidate with least traffic within a limit of time."""
        for at in order[: 2 * _EVALUATIONS]:
            made = self.evaluate(found.plan(at))
            if made.ticks <= limit:
                return made
        return None

    def evaluate(self, plan: Plan) -> Schedule:
        """Return the schedule of a plan, its time exact."""
        if plan in self.done:
            return self.done[plan]
        layer, machine, bits = self.layer, self.machine, self.bits
        rates, ticks = Rates.of(layer, machine, bits), Ticks.of(machine)
        if isinstance(plan, Planewise):
            work = stream_planes(layer, plan)
        elif isinstance(plan, Streaming):
            rows = plan.rows or layer.rows
            ratio = panel_ratio(layer, rates, rows=rows, block=plan.block)
            taper = store_ratio(layer, rates)
            build = stream_rows if plan.rows else stream_columns
            work = build(layer, plan, ratio=max(1.0, ratio), taper=taper)
        else:
            ratio = panel_ratio(layer, rates, rows=plan.rows, block=plan.block)
            work = tile_results(layer, plan, ratio=max(1.0, ratio))
        computes = self.computes(work, ticks)
        balanced = balance(work, computes, word_ticks=rates.word, overhead_ticks=rates.overhead)
        self.done[plan] = self.schedule(plan, work, balanced)
        return self.done[plan]

    def retimed(self, other: Schedule) -> Schedule:
        """Return the very program of another schedule, timed on this machine."""
        rates, ticks = Rates.of(self.layer, self.machine, self.bits), Ticks.of(self.machine)
        computes = self.computes(other.work, ticks)
        before = other.balanced
        arithmetic = [0] * len(before.computes)
        for task, at in enumerate(before.segment):
            arithmetic[at] = computes[task]
        moves = [
            (sum(x.words for x in loads) + sum(x.words for x in stores)) * rates.word
            + (len(loads) + len(stores)) * rates.overhead
            for loads, stores in zip(before.loads, before.stores, strict=True)
        ]
        total = sum(map(max, moves, arithmetic))
        balanced = replace(before, ticks=total, moves=moves, computes=arithmetic)
        return self.schedule(other.plan, other.work, balanced)

    def computes(self, work: Work, ticks: Ticks) -> list[int]:
        """Return the ticks of each task."""
        layer, width = self.layer, self.layer.window[1]
        kind = f"{layer.operation}_{self.bits}"
        if self.machine.array is None and not self.machine.whole_cycles:
            each, overhead = ticks.operation(kind), ticks.overhead
            return [task.operations * each + overhead for task in work.tasks]
        return [
            ticks.compute(
                kind,
                task.operations,
                (task.out.n1 - task.out.n0, (task.c1 - task.c0) * (task.f1 - task.f0) * width)
                if layer.operation == "MAC"
                else None,
            )
            for task in work.tasks
        ]

    def schedule(self, plan: Plan, work: Work, balanced: Balanced) -> Schedule:
        """Return the record of a plan with its moves dealt out."""
        return Schedule(
            layer=self.layer,
            machine=self.machine,
            bits=self.bits,
            plan=plan,
            work=work,
            balanced=balanced,
            ticks=balanced.ticks,
            time_s=Ticks.of(self.machine).seconds(balanced.ticks),
            traffic_words=work.words,
            energy_j=self.energy(work, f"{self.layer.operation}_{self.bits}"),
            bound=self.bound,
        )

    def energy(self, work: Work, kind: str) -> float:
        """Return the energy of the moves, computations and instructions."""
        size = self.bits // 8
        inputs = sum(x.words for x in work.loads if len(x.box) == 9)
        weights = sum(x.words for x in work.loads if len(x.box) == 8)
        results = sum(x.words for x in work.stores)
        operations = sum(task.operations for task in work.tasks)
        count = len(work.loads) + len(work.stores) + len(work.tasks)
        return (
            move_energy_j(self.machine, "DRAM", "NRAM", (inputs + results) * size)
            + move_energy_j(self.machine, "DRAM", "WRAM", weights * size)
            + compute_energy_j(self.machine, kind, operations)
            + count * self.machine.energy.instruction_j
        )
