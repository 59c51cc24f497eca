"""``tradespace features``: feature views built, joined, checked, listed and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tradespace.cli._common import AsJson, Quiet, progress_bar
from tradespace.cli._features_catalogue import diff, list_, show
from tradespace.cli._features_common import Data, File, Views, chosen, say

if TYPE_CHECKING:
    from tradespace.features.define.views import View

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Build, join, verify and list feature views."
)


@app.command()
def build(
    file: File,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of Parquet files to write; where a file of views has several sources, "
            "features-SOURCE.parquet unless you say otherwise.",
            show_default="features.parquet",
        ),
    ] = None,
    data: Data = None,
    view: Views = None,
    every: Annotated[str, typer.Option("--every", help="Length of a slice of time.")] = "1d",
    rows_at_once: Annotated[
        int | None, typer.Option(help="Events held in memory; by default those of two gigabytes.")
    ] = None,
    *,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Compute every feature of every event, as of its own time; goes on where it was stopped."""
    from tradespace.features.build.build import build as build_views

    views = chosen(file, view)
    out = out or _folder_of(file, views)
    with _progress(show=not (quiet or as_json)) as listen:
        manifest = build_views(
            views, out, data=data, every=every, rows_at_once=rows_at_once, progress=listen
        )
    for breach in manifest["breaches"]:
        typer.echo(f"contract: {breach}", err=True)
    n_slices = len(manifest["partitions"])
    text = (
        f"{out}: {len(manifest['features'])} features of {manifest['rows']:,} events in "
        f"{n_slices} slices, {manifest['computed']} of them computed now"
    )
    say({**manifest, "out": str(out)}, text, as_json=as_json)


def _folder_of(file: str, views: dict[str, View]) -> Path:
    """Return where a build goes by default: a folder for each source of the file."""
    import re

    from tradespace.features.build.build import one_source
    from tradespace.features.define.load import load_views, sources_of

    if len(sources_of(load_views(file))) == 1:
        return Path("features.parquet")
    source, _ = one_source(views, data="-")
    return Path(f"features-{re.sub(r'[^A-Za-z0-9._-]+', '_', source.name)}.parquet")


@contextmanager
def _progress(*, show: bool) -> Iterator[Callable[[float, str], None]]:
    """Give a listener that draws a bar on standard error."""
    if not show:
        yield lambda _share, _message: None
        return
    with progress_bar("{task.description:<28}", counted=False) as bar:
        task = bar.add_task("Starting.", total=1.0)

        def listen(share: float, message: str) -> None:
            bar.update(task, completed=share, description=message)

        yield listen


