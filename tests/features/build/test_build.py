"""Builds on disk: partitioned, resumable, incremental, comparable."""

from __future__ import annotations

import datetime as dt
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tradespace.core.errors import FeatureError
from tradespace.features import (
    EventSource,
    FeatureView,
    RowFeatures,
    column,
    count,
    hour,
    last,
    mean,
    std,
)
from tradespace.features.batch.compute import compute_all
from tradespace.features.batch.events import read_events
from tradespace.features.build import survey
from tradespace.features.build.build import build
from tradespace.features.build.compare import diff
from tradespace.features.build.manifest import read_manifest, scan_build
from tradespace.features.define.views import View

LOG = EventSource("log", time="at", id="id", created="known", decimals={"eur": 2})
START = dt.datetime(2024, 3, 1)


def views(*, more: bool = False, unbounded: bool = False) -> dict[str, View]:
    card = [count("1d"), mean("eur", "2d"), std("eur", "36h")]
    if more:
        card.append(count("3d", where=column("eur") > 50))
    if unbounded:
        card.append(last("eur", None, k=2))
    return {
        "card": FeatureView("card", LOG, "card", card),
        "clock": RowFeatures("clock", LOG, {"night": hour("at") <= 6}),
        "shop": FeatureView("shop", LOG, "shop", [mean("fraud", "1d", delay="1d", empty=0.0)]),
    }


def log(n: int = 3_000, days: int = 12, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, days * 86_400, n)) * 1_000_000
    late = rng.integers(0, 2, n) * rng.integers(0, 7_200, n) * 1_000_000
    return pl.DataFrame(
        {
            "id": np.arange(n),
            "at": pl.Series(at).cast(pl.Duration("us")) + START,
            "known": pl.Series(at + late).cast(pl.Duration("us")) + START,
            "card": rng.integers(0, 40, n),
            "shop": pl.Series(rng.integers(0, 9, n)).cast(pl.String),
            "eur": rng.integers(0, 9_999, n) / 100,
            "fraud": rng.integers(0, 2, n).astype(bool),
        }
    )


@pytest.fixture
def source(tmp_path: Path) -> Callable[[pl.DataFrame], str]:
    def write(frame: pl.DataFrame) -> str:
        path = tmp_path / "log.parquet"
        frame.write_parquet(path)
        return str(path)

    return write


def expected(frame: pl.DataFrame, wanted: dict[str, View]) -> pl.DataFrame:
    values = compute_all(wanted, read_events(LOG, frame))
    return frame.select("id", "at", "card", "shop").with_columns(
        [pl.Series(name, array) for name, array in values.items()]
    )


def built(folder: Path) -> pl.DataFrame:
    return scan_build(folder).collect().sort("id")


def contents(folder: Path) -> dict[str, bytes]:
    return {place.name: place.read_bytes() for place in folder.glob("*.parquet")}


