"""Whole studies come out as they are written, and files that are no studies are refused."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tradespace.core.candidates import SearchRange
from tradespace.core.errors import InputError, Place, StudyError
from tradespace.core.quantities import Direction
from tradespace.core.requirements import Sense
from tradespace.core.studies import (
    BudgetSpec,
    DataSpec,
    EnvironmentSpec,
    MistakeSpec,
    SplitSpec,
    Task,
)
from tradespace.files.problems import MOST_SHOWN, StudyProblemsError
from tradespace.study.load import load_study, parse_study

SHORT = "purpose: Rank cells\ndata: sklearn:breast_cancer\ntarget: target\n"


def test_purpose_data_target_and_one_constraint_suffice() -> None:
    study = parse_study(SHORT + "constraints: [roc_auc >= 0.9]\n", file="cells.yaml")

    assert study.name == "cells"
    assert (study.purpose, study.columns.target) == ("Rank cells", "target")
    assert study.data == DataSpec("sklearn", "breast_cancer")
    assert [str(c) for c in study.constraints] == ["roc_auc >= 0.9"]
    assert (study.seeds, study.confidence, study.budget.cpu_s) == ((0, 1, 2), 0.95, 600.0)
    assert (study.split, study.candidates, study.task) == (SplitSpec(), (), None)
    assert study.on_undecided == "recommend"


def test_the_example_of_the_manual_parses_as_it_is_written(fraud_folder: Path) -> None:
    text = textwrap.dedent(
        """\
        purpose: Which cards to look at
        data: transactions.parquet
        target: TX_FRAUD
        constraints:
          - average_precision >= 0.60
          - latency_p99 <= 10 ms            # one row, through the exported artifact
          - model_size <= 5 MB
        objectives:
          - {maximize: card_precision_at_100, from: 0, to: 0.397, weight: 3}
          - {minimize: cost_per_million_predictions, from: 1 USD, to: 0.01 USD}
        qualities:
          card_precision_at_100: {top_k_precision: {k: 100, entity: CUSTOMER_ID, per: day, drop_detected: true}}
        candidates:
          - logistic_regression: {C: {log: [0.01, 100], n: 6}}          # sampled; lists are grids
          - decision_tree: {max_depth: [2, 4, 8, null], criterion: entropy}
          - random_forest: {n_estimators: [25, 50, 100]}
          - xgboost: {tree_method: exact, base_score: 0.5}
          - sklearn: {estimator: my_models.py:make_pipeline}             # one's own, any estimator
          - onnx: {path: current.onnx}                                   # the incumbent
        """  # noqa: E501 - lines as a person would write them
    )
    study = parse_study(text, folder=str(fraud_folder))

    bounds = [(c.quality, c.sense, c.bound, c.unit) for c in study.constraints]
    assert bounds == [
        ("average_precision", Sense.AT_LEAST, 0.6, "1"),
        ("latency_p99", Sense.AT_MOST, 0.01, "s"),
        ("model_size", Sense.AT_MOST, 5e6, "B"),
    ]
    first, second = study.objectives
    assert (first.quality, first.worst, first.best, first.weight) == (
        "card_precision_at_100",
        0.0,
        0.397,
        3.0,
    )
    assert (second.direction, second.worst, second.best) == (Direction.MINIMIZE, 1.0, 0.01)
    use = study.qualities["card_precision_at_100"]
    assert (use.quality, use.unit) == ("top_k_precision", "1")
    assert use.settings == {
        "k": 100,
        "entity": "CUSTOMER_ID",
        "per": "day",
        "drop_detected": True,
    }
    assert [(c.family, dict(c.settings)) for c in study.candidates] == [
        ("logistic_regression", {"C": SearchRange("log", 0.01, 100.0, 6)}),
        ("decision_tree", {"max_depth": (2, 4, 8, None), "criterion": "entropy"}),
        ("random_forest", {"n_estimators": (25, 50, 100)}),
        ("xgboost", {"tree_method": "exact", "base_score": 0.5}),
        ("sklearn", {"estimator": "my_models.py:make_pipeline"}),
        ("onnx", {"path": "current.onnx"}),
    ]


def test_a_whole_cancer_study_comes_out_in_base_units(cancer: Path) -> None:
    study = load_study(cancer)

    assert (study.task, study.positive, study.name) == (Task.BINARY, "malignant", "cancer")
    assert study.split == SplitSpec(
        "stratified", train=0.6, validation=0.2, test=0.2, gap=0.0, folds=5
    )
    assert [str(c) for c in study.constraints] == [
        "recall >= 0.95",
        "latency_p99 <= 10 ms",
        "model_size <= 1 MB",
        "training_time < 2 min",
        "brier_score <= 0.1",
    ]
    assert study.objectives[1].indifference == 0.005
    assert (study.objectives[3].worst, study.objectives[3].best) == (1e-3, 1e-5)
    assert study.objectives[3].log
    assert study.environment == EnvironmentSpec(0.2, 100, 10.0)
    assert study.budget == BudgetSpec(40, 600.0, 30.0, 60.0, 2.0 * 2**30, 2, 3, 200)
    assert (study.seeds, study.confidence, study.on_undecided) == ((7, 8), 0.9, "refuse")
    assert study.mistakes == MistakeSpec(1.0, 50.0)
    assert study.project.deadline == "2027-03-31"
    assert study.project.budget_usd == 5000.0
    assert study.qualities["cautious_recall"].settings == {"threshold": 0.2}
    assert study.qualities["f1"].settings == {"threshold": 0.4}
    assert "accuracy" in study.qualities
    logistic, tree = study.candidates[1:3]
    assert logistic.label == "logistic"
    assert logistic.preprocessing == {"scale": "standard", "impute": "mean"}
    assert logistic.settings["l1_ratio"] == SearchRange("uniform", 0.0, 1.0, 5)
    assert (tree.label, tree.settings["max_depth"]) == ("tree", (2, 4, None))
    assert study.candidates[3].settings["max_features"] == ("sqrt", 0.5)


def test_a_whole_fraud_study_is_divided_by_time(fraud: Path) -> None:
    study = load_study(fraud)

    day = 86400.0
    assert study.split == SplitSpec(
        "dated", train=7 * day, gap=7 * day, validation=0.0, test=7 * day, start="2018-07-25"
    )
    assert study.columns.never == ("TX_FRAUD_SCENARIO",)
    assert study.features == ("features.py:customer", "features.py:terminal")
    known, real = study.exclude
    assert (known.rule, known.parts) == ("known_positive_entities", ("test",))
    assert known.settings == {"entity": "CUSTOMER_ID", "delay": "7 days"}
    assert (real.where, real.parts) == ("TX_AMOUNT <= 0", ("train", "validation", "test"))
    assert study.candidates[4].preprocessing == {"raw": True}
    assert study.seeds == (0,)


def test_upper_floors_find_the_place_of_every_part(fraud: Path) -> None:
    study = load_study(fraud)
    lines = fraud.read_text().splitlines()

    place = study.place("columns", "entity")
    assert place is not None
    assert place.line is not None
    assert lines[place.line - 1].strip() == "entity: CUSTOMER_ID"
    assert study.constraints[1].place == study.place("constraints", 1)
    assert study.place("split", "nowhere") == study.place("split")
    split = study.place("split")
    assert split is not None
    assert split.line == lines.index("split:") + 1
    assert study.candidates[0].place is not None
    assert str(study.candidates[0].place).startswith(str(fraud))


def test_the_hash_changes_with_the_content_and_not_with_comments(fraud: Path) -> None:
    before = load_study(fraud)
    text = fraud.read_text()
    fraud.write_text("# Another comment.\n" + text)
    commented = load_study(fraud)
    fraud.write_text(text.replace("0.60", "0.61"))
    edited = load_study(fraud)

    assert commented.hash == before.hash
    assert edited.hash != before.hash


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("rows.csv", DataSpec("file", "rows.csv")),
        ("data/2018-*.parquet", DataSpec("file", "data/2018-*.parquet")),
        ("'C:\\data\\rows.csv'", DataSpec("file", "C:\\data\\rows.csv")),
        ("my.package:rows", DataSpec("callable", "my.package:rows")),
        ("{path: rows.csv}", DataSpec("file", "rows.csv")),
        (
            "{callable: 'my.package:rows', options: {n: 5}}",
            DataSpec("callable", "my.package:rows", {"n": 5}),
        ),
    ],
)
def test_data_have_a_short_and_a_long_form(written: str, wanted: DataSpec, tmp_path: Path) -> None:
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "package.py").write_text("def rows(n=1): ...\n")
    study = parse_study(f"purpose: x\ndata: {written}\ntarget: y\n", folder=str(tmp_path))

    assert study.data == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("grouped", SplitSpec("grouped")),
        ("{train: 60 %, test: 40 %}", SplitSpec("auto", train=0.6, test=0.4)),
        ("{train: 7 days, test: 1 day}", SplitSpec("dated", train=604800.0, test=86400.0)),
        (
            "{method: dated, train: 0.6, gap: 1 day, test: 0.2}",
            SplitSpec("dated", train=0.6, gap=86400.0, test=0.2),
        ),
        ("{method: prequential, folds: 4}", SplitSpec("prequential", folds=4)),
    ],
)
def test_a_split_has_shares_or_times(written: str, wanted: SplitSpec) -> None:
    columns = "columns: {time: day, entity: who}\n"
    study = parse_study(f"{SHORT}{columns}split: {written}\n")

    assert study.split == wanted


def test_mistakes_of_several_classes_are_a_table() -> None:
    study = parse_study(f"{SHORT}mistakes: {{cat: {{dog: 3 USD}}, dog: {{cat: 0.5}}}}\n")

    assert study.mistakes == MistakeSpec(per_class={"cat": {"dog": 3.0}, "dog": {"cat": 0.5}})


def test_a_key_without_a_value_counts_as_left_out() -> None:
    study = parse_study(SHORT + "budget:\n  fits:\ncolumns:\nconstraints:\nseeds:\n")

    assert (study.budget, study.constraints, study.seeds) == (BudgetSpec(), (), (0, 1, 2))


def test_a_study_named_study_takes_the_name_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "card fraud"
    folder.mkdir()
    (folder / "study.yaml").write_text(SHORT)

    assert load_study(folder / "study.yaml").name == "card fraud"


def test_byte_order_marks_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SHORT.replace("\n", "\r\n").encode())

    assert load_study(file).columns.target == "target"


def test_defaults_can_be_merged_into_mappings() -> None:
    study = parse_study(
        SHORT
        + "candidates:\n"
        + "  - decision_tree: &tree {max_depth: 3, criterion: gini}\n"
        + "  - decision_tree: {<<: *tree, criterion: entropy}\n"
    )

    assert study.candidates[1].settings == {"max_depth": 3, "criterion": "entropy"}


def refusal(file: Path) -> InputError:
    with pytest.raises(StudyError) as caught:
        load_study(file)
    return caught.value


@pytest.mark.parametrize(
    ("content", "cause", "place"),
    [
        (b"", "The study file is empty", (None, None)),
        (b"# nothing\n", "The study file is empty", (None, None)),
        (b"PAR1\x15\x04\x15", "control character U+0015", (1, 5)),
        (b"purpose: caf\xe9\n", "not text in UTF-8: byte 0xe9", (1, 13)),
        (b"a: 1\n\xff", "not text in UTF-8: byte 0xff", (2, 1)),
        ("purpose: x".encode("utf-16"), "in UTF-16", (None, None)),
        (b"just words", "a mapping of keys to values; found the text", (1, 1)),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "more than 30 deep", (1, 104)),
        (b"a: " + b"[" * 40 + b"]" * 40, "more than 30 deep", (1, 34)),
        (b"a:\n " + b"- " * 3000, "more than 30 deep", (None, None)),
    ],
    ids=[
        "empty",
        "comments",
        "binary",
        "latin-1",
        "byte",
        "utf-16",
        "words",
        "deep",
        "nested",
        "dashes",
    ],
)
def test_what_is_no_study_is_refused(
    content: bytes, cause: str, place: tuple[int | None, int | None], tmp_path: Path
) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(content)

    error = refusal(file)

    assert cause in error.message
    assert error.remedy
    assert error.place == Place(str(file), *place)


def test_a_folder_a_device_and_nothing_are_no_studies(tmp_path: Path) -> None:
    assert "this is a folder" in str(refusal(tmp_path))
    assert "no such file" in str(refusal(tmp_path / "none.yaml"))
    assert "tradespace init" in str(refusal(tmp_path / "none.yaml"))
    assert "no regular file" in str(refusal(Path("/dev/zero")))


def test_fifty_megabytes_are_refused_without_reading_them(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as stream:
        stream.truncate(50_000_000)

    start = time.perf_counter()
    error = refusal(file)

    assert time.perf_counter() - start < 0.1
    assert "The file has 50 MB; a study file has at most 100 kB." in str(error)


def test_all_problems_stand_in_one_error_each_on_a_line() -> None:
    with pytest.raises(StudyProblemsError) as caught:
        parse_study("purpose: x\nseeds: -1\nconfidence: 3\n", file="s.yaml")
    lines = str(caught.value).splitlines()

    assert len(caught.value.problems) == len(lines) == 4
    assert [line.split(" ")[0] for line in lines] == [
        "s.yaml:1:1:",
        "s.yaml:1:1:",
        "s.yaml:2:8:",
        "s.yaml:3:13:",
    ]


def test_a_file_full_of_problems_is_told_the_first_ones() -> None:
    text = SHORT + "candidates:\n" + "".join(f"  - nonsense{i}\n" for i in range(100))
    with pytest.raises(StudyProblemsError) as caught:
        parse_study(text)

    assert len(caught.value.problems) == 100
    assert len(str(caught.value).splitlines()) == MOST_SHOWN + 1
    assert str(caught.value).endswith("and 75 more problems.")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("def make_pipe():\n    pass\n", "Unknown function of 'own.py': 'make_pipeline'"),
        ("def make_pipeline(:\n", "'own.py' is not valid Python"),
        ("\x00", "'own.py' is not"),
    ],
)
def test_an_estimator_must_be_in_its_file(code: str, cause: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(code)
    text = SHORT + "candidates:\n  - sklearn: {estimator: own.py:make_pipeline}\n"

    with pytest.raises(StudyProblemsError) as caught:
        parse_study(text, folder=str(tmp_path))

    assert cause in str(caught.value)
    assert caught.value.place == Place("study.yaml", 5, 26)


@pytest.mark.parametrize(
    "code",
    [
        "from elsewhere import make_pipeline\n",
        "try:\n    import x\nexcept ImportError:\n    make_pipeline = None\n",
        "from elsewhere import *\n",
        "class make_pipeline: pass\n",
    ],
)
def test_an_estimator_is_found_however_it_is_defined(code: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(code)
    text = SHORT + "candidates:\n  - sklearn: {estimator: own.py:make_pipeline}\n"

    study = parse_study(text, folder=str(tmp_path))

    assert study.candidates[0].family == "sklearn"


def test_reading_a_study_runs_no_code_of_it(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("raise SystemExit('ran')\ndef make(): pass\n")
    text = SHORT + "candidates:\n  - sklearn: {estimator: own.py:make}\n"

    assert parse_study(text, folder=str(tmp_path)).candidates


def test_the_error_of_a_far_off_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "current.onnx").write_bytes(b"x")
    with pytest.raises(StudyProblemsError) as caught:
        parse_study(SHORT + "candidates:\n  - onnx: {path: curent.onnx}\n", folder=str(tmp_path))

    assert "Did you mean 'current.onnx'?" in str(caught.value)


def test_reading_a_study_loads_no_heavy_library(fraud: Path) -> None:
    code = (
        "import sys; from tradespace.study.load import load_study; load_study(sys.argv[1]);"
        "heavy = {'numpy', 'polars', 'sklearn', 'pandas', 'pint', 'onnx', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(fraud)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_pint_is_loaded_for_a_rare_unit_only() -> None:
    code = (
        "import sys; from tradespace.files.units import parse_quantity as p;"
        "p('10 ms', unit='s', what=''); first = 'pint' in sys.modules;"
        "v = p('2 fortnight', unit='s', what=''); print(first, 'pint' in sys.modules, v)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True", "2419200.0"]


def test_reading_a_study_takes_under_a_tenth_of_a_second(fraud: Path) -> None:
    load_study(fraud)  # imports
    times = []
    for _ in range(5):
        start = time.process_time()
        load_study(fraud)
        times.append(time.process_time() - start)

    assert min(times) < 0.1


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_data_given_instead_of_a_study_lead_to_init(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"a,b\n1,2\n" * 50_000)
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path / name)
    text = str(caught.value)

    assert text.count(name) == 2
    assert text.startswith(f"{tmp_path / name}: This is a file of data, not a study.")
    assert f"tradespace init {tmp_path / name} --target COLUMN." in text


def test_a_folder_given_instead_of_a_study_leads_to_the_study_in_it(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"this is a folder\. Give the path of the study file"):
        load_study(tmp_path)
    (tmp_path / "cells.yaml").write_text(SHORT)
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path)
    text = str(caught.value)

    assert "cannot be read" not in text
    assert f"Did you mean '{tmp_path / 'cells.yaml'}'?" in text


def test_the_folder_of_results_leads_to_its_study(tmp_path: Path) -> None:
    (tmp_path / "cells.yaml").write_text(SHORT)
    (tmp_path / "cells.tradespace").mkdir()

    with pytest.raises(StudyError, match=r"Did you mean '.*cells\.yaml'"):
        load_study(tmp_path / "cells.tradespace")


def test_a_file_that_is_too_large_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text(SHORT + "# " + "x" * 110_000)
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path / "big.yaml")

    assert str(caught.value).count("big.yaml") == 1
