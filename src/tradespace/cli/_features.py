"""``tradespace features``: feature views built, joined, checked, listed and compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tradespace.features.definitions import View

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Build, join, verify and list feature views."
)

File = Annotated[
    str, typer.Argument(help="Python or YAML file that defines views.", metavar="FEATURES")
]
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
    for breach in manifest["breaches"]:
        typer.echo(f"contract: {breach}", err=True)
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
def verify(
    file: File,
    data: Data = None,
    view: Views = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Replay the events through the streaming engine and compare every value with batch.

    Exits with 1 if a value differs.
    """
    from tradespace.features.build import source_events
    from tradespace.features.replay import verify as verify_views

    views = _chosen(file, view)
    events = source_events(views, data=data)
    with _progress(show=not (quiet or as_json)) as listen:
        found = verify_views(views, events, progress=lambda share: listen(share, "Replaying."))
    record = [{"feature": d.feature, "rows": d.rows, "greatest": d.greatest} for d in found]
    lines = [
        f"{d.feature}: {d.rows} of {len(events):,} differ, at most {d.greatest:g}" for d in found
    ]
    _say(record, "\n".join(lines), as_json=as_json)
    if any(d.rows for d in found):
        raise typer.Exit(1)


@app.command()
def check(file: File, data: Data = None, *, as_json: AsJson = False) -> None:
    """Hold the events of the source to its contract; say what rows break it, with examples.

    Exits with 1 if a row breaks it.
    """
    from dataclasses import replace

    from tradespace.features._survey import survey
    from tradespace.features.build import one_source
    from tradespace.features.contracts import OnBreach
    from tradespace.features.durations import parse_duration_us
    from tradespace.features.load import load_views

    views = load_views(file)
    source, path = one_source(views, data=data)
    if source.contract is not None:
        contract = replace(source.contract, on_breach=OnBreach.REPORT)
        source = replace(source, contract=contract)
    found = survey(source, path, views, every_us=parse_duration_us("1d"))
    lines = [str(breach) for breach in found.breaches]
    kept = "keep to the" if source.contract is not None else "have no"
    text = "\n".join(lines) or f"{found.n_rows:,} events {kept} contract"
    _say({"rows": found.n_rows, "breaches": lines}, text, as_json=as_json)
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
    *,
    as_json: AsJson = False,
) -> None:
    """Compare values that were served with what batch says of those moments.

    Exits with 1 if a value differs.
    """
    from tradespace.features.apply import read_files
    from tradespace.features.load import load_views
    from tradespace.features.skew import skew as compare

    views = load_views(file)
    table = read_files(log, None, owner="The log of answers")
    at = time or next(iter(views.values())).source.time
    found = compare(views, table, time=at, tolerance=tolerance)
    lines = []
    for one in found:
        line = f"{one.feature}: {one.differing:,} of {one.rows:,} differ"
        if one.differing:
            row, served, batch = one.examples[0]
            line += f", at most {one.greatest:g}; row {row}: served {served:g}, batch {batch:g}"
        lines.append(line)
    _say([one.to_dict() for one in found], "\n".join(lines), as_json=as_json)
    if any(one.differing for one in found):
        raise typer.Exit(1)


Build = Annotated[
    Path | None, typer.Option("--build", help="Folder of a build: statistics and freshness.")
]
Studies = Annotated[
    Path | None, typer.Option("--studies", help="Folder of studies: where views are used.")
]


@app.command("list")
def list_(
    file: File, build: Build = None, studies: Studies = None, *, as_json: AsJson = False
) -> None:
    """List the views of a file."""
    from tradespace.features.catalogue import describe, statistics, uses
    from tradespace.features.load import load_views

    views = load_views(file)
    used = None if studies is None else uses(studies, views)
    records, lines = [], []
    for name, view in views.items():
        record = describe(view)
        line = f"{name:<20} {view.source.name:<20} {len(view.names):>3} features  {view.hash}"
        line += f"  {record['owner'] or '-'}"
        if build is not None:
            record["build"] = statistics(build, view)
            state = "current" if record["build"]["current"] else "of another version"
            line += f"  built: {state}, to {record['build']['newest']}"
        if used is not None:
            record["used"] = used[name]
            line += f"  used by {len(used[name])}"
        records.append(record)
        lines.append(line)
    _say(records, "\n".join(lines), as_json=as_json)


@app.command()
def show(
    file: File,
    name: Annotated[str, typer.Argument(help="Name of the view.")],
    build: Build = None,
    studies: Studies = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show everything known of one view: definition, owner, statistics, freshness, uses."""
    from tradespace.features.catalogue import describe, statistics, uses

    view = _chosen(file, [name])[name]
    record = describe(view)
    lines = [f"{name} (version {view.hash}), from {view.source.name} ({view.source.path})"]
    lines += [text for text in (view.description, f"owner: {record['owner'] or '-'}") if text]
    if record.get("entity"):
        limit = record["freshness_limit"] or "none"
        lines.append(f"entity: {record['entity']}; freshness limit: {limit}")
    values: dict[str, Any] = {}
    if build is not None:
        record["build"] = found = statistics(build, view)
        values = found["features"]
        state = "current" if found["current"] else "of another version of the definition"
        lines.append(f"build: {found['rows']:,} rows, newest {found['newest']}, {state}")
    for feature, facts in record["features"].items():
        line = f"  {feature}: {facts['definition']} [{facts['unit']}]"
        if feature in values:
            v = values[feature]
            line += f"  {_number(v['min'])} to {_number(v['max'])}, mean {_number(v['mean'])}"
            line += f", missing {v['missing']:.1%}"
        lines.append(f"{line}  {facts['description']}".rstrip())
    if studies is not None:
        record["used"] = uses(studies, {name: view})[name]
        for use in record["used"]:
            if "unreadable" in use:
                lines.append(f"  not readable: {use['unreadable']}")
                continue
            state = "this version" if use["current"] else f"version {use['version']}"
            lines.append(f"  used by {use['study']} as {use['reference']} ({state})")
        if not record["used"]:
            lines.append("  used by no study there")
    _say(record, "\n".join(lines), as_json=as_json)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


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
