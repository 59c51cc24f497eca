"""Where a network is timed: by the roofline of a profile, or by programs that are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tradespace.cost.latency import Latency, predict_latency
from tradespace.graph.network import Network
from tradespace.graph.work import Work
from tradespace.hardware.profiles import Processor, processor
from tradespace.hardware.roofline import OperatorTime

#: The processor whose programs are scheduled; ``dlp:machine.yaml`` gives one's own machine.
DLP = "dlp"


@dataclass(frozen=True, slots=True)
class Timed:
    """A pass on a processor: the time of every operator, and the energy if programs give it."""

    processor: Processor
    latency: Latency
    energy_j: float | None = None
    energy_method: str = ""


def timed(
    network: Network,
    works: Sequence[Work],
    on: str | Path | Processor,
    *,
    number_format: str,
    efficiency: float = 1.0,
) -> Timed:
    """Return how long a pass takes on a processor.

    Parameters
    ----------
    network : Network
        In the format in which it runs.
    works : sequence of Work
        Its operators.
    on : str, path or Processor
        A name or a file of a profile; ``"dlp"``, whose programs are written and timed;
        ``"this-machine"`` or the name of a calibration.
    number_format : str
        Of signals and weights.
    efficiency : float
        Share of the peaks that programs reach; nothing for the deep-learning processor.

    Raises
    ------
    ProcessorError
        If there is no such processor, or it cannot compute in the format.

    Examples
    --------
    >>> from tradespace.graph.works import network_works
    >>> from tradespace.graph.zoo import network
    >>> mlp = network("mlp-784-300-100-10")
    >>> found = timed(mlp, network_works(mlp), "dlp", number_format="fp32")
    >>> round(found.latency.time_s * 1e6, 1), round(found.latency.bound_s * 1e6, 1)
    (16.8, 16.7)

    """
    text = on if isinstance(on, str) else ""
    if text == DLP or text.startswith(f"{DLP}:"):
        return _on_dlp(network, text.partition(":")[2], number_format)
    if text:
        from tradespace.cost.calibration.store import THIS_MACHINE, calibrations, load_calibration

        if text == THIS_MACHINE or text in calibrations():
            from tradespace.cost.calibration.record import predict

            made = load_calibration(text)
            return Timed(made.as_processor(), predict(works, made))
    chip = on if isinstance(on, Processor) else processor(on)
    return Timed(chip, predict_latency(works, chip, efficiency=efficiency))


def _on_dlp(network: Network, machine: str, number_format: str) -> Timed:
    from tradespace.hardware.dlp.machine_file import load_machine
    from tradespace.hardware.dlp.network import schedule_network_on

    chip = load_machine(Path(machine) if machine else None)
    found = schedule_network_on(network, chip, number_format=number_format)
    rows = tuple(
        OperatorTime(
            name=row.name,
            operator=row.operator,
            time_s=row.time_s,
            compute_s=row.time_s if row.limit == "compute" else 0.0,
            memory_s=0.0 if row.limit == "compute" else row.time_s,
            overhead_s=0.0,
            bound="compute" if row.limit == "compute" else "memory",
        )
        for row in found.rows
    )
    notes = [f"{100 * found.gap:.3g} % above the bound of its programs"]
    notes += [f"NOT in the time: {u.name} ({u.operator}): {u.reason}" for u in found.uncovered]
    latency = Latency(
        processor=DLP,
        number_format=number_format,
        operators=rows,
        time_s=found.time_s,
        bound_s=found.bound_s,
        notes=tuple(notes),
        method=found.method,
    )
    method = "energy: of the programs' moves and operations, by the machine's table"
    return Timed(processor(DLP), latency, found.energy_j, method)
