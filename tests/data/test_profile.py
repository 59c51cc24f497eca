"""The first look at a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import DataError
from tradespace.core.profiles import ColumnRole
from tradespace.data.profile import profile_table
from tradespace.study.draft import draft_study


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


@pytest.mark.parametrize(
    "name", ["customer", "Customer", "patient_id", "userId", "account", "card_number", "device id"]
)
@pytest.mark.parametrize("text", [True, False])
def test_what_comes_again_under_the_name_of_a_thing_is_proposed_as_entity(
    name: str, text: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    who = rng.integers(0, 150, 600)
    rows = {
        name: [f"C{code:04d}" for code in who] if text else who,
        "amount": rng.normal(size=600),
        "label": rng.random(600) < 0.2,
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "rows.parquet")
    profile = profile_table(tmp_path / "rows.parquet", target="label")
    (entity,) = profile.of_role(ColumnRole.ENTITY)

    assert entity.name == name
    assert entity.reason == f"names {len(set(who))} things that come again"
    assert f"entity: {name}" in draft_study(profile)


def test_a_kind_of_device_and_an_amount_of_an_account_are_no_entities(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = {
        "device": rng.choice(["phone", "tablet", "watch"], 600),
        "account": rng.normal(size=600).round(1),
        "users": rng.integers(0, 100, 600),
        "label": rng.random(600) < 0.2,
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "rows.parquet")
    profile = profile_table(tmp_path / "rows.parquet", target="label")

    assert profile.of_role(ColumnRole.ENTITY) == ()


def test_a_column_with_infinite_values_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    rows = {"a": [1.0, float("inf")] * 30, "b": range(60), "label": [0, 1, 1] * 20}
    pl.DataFrame(rows).write_parquet(tmp_path / "rows.parquet")
    profile = profile_table(tmp_path / "rows.parquet", target="label")
    (column,) = profile.of_role(ColumnRole.UNUSABLE)

    assert (column.name, column.reason) == ("a", "holds infinite values")
