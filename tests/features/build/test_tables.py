"""Tables of labels and logs of answers: read as they are, refused where they would mislead."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from tradespace.cli import run
from tradespace.core.errors import FeatureError
from tradespace.features import EventSource, FeatureView, count, mean
from tradespace.features.batch.events import read_events
from tradespace.features.build.compare import diff
from tradespace.features.build.joins import join_all
from tradespace.features.build.labels import as_in_source

Capture = pytest.CaptureFixture[str]

FILE = """
from tradespace.features import *

log = EventSource("log", path="log.parquet", time="at", id="id", time_zone="Europe/Brussels")
card = FeatureView("card", log, "card", [count("1d"), mean("eur", "7d")], key="owner")
clock = RowFeatures("clock", log, {"early": hour("at") <= 6, "dear": column("eur") > 5})
"""
START = dt.datetime(2024, 3, 1)
LOG = EventSource("log", time="at", id="id")
CARD = FeatureView("card", LOG, "card", [count("1d"), mean("eur", "7d")])


def events() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": range(200),
            "at": [START + dt.timedelta(minutes=37 * i) for i in range(200)],
            "card": [f"c{i * 7 % 5}" for i in range(200)],
            "eur": [i % 40 / 4 for i in range(200)],
        }
    )


def labels() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "on": [START + dt.timedelta(days=2), START + dt.timedelta(days=3, hours=7)],
            "owner": ["c1", "c3"],
            "eur": [9.0, 1.0],
        }
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    events().write_parquet("log.parquet")
    labels().write_parquet("labels.parquet")
    (tmp_path / "features.py").write_text(FILE)
    return tmp_path


def refused(capsys: Capture, *command: str) -> str:
    """Return what a command that must be refused says, on one line."""
    assert run(["features", *command]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in told
    return told


def joined(*options: str, table: str = "labels.parquet") -> pl.DataFrame:
    command = ["features", "join", "features.py", table, "--time", "on", "--out", "j.parquet"]
    assert run([*command, *options]) == 0
    return pl.read_parquet("j.parquet")


def test_row_features_are_joined_from_the_tables_own_columns(folder: Path) -> None:
    found = joined("--view", "clock")

    assert found["early"].to_list() == [1.0, 0.0]
    assert found["dear"].to_list() == [1.0, 0.0]


def test_row_features_of_a_table_are_those_of_the_build(folder: Path) -> None:
    events().with_columns(owner="card", on="at").write_parquet("labels.parquet")
    found = joined()
    assert run(["features", "build", "features.py", "-q", "--out", "b"]) == 0
    built = pl.concat([pl.read_parquet(p) for p in sorted((folder / "b").glob("*.parquet"))])

    assert found["early"].to_list() == built["early"].to_list()
    assert found["dear"].to_list() == built["dear"].to_list()


def test_a_row_feature_that_lacks_its_column_is_said_to_be_left_out(
    folder: Path, capsys: Capture
) -> None:
    labels().drop("eur").write_parquet("labels.parquet")
    found = joined()
    told = capsys.readouterr().err
    alone = refused(capsys, "join", "features.py", "labels.parquet", "--view", "clock")

    assert "early" in found.columns
    assert "warning: Row feature 'dear' is left out: the table lacks eur." in told
    assert "lacks what the row features early, dear read: at, eur. Row features read" in alone


def test_a_joined_table_is_written_as_its_ending_says(folder: Path) -> None:
    whole = joined()
    command = ["features", "join", "features.py", "labels.parquet", "--time", "on"]
    assert run([*command, "--out", "new/folder/j.csv"]) == 0
    text = Path("new/folder/j.csv").read_text()

    assert text.splitlines()[0] == ",".join(whole.columns)
    assert (
        pl.read_csv("new/folder/j.csv")["card_count_1d"].to_list()
        == whole["card_count_1d"].to_list()
    )
    assert [p.name for p in Path("new/folder").iterdir()] == ["j.csv"]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (
            "j.xlsx",
            "A joined table ends in .parquet or .csv; got 'j.xlsx'. Write it like 'j.parquet'",
        ),
        ("labels.parquet", "'labels.parquet' is read here, and would be replaced"),
        ("log.parquet", "'log.parquet' is read here, and would be replaced"),
        ("folder.parquet", "'folder.parquet' is a folder; a joined table is one file"),
    ],
)
def test_a_place_that_is_none_for_a_table_is_refused(
    out: str, message: str, folder: Path, capsys: Capture
) -> None:
    (folder / "folder.parquet").mkdir()
    before = {p.name: p.read_bytes() for p in folder.glob("l*.parquet")}

    assert message in refused(
        capsys, "join", "features.py", "labels.parquet", "--time", "on", "--out", out
    )
    assert {p.name: p.read_bytes() for p in folder.glob("l*.parquet")} == before


def test_times_that_are_text_are_read_from_parquet_as_from_csv(folder: Path) -> None:
    labels().write_csv("labels.csv")
    text = labels().with_columns(pl.col("on").dt.to_string("%Y-%m-%d %H:%M:%S"))
    text.write_parquet("text.parquet")
    wanted = joined().drop("on")

    assert joined(table="labels.csv").drop("on").equals(wanted)
    assert joined(table="text.parquet").drop("on").equals(wanted)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("owner", [None, "c3"], "lacks 1 entities in column 'owner', first in row 0. Leave those"),
        ("on", [START, None], "lacks 1 times in column 'on', first in row 1. Leave those rows out"),
        ("on", [1711584377000000, 5], "Column 'on' of the table of labels 'labels.parquet' must"
         " hold times; got Int64 (for example 1711584377000000, 5). Write them like"),
        ("on", ["2024-03-01", "soon"], "must hold times; got String (for example '2024-0"),
        ("on", [START, dt.datetime(2024, 3, 31, 2, 30)],
         "do not exist in Europe/Brussels (row 1"),
        ("owner", [1, 3], "Entities are Int64 in column 'owner' of the table of labels "
         "'labels.parquet' (for example 1, 3) but String in column 'card' of source 'log'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_labels_is_said_of_their_file_and_column(
    column: str, values: list[object], message: str, folder: Path, capsys: Capture
) -> None:
    table = labels().with_columns(pl.Series(column, values))
    table.write_parquet("labels.parquet")
    told = refused(capsys, "join", "features.py", "labels.parquet", "--time", "on")

    assert message in told
    assert "labels.parquet" in told
    assert "features.py" not in told


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        (pl.Series([1, 2]), pl.Series(["1", "2", "30"])),
        (pl.Series(["1", "2"]), pl.Series([1, 2, 30])),
        (pl.Series([1.0, 2.0]), pl.Series([1, 2, 30])),
        (pl.Series([1, 2], dtype=pl.Int16), pl.Series([1, 2, 30])),
        (pl.Series(["1", "2"], dtype=pl.Categorical), pl.Series(["1", "2"])),
    ],
)
def test_entities_of_another_type_are_taken_where_none_can_change(
    asked: pl.Series, held: pl.Series
) -> None:
    taken = as_in_source(asked, held, view=CARD, owner="The table")

    assert taken.is_in(held.implode()).all()


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        (pl.Series([7]), pl.Series(["007", "12"])),
        (pl.Series(["007"]), pl.Series([7, 12])),
        (pl.Series([1.5]), pl.Series([1, 2])),
        (pl.Series(["a"]), pl.Series([1, 2])),
        (pl.Series([1]), pl.Series(["a", "b"])),
        (pl.Series([300]), pl.Series([1, 2], dtype=pl.UInt8)),
    ],
)
def test_entities_of_another_type_are_refused_where_one_could_change(
    asked: pl.Series, held: pl.Series
) -> None:
    with pytest.raises(FeatureError, match=r"Entities are .* Store them with one type in both"):
        as_in_source(asked, held, view=CARD, owner="The table")


def test_a_table_whose_entities_have_no_events_says_so(folder: Path, capsys: Capture) -> None:
    labels().with_columns(owner=pl.Series(["x", "y"])).write_parquet("labels.parquet")
    joined()
    told = capsys.readouterr().err
    some = join_all({"card": CARD}, pl.DataFrame({"at": [START] * 2, "card": ["c1", "x"]}),
                    time="at", events={"log": read_events(LOG, events())})  # fmt: skip

    assert "warning: View 'card': 0 of 2 entities have events." in told
    assert some.found == {"card": (1, 2)}
    assert not some.warnings


def test_joins_and_skew_read_other_files_than_the_sources_own(
    folder: Path, capsys: Capture
) -> None:
    (folder / "features.py").write_text(FILE.replace('path="log.parquet", ', ""))
    told = refused(capsys, "join", "features.py", "labels.parquet", "--time", "on")
    found = joined("--data", "log.parquet")
    rows = events().select("at", "card").rows()
    skewed = ["skew", "features.py", "j.parquet", "--time", "on", "--data", "log.parquet"]

    day = [
        sum(on - dt.timedelta(days=1) < at <= on and card == owner for at, card in rows)
        for on, owner in labels().select("on", "owner").iter_rows()
    ]

    assert "Source 'log' has no path" in told
    assert "or give --data" in told
    assert found["card_count_1d"].to_list() == day
    assert run(["features", *skewed]) == 0


def test_row_features_that_were_served_are_compared_where_the_log_has_their_columns(
    folder: Path, capsys: Capture
) -> None:
    served = joined().with_columns(early=1 - pl.col("early"))
    served.drop("eur").write_parquet("served.parquet")
    assert run(["features", "skew", "features.py", "served.parquet", "--time", "on"]) == 1
    told = capsys.readouterr().out

    assert "early: 2 of 2 differ, at most 1; row 0: served 0, batch 1" in told
    assert "dear: not compared, the log lacks eur" in told


def test_an_empty_log_of_answers_proves_nothing(folder: Path, capsys: Capture) -> None:
    joined().head(0).write_parquet("served.parquet")
    told = refused(capsys, "skew", "features.py", "served.parquet", "--time", "on")

    assert "The log of answers 'served.parquet' has no rows, so that nothing was compared" in told


def test_a_value_missing_on_one_side_is_said_to_be(folder: Path, capsys: Capture) -> None:
    served = joined().with_columns(card_mean_eur_7d=pl.lit(float("nan")))
    served.write_parquet("served.parquet")
    assert run(["features", "skew", "features.py", "served.parquet", "--time", "on"]) == 1
    told = capsys.readouterr().out

    assert "card_mean_eur_7d: 2 of 2 differ, 2 missing on one side; row 0: served missing" in told
    assert "at most" not in told


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"card_count_1d": pl.lit("many")}, [], "must hold numbers; got String"),
        ({}, ["--tolerance", "-1"], "A tolerance is a number of 0 or more; got -1"),
        ({}, ["--tolerance", "nan"], "A tolerance is a number of 0 or more; got nan"),
    ],
)
def test_a_log_that_cannot_be_compared_is_refused(
    change: dict[str, pl.Expr], options: list[str], message: str, folder: Path, capsys: Capture
) -> None:
    joined().with_columns(**change).write_parquet("served.parquet")

    assert message in refused(
        capsys, "skew", "features.py", "served.parquet", "--time", "on", *options
    )


def test_a_value_missing_in_one_build_is_counted_as_missing(folder: Path) -> None:
    assert run(["features", "build", "features.py", "-q", "--out", "a"]) == 0
    none = pl.when(pl.col("id") == 0).then(None).otherwise("eur")
    events().with_columns(eur=none).write_parquet("log.parquet")
    assert run(["features", "build", "features.py", "-q", "--out", "b"]) == 0
    found = diff("a", "b")["values"]["card_mean_eur_7d"]

    assert found["missing"] == 1
    assert found["rows"] > 1


def test_the_json_of_a_join_says_what_was_found(folder: Path, capsys: Capture) -> None:
    command = ["join", "features.py", "labels.parquet", "--time", "on", "--json"]
    assert run(["features", *command]) == 0
    record = json.loads(capsys.readouterr().out)

    assert record["entities"] == {"card": {"asked": 2, "found": 2}}
    assert record["warnings"] == []
