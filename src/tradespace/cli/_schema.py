"""``tradespace schema``: the JSON Schema of the study file."""

from __future__ import annotations

import typer

from tradespace.cli._common import AsJson, print_json

app = typer.Typer(add_completion=False)


@app.command()
def schema(as_json: AsJson = True) -> None:
    """Print the JSON Schema of the study file, for editors."""
    from tradespace.study.json_schema import json_schema

    del as_json
    print_json(json_schema())
