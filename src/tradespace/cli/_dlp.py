"""``tradespace dlp``: programs of the deep-learning processor timed, run, written and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from tradespace.core.errors import InputError, ProcessorError

if TYPE_CHECKING:
    from tradespace.hardware.dlp.instructions import Program
    from tradespace.hardware.dlp.machine import Machine
    from tradespace.hardware.dlp.scheduler.search import Objective, Schedule

app = typer.Typer(
    name="dlp",
    help="The deep-learning processor: time programs, run them, schedule networks.",
    no_args_is_help=True,
)

MachineOption = Annotated[
    Path | None, typer.Option("--machine", help="YAML of the machine; default: the exercises'.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
FormatOption = Annotated[str, typer.Option("--format", help="Number format: fp32 or fp16.")]
ProgramArgument = Annotated[Path, typer.Argument(help="File with a program.")]


def _fail(error: InputError) -> NoReturn:
    """Print an error of the input and leave with 2."""
    typer.echo(f"Error: {error}", err=True)
    raise typer.Exit(2) from None


def _load(path: Path, machine: Path | None) -> tuple[Program, Machine]:
    """Return a verified program and its machine."""
    from tradespace.hardware.dlp.assembler import assemble
    from tradespace.hardware.dlp.machine import load_machine
    from tradespace.hardware.dlp.verifier import verify

    if not path.is_file():
        msg = f"There is no program {str(path)!r}."
        raise ProcessorError(msg, remedy="Give the path of a text file with instructions.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        msg = f"{str(path)!r} is not text."
        raise ProcessorError(msg, remedy="Give a program in plain text (UTF-8).") from None
    program, found = assemble(text, file=str(path)), load_machine(machine)
    verify(program, found)
    return program, found


@app.command()
def time(
    program: ProgramArgument,
    machine: MachineOption = None,
    *,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Start each operation when its data are ready.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how long a program takes and how far that is from the bound."""
    from tradespace.hardware.dlp.bounds import program_bound_s
    from tradespace.hardware.dlp.simulator.closed_form import simulate
    from tradespace.hardware.dlp.simulator.tokens import simulate_tokens

    try:
        code, chip = _load(program, machine)
        timing = simulate(code, chip)
        finer = simulate_tokens(code, chip)[0] if tokens else None
    except InputError as error:
        _fail(error)
    bound = program_bound_s(chip, dict(timing.operations), timing.dram_bytes)
    segments = [
        {
            "lines": [s.first_line, s.last_line],
            "times": s.times,
            "time_s": s.ticks / timing.per_s,
            "transfer_s": s.moves / timing.per_s,
            "compute_s": s.computes / timing.per_s,
            "idle": s.idle,
        }
        for s in timing.segments
    ]
    facts: dict[str, Any] = {
        "time_s": timing.time_s,
        "cycles": timing.time_s * chip.clock_hz,
        "bound_s": bound,
        "above_bound": timing.time_s / bound - 1 if bound else 0.0,
        "dram_bytes": timing.dram_bytes,
        "energy_j": timing.energy_j,
        "operations": dict(timing.operations),
        "instructions": timing.instructions,
        "segments": segments,
    }
    if finer is not None:
        facts["tokens_time_s"] = finer
    if as_json:
        typer.echo(json.dumps(facts))
        return
    _print_time(facts)


