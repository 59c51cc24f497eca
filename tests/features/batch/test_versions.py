"""A component is served the features it was trained on, in their order, and no other version."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import DataError, FeatureError
from tradespace.data.inputs import InputColumn, InputSchema
from tradespace.data.storage import open_dataset
from tradespace.explore.evaluate import evaluate
from tradespace.explore.prepare import prepare_data
from tradespace.features import EventSource, FeatureView, RowFeatures, count, hour, mean
from tradespace.features.batch.events import read_events
from tradespace.features.build.catalogue import uses
from tradespace.features.build.skew import skew
from tradespace.features.define.load import load_views
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.online import OnlineInputs
from tradespace.runtime.artifact import open_artifact
from tradespace.runtime.schemas import check_schema
from tradespace.study.load import load_study

SECOND = 1_000_000
MIDNIGHT = 1_714_521_600 * SECOND
LOG = EventSource("log", time="at", id="id", decimals={"eur": 2})
CARD = FeatureView("card", LOG, "card", [count("10s"), mean("eur", "1min")], key="card_id")
CLOCK = RowFeatures("clock", LOG, {"night": hour("at") <= 6})


def schema(view: FeatureView = CARD) -> InputSchema:
    versions = {**view.versions, **CLOCK.versions}
    names = ("eur", "card_mean_eur_1min", "night", "card_count_10s")
    numbers = [InputColumn(name, "number", versions.get(name, "")) for name in names]
    return InputSchema((*numbers[:2], InputColumn("shop", "category"), *numbers[2:]))


def engine() -> StreamEngine:
    made = StreamEngine([CARD], materialize=True)
    made.push(
        [
            {"id": 1, "at": MIDNIGHT + 1 * SECOND, "card": 7, "eur": 1.0},
            {"id": 2, "at": MIDNIGHT + 5 * SECOND, "card": 7, "eur": 2.5},
        ]
    )
    return made


REQUESTS = [
    {"card_id": 7, "eur": 9.0, "shop": "a", "at": MIDNIGHT + 7 * 3600 * SECOND},
    {"card_id": 8, "eur": None, "shop": None, "at": MIDNIGHT + 6 * 3600 * SECOND},
]


def test_inputs_come_in_the_order_of_the_schema() -> None:
    online = OnlineInputs(schema(), [engine()], rows=[CLOCK])
    found = online.read(REQUESTS, now_us=MIDNIGHT + 12 * SECOND)

    np.testing.assert_array_equal(
        found.numbers, [[9.0, 1.75, 0.0, 1.0], [np.nan, np.nan, 1.0, 0.0]]
    )
    assert found.strings[0].values().tolist() == ["a", ""]
    check_schema(schema(), found.schema)


def test_stored_vectors_are_those_of_the_last_event() -> None:
    online = OnlineInputs(schema(), [engine()], rows=[CLOCK])
    found = online.read(REQUESTS[:1], now_us=MIDNIGHT + 12 * SECOND, mode="materialized")

    np.testing.assert_array_equal(found.numbers, [[9.0, 1.75, 0.0, 2.0]])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"eur": 1.0, "shop": "a", "at": 0}, "lacks 'card_id'"),
        ({"card_id": 7, "shop": "a", "at": 0}, "lacks 'eur'"),
        ({"card_id": 7, "eur": "9", "shop": "a", "at": 0}, "'eur' of a request is '9'"),
    ],
)
def test_what_a_request_lacks_is_named(request_: dict[str, object], message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        OnlineInputs(schema(), [engine()], rows=[CLOCK]).read(
            [request_], now_us=MIDNIGHT + 12 * SECOND
        )


def test_another_version_of_a_feature_is_refused_before_any_answer() -> None:
    longer = FeatureView("card", LOG, "card", [count("10s"), mean("eur", "2min")], key="card_id")
    renamed = FeatureView(
        "card", LOG, "card", [count("10s"), mean("eur", "2min", name="card_mean_eur_1min")]
    )

    with pytest.raises(FeatureError, match=r"'card_mean_eur_1min'.*no view makes it"):
        OnlineInputs(schema(), [StreamEngine([longer])], rows=[CLOCK])
    with pytest.raises(FeatureError, match=r"'card_mean_eur_1min'.*version \w+ of it is served"):
        OnlineInputs(schema(), [StreamEngine([renamed])], rows=[CLOCK])


def test_a_component_refuses_inputs_of_another_version() -> None:
    other = FeatureView(
        "card", EventSource("log", time="at"), "card", [count("10s"), mean("eur", "1min")]
    )
    plain = InputSchema(tuple(InputColumn(c.name, c.kind) for c in schema().columns))

    check_schema(schema(), plain)
    with pytest.raises(DataError, match=r"'card_mean_eur_1min' is of version \w+; the component"):
        check_schema(schema(), schema(other))


def test_another_feature_of_the_view_does_not_change_a_version() -> None:
    more = FeatureView("card", LOG, "card", [mean("eur", "1min"), count("3s"), count("10s")])

    assert more.hash != CARD.hash
    assert CARD.versions.items() <= more.versions.items()


def test_a_schema_keeps_its_versions_as_plain_data() -> None:
    assert InputSchema.from_dict(schema().to_dict()) == schema()
    assert "version" not in schema().to_dict()[0]


def test_served_values_that_batch_would_not_say_are_counted() -> None:
    events = read_events(
        LOG,
        pl.DataFrame(
            {
                "id": [1, 2],
                "at": [dt.datetime(1975, 1, 1, 0, 0, s) for s in (1, 5)],
                "card": [7, 7],
                "eur": [1.0, 2.5],
            }
        ),
    )
    log = pl.DataFrame(
        {
            "asked": [dt.datetime(1975, 1, 1, 0, 0, s) for s in (2, 6, 30)],
            "card_id": [7, 7, 7],
            "card_count_10s": [1.0, 2.0, 2.0],
            "card_mean_eur_1min": [1.0, 1.75, None],
        }
    )
    found = skew({"card": CARD}, log, time="asked", events={"log": events})

    assert [(one.feature, one.differing) for one in found] == [
        ("card_count_10s", 1),
        ("card_mean_eur_1min", 1),
    ]
    assert found[0].greatest == 2.0
    assert found[0].examples == ((2, 2.0, 0.0),)
    assert found[0].to_dict()["examples"] == [{"row": 2, "served": 2.0, "batch": 0.0}]
    assert np.isnan(found[1].examples[0][1])


def test_a_log_without_features_is_refused() -> None:
    with pytest.raises(FeatureError, match="holds no feature of card"):
        skew({"card": CARD}, pl.DataFrame({"card_id": [1]}), time="at")


def small_study(folder: Path, *, window: str = "1d") -> Path:
    n = 400
    pl.DataFrame(
        {
            "id": range(n),
            "at": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=i) for i in range(n)],
            "card": [i % 3 for i in range(n)],
            "eur": [float(i * 7 % 11) for i in range(n)],
            "fraud": [i * 5 % 7 == 0 for i in range(n)],
        }
    ).write_parquet(folder / "rows.parquet")
    (folder / "features.yaml").write_text(
        "sources: {rows: {time: at, id: id}}\n"
        "views: {card: {source: rows, entity: card, features: "
        f"[mean: {{column: eur, window: {window}, name: recent}}]}}}}\n"
    )
    (folder / "study.yaml").write_text(
        "purpose: test\ndata: rows.parquet\ntarget: fraud\n"
        "columns: {time: at, id: id, entity: card}\n"
        "features: [features.yaml:card]\n"
        "constraints: [average_precision >= 0.1]\ncandidates: [logistic_regression]\n"
        "budget: {bootstrap: 50, workers: 1}\n"
    )
    return folder / "study.yaml"


def test_a_study_gives_its_inputs_the_versions_of_their_features(tmp_path: Path) -> None:
    study = load_study(small_study(tmp_path))
    prepared = prepare_data(study, str(tmp_path / "data"))
    versions = {c.name: c.version for c in open_dataset(tmp_path / "data").inputs.schema.columns}
    lineage = prepared.features["features.yaml:card"]

    assert versions == {"eur": "", "recent": lineage["features"]["recent"]}
    assert lineage["view"] == "card"


@pytest.mark.slow
def test_a_component_that_was_chosen_refuses_a_changed_feature(tmp_path: Path) -> None:
    evaluate(small_study(tmp_path))
    folder = tmp_path / "study.tradespace"
    views = load_views(tmp_path / "features.yaml")
    used = uses(tmp_path, views)["card"]
    artifact = open_artifact(next((folder / "artifacts").rglob("*.onnx")))
    now = open_dataset(folder / "data").inputs
    small_study(tmp_path, window="2d")
    changed = load_views(tmp_path / "features.yaml")
    prepare_data(load_study(tmp_path / "study.yaml"), str(tmp_path / "changed"))
    later = open_dataset(tmp_path / "changed").inputs

    assert [(use["reference"], use["current"]) for use in used] == [("features.yaml:card", True)]
    assert [use["current"] for use in uses(tmp_path, changed)["card"]] == [False]
    assert artifact.predict(now).shape[0] == 400
    with pytest.raises(DataError, match="'recent' is of version"):
        artifact.predict(later)
