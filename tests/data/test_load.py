"""Loading the data of a study."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tradespace.core.errors import DataError
from tradespace.core.studies import ColumnsSpec, DataSpec, ExcludeSpec, SplitSpec, Study, Task
from tradespace.data.load import load_dataset
from tradespace.data.storage import open_dataset, save_dataset

DAY_S = 86_400.0


def study(path: Path | str, *, kind: str = "file", **more: object) -> Study:
    columns = more.pop("columns", ColumnsSpec(target="label"))
    return Study(
        name="s", purpose="", task=None, data=DataSpec(kind, str(path)), columns=columns, **more
    )


def table(n: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "amount": rng.normal(size=n).round(3),
            "shop": [None if i % 5 == 0 else f"shop{i % 7}" for i in range(n)],
            "zip": [f"0{i % 9}1" for i in range(n)],
            "card": rng.integers(0, 40, n),
            "day": pl.Series(np.arange(n) % 50).cast(pl.Int32).cast(pl.Date),
            "same": [3] * n,
            "label": (rng.random(n) < 0.3).astype(int),
        }
    )


def test_csv_and_parquet_of_one_table_give_the_same_hash(tmp_path: Path) -> None:
    table().write_csv(tmp_path / "a.csv")
    table().write_parquet(tmp_path / "a.parquet", row_group_size=17)

    assert (
        load_dataset(study(tmp_path / "a.csv")).hash
        == load_dataset(study(tmp_path / "a.parquet")).hash
    )


def test_a_saved_dataset_opens_as_it_was(tmp_path: Path) -> None:
    table().write_csv(tmp_path / "a.csv")
    dataset = load_dataset(study(tmp_path / "a.csv"))
    save_dataset(dataset, tmp_path / "saved")
    opened = open_dataset(tmp_path / "saved")

    np.testing.assert_array_equal(opened.inputs.numbers, dataset.inputs.numbers)
    np.testing.assert_array_equal(opened.inputs.strings[0].codes, dataset.inputs.strings[0].codes)
    np.testing.assert_array_equal(opened.fold("test").score, dataset.fold("test").score)
    assert opened.hash == dataset.hash


def test_no_entity_is_in_both_parts_of_a_grouped_split(tmp_path: Path) -> None:
    table().write_csv(tmp_path / "a.csv")
    columns = ColumnsSpec(target="label", entity="card")
    dataset = load_dataset(study(tmp_path / "a.csv", columns=columns))

    assert dataset.groups is not None
    for fold in dataset.folds:
        assert not set(dataset.groups[fold.train]) & set(dataset.groups[fold.score])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pl.lit(1).alias("label"), "one class only"),
        (pl.lit(None, dtype=pl.Int64).alias("label"), "has no value in 200 of 200 rows"),
        (pl.col("label").alias("lable"), "Did you mean 'lable'"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(
    tmp_path: Path, change: pl.Expr, words: str
) -> None:
    frame = table().with_columns(change)
    if "lable" in frame.columns:
        frame = frame.drop("label")
    frame.write_parquet(tmp_path / "a.parquet")

    with pytest.raises(DataError, match=words):
        load_dataset(study(tmp_path / "a.parquet"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.parquet", b"", r"is empty \(0 bytes\)"),
        ("a.parquet", b"PAR1 and then nothing", "is not a Parquet file"),
        ("a.csv", b"a,label\n1,2\n1,2,3\n", "line 3 has 3 fields"),
        ("a.csv", "a,label\nüber,1\n".encode("latin-1"), "line 2 holds the byte 0xfc"),
        ("a.csv", b"a,label\n", "a header but no rows"),
        ("a.xlsx", b"PK\x03\x04 and so on", "an Excel workbook"),
    ],
)
def test_files_that_are_no_tables_are_named(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError, match=words):
        load_dataset(study(tmp_path / name))


@pytest.mark.parametrize(
    ("column", "types", "words"),
    [
        (
            pl.Series("shop", [f"s{i % 7}" if i % 3 else "1.5" for i in range(200)]),
            {"shop": "number"},
            r"'shop' cannot be read as number: 133 of 200 values are none, for instance \['s1'",
        ),
        (
            pl.Series("shop", ["m", "f"] * 100),
            {"shop": "boolean"},
            "'shop' cannot be read as boolean: 200 of 200 values",
        ),
        (
            pl.Series("amount", [1.0, float("inf"), -float("inf"), 2.0] * 50),
            {},
            r"'amount' holds 100 infinite values, for instance \[inf, -inf, inf\] \(at rows \[1",
        ),
        (pl.Series("amount", ["1.5", "inf"] * 100), {}, "'amount' holds 100 infinite values"),
        (pl.Series("amount", [1.0] * 199 + [float("inf")]), {}, "'amount' holds 1 infinite value,"),
    ],
)
def test_values_that_would_be_lost_or_cannot_be_reckoned_with_are_refused(
    tmp_path: Path, column: pl.Series, types: dict[str, str], words: str
) -> None:
    table().with_columns(column).write_parquet(tmp_path / "a.parquet")
    columns = ColumnsSpec(target="label", types=types)

    with pytest.raises(DataError, match=words):
        load_dataset(study(tmp_path / "a.parquet", columns=columns))


def test_infinite_values_of_a_column_that_nobody_sees_do_not_matter(tmp_path: Path) -> None:
    table().with_columns(amount=pl.lit(float("inf"))).write_parquet(tmp_path / "a.parquet")
    columns = ColumnsSpec(target="label", never=("amount",))

    assert load_dataset(study(tmp_path / "a.parquet", columns=columns)).n_rows == 200


@pytest.mark.data
def test_the_fraud_protocol_gives_the_published_counts() -> None:
    folder = os.environ.get("TRADESPACE_DATA")
    if folder is None:
        pytest.skip("TRADESPACE_DATA does not name the folder of real data")
    dataset = load_dataset(
        study(
            Path(folder) / "fraud" / "transactions.parquet",
            columns=ColumnsSpec(
                target="TX_FRAUD", features=("TX_AMOUNT",), entity="CUSTOMER_ID", time="TX_DATETIME"
            ),
            split=SplitSpec(
                "dated",
                train=7 * DAY_S,
                gap=7 * DAY_S,
                validation=0.0,
                test=7 * DAY_S,
                start="2018-07-25",
            ),
            exclude=(
                ExcludeSpec(
                    "known cards",
                    rule="known_positive_entities",
                    settings={"entity": "CUSTOMER_ID", "delay": "7 days"},
                    parts=("test",),
                ),
            ),
        )
    )
    fold = dataset.fold("test")

    assert dataset.task is Task.BINARY
    assert [f.name for f in dataset.folds] == ["test"]
    assert (len(fold.train), int(dataset.y[fold.train].sum())) == (67_240, 598)
    assert (len(fold.score), int(dataset.y[fold.score].sum())) == (58_264, 385)
