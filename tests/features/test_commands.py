"""``tradespace features`` from end to end, as a person runs it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from tradespace.cli import run
from tradespace.features import EventSource, FeatureView, count, mean
from tradespace.features.define.load import load_views
from tradespace.store.run_store import RunStore

Capture = pytest.CaptureFixture[str]

FILE = """
from tradespace.features import *

log = EventSource("log", path="log.parquet", time="at", id="id", decimals={"eur": 2}, owner="pay")
card = FeatureView("card", log, "card", [count("1d"), mean("eur", "7d", unit="EUR")],
                   description="How a card is used.", key="card_id")
clock = RowFeatures("clock", log, {"night": hour("at") <= 6})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    n = 300
    start = dt.datetime(2024, 1, 1)
    pl.DataFrame(
        {
            "id": range(n),
            "at": [start + dt.timedelta(minutes=17 * i) for i in range(n)],
            "card": [i * 7 % 5 for i in range(n)],
            "eur": [i % 90 / 100 for i in range(n)],
        }
    ).write_parquet(tmp_path / "log.parquet")
    (tmp_path / "features.py").write_text(FILE)
    pl.DataFrame(
        {
            "at": [start + dt.timedelta(days=2), start + dt.timedelta(days=3)],
            "card_id": [3, 99],
            "label": [True, False],
        }
    ).write_parquet(tmp_path / "labels.parquet")
    return tmp_path


def as_json(capsys: Capture, *command: str, code: int = 0) -> dict[str, object]:
    assert run(["features", *command, "--json"]) == code
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_building_twice_computes_once(folder: Path, capsys: Capture) -> None:
    assert run(["features", "build", "features.py", "--out", "built"]) == 0
    text = capsys.readouterr()
    again = as_json(capsys, "build", "features.py", "--out", "built")

    assert "built: 3 features of 300 events in 4 slices, 4 of them computed now" in text.out
    assert (again["computed"], again["rows"]) == (0, 300)


def test_one_view_can_be_built_alone(folder: Path, capsys: Capture) -> None:
    found = as_json(capsys, "build", "features.py", "--out", "b", "--view", "clock")

    assert found["features"] == ["night"]
    assert run(["features", "build", "features.py", "--view", "clok"]) == 2
    assert "Did you mean 'clock'?" in capsys.readouterr().err


def test_labels_are_joined_with_the_features_of_their_time(folder: Path, capsys: Capture) -> None:
    found = as_json(capsys, "join", "features.py", "labels.parquet", "--out", "joined.parquet")
    joined = pl.read_parquet("joined.parquet")
    log = pl.read_parquet("log.parquet")
    at = joined["at"][0]
    mine = log.filter(pl.col("card") == 3, pl.col("at") <= at)
    day = mine.filter(pl.col("at") > at - dt.timedelta(days=1))

    assert found["columns"] == [
        "at",
        "card_id",
        "label",
        "card_count_1d",
        "card_mean_eur_7d",
        "night",
    ]
    assert joined["card_count_1d"].to_list() == [day.height, 0]
    assert joined["card_mean_eur_7d"][0] == pytest.approx(mine["eur"].mean())
    assert joined["label"].to_list() == [True, False]


def test_streaming_is_verified_against_batch(folder: Path, capsys: Capture) -> None:
    assert run(["features", "verify", "features.py"]) == 0
    assert "card_count_1d: 0 of 300 differ, at most 0" in capsys.readouterr().out


def test_the_catalogue_says_what_is_built_and_used(folder: Path, capsys: Capture) -> None:
    run(["features", "build", "features.py", "--out", "built", "--quiet"])
    capsys.readouterr()
    view = load_views(folder / "features.py")["card"]
    for name, version in (("new", view.hash), ("old", "0123456789abcdef")):
        store = RunStore(folder / f"{name}.tradespace" / "run.sqlite")
        store.set_json("features", {"features.py:card": {"view": "card", "version": version}})
        store.close()
    (folder / "bad.tradespace").mkdir()
    (folder / "bad.tradespace" / "run.sqlite").write_text("no database, but long enough " * 9)
    options = ["--build", "built", "--studies", "."]
    listed = as_json(capsys, "list", "features.py", *options)
    shown = as_json(capsys, "show", "features.py", "card", *options)
    assert run(["features", "show", "features.py", "card", *options]) == 0
    text = capsys.readouterr().out

    assert [row["name"] for row in listed] == ["card", "clock"]  # type: ignore[index]  # a list
    assert shown["owner"] == "pay"
    assert shown["build"]["current"] is True  # type: ignore[index]  # plain data
    assert shown["build"]["features"]["card_count_1d"]["max"] == 17  # type: ignore[index]  # plain data
    assert [use.get("current") for use in shown["used"]] == [None, True, False]  # type: ignore[attr-defined]  # plain data
    assert "card_mean_eur_7d: mean_eur_7d [EUR]  0 to " in text
    assert "used by new.tradespace as features.py:card (this version)" in text
    assert "used by old.tradespace as features.py:card (version 0123456789abcdef)" in text
    assert "not readable" in text


