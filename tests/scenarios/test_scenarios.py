from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import DataError
from tradespace.features.batch.study_columns import add_features
from tradespace.scenarios import cancer_prognosis, card_fraud
from tradespace.scenarios._transactions import generate_transactions
from tradespace.study.load import load_study


@pytest.fixture(scope="module")
def transactions() -> pl.DataFrame:
    return generate_transactions(
        seed=0, customers=300, terminals=600, days=40, first_day=dt.date(2018, 4, 1)
    )


def test_the_same_seed_gives_the_same_transactions(transactions: pl.DataFrame) -> None:
    again = generate_transactions(
        seed=0, customers=300, terminals=600, days=40, first_day=dt.date(2018, 4, 1)
    )
    other = generate_transactions(
        seed=1, customers=300, terminals=600, days=40, first_day=dt.date(2018, 4, 1)
    )

    assert transactions.equals(again)
    assert not transactions.equals(other)


def test_transactions_follow_their_description(transactions: pl.DataFrame) -> None:
    a_day = transactions.group_by("CUSTOMER_ID").len()["len"].to_numpy() / 40

    assert transactions["TX_DATETIME"].is_sorted()
    assert transactions["TX_AMOUNT"].min() >= 0
    assert abs(a_day.mean() - 2) < 0.2
    assert abs(transactions["TX_DATETIME"].dt.hour().mean() - 11.5) < 0.2


def test_the_three_patterns_of_fraud_are_there(transactions: pl.DataFrame) -> None:
    patterns = transactions.group_by("TX_FRAUD_SCENARIO").len()
    large = transactions.filter(pl.col("TX_AMOUNT") > 220)

    assert sorted(patterns["TX_FRAUD_SCENARIO"]) == [0, 1, 2, 3]
    assert large.filter(pl.col("TX_FRAUD") == 0).is_empty()
    assert (transactions["TX_FRAUD"] == (transactions["TX_FRAUD_SCENARIO"] > 0)).all()


def test_card_fraud_is_a_study_whose_features_can_be_computed(tmp_path: Path) -> None:
    study = load_study(card_fraud.write(tmp_path, customers=60, terminals=400, days=40))
    rows = pl.read_parquet(tmp_path / "transactions.parquet")
    added = add_features(rows, study)

    assert study.split.start == "2018-04-20"
    assert added.width == rows.width + 14
    assert np.isfinite(added.select(added.columns[-14:]).to_numpy()).all()


def test_a_path_that_names_no_transactions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file 'missing\.parquet'"):
        card_fraud.write(tmp_path, data="missing.parquet")


def test_cancer_prognosis_is_a_study(tmp_path: Path) -> None:
    study = load_study(cancer_prognosis.write(tmp_path))

    assert study.mistakes is not None
    assert study.mistakes.false_negative_usd == 50 * study.mistakes.false_positive_usd
    assert study.candidates == ()
