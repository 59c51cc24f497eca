"""All 14 features of the fraud handbook, against its own values."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ruamel.yaml import YAML

from tradespace.features.batch.compute import compute_all
from tradespace.features.batch.events import read_events
from tradespace.features.define.load import load_views
from tradespace.features.stream.replay import verify
from tradespace.scenarios import card_fraud

GOLDEN = YAML(typ="safe").load(Path(__file__).parents[1] / "golden" / "fraud_features.yaml")
DATA = Path(os.environ.get("TRADESPACE_DATA", "")) / "fraud"
needs_data = pytest.mark.skipif(
    not (DATA / "transactions.parquet").is_file(), reason="TRADESPACE_DATA names no fraud data"
)
VIEWS = load_views(Path(card_fraud.__file__).with_name("_card_fraud_features.py"))


@needs_data
@pytest.mark.data
@pytest.mark.slow
def test_all_features_equal_the_handbooks_own_values() -> None:
    transactions = pl.read_parquet(DATA / "transactions.parquet")
    values = compute_all(VIEWS, read_events(VIEWS["customer"].source, transactions))
    ours = transactions.with_columns([pl.Series(name, array) for name, array in values.items()])
    simultaneous = pl.any_horizontal(
        pl.struct("TX_DATETIME", key).is_duplicated() for key in ("CUSTOMER_ID", "TERMINAL_ID")
    )
    theirs = pl.read_parquet(DATA / "features_reference.parquet")
    both = theirs.join(ours.filter(~simultaneous), on="TRANSACTION_ID", suffix=" ours")

    assert theirs.height == GOLDEN["rows_compared"]
    assert both.height > GOLDEN["rows_compared"] - 10
    assert len(values) == 14
    for name in values:
        np.testing.assert_allclose(
            both[f"{name} ours"].to_numpy(), both[name].to_numpy(), rtol=0, atol=GOLDEN["tolerance"]
        )


@needs_data
@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [
        100_000,
        pytest.param(
            None,
            marks=pytest.mark.skipif(
                not os.environ.get("TRADESPACE_THOROUGH"),
                reason="all six months take minutes: set TRADESPACE_THOROUGH",
            ),
        ),
    ],
)
def test_streaming_is_bit_equal_to_batch(rows: int | None) -> None:
    transactions = pl.read_parquet(DATA / "transactions.parquet").head(rows or 2**31)
    differences = verify(VIEWS, read_events(VIEWS["customer"].source, transactions))

    assert len(differences) == 14
    assert [difference for difference in differences if difference.rows] == []
