"""A whole network on the deep-learning processor: time, bound, traffic and energy by operator.

Scheduled layers have programs that run; what streams past the vector unit has a program at the
abstract level. The time of an operator is that of its programs one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from tradespace.core.errors import ProcessorError
from tradespace.graph.network import Network
from tradespace.hardware.dlp.bounds import Bound
from tradespace.hardware.dlp.costs import Ticks, compute_energy_j, move_energy_j
from tradespace.hardware.dlp.instructions import FORMATS
from tradespace.hardware.dlp.layers import Layer, dense
from tradespace.hardware.dlp.lowering import Step, network_steps, split_layer
from tradespace.hardware.dlp.machine import Machine
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.results import NetworkOnDlp, OperatorOnDlp, Uncovered
from tradespace.hardware.dlp.scheduler.search import Objective, Schedule, schedule
from tradespace.hardware.dlp.scheduler.steady import steady_schedule
from tradespace.hardware.dlp.simulator.closed_form import Timing
from tradespace.hardware.dlp.streamed import fits_on_chip, time_moves, time_recurrence, time_stream


class Settings(TypedDict, total=False):
    """How schedules are searched for, as described at `schedule_network_on`."""

    objectives: tuple[Objective, ...]
    slack: float
    max_segments: int | None
    steady: bool
    known: Sequence[NetworkOnDlp]


def schedule_network_on(
    network: Network,
    machine: Machine | None = None,
    *,
    number_format: str = "fp32",
    **settings: Unpack[Settings],
) -> NetworkOnDlp:
    """Return what a network takes on the processor, operator by operator.

    Parameters
    ----------
    network : Network
        Of the zoo or read from a file.
    machine : Machine, optional
        That of the exercises unless given.
    number_format : str
        ``"fp32"`` or ``"fp16"``, for signals and weights.
    objectives, slack, max_segments
        As in `schedule`, for every layer.
    steady : bool
        Schedule every layer so that more memory never makes it slower (`steady_schedule`), for
        time alone; takes seconds a layer.
    known : sequence of NetworkOnDlp
        The same network on machines that have no more of anything: their programs stay
        available, so that the result is never slower.

    Raises
    ------
    ProcessorError
        If the machine has no such format.

    Examples
    --------
    >>> from tradespace.graph.zoo import network
    >>> found = schedule_network_on(network("mlp-784-300-100-10"))
    >>> [row.name for row in found.rows], found.coverage
    (['hidden1', 'hidden2', 'output', 'softmax'], 1.0)
    >>> found.macs, found.bound_s <= found.time_s <= 1.02 * found.bound_s
    (266200, True)

    """
    chip = load_machine() if machine is None else machine
    bits = _bits(chip, number_format)
    work = _Scheduler(chip, bits, **settings)
    rows: list[OperatorOnDlp] = []
    uncovered: list[Uncovered] = []
    for step in network_steps(network, number_format=number_format):
        if step.how == "none":
            uncovered.append(_uncovered(step, step.reason))
            continue
        try:
            rows.append(work.row(step))
        except ProcessorError as error:
            uncovered.append(_uncovered(step, str(error)))
    return NetworkOnDlp(
        network=network.name,
        machine=chip.name,
        number_format=number_format,
        rows=tuple(rows),
        uncovered=tuple(uncovered),
    )


def schedule_layers_on(
    layers: Iterable[Layer],
    machine: Machine | None = None,
    *,
    number_format: str = "fp32",
    **settings: Unpack[Settings],
) -> NetworkOnDlp:
    """Return what layers take, one after the other, in the same record as a network.

    Raises
    ------
    ProcessorError
        If no plan of a layer fits the machine.

    Examples
    --------
    >>> found = schedule_layers_on([dense(32, 256, 128)])
    >>> found.time_s < 4103e-9, found.rows[0].limit
    (True, 'compute')

    """
    chip = load_machine() if machine is None else machine
    bits = _bits(chip, number_format)
    work = _Scheduler(chip, bits, **settings)
    chosen = tuple(layers)
    rows = tuple(work.row(_step_of(layer, bits)) for layer in chosen)
    name = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} layers"
    return NetworkOnDlp(network=name, machine=chip.name, number_format=number_format, rows=rows)


def _step_of(layer: Layer, bits: int) -> Step:
    parts = tuple(split_layer(layer))
    return Step(
        name=layer.name,
        operator=layer.kind,
        how="scheduled",
        parts=parts,
        macs=layer.macs if layer.operation == "MAC" else 0,
        read_bytes=(layer.input_words + layer.weight_words) * bits // 8,
        write_bytes=layer.output_words * bits // 8,
        exact=parts == ((layer, 1),),
    )


def _bits(chip: Machine, number_format: str) -> int:
    if number_format not in FORMATS:
        msg = f"The deep-learning processor has no number format {number_format!r}."
        raise ProcessorError(msg, remedy=f"Use {' or '.join(FORMATS)}.")
    bits = FORMATS[number_format]
    chip.per_cycle("MAC", bits)  # raises if it has none
    chip.per_cycle("ADD", bits)
    return bits


def _uncovered(step: Step, reason: str) -> Uncovered:
    return Uncovered(name=step.name, operator=step.operator, reason=reason, macs=step.macs)


@dataclass
class _Scheduler:
    """Times steps; equal layers are scheduled once."""

    machine: Machine
    bits: int
    objectives: tuple[Objective, ...] = ("time", "traffic", "energy")
    slack: float = 0.0
    max_segments: int | None = None
    steady: bool = False
    known: Sequence[NetworkOnDlp] = ()

    def __post_init__(self) -> None:
        self.earlier: dict[Layer, list[Schedule]] = {}
        for found in self.known:
            for one in {id(s): s for row in found.rows for s, _ in row.schedules}.values():
                self.earlier.setdefault(replace(one.layer, name=""), []).append(one)
        self.ticks = ticks = Ticks.of(self.machine)
        self.mac = ticks.operation(f"MAC_{self.bits}")
        self.operation = ticks.operation(f"ADD_{self.bits}")
        self.done: dict[Layer, Schedule] = {}

    def layer(self, layer: Layer) -> Schedule:
        """Return the schedule of a layer."""
        form = replace(layer, name="")
        if form not in self.done and self.steady:
            self.done[form] = steady_schedule(layer, self.machine, bits=self.bits)
        elif form not in self.done:
            self.done[form] = schedule(
                layer,
                self.machine,
                bits=self.bits,
                objectives=self.objectives,
                slack=self.slack,
                max_segments=self.max_segments,
                known=tuple(self.earlier.get(form, ())),
            )
        return replace(self.done[form], layer=layer)

    def row(self, step: Step) -> OperatorOnDlp:
        """Return what a step takes."""
        if step.how == "scheduled":
            return self.scheduled(step)
        if step.how == "recurrent":
            return self.recurrent(step)
        if step.how == "moved":
            timing = time_moves(
                self.machine, read_bytes=step.read_bytes, write_bytes=step.write_bytes
            )
        else:
            timing = time_stream(
                self.machine,
                read_bytes=step.read_bytes,
                write_bytes=step.write_bytes,
                operations=step.operations + 2 * step.macs,  # as products and sums
                bits=self.bits,
            )
        return self._row(step, timing.time_s, timing.dram_bytes, timing.energy_j)

    def scheduled(self, step: Step) -> OperatorOnDlp:
        """Return what layers take with what is merged into them."""
        found = tuple((self.layer(layer), times) for layer, times in step.parts)
        time_s, moved, energy = self._sum(found)
        time_s += self.beside(step.operations, step.bias_bytes)
        moved += step.bias_bytes
        energy += self._vector_energy(step.operations)
        energy += move_energy_j(self.machine, "DRAM", "NRAM", step.bias_bytes)
        bound = found[0][0].bound if step.exact else None
        counted = 0 if step.macs else sum(s.layer.macs * times for s, times in found)
        step = replace(step, operations=step.operations + counted)
        return self._row(step, time_s, moved, energy, bound, found)

    def recurrent(self, step: Step) -> OperatorOnDlp:
        """Return what a recurrent layer takes: its input products, then step after step."""
        found = tuple((self.layer(layer), times) for layer, times in step.parts)
        time_s, moved, energy = self._sum(found)
        if fits_on_chip(self.machine, step.recurrences, bits=self.bits):
            timing: Timing = time_recurrence(
                self.machine, step.recurrences, operations=step.operations, bits=self.bits
            )
            time_s += timing.time_s
            moved += timing.dram_bytes
            energy += timing.energy_j
        else:
            repeated = tuple(
                (self.layer(dense(r.m, r.k, r.n, name=f"{step.name}.step")), r.sets * r.steps)
                for r in step.recurrences
            )
            more_s, more, spent = self._sum(repeated)
            first = step.recurrences[0]  # the sums from the inputs come back in each step
            back = first.sets * first.steps * first.m * first.n * self.bits // 8
            time_s += more_s + self.beside(step.operations, back)
            moved += more + back
            energy += spent + self._vector_energy(step.operations)
            energy += move_energy_j(self.machine, "DRAM", "NRAM", back)
            found += repeated
        time_s += self.beside(0, step.bias_bytes)
        return self._row(step, time_s, moved + step.bias_bytes, energy, None, found)

    def beside(self, operations: int, size_bytes: int) -> float:
        """Return the time of vector operations and moves that nothing hides."""
        return self.ticks.seconds(operations * self.operation + size_bytes * self.ticks.byte)

    def _sum(self, found: tuple[tuple[Schedule, int], ...]) -> tuple[float, int, float]:
        size = self.bits // 8
        return (
            sum(s.time_s * times for s, times in found),
            sum(s.traffic_words * times for s, times in found) * size,
            sum(s.energy_j * times for s, times in found),
        )

    def _vector_energy(self, operations: int) -> float:
        return compute_energy_j(self.machine, f"ADD_{self.bits}", operations)

    def _row(
        self,
        step: Step,
        time_s: float,
        moved: int,
        energy: float,
        bound: Bound | None = None,
        schedules: tuple[tuple[Schedule, int], ...] = (),
    ) -> OperatorOnDlp:
        seconds = self.ticks.seconds
        if bound is None:
            least = step.read_bytes + step.write_bytes
            compute = seconds(step.macs * self.mac + step.operations * self.operation)
            transfer = seconds(least * self.ticks.byte)
            bound_s = max(compute, transfer)
        else:
            inside = 0 if step.macs else schedules[0][0].layer.macs
            extra = seconds((step.operations - inside) * self.operation)
            least = bound.traffic_words * self.bits // 8
            transfer = bound.transfer_s
            # with other operations about, the unit may have some to do at the start
            compute = bound.compute_s + extra + bound.end_s
            bound_s = max(compute, transfer) if extra else bound.certified_s
        return OperatorOnDlp(
            name=step.name,
            operator=step.operator,
            how=step.how,
            time_s=time_s,
            bound_s=bound_s,
            limit="compute" if compute >= transfer else "transfer",
            macs=step.macs,
            operations=step.operations,
            traffic_bytes=moved,
            bound_bytes=least,
            energy_j=energy,
            merged=step.merged,
            schedules=schedules,
        )
