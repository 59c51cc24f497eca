"""What a candidate's network says of it before any training: certain intervals, and estimates.

The encoder's number of columns is known between two bounds; everything that grows with it lies
between the network of the fewest columns and that of the most. Times have a certain lower end;
their value is an estimate, which cuts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tradespace.components.networks import n_outputs_of
from tradespace.core.errors import InputError
from tradespace.core.readings import Reading, ReadingKind
from tradespace.core.studies import EnvironmentSpec, Task
from tradespace.core.suggest import nearest
from tradespace.cost.latency import predict_latency
from tradespace.cost.lower_bounds import (
    least_latency_s,
    least_training_bytes,
    least_training_s,
)
from tradespace.explore.predict_cost import training_cpu_s
from tradespace.graph.counts import NodeCounts, backward_macs, node_counts, parameters
from tradespace.graph.memory import inference_memory
from tradespace.graph.works import network_works
from tradespace.hardware.profiles import processor, processors
from tradespace.hardware.profiles.records import Processor

if TYPE_CHECKING:
    from tradespace.components._base import AbstractFamily, Shape, TrainingRun
    from tradespace.core.candidates import Candidate
    from tradespace.core.studies import Study
    from tradespace.graph.network import Network

Rows = Sequence[NodeCounts]

_HERE = EnvironmentSpec().processor
_CORE = "multiply-accumulates at more operations a second than any core does"


@dataclass(frozen=True, slots=True)
class Estimate:
    """About how long something takes, and how that was found."""

    seconds: float
    method: str


#: From a network for one row to the estimate of a pass; None where nothing is known to go by.
Estimator = Callable[["Network"], Estimate | None]


def latency_estimator(environment: EnvironmentSpec) -> Estimator:
    """Return what estimates the latency of networks in an environment.

    The roofline of the processor that the environment names; else the latest calibration of
    this machine's runtime, if there is one (``tradespace calibrate``).
    """
    chip = named_processor(environment)
    if chip is not None:
        return lambda network: _by_roofline(network, chip)
    from tradespace.cost.calibration.record import predict
    from tradespace.cost.calibration.store import load_calibration

    try:
        made = load_calibration()
    except InputError:
        return _unknown
    if (made.runtime, made.device) != ("onnxruntime", "cpu"):
        return _unknown

    def by_calibration(network: Network) -> Estimate:
        found = predict(network_works(network), made)
        return Estimate(found.time_s, f"{found.method}; preprocessing left out")

    return by_calibration


def _unknown(network: Network) -> None:
    del network


def _by_roofline(network: Network, chip: Processor) -> Estimate | None:
    try:
        found = predict_latency(network_works(network), chip)
    except InputError:
        return None
    return Estimate(found.time_s, f"{found.method} of {chip.name}")


def network_readings(
    study: Study,
    candidate: Candidate,
    family: AbstractFamily,
    *,
    task: Task,
    shape: Shape,
    estimate: Estimator = _unknown,
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
    estimate : callable
        Estimates the latency, from `latency_estimator`.

    Returns
    -------
    tuple of Reading
        Counts between those of the fewest and of the most columns that the encoder can make;
        for times, costs and the memory of training, lower bounds. The value of a time is an
        estimate, nan where there is none.

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
    rows = node_counts(small)
    more = rows if large is small else None if large is None else node_counts(large)
    found = [
        *_counts((small, rows), None if large is None or more is None else (large, more)),
        *_service(small, rows, study.environment, estimate(large or small)),
    ]
    run = family.training_run(settings, n_rows=shape.n_rows)
    if run is not None:
        held = least_training_bytes(small, optimizer=run.optimizer, batch=run.batch)
        rows_bytes = 4.0 * least * shape.n_rows if held else 0.0
        about_s = training_cpu_s(
            run, macs=sum(row.macs for row in rows), backward=backward_macs(small, rows=rows)
        )
        found += _training_times(small, rows, run, study, about_s)
        found += _at_least(
            "training_memory",
            held + rows_bytes,
            "B",
            f"weights, gradients, {run.optimizer} and activations of {run.batch} rows, and the "
            "training rows; less what the process may have had free",
        )
    return tuple(found)


def _training_times(
    network: Network, rows: Rows, run: TrainingRun, study: Study, about_s: float
) -> Iterator[Reading]:
    low = least_training_s(network, samples=run.rows * run.least_epochs, rows=rows)
    how = (
        f"at least: {_CORE}, {run.rows:,} rows, {run.least_epochs} passes; about: half of the "
        "passes that are allowed, within a factor of ten"
    )
    hour = study.environment.price_per_hour_usd / 3600
    yield from _at_least("training_time", low, "s", how, about=about_s)
    yield from _at_least("training_time_wall", low, "s", how, about=about_s)
    yield from _at_least("training_cost", low * hour, "USD", how, about=about_s * hour)


def _counts(least: tuple[Network, Rows], most: tuple[Network, Rows] | None) -> Iterator[Reading]:
    method = f"counted on the network {least[0].name}"
    if most is None:
        method += " or a wider one"
    elif most[0].name != least[0].name:
        method += f" to {most[0].name}"
    for quality, unit, count in (
        ("parameters", "1", lambda network, _: parameters(network)),
        ("macs", "1", lambda _, rows: sum(row.macs for row in rows)),
        ("inference_memory", "B", lambda network, _: inference_memory(network).peak_bytes),
    ):
        low = float(count(*least))
        high = math.inf if most is None else float(count(*most))
        value = low if low == high else math.nan
        yield Reading(quality, value, low, high, unit, ReadingKind.PREDICTED, method)


def _service(
    network: Network, rows: Rows, environment: EnvironmentSpec, estimate: Estimate | None
) -> Iterator[Reading]:
    chip = named_processor(environment)
    seconds = least_latency_s(network, on=chip, rows=rows)
    how = _CORE if chip is None else f"arithmetic and traffic at the peaks of {chip.name}"
    if estimate is None:
        yield from _at_least("latency_p50", seconds, "s", how)
    else:
        both = f"at least: {how}; about: {estimate.method}"
        yield from _at_least("latency_p50", seconds, "s", both, about=estimate.seconds)
    yield from _at_least("latency_p95", seconds, "s", how)
    yield from _at_least("latency_p99", seconds, "s", how)
    seconds = least_latency_s(network, on=chip, rows=rows, batched=True)
    if seconds:
        rate = 1 / seconds
        yield Reading("throughput", math.nan, 0.0, rate, "1/s", ReadingKind.PREDICTED, how)
    million = 1e6 * seconds / 3600 * environment.price_per_hour_usd
    yield from _at_least("cost_per_million_predictions", million, "USD", how)


def named_processor(environment: EnvironmentSpec) -> Processor | None:
    """Return the processor that an environment names, None for this machine.

    None too for a name for people that is like no profile's: what is measured on this machine
    stands for it, and `processor_doubts` says so.

    Raises
    ------
    ProcessorError
        If there is no profile of that name, but one of nearly that name, or its file is wrong.

    Examples
    --------
    >>> named_processor(EnvironmentSpec()) is None
    True
    >>> named_processor(EnvironmentSpec(processor="jetson-nano")).name
    'Jetson Nano 4 GB'

    """
    if environment.processor == _HERE:
        return None
    name = environment.processor
    is_file = name.endswith((".yaml", ".yml"))
    return processor(name) if is_file or nearest(name, processors()) is not None else None


def processor_doubts(study: Study) -> tuple[str, ...]:
    """Return what to mind of the processor that a study names."""
    environment = study.environment
    if environment.processor == _HERE or named_processor(environment) is not None:
        return ()
    return (
        f"No processor {environment.processor!r} is known ('tradespace list processors'): nothing "
        "is predicted for it, and times measured on this machine stand for it.",
    )


def _at_least(
    quality: str, low: float, unit: str, method: str, *, about: float = math.nan
) -> Iterator[Reading]:
    """Yield a lower bound with an estimate; nothing where the bound says nothing."""
    if low > 0:
        value = about if math.isnan(about) else max(low, about)
        yield Reading(quality, value, low, math.inf, unit, ReadingKind.PREDICTED, method)
