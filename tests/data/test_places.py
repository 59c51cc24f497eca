"""What the data show to be wrong is said at the line that speaks of the column."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tradespace.core.errors import DataError
from tradespace.data.load import load_dataset
from tradespace.study.load import parse_study

START = "purpose: P\ndata: rows.csv\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("target: lable", "3:9", "'lable'"),
        ("target: word", "3:9", "has no value in"),
        ("target: same", "3:9", "one class only"),
        ("target: label\ncolumns: {group: cusomer}", "4:18", "'cusomer'"),
        ("target: label\ncolumns:\n  entity: cusomer", "5:11", "'cusomer'"),
        ("target: label\ncolumns: {never: [a, wrod]}", "4:22", "'wrod'"),
        ("target: label\ncolumns: {time: a}", "4:17", "not dates"),
        ("target: label\ncolumns: {types: {a: number, word: number}}", "4:36", "read as number"),
        ("target: label\ncolumns: {features: [a, big]}", "4:25", "infinite"),
        ("target: label", "2:7", "infinite"),
    ],
)
def test_an_error_about_a_column_stands_at_its_name(
    text: str, place: str, words: str, tmp_path: Path
) -> None:
    rows = {
        "a": range(60),
        "word": ["x", None, "z"] * 20,
        "same": [1] * 60,
        "big": [1.0, 2.0, float("inf")] * 20,
        "label": [0, 1] * 30,
    }
    pl.DataFrame(rows).write_csv(tmp_path / "rows.csv")
    study = parse_study(START + text, file="s.yaml", folder=str(tmp_path))
    with pytest.raises(DataError, match=words) as caught:
        load_dataset(study)

    assert str(caught.value).startswith(f"s.yaml:{place}: ")
