"""``tradespace features list``, ``show`` and ``diff``: what views and builds there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tradespace.cli._common import AsJson
from tradespace.cli._features_common import File, chosen, say

Build = Annotated[
    Path | None, typer.Option("--build", help="Folder of a build: statistics and freshness.")
]
Studies = Annotated[
    Path | None, typer.Option("--studies", help="Folder of studies: where views are used.")
]


def list_(
    file: File, build: Build = None, studies: Studies = None, *, as_json: AsJson = False
) -> None:
    """List the views of a file."""
    from tradespace.features.build.catalogue import describe, statistics, uses
    from tradespace.features.define.load import load_views

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
    say(records, "\n".join(lines), as_json=as_json)


def show(
    file: File,
    name: Annotated[str, typer.Argument(help="Name of the view.")],
    build: Build = None,
    studies: Studies = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show everything known of one view: definition, owner, statistics, freshness, uses."""
    from tradespace.features.build.catalogue import describe, statistics, uses

    view = chosen(file, [name])[name]
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
    say(record, "\n".join(lines), as_json=as_json)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def diff(
    before: Annotated[Path, typer.Argument(help="A build.")],
    after: Annotated[Path, typer.Argument(help="Another build.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two builds."""
    from tradespace.features.build.compare import diff as diff_builds

    record = diff_builds(before, after)
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in record.items()]
    say(record, "\n".join(lines), as_json=as_json)
