"""Views in YAML are those of Python: same definitions, same versions, located messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradespace.core.errors import FeatureError, InputError
from tradespace.features import (
    ColumnRule,
    Contract,
    EventSource,
    FeatureView,
    RowFeatures,
    column,
    count,
    decayed_mean,
    distinct,
    hour,
    last,
    last_k,
    max_,
    mean,
    min_,
    rate,
    ratio,
    since_last,
    std,
    sum_,
)
from tradespace.features.define.contracts import OnBreach
from tradespace.features.define.load import load_view, load_views
from tradespace.features.define.yaml_views import parse_views
from tradespace.study.load import load_study

TEXT = """
sources:
  log:
    path: log/*.parquet
    time: at
    id: id
    created: known
    decimals: {eur: 2}
    time_zone: Europe/Brussels
    owner: payments
    contract:
      columns:
        eur: {type: number, low: 0, nulls: 0.1}
      since: "2020-01-01"
      on_breach: report
views:
  card:
    source: log
    entity: card
    owner: risk
    freshness: 1h
    key: card_id
    features:
      - count: 1d
      - count: {window: all, where: eur > 1 and shop == 'a', delay: 2h, name: big}
      - sum: {column: eur, window: 7d, unit: EUR}
      - mean: {column: eur, window: 7d, empty: 0.0}
      - min: {column: eur, window: 7d}
      - max: {column: eur, window: 7d}
      - std: {column: eur, window: 7d}
      - distinct: {column: shop, window: 7d}
      - last: eur
      - last_k: {column: eur, k: 3, window: 1d, name: null}
      - since_last: 30d
      - decayed_mean: {column: eur, half_life: 3d}
      - rate: {label: fraud, window: 30d, delay: 7d}
      - ratio:
          numerator: {mean: {column: eur, window: 1d}}
          denominator: {mean: {column: eur, window: 30d}}
          empty: 1.0
          name: trend
  clock:
    source: log
    rows:
      night: hour(at) <= 6
"""


def in_python() -> tuple[FeatureView, RowFeatures]:
    log = EventSource(
        "log",
        path="log/*.parquet",
        time="at",
        id="id",
        created="known",
        decimals={"eur": 2},
        time_zone="Europe/Brussels",
        owner="payments",
        contract=Contract(
            columns={"eur": ColumnRule(type="number", low=0, nulls=0.1)},
            since="2020-01-01",
            on_breach=OnBreach.REPORT,
        ),
    )
    in_a = column("shop") == "a"
    card = FeatureView(
        "card",
        log,
        "card",
        [
            count("1d"),
            count(None, where=(column("eur") > 1) & in_a, delay="2h", name="big"),
            sum_("eur", "7d", unit="EUR"),
            mean("eur", "7d", empty=0.0),
            min_("eur", "7d"),
            max_("eur", "7d"),
            std("eur", "7d"),
            distinct("shop", "7d"),
            last("eur"),
            *last_k("eur", 3, "1d"),
            since_last("30d"),
            decayed_mean("eur", "3d"),
            rate("fraud", "30d", delay="7d"),
            ratio(mean("eur", "1d"), mean("eur", "30d"), empty=1.0, name="trend"),
        ],
        owner="risk",
        freshness_us=3_600_000_000,
        key="card_id",
    )
    return card, RowFeatures("clock", log, {"night": hour("at") <= 6})


def test_a_view_in_yaml_is_the_view_in_python() -> None:
    written = parse_views(TEXT.replace(", name: null", ""), file="f.yaml")
    card, clock = in_python()

    assert written["card"].hash == card.hash
    assert written["card"].versions == card.versions
    assert written["card"].names == card.names
    assert written["card"].source == card.source
    assert (written["card"].owner, written["card"].freshness_us, written["card"].key) == (
        "risk",
        3_600_000_000,
        "card_id",
    )
    assert (written["clock"].hash, written["clock"].names) == (clock.hash, clock.names)


def test_paths_of_a_file_count_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(TEXT.replace(", name: null", ""))

    assert load_views(tmp_path / "f.yaml")["card"].source.path == str(
        tmp_path / "log" / "*.parquet"
    )
    assert load_view("f.yaml:clock", folder=tmp_path).name == "clock"
    with pytest.raises(FeatureError, match=r"Unknown feature view 'crad'.*Did you mean 'card'"):
        load_view("f.yaml:crad", folder=tmp_path)


START = "sources: {log: {time: at, id: id}}\nviews:\n  v:\n    source: log\n    entity: e\n"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "f.yaml", "is empty"),
        ("views: [", "f.yaml:", "bracket|YAML|expected|closed"),
        ("sorces: {}", "f.yaml:1:1", r"Unknown key 'sorces'.*Did you mean 'sources'"),
        ("sources: {log: {time: at}}", "f.yaml:1", "defines no views"),
        ("sources: {log: {tmie: at}}\nviews: {}", "f.yaml:1:17", "Did you mean 'time'"),
        ("views: {v: {source: lgo, features: [count: 1d]}}", "f.yaml:1:21", "Unknown source 'lgo'"),
        (START, "f.yaml:4:5", "needs a list of features"),
        (START + "    features: count", "f.yaml:6:15", "needs a list of features"),
        (START + "    features:\n      - count", "f.yaml:7:9", "A feature is one function"),
        (START + "    features:\n      - cuont: 1d", "f.yaml:7:9", "Did you mean 'count'"),
        (START + "    features:\n      - count: 7 dys", "f.yaml:7:16", "Unknown unit 'dys'"),
        (START + "    features:\n      - mean: eur", "f.yaml:7:15", "mean needs a window"),
        (
            START + "    features:\n      - mean: {column: eur, windw: 1d}",
            "f.yaml:7:29",
            "Did you mean 'window'",
        ),
        (
            START + "    features:\n      - count: {window: 1d, delay: -1d}",
            "f.yaml:7:16",
            "cannot be negative",
        ),
        (
            START + "    features:\n      - count: {window: 1d, where: open('x')}",
            "f.yaml:7:16",
            "not allowed|part of a time",
        ),
        (
            START + "    features:\n      - ratio: {numerator: {count: 1d}}",
            "f.yaml:7:16",
            "needs a denominator",
        ),
        (
            START + "    features:\n      - last: {column: eur, k: 0}",
            "f.yaml:7:15",
            "must be 1 or more",
        ),
        (
            START + "    features:\n      - count: 1d\n      - count: 1d",
            "f.yaml:4:5",
            "two features named",
        ),
        ("sources: {log: {time_zone: Mars}}\nviews: {}", "f.yaml:1:16", "Unknown time zone 'Mars'"),
        (
            "sources: {log: {contract: {on_breach: shout}}}\nviews: {}",
            "f.yaml:1:39",
            "Unknown choice 'shout'",
        ),
        (
            "sources: {log: {contract: {columns: {eur: {type: numbr}}}}}\nviews: {}",
            "f.yaml:1:43",
            "must be one of number",
        ),
    ],
)
def test_what_is_wrong_in_yaml_is_said_at_its_place(text: str, place: str, message: str) -> None:
    with pytest.raises(FeatureError, match=message) as caught:
        parse_views(text, file="f.yaml")
    assert str(caught.value).startswith(place)
    assert caught.value.remedy


def test_a_study_that_names_no_such_file_of_views_is_told_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "features.yaml").write_text(TEXT)
    (tmp_path / "rows.csv").write_text("a,y\n1,0\n2,1\n")
    (tmp_path / "study.yaml").write_text(
        "purpose: p\ndata: rows.csv\ntarget: y\nfeatures: [feature.yaml:card]\n"
        "constraints: [accuracy >= 90 %]\n"
    )

    with pytest.raises(InputError, match=r"study.yaml:4:\d+.*Did you mean 'features.yaml'"):
        load_study(tmp_path / "study.yaml")
