"""From what a person gives to everything that a price needs, each figure with its source."""

from __future__ import annotations

from typing import Any

from tradespace.core.errors import InputError
from tradespace.core.suggest import allowed_text, nearest
from tradespace.cost.price.arithmetic import chip_hours_of, training_flop
from tradespace.cost.price.records import ASKED, Asked, Inputs
from tradespace.cost.price.running import fill_running
from tradespace.cost.price.tables import TrainingRun, training_run, training_runs
from tradespace.hardware.profiles import Processor
from tradespace.hardware.profiles import processor as find_processor
from tradespace.hardware.roofline import rate_of

#: Taken where nothing else is known.
DEFAULT_UTILIZATION, UTILIZATIONS = 0.33, (0.20, 0.54)
#: Formats of training, fastest and safest first.
_FORMATS = ("bf16", "fp16", "tf32", "fp32")


def resolve(what: str | None = None, **given: Any) -> Inputs:
    """Return everything that a price needs; see `tradespace.cost.price.price.price`."""
    asked = Asked(**given)
    on, hours = asked.on, asked.hours
    run, network = _subject(what)
    chip = None
    if on is not None:
        chip = on if isinstance(on, Processor) else find_processor(on)
    elif run is not None and run.processor:
        chip = find_processor(run.processor)
    there = run if run is not None and (on is None or (chip and chip.id == run.processor)) else None
    title = run.name if run else network or "This run"
    made = Inputs(name=title, run=run, processor=chip)
    if run is not None and run.notes and there is not None:
        made.remarks.append(run.notes)
    made.flop = _flop(made, network, asked)
    made.chips = _chips(made, there, asked.chips)
    rated = (asked.flop, asked.tokens, asked.samples, asked.rate_flop_per_s, asked.utilization)
    asked_rate = any(x is not None for x in rated)
    if hours is not None:
        made.take("duration", hours, "h", ASKED)
        made.chip_hours = hours * made.chips
    elif there is not None and there.hours is not None and not asked_rate:
        its_chips = there.chips or 1.0
        made.chip_hours = made.take("chip-hours", there.hours * its_chips, "h", there.source)
    elif made.flop is not None:
        made.chip_hours = _hours(made, asked)
    else:
        msg = f"Neither operations nor hours of {title!r} follow from what is given."
        raise InputError(
            msg,
            remedy="Give --flop, or --params and --tokens, or --hours; for a network of the zoo "
            "also --samples or --tokens.",
        )
    if made.chip_hours is not None:
        fill_running(made, there, asked)
    return made


def _subject(what: str | None) -> tuple[TrainingRun | None, str | None]:
    """Return the published run and the network of the zoo of a name."""
    from tradespace.core.errors import GraphError
    from tradespace.graph.zoo import network_row, networks

    if what is None:
        return None, None
    run = training_run(what)
    try:
        found: str | None = network_row(run.id if run else what).name
    except GraphError:
        found = None
    if run is None and found is None:
        names = [*training_runs(), *networks()]
        guess = nearest(what, names)
        msg = (
            f"{what!r} is neither a published training run nor a network of the zoo; "
            f"runs are: {allowed_text(training_runs())}."
        )
        hint = f"Did you mean {guess!r}? " if guess else ""
        raise InputError(msg, remedy=f"{hint}A run of your own needs no name: give --flop.")
    return run, found


def _flop(made: Inputs, network: str | None, asked: Asked) -> float | None:
    run = made.run
    parameters, tokens = asked.parameters, asked.tokens
    if asked.flop is not None:
        return made.take("operations", asked.flop, "FLOP", ASKED)
    if asked.samples is not None:
        return _samples_flop(made, network, asked.samples)
    factor = run.flop_per_parameter_token if run and run.flop_per_parameter_token else 6.0
    if parameters is None and tokens is None and run is not None and run.flop is not None:
        return made.take("operations", run.flop, "FLOP", run.source)
    size, source = parameters, ASKED
    if size is None and run is not None and run.parameters is not None:
        size, source = run.parameters, run.source
    elif size is None and network is not None and tokens is not None:
        from tradespace.graph.counts import parameters as count
        from tradespace.graph.zoo import network as build

        size, source = float(count(build(network))), f"counted in {network!r} of the zoo"
    seen, whence = tokens, ASKED
    if seen is None and run is not None and run.tokens is not None:
        seen, whence = run.tokens, run.source
    if size is None or seen is None:
        if parameters is not None or tokens is not None:
            lacking = "--tokens" if seen is None else "--params"
            msg = f"Operations follow from parameters and tokens; {lacking} is missing."
            raise InputError(msg, remedy=f"Give {lacking}, or --flop.")
        return None
    made.take("parameters", size, "", source)
    made.take("tokens", seen, "", whence)
    made.take(
        "operations for each parameter and token",
        factor,
        "FLOP",
        "an encoder-decoder, where a token meets half of the parameters"
        if factor == 3
        else "2 forward and 4 backward (Brown et al. 2020, appendix D); attention left out",
    )
    return training_flop(parameters=size, tokens=seen, flop_per_parameter_token=factor)


