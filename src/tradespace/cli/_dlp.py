"""``tradespace dlp``: programs of the deep-learning processor timed, run, written and drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradespace.cli._common import AsJson, plain_table, print_wide
from tradespace.core.errors import ProcessorError

if TYPE_CHECKING:
    from tradespace.hardware.dlp.instructions import Program
    from tradespace.hardware.dlp.machine import Machine
    from tradespace.hardware.dlp.scheduler.search import Objective

app = typer.Typer(
    add_completion=False,
    name="dlp",
    help="The deep-learning processor: time programs, run them, schedule networks.",
    no_args_is_help=True,
)

MachineOption = Annotated[
    Path | None, typer.Option("--machine", help="YAML of the machine; default: the exercises'.")
]
FormatOption = Annotated[str, typer.Option("--format", help="Number format: fp32 or fp16.")]
ProgramArgument = Annotated[Path, typer.Argument(help="File with a program.")]


def _load(path: Path, machine: Path | None) -> tuple[Program, Machine]:
    """Return a verified program and its machine."""
    from tradespace.hardware.dlp.assembler import assemble
    from tradespace.hardware.dlp.machine_file import load_machine
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
    as_json: AsJson = False,
) -> None:
    """Say how long a program takes and how far that is from the bound."""
    from tradespace.cli._dlp_tables import print_time
    from tradespace.hardware.dlp.bounds import program_bound_s
    from tradespace.hardware.dlp.simulator.closed_form import simulate
    from tradespace.hardware.dlp.simulator.tokens import simulate_tokens

    code, chip = _load(program, machine)
    timing = simulate(code, chip)
    finer = simulate_tokens(code, chip)[0] if tokens else None
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
    print_time(facts)


@app.command()
def run(
    program: ProgramArgument,
    data: Annotated[Path, typer.Option("--data", help="NPZ with an array for each name.")],
    machine: MachineOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="NPZ to write results to.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Execute a program on data and give the numbers that it leaves in DRAM."""
    import zipfile

    import numpy as np

    from tradespace.hardware.dlp.simulator.functional import run as execute
    from tradespace.hardware.dlp.verifier import verify_data

    code, chip = _load(program, machine)
    try:
        with np.load(data, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, AttributeError, zipfile.BadZipFile):
        msg = f"{str(data)!r} is no NPZ file of arrays."
        raise ProcessorError(msg, remedy="Write it with numpy.savez(path, x=..., w=...).") from None
    if code.addressed:
        verify_data(code, chip)
    results = execute(code, chip, arrays)
    if out is not None:
        with _writing(out):
            np.savez(out, **results)  # type: ignore[arg-type] # arrays by name
    if as_json:
        typer.echo(json.dumps({name: values.tolist() for name, values in results.items()}))
        return
    for name, values in results.items():
        typer.echo(f"{name} {'x'.join(map(str, values.shape))} {values.dtype}")
        typer.echo(str(values))


