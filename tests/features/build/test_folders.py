"""A build deletes nothing that is not its own, and says of a disk what went wrong with it."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tradespace.cli import run
from tradespace.core.errors import FeatureError
from tradespace.features import EventSource, FeatureView, count, mean
from tradespace.features.build import survey
from tradespace.features.build.build import build
from tradespace.features.build.folder import sweep
from tradespace.features.build.manifest import scan_build
from tradespace.features.define.load import sources_of
from tradespace.features.define.views import View

Capture = pytest.CaptureFixture[str]

FILE = """
from tradespace.features import *

log = EventSource("log", path="data/log.parquet", time="at", id="id")
card = FeatureView("card", log, "card", [count("1d")])
clock = RowFeatures("clock", log, {"night": hour("at") <= 6})
"""
TWO = (
    FILE
    + """
other = EventSource("other log", path="data/log.parquet", time="at", id="id")
shop = FeatureView("shop", other, "card", [count("2d")])
"""
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    start = dt.datetime(2024, 1, 1)
    pl.DataFrame(
        {
            "id": range(60),
            "at": [start + dt.timedelta(hours=i) for i in range(60)],
            "card": [i % 5 for i in range(60)],
            "eur": [i / 4 for i in range(60)],
        }
    ).write_parquet("data/log.parquet")
    (tmp_path / "features.py").write_text(FILE)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


def refused(capsys: Capture, *command: str) -> str:
    """Return what a command that must be refused says, on one line."""
    assert run(["features", *command]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "fault of tradespace" not in told
    assert "Traceback" not in told
    return told


@pytest.mark.parametrize("name", ["labels.parquet", ".hidden.parquet", "notes.txt"])
def test_a_folder_of_somebody_else_is_refused_and_left_as_it_was(
    name: str, folder: Path, capsys: Capture
) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / name).write_text("precious")
    before = files(folder / "mine")
    told = refused(capsys, "build", "features.py", "--out", "mine", "-q")

    assert f"'mine' is no build of features and holds other files: {name!r}." in told
    assert "Give --out a new or empty folder" in told
    assert files(folder / "mine") == before


def test_the_folder_of_the_source_is_no_place_for_its_build(folder: Path, capsys: Capture) -> None:
    before = files(folder / "data")
    told = refused(capsys, "build", "features.py", "--out", "data", "-q")

    assert "The files of source 'log' stand in 'data' themselves" in told
    assert files(folder / "data") == before


def test_a_build_deletes_only_what_it_wrote(folder: Path) -> None:
    assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 0
    mine = ["labels.parquet", ".hidden.parquet", "2024-01-01T000000-0123456789abcdef.parquet"]
    for name in mine:
        (folder / "b" / name).write_text("precious")
    old = {
        part["file"]
        for part in json.loads((folder / "b" / "manifest.json").read_text())["partitions"]
    }
    (folder / "features.py").write_text(FILE.replace('"1d"', '"2d"'))
    assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 0
    there = set(files(folder / "b"))

    assert set(mine) < there
    assert not old & there
    assert not any(name.startswith(".2024") or name == ".building.json" for name in there)


def test_what_a_killed_build_left_is_removed_by_the_next_of_another_definition(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_out: Path, _gone: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tradespace.features.build.build.sweep", killed)
        patch.setattr("tradespace.features.build.build.write_atomically", killed)
        assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 130
    left = {name for name in files(folder / "b") if name.endswith(".parquet")}
    (folder / "b" / "..building.json.99").write_text("unfinished")
    (folder / "b" / ".work-0123456789abcdef").mkdir()
    (folder / "b" / ".work-mine").mkdir()
    (folder / "features.py").write_text(FILE.replace('"1d"', '"2d"'))
    assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 0
    there = files(folder / "b")

    assert len(left) == 3
    assert not left & set(there)
    assert not [name for name in there if ".building.json" in name]
    assert not (folder / "b" / ".work-0123456789abcdef").exists()
    assert (folder / "b" / ".work-mine").exists()


def test_a_build_that_ended_while_the_source_was_read_is_replaced_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventSource("log", path="data/log.parquet", time="at", id="id")
    first: dict[str, View] = {"card": FeatureView("card", log, "card", [count("1d")])}
    second: dict[str, View] = {"card": FeatureView("card", log, "card", [count("2d")])}
    honest = survey.survey

    def slow(*given: Any, **options: Any) -> survey.Survey:
        monkeypatch.undo()
        monkeypatch.chdir(folder)
        build(first, "b")
        return honest(*given, **options)

    monkeypatch.setattr("tradespace.features.build.build.survey", slow)
    manifest = build(second, "b")

    assert {p["file"] for p in manifest["partitions"]} == {
        name for name in files(folder / "b") if name.endswith(".parquet")
    }


def test_a_manifest_that_names_other_files_cannot_have_them_deleted(
    folder: Path, tmp_path: Path
) -> None:
    assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 0
    place = folder / "b" / "manifest.json"
    manifest = json.loads(place.read_text())
    manifest["partitions"] += [{"file": "../data/log.parquet"}, {"file": "kept.parquet"}]
    place.write_text(json.dumps(manifest))
    (folder / "b" / "kept.parquet").write_text("precious")
    assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 0

    assert (folder / "data" / "log.parquet").exists()
    assert (folder / "b" / "kept.parquet").exists()


def test_a_damaged_manifest_is_written_again(folder: Path) -> None:
    assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 0
    before = files(folder / "b")
    (folder / "b" / "manifest.json").write_text("{")
    assert run(["features", "build", "features.py", "--out", "b", "-q"]) == 0

    assert files(folder / "b").keys() == before.keys()
    assert scan_build(folder / "b").collect().height == 60


def test_the_manifest_of_another_program_is_not_replaced(folder: Path, capsys: Capture) -> None:
    (folder / "web").mkdir()
    (folder / "web" / "manifest.json").write_text('{"name": "app"}')
    told = refused(capsys, "build", "features.py", "--out", "web", "-q")

    assert "its manifest.json is of something else" in told
    assert (folder / "web" / "manifest.json").read_text() == '{"name": "app"}'


def test_the_build_of_other_views_is_not_replaced(folder: Path, capsys: Capture) -> None:
    assert run(["features", "build", "features.py", "-q"]) == 0
    before = files(folder / "features.parquet")
    told = refused(capsys, "build", "features.py", "-q", "--view", "clock")

    assert "'features.parquet' holds a build of views card, clock" in told
    assert "building clock there would drop card. Give --out a folder of its own" in told
    assert files(folder / "features.parquet") == before


def test_a_view_more_is_built_into_the_same_folder(folder: Path) -> None:
    assert run(["features", "build", "features.py", "-q", "--view", "card", "--out", "b"]) == 0
    assert run(["features", "build", "features.py", "-q", "--out", "b"]) == 0

    assert scan_build(folder / "b").collect_schema().names() == [
        "id",
        "at",
        "card",
        "card_count_1d",
        "night",
    ]


def test_views_of_two_sources_go_by_default_to_two_folders(folder: Path, capsys: Capture) -> None:
    (folder / "features.py").write_text(TWO)
    told = refused(capsys, "build", "features.py", "-q")
    first = ["--view", "card", "--view", "clock"]

    assert "several sources: log, other log. Take one source at a time" in told
    assert "--view card --view clock, or --view shop" in told
    assert run(["features", "build", "features.py", "-q", *first]) == 0
    assert run(["features", "build", "features.py", "-q", "--view", "shop"]) == 0
    assert scan_build("features-log.parquet").collect().width == 5
    assert scan_build("features-other_log.parquet").collect().width == 4
    assert "holds a build of source 'log'" in refused(
        capsys, "build", "features.py", "-q", "--view", "shop", "--out", "features-log.parquet"
    )


def test_two_sources_of_one_name_are_refused(folder: Path) -> None:
    views: dict[str, View] = {
        name: FeatureView(name, EventSource("log", path=path), "card", [count("1d")])
        for name, path in (("a", "a.parquet"), ("b", "b.parquet"))
    }

    with pytest.raises(FeatureError, match="Two sources are named 'log'"):
        sources_of(views)


@pytest.mark.parametrize("command", ["build", "parts", "join"])
@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("parquet: underlying IO error: No space left on device (os error 28)",
         ": No space left on device. Free some space and run again; what is complete is kept."),
        ("parquet: Invalid thrift: transport error",
         ": parquet: Invalid thrift: transport error. Check that the disk has space left, and"),
    ],
)  # fmt: skip
def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    cause: str,
    said: str,
    command: str,
    folder: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = pl.DataFrame.write_parquet

    def full(frame: pl.DataFrame, place: Path, **options: object) -> None:
        whole(frame.head(0), place)
        raise pl.exceptions.ComputeError(cause)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    commands = {
        "build": ["build", "features.py", "--out", "b", "-q"],
        "parts": ["build", "features.py", "--out", "b", "-q", "--rows-at-once", "5"],
        "join": ["join", "features.py", "data/log.parquet", "--out", "b/j.parquet"],
    }
    told = refused(capsys, *commands[command])

    assert "Cannot write 'b/" in told
    assert said in told
    assert not list((folder / "b").rglob("*.parquet"))
    assert not list((folder / "b").rglob(".*parquet*"))


@pytest.mark.parametrize(
    "command",
    [
        ["build", "features.py", "-q", "--out", "data/log.parquet/b"],
        ["join", "features.py", "data/log.parquet", "--out", "data/log.parquet/j.parquet"],
    ],
)
def test_a_place_that_cannot_be_written_is_no_fault_of_ours(
    command: list[str], folder: Path, capsys: Capture
) -> None:
    told = refused(capsys, *command)

    assert "data/log.parquet" in told
    assert re.search(r": (Not a directory|File exists)\. Give --out a (place|folder)", told)


def test_a_read_only_lock_is_no_fault_of_ours(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(_folder: Path) -> None:
        raise OSError(30, "Read-only file system", "b/lock")

    monkeypatch.setattr("tradespace.features.build.build.folder_lock", read_only)
    told = refused(capsys, "build", "features.py", "--out", "b", "-q")

    assert "Cannot write 'b/lock': Read-only file system. Give --out a place" in told


def test_the_file_of_a_glob_that_lacks_a_column_is_named(folder: Path, capsys: Capture) -> None:
    log = pl.read_parquet("data/log.parquet")
    log.head(30).write_parquet("data/a.parquet")
    log.drop("eur").write_parquet("data/b.parquet")
    (folder / "data" / "log.parquet").unlink()
    text = FILE.replace("data/log.parquet", "data/*.parquet").replace(
        'count("1d")', 'mean("eur", "1d")'
    )
    (folder / "features.py").write_text(text)
    lacking = refused(capsys, "build", "features.py", "-q")
    log.with_columns(pl.col("eur").cast(pl.String)).write_parquet("data/b.parquet")
    typed = refused(capsys, "build", "features.py", "-q")

    assert "data/b.parquet' lacks the column 'eur', which is used. Correct that file" in lacking
    assert "column 'eur' is String in" in typed
    assert "data/b.parquet' but Float64 in" in typed


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--every", "0d"], "must be longer than 0; got '0d'"),
        (["--every", "99999999999d"], "A length of a slice is at most"),
        (["--rows-at-once", "-5"], "must be a whole number of 1 or more; got -5"),
        (["--rows-at-once", "0"], "must be a whole number of 1 or more; got 0"),
    ],
)
def test_lengths_and_numbers_that_make_no_sense_are_refused(
    option: list[str], message: str, folder: Path, capsys: Capture
) -> None:
    assert message in refused(capsys, "build", "features.py", "-q", *option)


def test_slices_finer_than_a_folder_can_hold_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradespace.features.build.build._MOST_SLICES", 50)
    log = EventSource("log", path="data/log.parquet", time="at", id="id")
    views: dict[str, View] = {"card": FeatureView("card", log, "card", [mean("eur", "1d")])}

    with pytest.raises(FeatureError, match=r"Slices of '1h' make 60 files; at most 50"):
        build(views, folder / "b", every="1h")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nope-*.parquet", "nope-*.parquet': no file matches. Check the path"),
        ("nope.parquet", "nope.parquet': there is no such file. Check the path"),
        ("empty", "empty': the folder holds no Parquet files. For CSV files write"),
    ],
)
def test_a_path_that_names_nothing_is_said_in_words(
    path: str, message: str, folder: Path, capsys: Capture
) -> None:
    (folder / "empty").mkdir()
    (folder / "features.py").write_text(FILE.replace("data/log.parquet", path))

    assert message in refused(capsys, "build", "features.py", "-q")


def test_a_missing_file_of_features_is_said_with_the_nearest(folder: Path, capsys: Capture) -> None:
    told = refused(capsys, "build", "feature.py", "-q")

    assert "There is no file 'feature.py' of features. Did you mean 'features.py'?" in told
    assert "study" not in told


def test_a_file_that_cannot_hold_views_is_said_to_be_none(folder: Path, capsys: Capture) -> None:
    told = refused(capsys, "list", "data/log.parquet")

    assert "'data/log.parquet' is not a file of views: it ends in '.parquet'. Views stand" in told


def test_a_file_that_ends_the_program_is_said_with_its_line(folder: Path, capsys: Capture) -> None:
    (folder / "features.py").write_text("import sys\nsys.exit(3)\n")

    assert "features.py:2: The file ends the program: sys.exit(3). Remove that call" in refused(
        capsys, "list", "features.py"
    )


@pytest.mark.parametrize("held", ["[card, clock]", "(card, clock)", "{'a': card, 'b': clock}"])
def test_views_in_a_list_are_found(held: str, folder: Path, capsys: Capture) -> None:
    (folder / "features.py").write_text(f"{FILE}\nviews = {held}\ndel card, clock\n")
    assert run(["features", "list", "features.py"]) == 0
    told = capsys.readouterr().out

    assert [line.split()[0] for line in told.splitlines()] == ["card", "clock"]


def test_sweeping_a_folder_twice_is_no_error(tmp_path: Path) -> None:
    sweep(tmp_path, ["2024-01-01T000000-0123456789abcdef.parquet"])

    assert not list(tmp_path.iterdir())
