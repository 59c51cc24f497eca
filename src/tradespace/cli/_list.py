"""``tradespace list``: what can stand in a study file, and what networks are priced on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from tradespace.cli._common import AsJson, console, print_json

app = typer.Typer(add_completion=False)

KINDS = ("qualities", "families", "scenarios", "rules", "networks", "processors", "regions", "runs")


@app.command("list")
def list_plugins(
    what: Annotated[str, typer.Argument(help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}.")],
    as_json: AsJson = False,
) -> None:
    """List what can stand in a study file, and what networks can be priced on.

    Qualities, families, scenarios and rules that exclude rows; networks of the zoo, processors,
    regions of electricity and published training runs.
    """
    from tradespace.core.errors import InputError
    from tradespace.core.suggest import unknown

    if what not in KINDS:
        raise unknown(InputError, "listing", what, KINDS)
    rows = listing(what)
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    hidden = {"title", "settings", "sources", "notes", "detail"}
    hidden |= {"source", "task"} if what == "networks" else set()
    names = [name for name in rows[0] if name not in hidden]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, no_wrap=name == "name", overflow="fold")
    for row in rows:
        table.add_row(*(_text(row[name]) for name in names))
    out = console()
    if not out.is_terminal:
        out.width = 10_000  # one line for each, for programs that read lines
    out.print(table)
    settings = "; settings with --json" if any(row.get("settings") for row in rows) else ""
    if what in _TABLES:
        settings = "; every figure with its source with --json"
    one = {"qualities": "quality", "families": "family"}.get(what, what.removesuffix("s"))
    typer.echo(f"\n{len(rows)} {one if len(rows) == 1 else what}{settings}")


def listing(what: str) -> list[dict[str, Any]]:
    """Return the rows of a listing as plain data."""
    from tradespace.core import registry
    from tradespace.core.plain import plain

    if what in _TABLES:
        return _TABLES[what]()
    rows = getattr(registry, {"rules": "exclude_rules"}.get(what, what))()
    return [
        {
            **{name: plain(getattr(row, name)) for name in _SHOWN_OF[what]},
            "settings": _settings(row),
        }
        for row in rows.values()
    ]


def _networks() -> list[dict[str, Any]]:
    from tradespace.graph.zoo import networks

    return [
        {
            "name": row.name,
            "what": row.title,
            "family": row.family,
            "year": row.year,
            "task": row.task,
            "input": row.input,
            "source": row.source,
            "detail": {"aliases": list(row.aliases), "facts": dict(row.facts)},
        }
        for row in networks().values()
    ]


def _processors() -> list[dict[str, Any]]:
    from tradespace.hardware.profiles import processors

    return [
        {
            "name": chip.id,
            "what": chip.name,
            "class": chip.device_class,
            "peak": _peak(chip.peak_ops_per_s),
            "bandwidth": _scaled(chip.memory_bandwidth_bytes_per_s, "B/s"),
            "memory": _scaled(chip.memory_bytes, "B"),
            "power": _scaled(chip.tdp_w, "W"),
            "detail": chip.to_dict(),
        }
        for chip in processors().values()
    ]


def _regions() -> list[dict[str, Any]]:
    from tradespace.hardware.profiles import regions

    return [
        {
            "name": place.id.removeprefix("grid-"),
            "what": place.name,
            "g CO2e/kWh": f"{place.carbon_g_per_kwh:,.0f}",
            "PUE": "" if place.pue is None else f"{place.pue:g}",
            "year": place.year,
            "detail": place.to_dict(),
        }
        for place in regions().values()
    ]


def _runs() -> list[dict[str, Any]]:
    from dataclasses import asdict

    from tradespace.cost.price.tables import training_runs

    return [
        {
            "name": run.id,
            "what": run.name,
            "published": ", ".join(run.published.values()),
            "source": run.source,
            "detail": asdict(run),
        }
        for run in training_runs().values()
    ]


#: By kind of plug-in, what is listed of its row.
_SHOWN_OF = {
    "qualities": ("name", "title", "unit", "direction", "definition", "source"),
    "families": ("name", "title", "tasks", "extra", "summary"),
    "scenarios": ("name", "title", "summary"),
    "rules": ("name", "title", "summary"),
}
_TABLES = {"networks": _networks, "processors": _processors, "regions": _regions, "runs": _runs}
#: The format whose rate stands for a processor, first that it has.
_SHOWN = ("bf16", "fp16", "fp32", "int8")


def _peak(peaks: Mapping[str, float]) -> str:
    fmt = next((name for name in _SHOWN if name in peaks), None)
    return f"{_scaled(peaks[fmt], 'OP/s')} {fmt}" if fmt else "unknown"


def _scaled(value: float | None, unit: str) -> str:
    """Return an amount with the prefix that people would use; vendors' are decimal."""
    if value is None:
        return "unknown"
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor and unit != "W":
            return f"{value / factor:.4g} {prefix}{unit}"
    return f"{value:.4g} {unit}"


def _settings(row: Any) -> list[dict[str, Any]]:
    return [
        {"name": s.name, "default": s.default, "allowed": s.wanted(), "help": s.help}
        for s in row.settings
    ]


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
