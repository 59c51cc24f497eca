"""A drafted study parses to what the first look found, whatever the names in the table are."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core.profiles import ColumnProfile, ColumnRole, TableProfile
from tradespace.core.studies import DataSpec, Task
from tradespace.files.problems import Collector
from tradespace.files.yaml_tree import parse_tree
from tradespace.study.draft import draft_study, scalar
from tradespace.study.load import load_study, parse_study

TABLE = TableProfile(
    path="transactions.csv",
    rows=12_345,
    columns=(
        ColumnProfile("row", "number", ColumnRole.ID, reason="different in every row"),
        ColumnProfile("when", "date", ColumnRole.TIME, reason="holds dates"),
        ColumnProfile("customer", "number", ColumnRole.ENTITY, distinct=500),
        ColumnProfile("amount", "number", missing=0.2, distinct=900),
        ColumnProfile("note", "text", ColumnRole.TEXT, reason="sentences"),
        ColumnProfile("chargeback", "boolean", ColumnRole.LEAK, reason="predicts the target"),
        ColumnProfile("country", "category", ColumnRole.CONSTANT, reason="the same in every row"),
        ColumnProfile(
            "sum", "number", ColumnRole.DUPLICATE, reason="repeats amount", copy_of="amount"
        ),
        ColumnProfile("blob", "other", ColumnRole.UNUSABLE, reason="holds lists"),
        ColumnProfile("is_fraud", "number", ColumnRole.TARGET, distinct=2),
    ),
    task=Task.BINARY,
    class_counts={"0": 12_200, "1": 145},
    positive=1,
    first="2018-01-01",
    last="2018-03-31",
)


def test_a_draft_says_what_was_found_and_why() -> None:
    text = draft_study(TABLE)
    study = parse_study(text)

    assert study.data == DataSpec("file", "transactions.csv")
    assert (study.task, study.positive) == (Task.BINARY, 1)
    assert (study.columns.target, study.columns.time) == ("is_fraud", "when")
    assert study.columns.entity == "customer"
    assert study.columns.never == ("row", "chargeback", "country", "sum", "blob")
    assert study.columns.features is None
    assert (study.split.method, study.split.train) == ("dated", 0.6)
    assert [str(c) for c in study.constraints] == ["latency_p99 <= 10 ms"]
    for dropped in ("row", "chargeback", "country", "sum", "blob"):
        (line,) = [row for row in text.splitlines() if row.strip().startswith(f"- {dropped} ")]
        (reason,) = [c.reason for c in TABLE.columns if c.name == dropped]
        assert reason in line
    assert "1.17 % of the rows" in text
    assert "amount (20 % missing)" in text


def test_rare_positives_are_judged_by_average_precision_from_their_share() -> None:
    study = parse_study(draft_study(TABLE))

    assert study.objectives[0].quality == "average_precision"
    assert study.objectives[0].worst == pytest.approx(145 / 12_345, rel=1e-2)


def test_frequent_positives_are_judged_by_roc_auc() -> None:
    even = dataclasses.replace(TABLE, class_counts={"0": 6000, "1": 6345})

    assert parse_study(draft_study(even)).objectives[0].quality == "roc_auc"


def test_without_a_time_rows_are_divided_by_entity_and_without_that_at_random() -> None:
    plain = [c for c in TABLE.columns if c.role not in (ColumnRole.TIME, ColumnRole.ENTITY)]
    grouped = dataclasses.replace(
        TABLE, columns=tuple(c for c in TABLE.columns if c.role is not ColumnRole.TIME)
    )
    loose = dataclasses.replace(TABLE, columns=tuple(plain))

    assert parse_study(draft_study(grouped)).split.method == "grouped"
    assert parse_study(draft_study(loose)).split.method == "stratified"


def test_several_classes_and_numbers_get_qualities_of_their_own() -> None:
    classes = dataclasses.replace(
        TABLE, task=Task.MULTICLASS, class_counts={"a": 5, "b": 3, "c": 2}, positive=None
    )
    numbers = dataclasses.replace(TABLE, task=Task.REGRESSION, class_counts={}, positive=None)

    several = parse_study(draft_study(classes))
    assert (several.objectives[0].quality, several.objectives[0].worst) == ("accuracy", 0.5)
    assert parse_study(draft_study(numbers)).objectives[0].quality == "r2"


def test_rows_without_a_label_are_filtered_out() -> None:
    gaps = dataclasses.replace(TABLE, missing_target=7)
    (kept,) = parse_study(draft_study(gaps)).exclude

    assert kept.where == '"is_fraud" IS NULL'
    assert "7 rows" in kept.why


def test_every_line_that_is_commented_out_can_be_taken_up() -> None:
    text = draft_study(TABLE)
    for start in ("  # - ", "# mistakes", "# seeds", "# confidence", "# budget", "# environment"):
        lines = [
            line.replace("# ", "", 1) if line.startswith(start) else line
            for line in text.splitlines()
        ]
        assert parse_study("\n".join(lines)).purpose
    taken = text.replace("# candidates:", "candidates:").replace("#   - ", "  - ")
    families = [c.family for c in parse_study(taken).candidates]

    assert families == ["logistic_regression", "decision_tree", "random_forest"]


NAMES = st.text(min_size=1, max_size=12).filter(
    lambda name: bool(name.strip()) and not any(0xD800 <= ord(c) <= 0xDFFF for c in name)
)


@settings(deadline=None)  # the first example imports
@given(target=NAMES, leak=NAMES, entity=NAMES, path=NAMES, reason=st.text(max_size=20))
def test_names_of_columns_may_be_anything(
    target: str, leak: str, entity: str, path: str, reason: str
) -> None:
    if len({target, leak, entity}) < 3 or ":" in path:
        return
    profile = dataclasses.replace(
        TABLE,
        path=path + ".csv",
        columns=(
            ColumnProfile(target, "number", ColumnRole.TARGET),
            ColumnProfile(leak, "number", ColumnRole.LEAK, reason=reason),
            ColumnProfile(entity, "category", ColumnRole.ENTITY, reason=reason),
        ),
        notes=(reason,),
    )
    study = parse_study(draft_study(profile))

    assert (study.columns.target, study.columns.entity) == (target, entity)
    assert study.columns.never == (leak,)
    assert study.data.location == path + ".csv"


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.text().filter(lambda text: not any(0xD800 <= ord(c) <= 0xDFFF for c in text)),
)


@settings(deadline=None)  # the first example imports
@given(value=PLAIN)
def test_a_written_value_reads_back_as_itself(value: object) -> None:
    tree = parse_tree(f"a: {scalar(value)}\n", file="s.yaml", problems=Collector())

    assert tree.value["a"] == value
    assert type(tree.value["a"]) is type(value)


def test_a_draft_of_a_real_table_loads_with_its_data(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    from tradespace.data.load import load_dataset
    from tradespace.data.profile import profile_table

    rows = [
        f"{i},2024-01-{1 + i % 28:02d},{i % 40},{'' if i % 5 == 0 else i * 0.5},"
        f"{'' if i == 3 else i % 2},{i % 2}"
        for i in range(400)
    ]
    table = tmp_path / "rows.csv"
    table.write_text("\n".join(["row_id,day,customer_id,amount,bad debt,outcome", *rows]))
    profile = profile_table(table, target="bad debt", folder=tmp_path)
    file = tmp_path / "study.yaml"
    file.write_text(draft_study(profile))
    study = load_study(file)
    dataset = load_dataset(study)

    assert "outcome" in study.columns.never
    assert "row_id" in study.columns.never
    assert study.columns.time == "day"
    assert dataset.n_rows == 399