@app.command()
def join(
    file: File,
    labels: Annotated[str, typer.Argument(help="Table of entities, times and labels.")],
    out: Annotated[
        Path, typer.Option("--out", help="Table to write: .parquet or .csv, by its ending.")
    ] = Path("joined.parquet"),
    time: Annotated[
        str | None, typer.Option("--time", help="Column of the time to look from.")
    ] = None,
    data: Data = None,
    view: Views = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add to a table the features as of the time of each row."""
    from tradespace.features.batch.study_columns import read_files
    from tradespace.features.build.build import events_of
    from tradespace.features.build.joins import join_all
    from tradespace.features.build.labels import refuse_place, write_table

    views = chosen(file, view)
    paths = [path for v in views.values() if (path := data or v.source.path) is not None]
    refuse_place(out, inputs=[labels, *paths])
    owner = f"The table of labels {labels!r}"
    table = read_files(labels, None, owner=owner)
    at = time or next(iter(views.values())).source.time
    joined = join_all(views, table, time=at, events=events_of(views, data=data), owner=owner)
    write_table(joined.frame, out)
    for warning in joined.warnings:
        typer.echo(f"warning: {warning}", err=True)
    record = {
        "out": str(out),
        "rows": joined.frame.height,
        "columns": joined.frame.columns,
        "entities": {
            name: {"asked": asked, "found": found} for name, (found, asked) in joined.found.items()
        },
        "warnings": list(joined.warnings),
    }
    text = f"{out}: {joined.frame.height:,} rows, {joined.frame.width} columns"
    say(record, text, as_json=as_json)


@app.command()
def verify(
    file: File,
    data: Data = None,
    view: Views = None,
    sample: Annotated[
        int | None, typer.Option("--sample", help="Only so many entities, drawn by a hash.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--last", help="Only rows of so long before the newest, like 7d.")
    ] = None,
    *,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Replay the events through the streaming engine and compare every value with batch.

    Exits with 1 if a value differs.
    """
    from dataclasses import asdict

    from tradespace.features.build.build import source_events
    from tradespace.features.stream.replay import verify as verify_views
    from tradespace.features.stream.sample import Portion
    from tradespace.files.durations import parse_duration_us

    views = chosen(file, view)
    last_us = None if last is None else parse_duration_us(last, what="last time")
    portion = Portion(sample, last_us)
    told: list[str] = []
    with _progress(show=not (quiet or as_json)) as listen:
        listen(0.0, "Reading the source.")
        events = source_events(views, data=data)
        found = verify_views(
            views,
            events,
            portion=portion,
            progress=lambda share: listen(share, "Replaying."),
            say=told.append,
        )
    for text in told:
        typer.echo(text, err=True)
    lines = [f"{d.feature}: {_differing(d.rows, d.compared, d.greatest, d.missing)}" for d in found]
    say([asdict(d) for d in found], "\n".join(lines), as_json=as_json)
    if any(d.rows for d in found):
        raise typer.Exit(1)


def _differing(rows: int, of: int, greatest: float, missing: int) -> str:
    """Return how many values differ, by how much, and how many are missing on one side."""
    text = f"{rows:,} of {of:,} differ"
    if rows == 0 or missing < rows:
        text += f", at most {greatest:g}"
    return f"{text}, {missing:,} missing on one side" if missing else text


@app.command()
def check(file: File, data: Data = None, *, as_json: AsJson = False) -> None:
    """Hold the events of the source to its contract; say what rows break it, with examples.

    Exits with 1 if a row breaks it.
    """
    from dataclasses import replace

    from tradespace.features.build.build import one_source
    from tradespace.features.build.survey import survey
    from tradespace.features.define.contracts import OnBreach
    from tradespace.features.define.load import load_views
    from tradespace.files.durations import parse_duration_us

    views = load_views(file)
    source, path = one_source(views, data=data)
    if source.contract is not None:
        contract = replace(source.contract, on_breach=OnBreach.REPORT)
        source = replace(source, contract=contract)
    found = survey(source, path, views, every_us=parse_duration_us("1d"))
    lines = [str(breach) for breach in found.breaches]
    kept = "keep to the" if source.contract is not None else "have no"
    text = "\n".join(lines) or f"{found.n_rows:,} events {kept} contract"
    say({"rows": found.n_rows, "breaches": lines}, text, as_json=as_json)
    if lines:
        raise typer.Exit(1)


@app.command()
def skew(
    file: File,
    log: Annotated[str, typer.Argument(help="Table of answers: time, entities, values served.")],
    time: Annotated[
        str | None, typer.Option("--time", help="Column of the time values were read as of.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="Relative difference that does not count.")
    ] = 1e-9,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare values that were served with what batch says of those moments.

    Exits with 1 if a value differs.
    """
    from tradespace.features.batch.study_columns import read_files
    from tradespace.features.build.build import events_of
    from tradespace.features.build.skew import skew as compare
    from tradespace.features.define.load import load_views

    views = load_views(file)
    owner = f"The log of answers {log!r}"
    table = read_files(log, None, owner=owner)
    at = time or next(iter(views.values())).source.time
    events = events_of(views, data=data)
    found = compare(views, table, time=at, events=events, tolerance=tolerance, owner=owner)
    lines = []
    for one in found:
        line = f"{one.feature}: {one.differing:,} of {one.rows:,} differ"
        if one.lacks:
            line = f"{one.feature}: not compared, the log lacks {', '.join(one.lacks)}"
        if one.differing:
            counts = _differing(one.differing, one.rows, one.greatest, one.missing)
            row, *values = one.examples[0]
            served, batch = ("missing" if v != v else f"{v:g}" for v in values)
            line = f"{one.feature}: {counts}; row {row}: served {served}, batch {batch}"
        lines.append(line)
    say([one.to_dict() for one in found], "\n".join(lines), as_json=as_json)
    if any(one.differing for one in found):
        raise typer.Exit(1)


app.command("list")(list_)
app.command()(show)
app.command()(diff)
