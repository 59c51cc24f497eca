"""A filter leaves out the rows that meet its condition."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tradespace.data.load import load_dataset
from tradespace.study.load import parse_study


def test_rows_that_meet_the_condition_are_left_out_and_unknown_ones_stay(tmp_path: Path) -> None:
    amount = [None if i % 10 == 0 else float(i % 5) for i in range(100)]
    frame = pl.DataFrame({"amount": amount, "y": [i % 2 for i in range(100)]})
    frame.write_parquet(tmp_path / "rows.parquet")
    study = parse_study(
        "purpose: Try\ndata: rows.parquet\ntarget: y\n"
        "exclude: [{name: free, why: Gifts are no sales., where: amount = 0}]\n",
        folder=str(tmp_path),
    )
    dataset = load_dataset(study)

    assert dataset.n_rows == 90
    assert any("free" in note and "10 rows" in note for note in dataset.notes)
