"""What a training run costs, for the terminal and as Markdown: answer, figures, assumptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tradespace.core.quantities import format_number
from tradespace.cost.price.arithmetic import petaflop_days
from tradespace.cost.price.price import TrainingPrice
from tradespace.cost.price.published import Published
from tradespace.cost.price.records import Assumption
from tradespace.cost.price.tables import training_runs
from tradespace.report.markdown import table

if TYPE_CHECKING:
    from rich.console import Console

_MILLION = 1e6


def number(value: float, *, significant: int = 4) -> str:
    """Return a number for people, with words for millions and a power beyond billions.

    Examples
    --------
    >>> number(201.128), number(4_672_618.5), number(3.14e23), number(1286.9e6)
    ('201.1', '4.673 million', '3.14e+23', '1.287 billion')

    """
    for size, word in ((1e9, "billion"), (_MILLION, "million")):
        if size <= abs(value) < 1e3 * size:
            return f"{format_number(value / size, significant=significant)} {word}"
    if abs(value) >= 1e12:
        return f"{value:.{significant}g}"
    return format_number(value, significant=significant)


def headline(made: TrainingPrice) -> str:
    """Return the answer in one line.

    Examples
    --------
    >>> from tradespace.cost.price.price import price
    >>> headline(price("transformer-big"))
    'Transformer big: 672 chip-hours, 201.1 kWh, 87.03 kg CO2e, 289 to 981.1 USD'

    """
    parts = []
    if made.chip_hours is not None:
        years = made.chip_years or 0.0
        parts.append(f"{number(made.chip_hours)} chip-hours")
        if years >= 1:
            parts[-1] += f" ({years:,.0f} chip-years)" if years >= 10 else f" ({years:.1f} years)"
    elif made.flop is not None:
        parts.append(f"{number(made.flop)} operations")
    if made.energy_kwh is not None:
        parts.append(f"{number(made.energy_kwh)} kWh")
    if made.carbon_kg is not None:
        parts.append(f"{_mass(made.carbon_kg)} CO2e")
    if made.rent_usd is not None:
        parts.append(f"{_span(made.rent_usd)} USD")
    return f"{made.name}: {', '.join(parts)}"


def _mass(kg: float) -> str:
    return f"{number(kg / 1e3)} t" if kg >= 1e3 else f"{number(kg)} kg"


def _span(ends: tuple[float, float]) -> str:
    low, high = (number(end) for end in ends)
    if low == high:
        return low
    for size in (1e9, _MILLION):
        if size / 100 <= ends[0] < size <= ends[1] < 1e3 * size:  # both on the scale of the high
            return f"{format_number(ends[0] / size, significant=4)} to {high}"
    return f"{low} to {high}"


def figures(made: TrainingPrice) -> list[tuple[str, str]]:
    """Return every figure as (what, text)."""
    rows: list[tuple[str, str]] = []
    if made.flop is not None:
        days = number(petaflop_days(made.flop))
        rows.append(("operations", f"{number(made.flop)} FLOP = {days} PFLOP/s-days"))
    if made.chip_hours is not None and made.wall_days is not None and made.chip_years is not None:
        one = f"{number(made.chip_hours)} h"
        one += f" = {number(made.chip_years)} years" if made.chip_years >= 1 else ""
        chips = f"{number(made.chips)} chip{'s' if made.chips != 1 else ''}"
        wall = f"{number(made.wall_days)} days" if made.wall_days >= 1 else ""
        rows.append(("chip time", one))
        rows.append((f"on {chips}", wall or f"{number(24 * made.wall_days)} h"))
    if made.energy_kwh is not None:
        rows.append(("energy", f"{number(made.energy_kwh)} kWh"))
    if made.carbon_kg is not None and made.carbon_lbs is not None:
        both = f"{_mass(made.carbon_kg)} = {number(made.carbon_lbs)} lbs CO2e"
        rows.append(("carbon", both))
    if made.rent_usd is not None:
        rows.append(("rent", f"{_span(made.rent_usd)} USD"))
    if made.electricity_usd is not None:
        rows.append(("electricity", f"{number(made.electricity_usd)} USD"))
    return rows


def _printed(made: TrainingPrice) -> dict[str, str]:
    names = {"flop": "operations"}
    return {names.get(p.quantity, p.quantity): _verdict(p) for p in made.published}


def _verdict(row: Published) -> str:
    if row.ours is None:
        return row.printed
    if row.equal:
        return f"{row.printed} (equal)"
    return f"{row.printed} (ours is {format_number(row.ratio or 0.0, significant=4)} of it)"


def assumption_text(row: Assumption) -> str:
    """Return the figure of an assumption with its unit."""
    return f"{number(row.value)} {row.unit}".strip()


def comparison_lines(made: TrainingPrice) -> Iterator[str]:
    """Yield what emits as much, as sentences' ends."""
    for name, share in made.comparisons().items():
        yield f"{format_number(share, significant=2)} {name}"


def print_price(made: TrainingPrice, console: Console) -> None:
    """Print the answer first, then every figure, then what it rests on."""
    console.print()
    console.print(Text(headline(made), style="bold green"))
    if made.processor:
        console.print(f"[dim]on {number(made.chips)} x {escape(made.processor)}[/dim]")
    console.print()
    printed = _printed(made)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("figure", no_wrap=True)
    table.add_column("ours", overflow="fold")
    if printed:
        table.add_column("published", overflow="fold", style="dim")
    for what, text in figures(made):
        cells = [what, text]
        table.add_row(*cells, printed.get(what, "")) if printed else table.add_row(*cells)
    console.print(table)
    same = list(comparison_lines(made))
    if same:
        console.print("\n[bold]As much carbon as[/bold]")
        for line in same:
            console.print(f"  • {escape(line)}")
    console.print("\n[bold]Assumptions[/bold]")
    rests = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    rests.add_column(overflow="fold")
    rests.add_column(no_wrap=True)
    rests.add_column(overflow="fold", style="dim")
    for row in made.assumptions:
        style = "yellow" if row.source.startswith("assumed") else ""
        rests.add_row(Text(f"  {row.what}"), Text(assumption_text(row)), Text(row.source, style))
    console.print(rests)
    if made.notes:
        console.print("\n[bold]Notes[/bold]")
        for note in made.notes:
            console.print(f"  • {escape(note)}")


def price_markdown(made: TrainingPrice) -> str:
    """Return the same as Markdown."""
    printed = _printed(made)
    rows = [(what, text, printed.get(what, "")) for what, text in figures(made)]
    lines = [f"# {made.name}", "", headline(made), "", table(("figure", "ours", "published"), rows)]
    same = list(comparison_lines(made))
    if same:
        lines += ["", "As much carbon as:", "", *(f"- {line}" for line in same)]
    rests = [(a.what, assumption_text(a), a.source) for a in made.assumptions]
    lines += ["", table(("assumption", "value", "source"), rests)]
    if made.notes:
        lines += ["", *(f"- {note}" for note in made.notes)]
    return "\n".join(lines) + "\n"


def published_markdown() -> str:
    """Return the table of all published runs, ours beside what their sources print."""
    from tradespace.cost.price.price import price

    rows = []
    for name in training_runs():
        for row in price(name).published:
            ours = "" if row.ours is None else _span(row.ours)
            unit = f" {row.unit}" if ours else ""
            same = "yes" if row.equal else f"no, {format_number(row.ratio or 0, significant=4)}"
            rows.append((f"`{name}`", row.quantity, row.printed, ours + unit, same, row.source))
    return table(("run", "figure", "printed", "ours", "same digits", "source"), rows) + "\n"