@pytest.mark.parametrize("unbounded", [False, True])
@pytest.mark.parametrize("rows_at_once", [100_000, 2_000, 600])
def test_a_build_holds_what_one_computation_in_memory_gives(
    rows_at_once: int,
    unbounded: bool,
    source: Callable[[pl.DataFrame], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(survey, "CHUNK", 1_000)
    monkeypatch.setattr("tradespace.features.build.by_entity.CHUNK", 1_000)
    frame = log().sample(fraction=1.0, shuffle=True, seed=3)
    wanted = views(unbounded=unbounded)
    manifest = build(wanted, tmp_path / "out", data=source(frame), rows_at_once=rows_at_once)

    assert_frame_equal(built(tmp_path / "out"), expected(frame, wanted).sort("id"))
    assert manifest["rows"] == frame.height
    assert len(manifest["partitions"]) == 12
    assert not list((tmp_path / "out").glob(".work-*"))


def test_a_build_that_changes_nothing_computes_nothing(
    source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    path = source(log())
    build(views(), tmp_path / "out", data=path)
    before = contents(tmp_path / "out")
    shuffled = log().sample(fraction=1.0, shuffle=True, seed=1)
    manifest = build(views(), tmp_path / "out", data=source(shuffled))

    assert manifest["computed"] == 0
    assert contents(tmp_path / "out") == before


def test_new_days_cost_only_themselves(
    source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    frame = log()
    first = frame.filter(pl.col("at") < START + dt.timedelta(days=10))
    build(views(), tmp_path / "out", data=source(first))
    manifest = build(views(), tmp_path / "out", data=source(frame))

    assert manifest["computed"] == 2
    assert_frame_equal(built(tmp_path / "out"), expected(frame, views()))


def test_an_event_that_arrived_late_rebuilds_the_days_that_its_windows_reach(
    source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    frame = log()
    missing = frame.filter(pl.col("id") != 700)
    day = (frame["at"][700] - START).days
    build(views(), tmp_path / "out", data=source(missing))
    manifest = build(views(), tmp_path / "out", data=source(frame))

    # Its own day, and two more: the longest window is two days.
    assert manifest["computed"] == min(3, 12 - day)
    assert_frame_equal(built(tmp_path / "out"), expected(frame, views()))


def test_a_changed_definition_builds_everything_and_leaves_no_old_file(
    source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    path = source(log())
    build(views(), tmp_path / "out", data=path)
    manifest = build(views(more=True), tmp_path / "out", data=path)

    assert manifest["computed"] == 12
    assert {p["file"] for p in manifest["partitions"]} == set(contents(tmp_path / "out"))


def test_a_changed_schema_is_refused(source: Callable[[pl.DataFrame], str], tmp_path: Path) -> None:
    build(views(), tmp_path / "out", data=source(log()))
    changed = source(log().with_columns(pl.col("card").cast(pl.String)))

    with pytest.raises(FeatureError, match=r"'card' of source 'log' was Int64 .* is String now"):
        build(views(), tmp_path / "out", data=changed)


def test_what_changed_between_two_builds_is_counted(
    source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    frame = log()
    build(views(), tmp_path / "a", data=source(frame.head(2_990)))
    dearer = frame.with_columns(
        eur=pl.when(pl.col("id") == 2_500).then(pl.col("eur") + 1).otherwise(pl.col("eur"))
    ).tail(2_999)
    build(views(more=True), tmp_path / "b", data=source(dearer))
    found = diff(tmp_path / "a", tmp_path / "b")
    before, after = (built(tmp_path / name) for name in "ab")
    both = before.join(after, on="id", suffix="2")
    changed = both.filter(pl.col("card_mean_eur_2d") != pl.col("card_mean_eur_2d2")).sort("id")

    assert found["definitions"] == ["card"]
    assert (found["rows_removed"], found["rows_added"]) == (1, 10)
    assert found["features_added"] == ["card_count_3d_where_eur_gt_50"]
    assert found["values"]["card_mean_eur_2d"]["rows"] == changed.height > 0
    assert found["values"]["card_mean_eur_2d"]["examples"] == changed["id"].to_list()[:3]
    assert "clock" not in found["definitions"]
    assert "night" not in found["values"]


def test_builds_of_slices_of_another_length_are_not_compared(
    source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    path = source(log())
    build(views(), tmp_path / "a", data=path)
    build(views(), tmp_path / "b", data=path, every="7d")

    with pytest.raises(FeatureError, match="slices of 1d, the other of 7d"):
        diff(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "has no manifest"), ("{", "is damaged"), ('{"version": 1}', "version 1; wanted 2")],
)
def test_what_is_no_build_is_refused(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(FeatureError, match=message):
        read_manifest(tmp_path)


def test_views_of_two_sources_are_not_built_together(tmp_path: Path) -> None:
    other = FeatureView("other", EventSource("other", time="at"), "card", [count("1d")])

    with pytest.raises(FeatureError, match="several sources: log, other"):
        build({**views(), "other": other}, tmp_path / "out", data="log.parquet")


def test_progress_only_rises(source: Callable[[pl.DataFrame], str], tmp_path: Path) -> None:
    told: list[float] = []

    def listen(share: float, _message: str) -> None:
        told.append(share)

    build(views(), tmp_path / "out", data=source(log()), rows_at_once=600, progress=listen)

    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import test_build as t
t.survey.CHUNK = 6_000
import tradespace.features.build.by_entity as parts
parts.CHUNK = 6_000
print("ready", flush=True)
t.build(t.views(), sys.argv[3], data=sys.argv[2], rows_at_once=int(sys.argv[4]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("rows_at_once", [18_000, 5_000])
def test_a_build_that_is_killed_again_and_again_gives_the_same_files(
    rows_at_once: int, source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    path = source(log(60_000, 40))
    folder = str(Path(__file__).parent)

    def start(out: Path) -> subprocess.Popen[bytes]:
        arguments = [folder, path, str(out), str(rows_at_once)]
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE)

    def run(out: Path) -> float:
        with start(out) as process:
            assert process.stdout is not None
            process.stdout.readline()
            began = time.monotonic()
            assert process.wait() == 0
            return time.monotonic() - began

    took_s = run(tmp_path / "whole")
    rng = random.Random(0)
    killed = 0
    for _ in range(8):
        with start(tmp_path / "killed") as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0.0, took_s / 5))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
    run(tmp_path / "killed")
    manifests = [
        json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("whole", "killed")
    ]

    assert killed > 4
    assert contents(tmp_path / "whole") == contents(tmp_path / "killed")
    assert manifests[0] == manifests[1]
    assert {p.name for p in (tmp_path / "killed").iterdir()} == {
        p.name for p in (tmp_path / "whole").iterdir()
    }


def test_the_manifest_says_what_a_build_was_made_of(
    source: Callable[[pl.DataFrame], str], tmp_path: Path
) -> None:
    path = source(log())
    build(views(), tmp_path / "out", data=path)
    manifest: dict[str, Any] = read_manifest(tmp_path / "out")

    assert manifest["definitions"] == {name: view.hash for name, view in views().items()}
    assert (manifest["from"], manifest["to"]) == (
        "2024-03-01T00:00:00+00:00",
        "2024-03-13T00:00:00+00:00",
    )
    assert sum(part["rows"] for part in manifest["partitions"]) == manifest["rows"] == 3_000
    assert manifest["path"] == path
