"""``tradespace features``: build, join, verify, list, show and diff feature views."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tradespace.features.definitions import View

app = typer.Typer(no_args_is_help=True, help="Build, join, verify and list feature views.")

File = Annotated[str, typer.Argument(help="Python file that defines views.", metavar="FEATURES.PY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Data = Annotated[str | None, typer.Option("--data", help="Files to read instead of the source's.")]


Views = Annotated[
    list[str] | None, typer.Option("--view", help="Only this view; may be given several times.")
]


def _chosen(file: str, names: list[str] | None) -> dict[str, View]:
    """Return the views of a file, or those that are named."""
    from tradespace.core.errors import FeatureError
    from tradespace.core.suggest import unknown_name
    from tradespace.features.load import load_views

    views = load_views(file)
    for name in names or ():
        if name not in views:
            message, remedy = unknown_name("feature view", name, views)
            raise FeatureError(message, remedy=remedy)
    return views if not names else {name: views[name] for name in names}


def _say(record: Any, text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(record, indent=1) if as_json else text)


@app.command()
def build(
    file: File,
    out: Annotated[Path, typer.Option("--out", help="Folder of Parquet files to write.")] = Path(
        "features.parquet"
    ),
    data: Data = None,
    view: Views = None,
    every: Annotated[str, typer.Option("--every", help="Length of a slice of time.")] = "1d",
    rows_at_once: Annotated[
        int | None, typer.Option(help="Events held in memory; by default those of two gigabytes.")
    ] = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compute every feature of every event, as of its own time; goes on where it was stopped."""
    from tradespace.features.build import build as build_views

    views = _chosen(file, view)
    with _progress(show=not (quiet or as_json)) as listen:
        manifest = build_views(
            views, out, data=data, every=every, rows_at_once=rows_at_once, progress=listen
        )
    n_slices = len(manifest["partitions"])
    text = (
        f"{out}: {len(manifest['features'])} features of {manifest['rows']:,} events in "
        f"{n_slices} slices, {manifest['computed']} of them computed now"
    )
    _say({**manifest, "out": str(out)}, text, as_json=as_json)


@contextmanager
def _progress(*, show: bool) -> Iterator[Callable[[float, str], None]]:
    """Give a listener that draws a bar on standard error."""
    if not show:
        yield lambda _share, _message: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("Starting.", total=1.0)

        def listen(share: float, message: str) -> None:
            bar.update(task, completed=share, description=message)

        yield listen


@app.command()
def join(
    file: File,
    labels: Annotated[str, typer.Argument(help="Table of entities, times and labels.")],
    out: Annotated[Path, typer.Option("--out", help="Parquet file to write.")] = Path(
        "joined.parquet"
    ),
    time: Annotated[
        str | None, typer.Option("--time", help="Column of the time to look from.")
    ] = None,
    view: Views = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add to a table the features as of the time of each row."""
    from tradespace.features.apply import read_files
    from tradespace.features.joins import join as join_views

    views = _chosen(file, view)
    table = read_files(labels, None, owner="The table of labels")
    at = time or next(iter(views.values())).source.time
    joined = join_views(views, table, time=at)
    unfinished = out.with_name(f".{out.name}")
    joined.write_parquet(unfinished)
    unfinished.replace(out)
    record = {"out": str(out), "rows": joined.height, "columns": joined.columns}
    _say(record, f"{out}: {joined.height:,} rows, {joined.width} columns", as_json=as_json)


@app.command()
def verify(file: File, data: Data = None, *, as_json: AsJson = False) -> None:
    """Replay the events through the streaming engine and compare every value with batch."""
    from tradespace.features.build import source_events
    from tradespace.features.load import load_views
    from tradespace.features.replay import verify as verify_views

    views = load_views(file)
    events = source_events(views, data=data)
    found = verify_views(views, events)
    record = [{"feature": d.feature, "rows": d.rows, "greatest": d.greatest} for d in found]
    lines = [
        f"{d.feature}: {d.rows} of {len(events):,} differ, at most {d.greatest:g}" for d in found
    ]
    _say(record, "\n".join(lines), as_json=as_json)
    if any(d.rows for d in found):
        raise typer.Exit(1)


@app.command("list")
def list_(file: File, *, as_json: AsJson = False) -> None:
    """List the views of a file."""
    from tradespace.features.load import load_views

    views = load_views(file).values()
    record = [
        {"name": v.name, "source": v.source.name, "version": v.hash, "features": list(v.names)}
        for v in views
    ]
    lines = [
        f"{v.name:<20} {v.source.name:<20} {len(v.names):>3} features  {v.hash}" for v in views
    ]
    _say(record, "\n".join(lines), as_json=as_json)


@app.command()
def show(
    file: File,
    name: Annotated[str, typer.Argument(help="Name of the view.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show everything known of one view."""
    from dataclasses import replace

    from tradespace.core.errors import FeatureError
    from tradespace.core.suggest import unknown_name
    from tradespace.features.definitions import FeatureView
    from tradespace.features.load import load_views

    views = load_views(file)
    if name not in views:
        message, remedy = unknown_name("feature view", name, views)
        raise FeatureError(message, remedy=remedy)
    view = views[name]
    if isinstance(view, FeatureView):
        definitions = [feature.to_dict() for feature in view.features]
        lines = [
            f"  {n}: {replace(f, name='').slug} [{f.unit}]"
            for n, f in zip(view.names, view.features, strict=True)
        ]
    else:
        definitions = [{"expression": expression.text} for expression in view.expressions]
        lines = [f"  {e.name}: {e.text}" for e in view.expressions]
    record = {
        "name": view.name,
        "version": view.hash,
        "owner": view.owner,
        "description": view.description,
        "source": view.source.to_dict(),
        "features": dict(zip(view.names, definitions, strict=True)),
    }
    head = f"{view.name} (version {view.hash}), from {view.source.name}\n{view.description}"
    _say(record, "\n".join([head.rstrip(), *lines]), as_json=as_json)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="A build.")],
    after: Annotated[Path, typer.Argument(help="Another build.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two builds."""
    from tradespace.features.compare import diff as diff_builds

    record = diff_builds(before, after)
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in record.items()]
    _say(record, "\n".join(lines), as_json=as_json)