def test_a_contract_is_checked_and_what_breaks_it_is_shown(folder: Path, capsys: Capture) -> None:
    assert run(["features", "check", "features.py"]) == 0
    assert "have no contract" in capsys.readouterr().out
    rules = 'contract=Contract(columns={"eur": ColumnRule(high=0.5)}, unique=["card"]'
    text = FILE.replace('owner="pay")', f"{rules}, on_breach=OnBreach.REPORT))")
    text = text.replace(
        "import *", "import *\nfrom tradespace.features.define.contracts import OnBreach"
    )
    (folder / "strict.py").write_text(text)
    assert run(["features", "check", "strict.py"]) == 1
    shown = capsys.readouterr().out
    assert run(["features", "build", "strict.py", "--out", "b", "--quiet"]) == 0
    (folder / "strict.py").write_text(text.replace("REPORT", "REFUSE"))
    told = capsys.readouterr().err
    assert run(["features", "check", "strict.py"]) == 1
    assert run(["features", "build", "strict.py", "--out", "c", "--quiet"]) == 2

    assert "eur: above 0.5: 117 rows (for example 0.51, 0.52, 0.53)" in shown
    assert "card: repeated: 295 rows" in shown
    assert "contract: eur: above 0.5: 117 rows" in told


def test_what_changed_is_shown(folder: Path, capsys: Capture) -> None:
    run(["features", "build", "features.py", "--out", "a", "--quiet"])
    log = pl.read_parquet("log.parquet")
    log.with_columns(eur=pl.col("eur") * 2).head(299).write_parquet("log.parquet")
    run(["features", "build", "features.py", "--out", "b", "--quiet"])
    capsys.readouterr()
    found = as_json(capsys, "diff", "a", "b")

    assert found["rows_removed"] == 1
    assert list(found["values"]) == ["card_mean_eur_7d"]  # type: ignore[call-overload]  # plain data


def test_served_values_are_compared_with_batch(folder: Path, capsys: Capture) -> None:
    run(["features", "join", "features.py", "labels.parquet", "--out", "served.parquet"])
    assert run(["features", "skew", "features.py", "served.parquet"]) == 0
    served = pl.read_parquet("served.parquet")
    served.with_columns(card_count_1d=pl.col("card_count_1d") + 1).write_parquet("served.parquet")
    capsys.readouterr()
    assert run(["features", "skew", "features.py", "served.parquet"]) == 1
    text = capsys.readouterr().out

    assert "card_count_1d: 2 of 2 differ, at most 1; row 0: served" in text
    assert "card_mean_eur_7d: 0 of 2 differ" in text


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["build", "none.py"], "no file"),
        (["build", "features.py", "--data", "none.parquet"], "cannot read 'none.parquet'"),
        (["build", "features.py", "--every", "1 dy"], "Unknown unit 'dy'"),
        (["build", "features.py", "--out", "log.parquet"], "is a file; a build is a folder"),
        (["join", "features.py", "log.parquet"], "Unknown column 'card_id'"),
        (["join", "features.py", "labels.parquet", "--time", "then"], "Unknown column 'then'"),
        (["show", "features.py", "crad"], "Did you mean 'card'?"),
        (["diff", "nowhere", "nowhere"], "is not a build"),
        (["list", "features.py", "--build", "nowhere"], "is not a build"),
        (["skew", "features.py", "labels.parquet"], "holds no feature of card, clock"),
        (["verify", "broken.py"], "broken.py:2"),
        (["verify", "broken.yaml"], "broken.yaml:1:1"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    command: list[str], message: str, folder: Path, capsys: Capture
) -> None:
    (folder / "broken.py").write_text("from tradespace.features import *\ncount('7 dys')\n")
    (folder / "broken.yaml").write_text("vews: {}\n")
    assert run(["features", *command]) == 2
    error = capsys.readouterr().err

    assert message in " ".join(error.split())
    assert "Traceback" not in error


def test_the_views_of_two_sources_are_joined_onto_one_table(folder: Path) -> None:
    from tradespace.features.build.joins import join

    log = EventSource("log", path=str(folder / "log.parquet"), time="at", id="id")
    other = EventSource("other", path=str(folder / "log.parquet"), time="at", id="id")
    views = {
        "a": FeatureView("a", log, "card", [count("1d")], key="card_id"),
        "b": FeatureView("b", other, "card", [mean("eur", "2d")], key="card_id"),
    }
    joined = join(views, pl.read_parquet(folder / "labels.parquet"), time="at")

    assert joined.columns[-2:] == ["a_count_1d", "b_mean_eur_2d"]
    assert joined["a_count_1d"][1] == 0
