"""``tradespace list``: what can stand in a study file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tradespace.cli._common import AsJson, console, print_json

app = typer.Typer()

KINDS = ("qualities", "families", "scenarios", "rules")


@app.command("list")
def list_plugins(
    what: Annotated[str, typer.Argument(help="qualities, families, scenarios or rules.")],
    as_json: AsJson = False,
) -> None:
    """List qualities, families, scenarios or rules that exclude rows."""
    from tradespace.core.errors import InputError
    from tradespace.core.suggest import unknown_name

    if what not in KINDS:
        message, remedy = unknown_name("listing", what, KINDS)
        raise InputError(message, remedy=remedy)
    rows = listing(what)
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    hidden = {"title", "settings"}
    names = [name for name in rows[0] if name not in hidden]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, no_wrap=name == "name", overflow="fold")
    for row in rows:
        table.add_row(*(_text(row[name]) for name in names))
    console().print(table)
    settings = "; settings with --json" if any(row.get("settings") for row in rows) else ""
    typer.echo(f"\n{len(rows)} {what}{settings}")


def listing(what: str) -> list[dict[str, Any]]:
    """Return the rows of a listing as plain data."""
    from tradespace.core import registry

    if what == "qualities":
        return [
            {
                "name": row.name,
                "title": row.title,
                "unit": row.unit,
                "direction": row.direction.value,
                "definition": row.definition,
                "source": row.source,
                "settings": _settings(row),
            }
            for row in registry.qualities().values()
        ]
    if what == "families":
        return [
            {
                "name": row.name,
                "title": row.title,
                "tasks": [task.value for task in row.tasks],
                "extra": row.extra,
                "summary": row.summary,
                "settings": _settings(row),
            }
            for row in registry.families().values()
        ]
    rows = registry.scenarios() if what == "scenarios" else registry.exclude_rules()
    return [
        {"name": row.name, "title": row.title, "summary": row.summary, "settings": _settings(row)}
        for row in rows.values()
    ]


def _settings(row: Any) -> list[dict[str, Any]]:
    return [
        {"name": s.name, "default": s.default, "allowed": s.wanted(), "help": s.help}
        for s in row.settings
    ]


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
