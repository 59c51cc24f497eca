"""What training a network takes: memory, and time, energy, money and carbon on a processor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tradespace.core.errors import InputError
from tradespace.core.plain import plain_fields
from tradespace.cost.latency import Latency, predict_latency, training_works
from tradespace.cost.running import fits, spent
from tradespace.graph.memory import OPTIMIZERS, TrainingMemory
from tradespace.graph.network import Network
from tradespace.graph.work import Work
from tradespace.hardware.profiles import Processor, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A training step, and a run of many where the number of samples is known.

    Parameters
    ----------
    optimizer, number_format : str
        How.
    batch : int
        Samples of a step on one chip.
    forward_macs, backward_macs : int
        Of a step on one chip.
    memory : TrainingMemory
        Of a chip.
    processor : Processor, optional
        Where.
    fits : bool, optional
        Whether the step fits into its memory.
    step : Latency, optional
        Time of a step: forward, backward, update.
    chips : int
        Working on parts of the data.
    steps : int, optional
        Of the run.
    time_s, energy_j, carbon_g : float, optional
        Of the run; of one step if the number of samples is not known.
    usd : tuple of float, optional
        From the lowest to the highest price.
    assumptions : tuple of str
        What the figures rest on.

    """

    optimizer: str
    number_format: str
    batch: int
    forward_macs: int
    backward_macs: int
    memory: TrainingMemory
    processor: Processor | None = None
    fits: bool | None = None
    step: Latency | None = None
    chips: int = 1
    steps: int | None = None
    time_s: float | None = None
    energy_j: float | None = None
    usd: tuple[float, float] | None = None
    carbon_g: float | None = None
    assumptions: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **plain_fields(self, number_format="format"),
            "memory": plain_fields(self.memory, but=("saved_by_node",)),
            "processor": None if self.processor is None else self.processor.id,
            "step": None if self.step is None else self.step.summary(),
        }


def training(
    network: Network,
    works: Sequence[Work],
    memory: TrainingMemory,
    *,
    optimizer: str,
    number_format: str,
    forward_macs: int,
    backward_macs: int,
    processor: Processor | None = None,
    region: Region | None = None,
    chips: int = 1,
    samples: float | None = None,
    efficiency: float = 1.0,
) -> Training:
    """Return what training takes.

    Parameters
    ----------
    network : Network
        In the format of training, with the batch of a step.
    works : sequence of Work
        Of its forward pass.
    memory : TrainingMemory
        Of a step.
    optimizer, number_format : str
        Names.
    forward_macs, backward_macs : int
        Counts.
    processor : Processor, optional
        Where; without one only memory and operations are known.
    region : Region, optional
        Whose electricity it takes.
    chips : int
        Working on parts of the data.
    samples : float, optional
        Seen in the whole run: rows times epochs.
    efficiency : float
        Share of the peaks that programs reach, in (0, 1].

    Raises
    ------
    InputError
        If chips or samples are not positive.

    """
    if chips < 1 or (samples is not None and not 0 < samples < math.inf):
        msg = f"Training needs at least one chip and one sample; got {chips} and {samples}."
        raise InputError(msg, remedy="Write --chips 8 --samples 1.28e6, for example.")
    made = Training(
        optimizer=optimizer,
        number_format=number_format,
        batch=network.batch,
        forward_macs=forward_macs,
        backward_macs=backward_macs,
        memory=memory,
        chips=chips,
    )
    if processor is None:
        return made
    trainable = sum(p.elements for p in network.parameters if p.trainable)
    gradient = 2 if number_format in ("bf16", "fp16") else 4
    master = 4 if number_format in ("bf16", "fp16") else 0
    step = predict_latency(
        training_works(
            works,
            parameters=trainable,
            gradient_bytes=gradient,
            state_bytes=4 * OPTIMIZERS[optimizer] + master,
            weight_bytes=gradient,
        ),
        processor,
        number_format=None,
        fused=False,
        efficiency=efficiency,
    )
    steps = None if samples is None else math.ceil(samples / (network.batch * chips))
    seconds = step.time_s * (steps or 1)
    assumptions = ["a step: forward, backward and update, nothing merged", step.method]
    assumptions += [note for note in step.notes if note not in step.method]
    if chips > 1:
        assumptions.append(f"{chips} chips, each with its own batch; exchanging gradients is free")
    taken = spent(processor, seconds=seconds, chips=chips, region=region)
    return replace(
        made,
        processor=processor,
        fits=fits(memory.peak_bytes, processor),
        step=step,
        steps=steps,
        time_s=seconds,
        energy_j=taken.energy_j,
        usd=taken.usd,
        carbon_g=taken.carbon_g,
        assumptions=(*assumptions, *taken.assumptions),
    )
