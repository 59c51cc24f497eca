"""``tradespace calibrate``: measure this machine, so that times of networks can be predicted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tradespace.cli._common import AsJson, Quiet, console, plain_table, print_json, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tradespace.cost.calibration.record import Calibration
    from tradespace.cost.calibration.run import Progress

app = typer.Typer(add_completion=False)


@app.command()
def calibrate(
    runtime: Annotated[str, typer.Option(help="onnxruntime or torch.")] = "onnxruntime",
    device: Annotated[str, typer.Option(help="cpu, or cuda with torch.")] = "cpu",
    number_format: Annotated[
        str, typer.Option("--format", help="fp32; with torch also bf16 and fp16.")
    ] = "fp32",
    threads: Annotated[int, typer.Option(help="Threads of a pass on a CPU.", min=1)] = 1,
    name: Annotated[
        str, typer.Option(help="To store it under.", show_default="made of these")
    ] = "",
    stored: Annotated[
        bool, typer.Option("--list", help="List what is stored; measure nothing.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure this machine in about a minute and store what it takes, by operator and size.

    Networks are then timed with: tradespace inspect resnet50 --on this-machine. The error on
    networks that took no part stands with every prediction. Keep the machine quiet meanwhile.
    """
    from tradespace.cost.calibration.store import calibrations, load_calibration

    if stored:
        _list([load_calibration(found) for found in calibrations()], as_json=as_json)
        return
    from tradespace.cost.calibration.run import calibrate as measure
    from tradespace.cost.calibration.store import save_calibration

    with _bar(show=not (quiet or as_json)) as tell:
        made = measure(
            runtime,
            device=device,
            number_format=number_format,
            threads=threads,
            name=name,
            progress=tell,
        )
    place = save_calibration(made)
    if as_json:
        print_json({"file": str(place), **made.to_dict()})
    else:
        _show(made, str(place))


@contextmanager
def _bar(*, show: bool) -> Iterator[Progress | None]:
    if not show:
        yield None
        return
    text = "[dim]{task.description}"
    with progress_bar("Measuring this machine", text) as bar:
        task = bar.add_task("", total=None)

        def tell(done: int, total: int, text: str) -> None:
            bar.update(task, completed=done, total=total, description=text)

        yield tell


def _show(made: Calibration, place: str) -> None:
    from rich.markup import escape

    from tradespace.core.quantities import format_quantity

    out = console()
    out.print(f"\n[bold green]{escape(_sentence(made.statement()))}[/bold green]\n")
    table = plain_table("class", "points", "best rate", "smallest", "largest", left=("class",))
    table.columns[0].no_wrap = True
    for grid in made.grids.values():
        rate = grid.best_ops_per_s
        best = f"{rate / 1e9:,.1f} GFLOP/s" if grid.counts_macs else f"{rate / 1e6:,.0f} M/s"
        table.add_row(
            grid.family,
            str(grid.measured),
            best,
            format_quantity(min(grid.times_s), "s"),
            format_quantity(max(grid.times_s), "s"),
        )
    out.print(table)
    out.print(
        f"\nstarting a pass {format_quantity(made.run_overhead_s, 's')}, an operator "
        f"{format_quantity(made.operator_overhead_s, 's')}, memory "
        f"{made.bandwidth_bytes_per_s / 1e9:.1f} GB/s; {made.clock}"
    )
    if made.holdout:
        held = plain_table("held out", "predicted", "measured", "error", left=("held out",))
        for row in made.holdout:
            held.add_row(
                row.network,
                format_quantity(row.predicted_s, "s"),
                format_quantity(row.measured_s, "s"),
                f"{100 * row.error:+.0f} %",
            )
        out.print()
        out.print(held)
    if made.wall_per_cpu > _BUSY:
        out.print(
            f"\n[yellow]Others used the machine: the wall time was {made.wall_per_cpu:.1f} times "
            "the CPU time. Calibrate again when it is quiet.[/yellow]"
        )
    for failure in made.failures:
        out.print(f"[yellow]left out: {escape(failure)}[/yellow]")
    out.print(f"\n[dim]took {made.taken_s:.0f} s; stored in {escape(place)}[/dim]")


_BUSY = 1.5


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _list(found: list[Calibration], *, as_json: bool) -> None:
    if as_json:
        keys = ("name", "runtime", "device", "number_format", "threads", "date")
        print_json(
            [{**{k: getattr(c, k) for k in keys}, "median_error": c.median_error} for c in found]
        )
        return
    if not found:
        typer.echo("No calibration is stored; make one with: tradespace calibrate")
        return
    for made in found:
        typer.echo(f"{made.name}: {made.statement()}")
