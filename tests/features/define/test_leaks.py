"""A study refuses features that contain its target, and tells rows that are no events apart."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import InputError
from tradespace.explore.preview import preview
from tradespace.features import (
    EventSource,
    FeatureView,
    RowFeatures,
    column,
    count,
    last,
    mean,
    rate,
    ratio,
    since_last,
)
from tradespace.features.batch.study_columns import add_features
from tradespace.features.define.leaks import refuse_leaks
from tradespace.features.define.views import View
from tradespace.study.load import load_study

LOG = EventSource("rows", time="at", id="id")
BY_LABEL: Any = EventSource("rows", time="at", id="id", where=column("fraud").is_null())


def view(*features: Any, source: EventSource = LOG, entity: str = "card") -> FeatureView:
    return FeatureView("v", source, entity, list(features))


LEAKS: dict[str, View] = {
    "aggregate": view(rate("fraud", "1d")),
    "last": view(last("fraud", "1d")),
    "filter": view(count("1d", where=column("fraud") == 1)),
    "part of a ratio": view(ratio(count("1d"), rate("fraud", "1d"))),
    "presence": view(count("1d", column="fraud")),
    "filter of an earlier one": view(last("eur", k=2, where=column("fraud") == 0)),
    "condition of the source": view(count("1d"), source=BY_LABEL),
    "entity": view(count("1d", delay="7d"), entity="fraud"),
    "row": RowFeatures("v", LOG, {"x": column("fraud") * column("eur")}),
}
SOUND: dict[str, View] = {
    "delay": view(rate("fraud", "1d", delay="7d")),
    "earlier ones": view(since_last(where=column("fraud") == 1), last("fraud", k=2)),
    "other columns": view(mean("eur", "1d")),
    "delayed with the source": view(count("1d", delay="1s"), source=BY_LABEL),
    "row": RowFeatures("v", LOG, {"x": column("eur") > 1}),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_feature_that_contains_the_target_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"contains the target|by its target") as caught:
        refuse_leaks(LEAKS[name], target="fraud", own=True)
    assert "'v'" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("name", SOUND)
def test_a_feature_that_does_not_is_taken(name: str) -> None:
    refuse_leaks(SOUND[name], target="fraud", own=True)


def test_a_row_that_looks_for_itself_finds_its_target() -> None:
    since = view(since_last(where=column("fraud") == 1))

    with pytest.raises(InputError, match="contains the target"):
        refuse_leaks(since, target="fraud", own=True, joined=True)


def test_labels_of_a_source_of_their_own_are_taken() -> None:
    labels = EventSource("labels", path="labels.parquet", time="at", created="known")

    refuse_leaks(view(rate("fraud", "1d"), source=labels), target="fraud", own=False)


def a_study(folder: Path, features: str, *, source: str = "{time: at, id: id}") -> Path:
    n = 400
    pl.DataFrame(
        {
            "id": range(n),
            "at": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=i) for i in range(n)],
            "card": [None if i % 50 == 7 else i % 3 for i in range(n)],
            "eur": [float(i * 7 % 11) for i in range(n)],
            "fraud": [i * 5 % 7 == 0 for i in range(n)],
        }
    ).write_parquet(folder / "rows.parquet")
    (folder / "features.yaml").write_text(
        f"sources: {{rows: {source}}}\n"
        f"views: {{card: {{source: rows, entity: card, features: [{features}]}}}}\n"
    )
    (folder / "study.yaml").write_text(
        "purpose: test\ndata: rows.parquet\ntarget: fraud\n"
        "columns: {time: at, id: id}\nfeatures: [features.yaml:card]\n"
        "constraints: [average_precision >= 0.1]\ncandidates: [logistic_regression]\n"
    )
    return folder / "study.yaml"


PRESENT = "{time: at, id: id, where: card is not None}"


@pytest.mark.parametrize("path", ["", "path: rows.parquet, ", "path: r*.parquet, "])
def test_a_check_refuses_a_leak_at_its_place(path: str, tmp_path: Path) -> None:
    source = PRESENT.replace("{", "{" + path)
    study = load_study(a_study(tmp_path, "last: {column: fraud, window: 1d}", source=source))

    with pytest.raises(InputError, match=r"'card_last_fraud_1d' of view 'card' contains the") as e:
        preview(study, tmp_path / "out")
    assert "features.yaml:2:" in str(e.value)
    assert "delay='7d'" in str(e.value)


def test_a_check_passes_a_delayed_label(tmp_path: Path) -> None:
    features = "rate: {label: fraud, window: 1d, delay: 7d}"
    study = load_study(a_study(tmp_path, features, source=PRESENT))

    assert preview(study, tmp_path / "out")["candidates"]


def test_rows_that_are_no_events_are_seen_as_of_their_time(tmp_path: Path) -> None:
    where = "{time: at, id: id, where: card is not None and eur > 0}"
    features = "count: 3h, mean: {column: eur, window: 6h}".replace(", mean", "}, {mean")
    study = load_study(a_study(tmp_path, f"{{{features}}}", source=where))
    rows = pl.read_parquet(tmp_path / "rows.parquet")
    found = add_features(rows, study)
    events = [row for row in rows.to_dicts() if row["card"] is not None and row["eur"] > 0]
    expected = []
    for row in rows.to_dicts():
        seen = [
            [e["eur"] for e in events if e["card"] == row["card"] and low < e["at"] <= row["at"]]
            for low in (row["at"] - dt.timedelta(hours=hours) for hours in (3, 6))
        ]
        expected.append([len(seen[0]), np.mean(seen[1]) if seen[1] else math.nan])

    np.testing.assert_allclose(found.select("card_count_3h", "card_mean_eur_6h"), expected)


def test_two_views_with_one_feature_are_both_named(tmp_path: Path) -> None:
    path = a_study(tmp_path, "count: {window: 1d, name: x}")
    text = (tmp_path / "features.yaml").read_text()
    again = text.splitlines()[1].removeprefix("views: {").removesuffix("}").replace("card:", "two:")
    (tmp_path / "features.yaml").write_text(text.rstrip()[:-1] + ", " + again + "}\n")
    path.write_text(path.read_text().replace("[features.yaml:card]", "[f.yaml:card, f.yaml:two]"))
    (tmp_path / "features.yaml").rename(tmp_path / "f.yaml")
    rows = pl.read_parquet(tmp_path / "rows.parquet").fill_null(0)

    with pytest.raises(InputError, match="'x' of view 'two' exists already, in view 'card'"):
        add_features(rows, load_study(path))
