"""Networks side by side in the terminal, and the largest that keeps a bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tradespace.core.quantities import format_number, format_quantity
from tradespace.report.network_terminal import assumed, assumptions_of

if TYPE_CHECKING:
    from rich.console import Console

    from tradespace.cost.budget import Largest
    from tradespace.cost.inspection import Inspection


#: Row of the comparison -> (how to read it off, direction: -1 less is better, 1 more, 0 neither).
def _comparison_rows(found: Sequence[Inspection]) -> Iterator[tuple[str, list[Any], str, int]]:
    first = found[0]
    yield "year", [f.network.facts.get("year") for f in found], "", 0
    yield "depth", [f.depth for f in found], "count", 0
    convention = first.parameter_convention
    yield "parameters", [f.parameters[convention] for f in found], "count", -1
    yield "neurons", [f.neurons[first.neuron_convention] for f in found], "count", -1
    yield "MACs", [f.macs for f in found], "count", -1
    yield "MACs backward", [f.backward_macs for f in found], "count", -1
    yield "operations", [f.operations for f in found], "count", -1
    yield "intensity (op/B)", [f.arithmetic_intensity for f in found], "number", 0
    fields = [f.receptive_field.size[0] if f.receptive_field else None for f in found]
    yield "receptive field", fields, "count", 0
    yield "weights", [f.memory.weights_bytes for f in found], "B", -1
    yield "inference memory", [f.memory.peak_bytes for f in found], "B", -1
    if first.training is not None:
        yield (
            "training memory",
            [f.training.memory.peak_bytes if f.training else None for f in found],
            "B",
            -1,
        )
        yield (
            "time of a step",
            [f.training.step.time_s if f.training and f.training.step else None for f in found],
            "s",
            -1,
        )
    if first.running is not None:
        runs = [f.running for f in found]
        yield "latency", [r.latency.time_s if r else None for r in runs], "s", -1
        yield "samples a second", [r.samples_per_s if r else None for r in runs], "number", 1
        yield "energy", [r.energy_j if r else None for r in runs], "J", -1
        usd = [r.usd[0] / r.batch * 1e6 if r and r.usd else None for r in runs]
        yield "USD a million samples", usd, "number", -1
    yield "top-1 accuracy", [f.network.facts.get("top1") for f in found], "%", 1
    yield "top-5 accuracy", [f.network.facts.get("top5") for f in found], "%", 1


def comparison(found: Sequence[Inspection]) -> list[tuple[str, list[Any], str, int]]:
    """Return the rows of a comparison: title, values, unit, direction; empty rows left out."""
    rows = [row for row in _comparison_rows(found) if any(v is not None for v in row[1])]
    if len(found) > 1 and len({one.name for one in found}) == 1:
        # One network on several processors: what does not depend on them is said once, above.
        rows = [row for row in rows if len(set(row[1])) > 1]
    return rows


def best_of(values: Sequence[Any], direction: int) -> Any:
    """Return the best value of a row, or None if there is none or all are alike."""
    known = [v for v in values if v is not None]
    if not direction or len(set(known)) < 2:
        return None
    return max(known) if direction > 0 else min(known)


def comparison_name(found: Inspection) -> str:
    """Return what a column of a comparison is called."""
    where = f" on {found.running.processor.id}" if found.running is not None else ""
    return found.name + where


def print_comparison(found: Sequence[Inspection], console: Console) -> None:
    """Print networks side by side, the best of each row marked."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("")
    for one in found:
        name = comparison_name(one).replace(" on ", "\non ")
        table.add_column(escape(name), justify="right", no_wrap=True)
    for title, values, unit, direction in comparison(found):
        best = best_of(values, direction)
        cells = [
            Text(cell_text(v, unit), style="bold green" if best is not None and v == best else "")
            for v in values
        ]
        table.add_row(title, *cells)
    console.print()
    console.print(table)
    first = found[0]
    shape = f"batch {first.network.batch}, {first.number_format}"
    console.print(
        f"\n[dim]{shape}; green is best. Parameters: {escape(first.conventions['parameters'])}. "
        f"Neurons: {escape(first.conventions['neurons'])}. MACs: "
        f"{escape(first.conventions['macs'])}. Accuracy as published.[/dim]"
    )
    for one in found:
        if one.lower_bound:
            share = f"{100 * one.coverage:.1f} % of the operators are counted"
            console.print(f"[red]{escape(one.name)}: lower bound, {share}[/red]")
        for line in assumed(one):
            console.print(f"[yellow]{escape(one.name)}: {escape(line)}[/yellow]")


def cell_text(value: Any, unit: str) -> str:
    """Return one figure of a comparison."""
    if value is None:
        return "-"
    if unit == "count":
        return f"{value:,}"
    if unit in ("B", "s", "J"):
        return format_quantity(value, unit)
    if unit == "%":
        return f"{value:g} %"
    return format_number(value) if unit == "number" else str(value)


def print_largest(answer: Largest, console: Console) -> None:
    """Print the largest that keeps the bounds, what it takes, and what the next would take."""
    found = answer.inspection
    name = found.name
    bounds = " and ".join(b.text for b in answer.budgets)
    console.print()
    if answer.value is None:
        console.print(
            Text(f"{name}: no {answer.vary} keeps {bounds}", style="bold red"), soft_wrap=True
        )
    else:
        console.print(
            Text(f"{name}: largest {answer.vary} is {answer.value:,}", style="bold green"),
            Text(f"with {bounds}", style="dim"),
        )
    if answer.limit:
        console.print(f"[dim]{escape(answer.limit)}[/dim]")
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column("bound", justify="right")
    if answer.value is not None:
        table.add_column(f"{answer.vary} {answer.value:,}", justify="right", style="green")
    if answer.next_value is not None:
        table.add_column(f"{answer.vary} {answer.next_value:,}", justify="right", style="red")
    for budget in answer.budgets:
        cells = [budget.what, _amount(budget.bound, budget.unit)]
        if answer.value is not None:
            cells.append(_amount(answer.taken[budget.what], budget.unit))
        if answer.next_value is not None:
            cells.append(_amount(answer.above[budget.what], budget.unit))
        table.add_row(*cells)
    console.print(table)
    for line in dict.fromkeys(assumptions_of(found)):
        console.print(f"  [dim]• {escape(line)}[/dim]")


def _amount(value: float, unit: str) -> str:
    if unit == "1":
        return f"{value:,.0f}"
    return format_quantity(value, unit, significant=4)
