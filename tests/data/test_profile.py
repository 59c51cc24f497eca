"""The first look at a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import DataError
from tradespace.core.profiles import ColumnRole
from tradespace.data.profile import profile_table


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    label = rng.random(300) < 0.2
    pl.DataFrame(
        {
            "order_id": range(300),
            "amount": rng.normal(size=300),
            "refund": label * 10.0 + rng.random(300),
            "label": np.where(label, "yes", "no"),
        }
    ).write_csv(tmp_path / "orders.csv")
    return tmp_path / "orders.csv"


def test_the_leak_the_id_and_the_positive_class_are_found(table: Path) -> None:
    profile = profile_table(table, target="label", folder=table.parent)

    assert [c.name for c in profile.of_role(ColumnRole.LEAK)] == ["refund"]
    assert [c.name for c in profile.of_role(ColumnRole.ID)] == ["order_id"]
    assert (profile.path, profile.positive, profile.rows) == ("orders.csv", "yes", 300)


def test_without_a_target_the_error_names_likely_ones(table: Path) -> None:
    with pytest.raises(DataError, match="--target label"):
        profile_table(table)
