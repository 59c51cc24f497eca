"""How the results of ``tradespace dlp`` are written: tables for people, facts for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tradespace.cli._common import plain_table, print_wide

if TYPE_CHECKING:
    from tradespace.hardware.dlp.results import NetworkOnDlp, OperatorOnDlp


def print_time(facts: dict[str, Any]) -> None:
    """Print what `tradespace dlp time` found."""
    from tradespace.files.units import format_bytes, format_time

    typer.echo(f"time    {format_time(facts['time_s'])} ({facts['cycles']:.10g} cycles)")
    typer.echo(
        f"bound   {format_time(facts['bound_s'])} (all of this program's work, perfectly "
        f"overlapped): {100 * facts['above_bound']:.2f} % above the bound"
    )
    if "tokens_time_s" in facts:
        typer.echo(f"tokens  {format_time(facts['tokens_time_s'])} without its syncs")
    typer.echo(f"traffic {format_bytes(facts['dram_bytes'])}    energy {facts['energy_j']:.4g} J")
    typer.echo("" if len(facts["segments"]) <= 40 else "\nfirst 40 segments")
    table = plain_table(
        *("lines", "times", "time", "transfer", "compute", "idle"), left=("lines", "idle")
    )
    for s in facts["segments"][:40]:
        first, last = s["lines"]
        times = (format_time(s[f"{name}_s"]) for name in ("time", "transfer", "compute"))
        lines = f"{first}-{last}" if last != first else str(first)
        table.add_row(lines, str(s["times"]), *times, s["idle"])
    print_wide(table, least=100)


def programs_of(found: NetworkOnDlp) -> dict[str, str]:
    """Return the programs of all scheduled layers by name, equal pieces of a layer once."""
    from tradespace.hardware.dlp.disassembler import disassemble

    made: dict[str, str] = {}
    for row in found.rows:
        for number, (one, _) in enumerate(row.schedules):
            name = row.name if len(row.schedules) == 1 else f"{row.name}.part{number}"
            made[name] = disassemble(one.program)
    return made


def write_programs(out: Path, programs: dict[str, str], *, single: bool) -> None:
    """Write one program to a file, or several into a folder."""
    if single:
        out.write_text(next(iter(programs.values())), encoding="utf-8")
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, text in programs.items():
        path = out / f"{name.replace('/', '_').replace(':', '_')}.dlp"
        path.write_text(text, encoding="utf-8")


def facts_of(row: OperatorOnDlp) -> dict[str, Any]:
    """Return the facts of a row, with those of its schedule where it is one layer."""
    facts = {"layer": row.name, **row.to_dict()}
    if len(row.schedules) == 1 and row.schedules[0][1] == 1:
        one = row.schedules[0][0]
        facts |= {
            "t0_s": one.bound.t0_s,
            "certified_s": one.bound.certified_s,
            "above_t0": one.time_s / one.bound.t0_s - 1,
            "traffic_words": one.traffic_words,
            "bound_words": one.bound.traffic_words,
            "segments": one.n_segments,
            "plan": str(one.plan),
        }
    return facts


def print_schedules(found: NetworkOnDlp) -> None:
    """Print a row for each operator, the totals, and why some stay far from their bounds."""
    from tradespace.files.units import format_bytes, format_time
    from tradespace.hardware.dlp.bounds import ASSUMPTIONS, SOURCE

    names = ("layer", "how", "time", "bound T*", "gap", "limit", "traffic", "least", "energy")
    table = plain_table(*names, left=("layer", "how", "limit"))
    for row in found.rows:
        table.add_row(
            row.name,
            row.how,
            format_time(row.time_s),
            format_time(row.bound_s),
            f"{100 * row.gap:.3f} %",
            row.limit,
            format_bytes(row.traffic_bytes),
            format_bytes(row.bound_bytes),
            f"{row.energy_j:.3g} J",
        )
    print_wide(table, least=120)
    if len(found.rows) > 1:
        typer.echo(
            f"total {format_time(found.time_s)}, bound {format_time(found.bound_s)}: "
            f"{100 * found.gap:.4f} % above; energy {found.energy_j:.4g} J"
        )
    for lacking in found.uncovered:
        typer.echo(f"not done: {lacking.name} ({lacking.operator}): {lacking.reason}")
    for row in found.rows:
        if row.gap > 0.02:
            typer.echo(f"{row.name}: {100 * row.gap:.1f} % above the bound, because {_reason(row)}")
    typer.echo(f"bound of traffic: {SOURCE}")
    typer.echo("assumptions: " + "; ".join(ASSUMPTIONS))


def _reason(row: OperatorOnDlp) -> str:
    """Return why a row stays away from its bound."""
    if row.how == "recurrent":
        return "its weights are loaded again in every step where they do not stay on the chip."
    if len(row.schedules) > 1:
        return "it is done in parts that hand results to one another through DRAM."
    return (
        "its first load and last store are long against its work, or its memories are small "
        "for its tiles."
    )
