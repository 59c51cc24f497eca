"""What a candidate's network says of it before any training: certain intervals, and estimates.

The encoder's number of columns is known between two bounds; everything that grows with it lies
between the network of the fewest columns and that of the most. Times have a certain lower end;
their value is an estimate, which cuts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from tradespace.components._base import n_scores
from tradespace.components.networks import training_cpu_s
from tradespace.core import registry
from tradespace.core.errors import InputError
from tradespace.core.readings import Reading
from tradespace.core.studies import EnvironmentSpec, Task
from tradespace.core.suggest import nearest
from tradespace.cost.latency import predict_latency
from tradespace.graph.counts import NodeCounts, backward_macs, node_counts
from tradespace.graph.works import network_works
from tradespace.hardware.profiles import processor, processors
from tradespace.hardware.profiles.records import Processor
from tradespace.qualities.foreseen import Estimate, ForeseenNetwork

if TYPE_CHECKING:
    from tradespace.components._base import AbstractFamily, Shape
    from tradespace.components.networks import TrainingRun
    from tradespace.core.candidates import Candidate
    from tradespace.core.studies import Study
    from tradespace.graph.network import Network
    from tradespace.qualities._base import AbstractQuality

_HERE = EnvironmentSpec().processor
_CORE = "multiply-accumulates at more operations a second than any core does"


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
    n_outputs = n_scores(task, shape=shape)

    def built(n_inputs: int) -> Network | None:
        return family.network(settings, n_inputs=n_inputs, n_outputs=n_outputs, task=task)

    least = max(1, shape.n_varying)
    small = built(least)
    if small is None:
        return ()
    most = least if family.raw_only else shape.n_columns
    large = small if most == least else None if most is None else built(most)
    rows = node_counts(small)
    run = family.training_run(settings, n_rows=shape.n_rows)
    network = ForeseenNetwork(
        least=small,
        rows=rows,
        most=large,
        most_rows=rows if large is small else None if large is None else node_counts(large),
        environment=study.environment,
        processor=named_processor(study.environment),
        latency=estimate(large or small),
        run=run,
        training=None if run is None else _training(small, rows, run),
        shape=shape,
    )
    return tuple(foreseen(network))


def foreseen(network: ForeseenNetwork) -> Iterator[Reading]:
    """Yield what every registered quality foresees of a network; those of predictions, nothing."""
    for row in registry.qualities().values():
        if "predictions" not in row.needs:
            quality = cast("type[AbstractQuality]", registry.load(row))()
            if (reading := quality.foresee(network)) is not None:
                yield reading


def _training(network: Network, rows: Sequence[NodeCounts], run: TrainingRun) -> Estimate:
    macs, backward = sum(row.macs for row in rows), backward_macs(network, rows=rows)
    how = "about: half of the passes that are allowed, within a factor of ten"
    return Estimate(training_cpu_s(run, macs=macs, backward=backward), how)


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
    """Return warnings about the processor that a study names."""
    environment = study.environment
    if environment.processor == _HERE or named_processor(environment) is not None:
        return ()
    return (
        f"No processor {environment.processor!r} is known ('tradespace list processors'): nothing "
        "is predicted for it, and times measured on this machine stand for it.",
    )