def _print_time(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from tradespace.hardware.dlp.units import format_bytes, format_time

    typer.echo(f"time    {format_time(facts['time_s'])} ({facts['cycles']:.10g} cycles)")
    typer.echo(
        f"bound   {format_time(facts['bound_s'])} (all of this program's work, perfectly "
        f"overlapped): {100 * facts['above_bound']:.2f} % above the bound"
    )
    if "tokens_time_s" in facts:
        typer.echo(f"tokens  {format_time(facts['tokens_time_s'])} without its syncs")
    typer.echo(f"traffic {format_bytes(facts['dram_bytes'])}    energy {facts['energy_j']:.4g} J")
    table = Table(title="segments" if len(facts["segments"]) <= 40 else "first 40 segments")
    for name in ("lines", "times", "time", "transfer", "compute", "idle"):
        table.add_column(name, justify="left" if name in ("lines", "idle") else "right")
    for s in facts["segments"][:40]:
        first, last = s["lines"]
        table.add_row(
            f"{first}-{last}" if last != first else str(first),
            str(s["times"]),
            format_time(s["time_s"]),
            format_time(s["transfer_s"]),
            format_time(s["compute_s"]),
            s["idle"],
        )
    Console(width=max(100, Console().width)).print(table)


@app.command()
def run(
    program: ProgramArgument,
    data: Annotated[Path, typer.Option("--data", help="NPZ with an array for each name.")],
    machine: MachineOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="NPZ to write results to.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Execute a program on data and give the numbers that it leaves in DRAM."""
    import zipfile

    import numpy as np

    from tradespace.hardware.dlp.simulator.functional import run as execute
    from tradespace.hardware.dlp.verifier import verify_data

    try:
        code, chip = _load(program, machine)
        try:
            with np.load(data, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except (OSError, ValueError, AttributeError, zipfile.BadZipFile):
            msg = f"{str(data)!r} is no NPZ file of arrays."
            raise ProcessorError(
                msg, remedy="Write it with numpy.savez(path, x=..., w=...)."
            ) from None
        if code.addressed:
            verify_data(code, chip)
        results = execute(code, chip, arrays)
    except InputError as error:
        _fail(error)
    if out is not None:
        np.savez(out, **results)  # type: ignore[arg-type] # arrays by name
    if as_json:
        typer.echo(json.dumps({name: values.tolist() for name, values in results.items()}))
        return
    for name, values in results.items():
        typer.echo(f"{name} {'x'.join(map(str, values.shape))} {values.dtype}")
        typer.echo(str(values))


@app.command()
def schedule(
    what: Annotated[str, typer.Argument(help="Network, MxKxN, or conv:C-H-W-N-FY-FX-STRIDE-PAD.")],
    machine: MachineOption = None,
    number_format: FormatOption = "fp32",
    objective: Annotated[
        str, typer.Option("--objective", help="In order: time, traffic, energy.")
    ] = "time,traffic,energy",
    slack: Annotated[
        float, typer.Option("--slack", help="Share of the first objective given up for the next.")
    ] = 0.0,
    max_segments: Annotated[
        int | None, typer.Option("--max-segments", help="Most segments of a program.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images at a time.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="File, or folder for several layers.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Write near-optimal programs for a layer or a network, with their bounds."""
    from tradespace.hardware.dlp.disassembler import disassemble
    from tradespace.hardware.dlp.layers import parse_layers
    from tradespace.hardware.dlp.machine import load_machine
    from tradespace.hardware.dlp.scheduler.search import schedule as find
    from tradespace.hardware.dlp.scheduler.search import schedule_network

    try:
        layers, chip = parse_layers(what, images=batch), load_machine(machine)
        bits = _bits(number_format)
        order = _objectives(objective)
        if max_segments is not None:
            found = tuple(
                find(
                    layer, chip, bits=bits, objectives=order, slack=slack, max_segments=max_segments
                )
                for layer in layers
            )
        else:
            found = schedule_network(layers, chip, bits=bits, objectives=order, slack=slack)
    except InputError as error:
        _fail(error)
    if out is not None:
        if len(found) == 1:
            out.write_text(disassemble(found[0].program), encoding="utf-8")
        else:
            out.mkdir(parents=True, exist_ok=True)
            for one in found:
                path = out / f"{one.layer.name}.dlp"
                path.write_text(disassemble(one.program), encoding="utf-8")
    rows = [_facts(one) for one in found]
    if as_json:
        extra = {"program": disassemble(found[0].program)} if len(found) == 1 else {}
        typer.echo(json.dumps({"layers": rows, **extra}))
        return
    if len(found) == 1 and out is None:
        typer.echo(disassemble(found[0].program), nl=False)
    _print_schedules(rows, found)


def _bits(name: str) -> int:
    from tradespace.hardware.dlp.instructions import FORMATS

    if name not in FORMATS:
        msg = f"Unknown number format {name!r}."
        raise ProcessorError(msg, remedy=f"Use {' or '.join(FORMATS)}.")
    return FORMATS[name]


def _objectives(text: str) -> tuple[Objective, ...]:
    from typing import get_args

    from tradespace.hardware.dlp.scheduler.search import Objective

    known: tuple[Objective, ...] = get_args(Objective)
    chosen = tuple(k for name in text.split(",") for k in known if k == name.strip())
    if len(chosen) != len(text.split(",")):
        msg = f"Unknown objective in {text!r}."
        raise ProcessorError(msg, remedy=f"Use {', '.join(known)}, in order of importance.")
    return chosen


def _facts(one: Schedule) -> dict[str, Any]:
    bound = one.bound
    return {
        "layer": one.layer.name,
        "time_s": one.time_s,
        "t0_s": bound.t0_s,
        "certified_s": bound.certified_s,
        "above_t0": one.time_s / bound.t0_s - 1,
        "gap": one.gap,
        "limit": bound.limit,
        "traffic_words": one.traffic_words,
        "bound_words": bound.traffic_words,
        "energy_j": one.energy_j,
        "segments": one.n_segments,
        "plan": str(one.plan),
    }


def _print_schedules(rows: list[dict[str, Any]], found: tuple[Schedule, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    from tradespace.hardware.dlp.bounds import ASSUMPTIONS, SOURCE
    from tradespace.hardware.dlp.units import format_time

    table = Table()
    for name in ("layer", "time", "bound T*", "gap", "limit", "words", "least", "energy"):
        table.add_column(name, justify="left" if name in ("layer", "limit") else "right")
    for row in rows:
        table.add_row(
            row["layer"],
            format_time(row["time_s"]),
            format_time(row["certified_s"]),
            f"{100 * row['gap']:.3f} %",
            row["limit"],
            f"{row['traffic_words']:,}",
            f"{row['bound_words']:,}",
            f"{row['energy_j']:.3g} J",
        )
    Console(width=max(100, Console().width)).print(table)
    if len(rows) > 1:
        total, least = sum(r["time_s"] for r in rows), sum(r["certified_s"] for r in rows)
        typer.echo(
            f"total {format_time(total)}, bound {format_time(least)}: "
            f"{100 * (total / least - 1):.4f} % above"
        )
    for one in found:
        if one.gap > 0.02:
            typer.echo(
                f"{one.layer.name}: {100 * one.gap:.1f} % above the bound, because its first load "
                "and last store are long against its work, or its memories are small for its tiles."
            )
    typer.echo(f"bound of traffic: {SOURCE}")
    typer.echo("assumptions: " + "; ".join(ASSUMPTIONS))


@app.command()
def sweep(
    what: Annotated[str, typer.Argument(help="Network or layer.")],
    over: Annotated[list[str], typer.Option("--over", help="wram=64KiB..4MiB, bandwidth=16..256")],
    machine: MachineOption = None,
    number_format: FormatOption = "fp32",
    *,
    as_json: JsonOption = False,
) -> None:
    """Schedule on machines that differ, and say what to buy next."""
    from tradespace.hardware.dlp.layers import parse_layers
    from tradespace.hardware.dlp.machine import load_machine
    from tradespace.hardware.dlp.sweep import next_purchase, parse_axis
    from tradespace.hardware.dlp.sweep import sweep as explore

    try:
        layers, chip, bits = parse_layers(what), load_machine(machine), _bits(number_format)
        axes = [parse_axis(text) for text in over]
        points = explore(layers, chip, axes, bits=bits)
        gains = next_purchase(layers, chip, bits=bits)
    except InputError as error:
        _fail(error)
    if as_json:
        names = ("time_s", "bound_s", "traffic_words", "energy_j")
        rows = [{**p.values, **{name: getattr(p, name) for name in names}} for p in points]
        typer.echo(json.dumps({"points": rows, "doubling_saves": dict(gains)}))
        return
    from rich.console import Console
    from rich.table import Table

    from tradespace.hardware.dlp.units import format_bytes, format_time

    table = Table()
    for name, _ in axes:
        table.add_column(name, justify="right")
    for name in ("time", "bound T*", "words", "energy"):
        table.add_column(name, justify="right")
    for p in points:
        shown = [
            format_bytes(v) if n in ("nram", "wram") else f"{v:.4g}" for n, v in p.values.items()
        ]
        times = (format_time(p.time_s), format_time(p.bound_s))
        table.add_row(*shown, *times, f"{p.traffic_words:,}", f"{p.energy_j:.3g} J")
    Console(width=max(100, Console().width)).print(table)
    typer.echo("Doubling one resource of the machine as it is saves:")
    for name, gain in gains:
        typer.echo(f"  {name:10} {100 * gain:6.2f} % of the time")


@app.command()
def timeline(
    program: ProgramArgument,
    machine: MachineOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="File of the page.")] = None,
    *,
    as_html: Annotated[bool, typer.Option("--html", help="Write a self-contained page.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Draw the lanes and the memories of a program over time."""
    from dataclasses import asdict

    from tradespace.hardware.dlp.timeline import render_html, render_text
    from tradespace.hardware.dlp.timeline import timeline as chart_of

    try:
        chart = chart_of(*_load(program, machine))
    except InputError as error:
        _fail(error)
    if as_json:
        typer.echo(json.dumps(asdict(chart)))
    elif as_html or out is not None:
        target = out or program.with_suffix(".html")
        target.write_text(render_html(chart, title=program.name), encoding="utf-8")
        typer.echo(f"wrote {target}")
    else:
        typer.echo(render_text(chart), nl=False)
