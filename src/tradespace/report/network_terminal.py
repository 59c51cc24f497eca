"""What the terminal shows of networks: totals, layers, costs, several side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tradespace.core.quantities import format_number, format_quantity
from tradespace.cost.layers import Layer, grouped, repeated, summary
from tradespace.cost.price.arithmetic import JOULES_PER_KWH
from tradespace.graph.counts import NEURON_CONVENTIONS, PARAMETER_CONVENTIONS
from tradespace.report._numbers import bytes_text, money_text, short_count

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from tradespace.cost.inspection import Inspection
    from tradespace.cost.running import Running
    from tradespace.cost.training_step import Training

_BAR = 10
_ROLES = (
    ("weight", "weights"),
    ("embedding", "embeddings"),
    ("position", "positions"),
    ("bias", "biases"),
    ("norm_scale", "scales"),
    ("norm_offset", "offsets"),
)
#: From this width on the layer table has room for the shapes of outputs.
WIDE = 110
MOST_ROWS = 24


def print_inspection(
    found: Inspection,
    console: Console,
    *,
    depth: int | None = None,
    formulas: bool = False,
    every: bool = False,
) -> None:
    """Print totals first, then what was asked for beyond them, then the layers."""
    parts = renderables(found, console.width, depth=depth, formulas=formulas, every=every)
    for part in parts:
        console.print(part)


def renderables(
    found: Inspection,
    width: int,
    *,
    depth: int | None = None,
    formulas: bool = False,
    every: bool = False,
) -> Iterator[RenderableType]:
    """Give the parts of what is printed, for a terminal of so many columns."""
    yield ""
    yield _title(found)
    if found.lower_bound:
        yield _warning(found)
    if assumed(found):
        yield _assumptions(found)
    yield ""
    for title, rows in blocks(found):
        if title:
            yield f"\n[bold]{escape(title)}[/bold]"
        yield _grid(rows)
    yield ""
    yield _layers(found, depth=depth, every=every, width=width)
    if formulas:
        yield from _formulas(found)
    yield from _notes(found)


def _title(found: Inspection) -> Text:
    facts = found.network.facts
    text = Text(found.name, style="bold")
    network = found.network
    named = len(network.inputs) > 1
    inputs = ", ".join(
        (f"{name} " if named else "") + "x".join(map(str, network.tensors[i].shape))
        for name, i in zip(network.input_names, network.inputs, strict=False)
    )
    more = [
        str(facts["task"]) if facts.get("task") else "",
        str(facts["year"]) if facts.get("year") else "",
        f"input {inputs}",
        found.number_format,
    ]
    text.append("  " + ", ".join(m for m in more if m), style="dim")
    return text


def _warning(found: Inspection) -> Text:
    names = ", ".join(found.unknown[:8]) + (", ..." if len(found.unknown) > 8 else "")
    text = Text("Lower bound: ", style="bold red")
    text.append(
        f"{100 * found.coverage:.1f} % of the operators are counted; not known: {names}",
        style="red",
    )
    return text


def assumed(found: Inspection) -> tuple[str, ...]:
    """Return what had to be assumed to count a network at all: a branch that data choose."""
    return tuple(note for note in found.network.notes if note.startswith("Assumed: "))


def _assumptions(found: Inspection) -> Text:
    return Text(" ".join([*assumed(found), "Figures differ where it is otherwise."]), "yellow")


def _grid(rows: Iterator[tuple[str, str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def totals_rows(found: Inspection) -> Iterator[tuple[str, str, str]]:
    """Return title, value and remark of every total."""
    at_least = "≥ " if found.lower_bound else ""
    batch = found.network.batch
    under = "as assumed; " if assumed(found) else ""
    for_batch = under + (f"batch {batch}; " if batch > 1 else "")
    roles = found.parameters_by_role
    parts = ", ".join(f"{short_count(roles[r])} {n}" for r, n in _ROLES if roles.get(r))
    convention = found.parameter_convention
    shown = parts if convention == "trainable" else PARAMETER_CONVENTIONS[convention]
    yield ("parameters", f"{found.parameters[convention]:,}", shown)
    if found.parameters["trainable"] != sum(
        n for r, n in roles.items() if r not in ("statistic", "constant")
    ):
        frozen = sum(n for r, n in roles.items() if r not in ("statistic", "constant"))
        yield ("frozen", f"{frozen - found.parameters['trainable']:,}", "not trained")
    if roles.get("statistic"):
        yield ("statistics", f"{roles['statistic']:,}", "running means and variances apart")
    if roles.get("constant"):
        yield ("constants", f"{roles['constant']:,}", "fixed numbers that the model carries")
    neurons = found.neurons[found.neuron_convention]
    yield ("neurons", f"{neurons:,}", under + NEURON_CONVENTIONS[found.neuron_convention])
    yield ("MACs", f"{at_least}{found.macs:,}", f"{for_batch}forward; one multiply-accumulate is 1")
    yield (
        "operations",
        f"{at_least}{found.operations:,}",
        f"{under}other arithmetic of a forward pass",
    )
    yield (
        "MACs backward",
        f"{at_least}{found.backward_macs:,}",
        f"{under}{found.backward_macs / found.macs:.3f} x forward" if found.macs else under[:-2],
    )
    intensity = f"{format_number(found.arithmetic_intensity)} op/B"
    yield ("intensity", intensity, f"{under}{bytes_text(found.traffic_bytes)} moved, unfused")
    yield ("depth", str(found.depth), f"{under}layers with weights on the longest path")
    if found.receptive_field is not None:
        seen = found.receptive_field
        size = "x".join(map(str, seen.size))
        yield ("receptive field", size, f"through windows, at {seen.at}")
    memory = found.memory
    yield (
        "memory",
        bytes_text(memory.peak_bytes),
        f"{under}inference: {bytes_text(memory.weights_bytes)} weights + "
        f"{bytes_text(memory.activations_bytes)} live activations at {memory.at}",
    )
    for name, value in _published(found):
        yield (name, value, "published")


def _published(found: Inspection) -> Iterator[tuple[str, str]]:
    facts = found.network.facts
    if "top1" in facts:
        text = f"{facts['top1']:g} %"
        yield "accuracy", text + (f" (top 5: {facts['top5']:g} %)" if "top5" in facts else "")
    for name in ("perplexity", "bleu_en_de", "word_error_rate"):
        if name in facts:
            yield name, f"{facts[name]:g}"


def blocks(found: Inspection) -> Iterator[tuple[str, Iterator[tuple[str, str, str]]]]:
    """Give the totals, a pass and a training run as titles and rows of what was looked at."""
    yield "", totals_rows(found)
    if found.running is not None:
        yield running_title(found), running_rows(found.running)
    if found.training is not None:
        yield training_title(found.training), training_rows(found.training)


def assumptions_of(found: Inspection) -> list[str]:
    """Return what the figures of a pass and of training rest on."""
    parts = (found.running, found.training)
    return [text for part in parts if part is not None for text in part.assumptions]


def _fit(fits: bool | None, needed: int, have: float | None) -> str:  # noqa: FBT001 - private
    if fits is None or have is None:
        return "size of its memory not known"
    share = f"{100 * needed / have:.0f} % of {bytes_text(have)}"
    return share if fits else f"does NOT fit: {share}"


def running_title(found: Inspection) -> str:
    """Return where a pass was looked at."""
    name = "" if found.running is None else found.running.processor.name
    return f"One pass on {name} in {found.number_format}"


def running_rows(running: Running) -> Iterator[tuple[str, str, str]]:
    """Return title, value and remark of what a pass takes."""
    latency = running.latency
    shares = latency.time_by_bound_s()
    total = sum(shares.values()) or 1.0
    bounds = ", ".join(f"{100 * s / total:.0f} % {name}" for name, s in shares.items() if s)
    yield "latency", format_quantity(latency.time_s, "s"), f"bound by: {bounds}"
    rate = f"{format_number(running.samples_per_s)}/s"
    yield "throughput", rate, f"samples, batch {running.batch}"
    fit = _fit(running.fits, running.needed_bytes, running.processor.memory_bytes)
    yield "memory", bytes_text(running.needed_bytes), fit
    if running.energy_j is not None:
        per = format_quantity(running.energy_j / running.batch, "J")
        yield "energy", format_quantity(running.energy_j, "J"), f"{per} a sample"
    for floor in running.floors[-1:]:
        low = format_quantity(floor.low_j, "J")
        yield "energy, least", low, "arithmetic and DRAM alone, 7 nm"
    if running.usd is not None:
        million = tuple(x / running.batch * 1e6 for x in running.usd)
        yield "money", money_text((million[0], million[1])), "a million samples, rented"
    if running.carbon_g is not None:
        carbon = running.carbon_g / running.batch * 1e6
        yield "carbon", format_quantity(carbon, "g"), "CO2e a million samples"


def training_title(training: Training) -> str:
    """Return how training was looked at."""
    where = "" if training.processor is None else f" on {training.processor.name}"
    chips = f" x {training.chips}" if training.chips > 1 else ""
    return (
        f"Training with {training.optimizer} in {training.number_format}, "
        f"batch {training.batch}{where}{chips}"
    )


def training_rows(training: Training) -> Iterator[tuple[str, str, str]]:
    """Return title, value and remark of what training takes."""
    memory = training.memory
    if training.processor is not None:
        fit = _fit(training.fits, memory.peak_bytes, training.processor.memory_bytes)
    else:
        fit = f"peak at {memory.at}"
    yield "memory", bytes_text(memory.peak_bytes), fit
    parts = [
        ("weights", memory.weights_bytes),
        ("gradients", memory.gradients_bytes),
        ("optimizer", memory.optimizer_bytes),
        ("master copies", memory.master_bytes),
        ("saved activations", memory.saved_bytes),
    ]
    held = ", ".join(f"{bytes_text(size)} {name}" for name, size in parts if size)
    yield "", "", held
    macs = training.forward_macs + training.backward_macs
    yield "MACs a step", f"{macs:,}", "forward and backward"
    if training.step is not None:
        rate = training.batch * training.chips / training.step.time_s
        step = format_quantity(training.step.time_s, "s")
        yield "a step", step, f"{format_number(rate)} samples/s"
    if training.time_s is None:
        return
    # What a single step takes is not worth reading; what a million samples take is.
    whole = "a million samples" if training.steps is None else f"{training.steps:,} steps"
    times = 1.0 if training.steps else 1e6 / (training.batch * training.chips)
    yield "time", format_quantity(training.time_s * times, "s"), whole
    if training.energy_j is not None:
        yield "energy", f"{format_number(training.energy_j * times / JOULES_PER_KWH)} kWh", whole
    if training.usd is not None:
        low, high = training.usd
        yield "money", money_text((low * times, high * times)), f"{whole}, rented"
    if training.carbon_g is not None:
        yield "carbon", format_quantity(training.carbon_g * times, "g"), f"CO2e, {whole}"


def _layers(found: Inspection, *, depth: int | None, every: bool, width: int) -> Table:
    layers = found.layers
    rows: Sequence[Layer] = layers
    if not every:
        rows = summary(layers) if depth is None else repeated(grouped(layers, depth))
    timed = any(row.time_s is not None for row in rows)
    saved = found.training is not None
    wide = width >= WIDE
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("layer", no_wrap=True)
    if wide:
        table.add_column("operator", style="dim", no_wrap=True, overflow="ellipsis")
        table.add_column("output", justify="right", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("MACs", justify="right", no_wrap=True)
    if wide or not timed:
        table.add_column("", no_wrap=True, style="cyan", min_width=_BAR)
    table.add_column("saved" if saved else "outputs", justify="right", no_wrap=True)
    if timed:
        table.add_column("time", justify="right", no_wrap=True)
        if wide:
            table.add_column("bound", style="dim", no_wrap=True)
    room = width - (85 if wide else 48)
    most = max((row.macs for row in rows), default=0) or 1
    for row in rows:
        cells = [escape(_shortened(row.name.strip(".:") or "(root)", max(16, room)))]
        if wide:
            cells += [escape(_operator(row)), "x".join(map(str, row.output_shape))]
        cells += [
            short_count(row.parameters) if row.parameters else "",
            short_count(row.macs) if row.macs else "",
        ]
        if wide or not timed:
            cells.append(_bar(row.macs / most))
        size = row.saved_bytes if saved else row.output_bytes
        cells.append(bytes_text(size) if size else "")
        if timed:
            cells.append("" if row.time_s is None else format_quantity(row.time_s, "s"))
            cells += [row.bound] if wide else []
        table.add_row(*cells, style="red" if row.unknown else None)
    return table


def _shortened(name: str, most: int) -> str:
    """Return a path whose middle is left out if it is too long: both ends say most."""
    if len(name) <= most:
        return name
    tail = (most - 1) * 2 // 3
    return f"{name[: most - 1 - tail]}…{name[-tail:]}"


def _operator(row: Layer) -> str:
    return f"{row.operator} (unknown)" if row.unknown else row.operator


def _bar(share: float) -> str:
    """Return a bar of eighths of a cell."""
    eighths = round(share * _BAR * 8)
    if share > 0 and not eighths:
        eighths = 1
    full, rest = divmod(eighths, 8)
    return "█" * full + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")


def _formulas(found: Inspection) -> Iterator[RenderableType]:
    yield "\n[bold]Multiply-accumulates[/bold]"
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("layer", "formula", "with numbers", "MACs"):
        table.add_column(name, justify="right" if name == "MACs" else "left", overflow="fold")
    for layer in found.layers:
        if layer.macs:
            numbers = re.sub(r"\s+", "", layer.numbers).replace("*", " * ").replace("+", " + ")
            table.add_row(
                escape(layer.name), escape(layer.formula), escape(numbers), f"{layer.macs:,}"
            )
    yield table


def _notes(found: Inspection) -> Iterator[RenderableType]:
    lines = [*found.network.notes, *assumptions_of(found)]
    if found.network.source:
        lines.append(f"network: {found.network.source}")
    if not lines:
        return
    yield "\n[bold]What the figures rest on[/bold]"
    for line in dict.fromkeys(lines):
        yield f"  [dim]• {escape(line)}[/dim]"