@app.command()
def schedule(
    what: Annotated[
        str, typer.Argument(help="Network of the zoo, MxKxN, or conv:C-H-W-N-FY-FX-STRIDE-PAD.")
    ],
    machine: MachineOption = None,
    number_format: FormatOption = "fp32",
    objective: Annotated[
        str, typer.Option("--objective", help="In order: time, traffic, energy.")
    ] = "time,traffic,energy",
    slack: Annotated[
        float, typer.Option("--slack", help="Share of the first objective given up for the next.")
    ] = 0.0,
    max_segments: Annotated[
        int | None, typer.Option("--max-segments", min=1, help="Most segments of a program.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images at a time.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="File, or folder for several layers.")
    ] = None,
    *,
    steady: Annotated[
        bool,
        typer.Option("--steady", help="Never slower with more memory; takes seconds a layer."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write near-optimal programs for a layer or a network, with their bounds."""
    from tradespace.cli._dlp_tables import facts_of, print_schedules, programs_of, write_programs
    from tradespace.graph.network import Network
    from tradespace.hardware.dlp.machine_file import load_machine
    from tradespace.hardware.dlp.naming import parse_target
    from tradespace.hardware.dlp.network import schedule_layers_on, schedule_network_on

    target, chip = parse_target(what, batch=batch), load_machine(machine)
    settings: dict[str, Any] = {
        "number_format": number_format,
        "objectives": _objectives(objective),
        "slack": slack,
        "max_segments": max_segments,
        "steady": steady,
    }
    if isinstance(target, Network):
        found = schedule_network_on(target, chip, **settings)
    else:
        found = schedule_layers_on(target, chip, **settings)
    programs = {} if out is None and isinstance(target, Network) else programs_of(found)
    if out is not None:
        with _writing(out):
            write_programs(out, programs, single=len(programs) == 1)
    if as_json:
        extra = {"program": next(iter(programs.values()))} if len(programs) == 1 else {}
        totals = found.to_dict()
        layers = [facts_of(row) for row in found.rows]
        typer.echo(json.dumps({**totals, "layers": layers, **extra}))
        return
    if not isinstance(target, Network) and out is None:
        typer.echo("\n".join(programs.values()), nl=False)
    print_schedules(found)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"Cannot write {str(path)!r}: {error.strerror}."
        remedy = "Give a path in a folder that exists and may be written."
        raise ProcessorError(msg, remedy=remedy) from None


def _objectives(text: str) -> tuple[Objective, ...]:
    from typing import get_args

    from tradespace.hardware.dlp.scheduler.search import Objective

    known: tuple[Objective, ...] = get_args(Objective)
    chosen = tuple(k for name in text.split(",") for k in known if k == name.strip())
    if len(chosen) != len(text.split(",")):
        msg = f"Unknown objective in {text!r}."
        raise ProcessorError(msg, remedy=f"Use {', '.join(known)}, in order of importance.")
    return chosen


@app.command()
def sweep(
    what: Annotated[str, typer.Argument(help="Network or layer.")],
    over: Annotated[list[str], typer.Option("--over", help="wram=64KiB..4MiB, bandwidth=16..256")],
    machine: MachineOption = None,
    number_format: FormatOption = "fp32",
    *,
    as_json: AsJson = False,
) -> None:
    """Schedule on machines that differ, and say what to buy next."""
    from tradespace.hardware.dlp.machine_file import load_machine
    from tradespace.hardware.dlp.naming import parse_target
    from tradespace.hardware.dlp.sweep import next_purchase, parse_axis
    from tradespace.hardware.dlp.sweep import sweep as explore

    target, chip = parse_target(what), load_machine(machine)
    axes = [parse_axis(text) for text in over]
    points = explore(target, chip, axes, number_format=number_format)
    gains = next_purchase(target, chip, number_format=number_format)
    if as_json:
        names = ("time_s", "bound_s", "traffic_bytes", "energy_j")
        rows = [{**p.values, **{name: getattr(p, name) for name in names}} for p in points]
        typer.echo(json.dumps({"points": rows, "doubling_saves": dict(gains)}))
        return
    from tradespace.files.units import format_bytes, format_time

    heads = (*(name for name, _ in axes), "time", "bound T*", "traffic", "energy")
    table = plain_table(*heads)
    for p in points:
        shown = [
            format_bytes(v) if n in ("nram", "wram") else f"{v:.4g}" for n, v in p.values.items()
        ]
        times = (format_time(p.time_s), format_time(p.bound_s))
        table.add_row(*shown, *times, format_bytes(p.traffic_bytes), f"{p.energy_j:.3g} J")
    print_wide(table, least=100)
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
    as_json: AsJson = False,
) -> None:
    """Draw the lanes and the memories of a program over time."""
    from dataclasses import asdict

    from tradespace.hardware.dlp.timeline import render_html, render_text
    from tradespace.hardware.dlp.timeline import timeline as chart_of

    chart = chart_of(*_load(program, machine))
    if as_json:
        typer.echo(json.dumps(asdict(chart)))
    elif as_html or out is not None:
        target = out or program.with_suffix(".html")
        with _writing(target):
            target.write_text(render_html(chart, title=program.name), encoding="utf-8")
        typer.echo(f"wrote {target}")
    else:
        typer.echo(render_text(chart), nl=False)
