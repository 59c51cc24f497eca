"""What a candidate's network says of it before any training: certain intervals.

The encoder's number of columns is known between two bounds; everything that grows with it lies
between the network of the fewest columns and that of the most.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tradespace.components.networks import n_outputs_of
from tradespace.core.errors import InputError
from tradespace.core.readings import Reading, ReadingKind
from tradespace.core.studies import EnvironmentSpec, Task
from tradespace.cost.lower_bounds import (
    least_latency_s,
    least_training_bytes,
    least_training_s,
)
from tradespace.graph.counts import forward_macs, parameters
from tradespace.graph.memory import inference_memory
from tradespace.hardware.profiles import processor
from tradespace.hardware.profiles.records import Processor

if TYPE_CHECKING:
    from tradespace.components._base import AbstractFamily, Shape
    from tradespace.core.candidates import Candidate
    from tradespace.core.studies import Study
    from tradespace.graph.network import Network

_HERE = EnvironmentSpec().processor
_CORE = "multiply-accumulates at more operations a second than any core does"


def network_readings(
    study: Study, candidate: Candidate, family: AbstractFamily, *, task: Task, shape: Shape
) -> tuple[Reading, ...]:
    """Return what is certain of a candidate from its network; nothing if it has none.

    Parameters
    ----------
    study : Study
        Its environment gives prices and may name the processor of the service.
    candidate : Candidate
        Settings are complete.
    family : AbstractFamily
        Of the candidate.
    task : Task
        What is predicted.
    shape : Shape
        Of the training data.

    Returns
    -------
    tuple of Reading
        Counts between those of the fewest and of the most columns that the encoder can make;
        for times, costs and the memory of training, lower bounds.

    """
    settings = family.locate(candidate.settings, folder=study.folder)
    n_outputs = n_outputs_of(task, n_classes=shape.n_classes)

    def built(n_inputs: int) -> Network | None:
        return family.network(settings, n_inputs=n_inputs, n_outputs=n_outputs, task=task)

    least = max(1, shape.n_varying)
    small = built(least)
    if small is None:
        return ()
    most = least if family.raw_only else shape.n_columns
    large = small if most == least else None if most is None else built(most)
    found = [*_counts(small, large), *_service(small, study.environment)]
    run = family.training_run(settings, n_rows=shape.n_rows)
    if run is not None:
        seconds = least_training_s(small, rows=run.rows, epochs=run.least_epochs)
        how = f"{_CORE}, {run.rows:,} rows, {run.least_epochs} passes at least"
        hour = study.environment.price_per_hour_usd
        held = least_training_bytes(small, optimizer=run.optimizer, batch=run.batch)
        found += [
            _at_least("training_time", seconds, "s", how),
            _at_least("training_time_wall", seconds, "s", how),
            _at_least("training_cost", seconds / 3600 * hour, "USD", how),
            _at_least(
                "training_memory",
                held + (4.0 * least * shape.n_rows if held else 0.0),
                "B",
                f"weights, gradients, {run.optimizer} and activations of {run.batch} rows, and the "
                "training rows; less what the process may have had free",
            ),
        ]
    return tuple(found)


def _counts(small: Network, large: Network | None) -> Iterator[Reading]:
    method = f"counted on the network {small.name}"
    if large is None:
        method += " or a wider one"
    elif large is not small:
        method += f" to {large.name}"
    for quality, unit, count in (
        ("parameters", "1", parameters),
        ("macs", "1", forward_macs),
        ("inference_memory", "B", lambda network: inference_memory(network).peak_bytes),
    ):
        low = float(count(small))
        high = math.inf if large is None else float(count(large))
        value = low if low == high else math.nan
        yield Reading(quality, value, low, high, unit, ReadingKind.PREDICTED, method)


def _service(network: Network, environment: EnvironmentSpec) -> Iterator[Reading]:
    chip = named_processor(environment)
    seconds = least_latency_s(network, on=chip)
    how = _CORE if chip is None else f"arithmetic and traffic at the peaks of {chip.name}"
    for which in ("p50", "p95", "p99"):
        yield _at_least(f"latency_{which}", seconds, "s", how)
    if seconds:
        rate = 1 / seconds
        yield Reading("throughput", math.nan, 0.0, rate, "1/s", ReadingKind.PREDICTED, how)
    million = 1e6 * seconds / 3600 * environment.price_per_hour_usd
    yield _at_least("cost_per_million_predictions", million, "USD", how)


def named_processor(environment: EnvironmentSpec) -> Processor | None:
    """Return the processor that an environment names, if its profile is known.

    Examples
    --------
    >>> named_processor(EnvironmentSpec()) is None
    True
    >>> named_processor(EnvironmentSpec(processor="jetson-nano")).name
    'Jetson Nano 4 GB'

    """
    if environment.processor == _HERE:
        return None
    try:
        return processor(environment.processor)
    except InputError:
        # A name for people, not of a profile: what is measured here stands for it.
        return None


def _at_least(quality: str, low: float, unit: str, method: str) -> Reading:
    return Reading(quality, math.nan, low, math.inf, unit, ReadingKind.PREDICTED, method)