def _samples_flop(made: Inputs, network: str | None, samples: float) -> float:
    from tradespace.graph.counts import backward_macs, forward_macs
    from tradespace.graph.zoo import network as build

    if network is None:
        msg = "Samples need a network of the zoo, whose passes can be counted."
        raise InputError(msg, remedy="Name one, for example resnet50, or give --flop.")
    net = build(network)
    each = 2.0 * (forward_macs(net) + backward_macs(net))
    made.take("operations of a sample", each, "FLOP", f"counted in {network!r}, exact backward")
    made.take("samples", samples, "", ASKED)
    return each * samples


def _chips(made: Inputs, there: TrainingRun | None, chips: float | None) -> float:
    if chips is not None:
        return made.take("chips", chips, "", ASKED)
    if there is not None and there.chips is not None:
        return made.take("chips", there.chips, "", there.source)
    return made.take("chips", 1.0, "", "one unless asked for more")


def _hours(made: Inputs, asked: Asked) -> float | None:
    assert made.flop is not None  # noqa: S101 - asked for with operations at hand
    chip, rate, utilization = made.processor, asked.rate_flop_per_s, asked.utilization
    if rate is not None:
        made.take("rate of a chip", rate, "FLOP/s", ASKED)
        _check_rate(made, rate)
        return chip_hours_of(flop=made.flop, rate_flop_per_s=rate)
    if chip is None:
        return None
    if utilization is not None and not 0 < utilization <= 1:
        msg = f"The utilization is a share of the peak in (0, 1]; got {utilization}."
        raise InputError(msg, remedy="Write 0.33, for example.")
    fmt = asked.number_format or next((f for f in _FORMATS if f in chip.peak_ops_per_s), "fp32")
    found = rate_of(chip, fmt)
    if found.note:
        made.remarks.append(found.note)
    peak = made.take(
        f"peak of {chip.id} in {found.computed_in}",
        found.ops_per_s,
        "FLOP/s",
        str(chip.source_of("peak_ops_per_s")),
    )
    if utilization is not None:
        made.take("utilization", utilization, "", ASKED)
        return chip_hours_of(flop=made.flop, rate_flop_per_s=peak * utilization)
    used = made.take(
        "utilization",
        DEFAULT_UTILIZATION,
        "",
        "assumed: the middle of what Patterson et al. 2021 measured in four large runs "
        "(20, 28, 37, 54 %)",
    )
    slow, fast = (chip_hours_of(flop=made.flop, rate_flop_per_s=peak * u) for u in UTILIZATIONS)
    span = f"{fast:,.0f} to {slow:,.0f}" if fast >= 100 else f"{fast:.2f} to {slow:.2f}"
    made.remarks.append(
        f"the utilization decides: from {100 * UTILIZATIONS[1]:.0f} % down to "
        f"{100 * UTILIZATIONS[0]:.0f} % it would be {span} chip-hours"
    )
    return chip_hours_of(flop=made.flop, rate_flop_per_s=peak * used)


def _check_rate(made: Inputs, rate: float) -> None:
    chip = made.processor
    best = max(chip.peak_ops_per_s.values(), default=0.0) if chip else 0.0
    if chip and rate > best > 0:
        msg = f"{rate:g} FLOP/s are more than {chip.id} can do ({best:g})."
        raise InputError(msg, remedy="Give the rate of one chip.")
