"""``tradespace init``: a study for a data file, or a ready scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tradespace.cli._common import AsJson, print_json, writing

app = typer.Typer(add_completion=False)


@app.command()
def init(
    data: Annotated[
        Path | None, typer.Argument(help="CSV or Parquet file.", show_default=False)
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    scenario: Annotated[str | None, typer.Option(help="Start from a ready study.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the scenario: name=value.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="File or folder to write.", show_default="study.yaml, or the scenario"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at a data file and write a commented study that runs, or start from a scenario.

    Finds the task, column types, times, entities, ids and likely leaks.
    """
    from tradespace.core.errors import InputError

    if (data is None) == (scenario is None):
        msg = "Give either a data file or --scenario."
        raise InputError(msg, remedy="'tradespace list scenarios' shows the ready ones.")
    if scenario is not None:
        _scenario(scenario, set_ or [], out or Path(scenario), force=force, as_json=as_json)
        return
    assert data is not None  # noqa: S101 - checked above
    from tradespace.data.profile import profile_table
    from tradespace.store.files import write_atomically
    from tradespace.study.draft import draft_study

    place = out or Path("study.yaml")
    if place.is_dir():
        place = place / "study.yaml"
    _refuse_overwriting(place, force=force)
    profile = profile_table(data, target=target, folder=place.parent)
    text = draft_study(profile)
    with writing(place):
        write_atomically(place, text.encode())
    if as_json:
        from dataclasses import asdict

        print_json({"study": str(place), "profile": asdict(profile)})
        return
    from tradespace.cli._common import console
    from tradespace.report.terminal import print_profile

    print_profile(profile, console())
    typer.echo(f"\nWrote {place}. Next: tradespace check {place}")


def _scenario(name: str, given: list[str], out: Path, *, force: bool, as_json: bool) -> None:
    from tradespace.core import registry
    from tradespace.core.errors import InputError, RegistryError
    from tradespace.core.rendering import load_object
    from tradespace.core.settings import resolve_settings
    from tradespace.core.suggest import unknown

    rows = registry.scenarios()
    if name not in rows:
        raise unknown(RegistryError, "scenario", name, rows)
    settings: dict[str, Any] = {}
    for item in given:
        key, sign, value = item.partition("=")
        if not sign:
            msg = f"A setting is given as name=value; got {item!r}."
            raise InputError(msg)
        settings[key] = int(value) if value.lstrip("-").isdigit() else value
    settings = resolve_settings(rows[name].settings, settings, owner=name)
    _refuse_overwriting(out / "study.yaml", force=force)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    place = load_object(rows[name].path)(out, **settings)
    if as_json:
        print_json({"study": str(place)})
    else:
        typer.echo(f"Wrote {place}. Next: tradespace evaluate {place}")


def _refuse_overwriting(place: Path, *, force: bool) -> None:
    from tradespace.core.errors import InputError

    if place.exists() and not force:
        msg = f"{place} exists already."
        raise InputError(msg, remedy="Give --out another path, or --force to overwrite it.")
