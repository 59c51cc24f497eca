"""What the commands of ``tradespace features`` share: arguments, the views of a file, output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tradespace.features.define.views import View

File = Annotated[
    str, typer.Argument(help="Python or YAML file that defines views.", metavar="FEATURES")
]
Data = Annotated[str | None, typer.Option("--data", help="Files to read instead of the source's.")]


Views = Annotated[
    list[str] | None, typer.Option("--view", help="Only this view; may be given several times.")
]


def chosen(file: str, names: list[str] | None) -> dict[str, View]:
    """Return the views of a file, or those that are named."""
    from tradespace.core.errors import FeatureError
    from tradespace.core.suggest import unknown
    from tradespace.features.define.load import load_views

    views = load_views(file)
    for name in names or ():
        if name not in views:
            raise unknown(FeatureError, "feature view", name, views)
    return views if not names else {name: views[name] for name in names}


def say(record: Any, text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(record, indent=1) if as_json else text)
