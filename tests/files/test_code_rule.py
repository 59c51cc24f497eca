"""Only code of the study's folder, of plug-ins and scikit-learn's estimators may run."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradespace.cli import run as run_command
from tradespace.core.errors import DataError, InputError, SettingError, StudyError
from tradespace.files import code_rule
from tradespace.files.code_rule import code_hash, find_estimator, find_function, plugin_modules
from tradespace.files.python_files import import_file
from tradespace.study.code import code_of
from tradespace.study.load import load_study, parse_study

ROWS = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
from helper import N

def make(n=N):
    return {"a": [i % 7 for i in range(n)], "y": [i % 2 for i in range(n)]}
"""
STUDY = "purpose: p\ndata: {data}\ntarget: y\nconstraints: [accuracy >= 50 %]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "rows.py").write_text(ROWS)
    (inside / "helper.py").write_text("N = 200\n")
    (tmp_path / "outside.py").write_text(ROWS)
    return inside


def load(folder: Path, data: str, more: str = "") -> InputError | None:
    try:
        parse_study(STUDY.format(data=data) + more, folder=str(folder))
    except InputError as error:
        return error
    return None


@pytest.mark.parametrize(
    "data",
    [
        "{callable: 'subprocess:getoutput', options: {cmd: id}}",
        "os:system",
        "tradespace.cli:main",
        "../outside.py:make",
        "sklearn.datasets:fetch_openml",
    ],
)
def test_a_study_cannot_run_what_is_not_its_own(folder: Path, data: str) -> None:
    error = load(folder, data)

    assert isinstance(error, StudyError)
    assert "The data function may not run" in error.message
    assert "what-runs-code.md" in error.remedy
    assert error.place is not None
    assert error.place.line == 2


def test_neither_a_whole_path_nor_a_link_leads_out_of_the_folder(folder: Path) -> None:
    outside = folder.parent / "outside.py"
    (folder / "linked.py").symlink_to(outside)

    for data in (f"{outside}:make", "linked.py:make"):
        error = load(folder, data)
        assert error is not None
        assert "lies outside the study's folder" in error.message


def test_the_rule_holds_where_code_is_imported_too(folder: Path) -> None:
    with pytest.raises(DataError, match="may not run 'subprocess'"):
        find_function("subprocess:getoutput", folder=folder, what="It", error=DataError)


@pytest.mark.parametrize("module", ["rows.py", "rows", "deep.er.rows"])
def test_what_lies_beside_the_study_may_run_and_import_its_neighbors(
    folder: Path, module: str
) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "rows.py").write_text("def make(n=3): return {'a': [1] * n}\n")

    assert load(folder, f"{module}:make") is None
    make = find_function(f"{module}:make", folder=folder, what="It", error=DataError)
    assert len(make(n=5)["a"]) == 5


def test_a_file_beside_the_study_goes_before_a_module_of_its_name(folder: Path) -> None:
    (folder / "json.py").write_text("def make(): return 'mine'\n")
    make = find_function("json:make", folder=folder, what="It", error=DataError)

    assert make() == "mine"
    assert json.dumps(1) == "1"


@pytest.mark.parametrize("name", ["ensemble:ExtraTreesClassifier", "naive_bayes:GaussianNB"])
def test_an_estimator_may_be_one_of_scikit_learn(folder: Path, name: str) -> None:
    more = f"candidates: [sklearn: {{estimator: 'sklearn.{name}'}}]\n"

    assert load(folder, "rows.py:make", more) is None
    assert hasattr(find_estimator(f"sklearn.{name}"), "fit")


def test_of_scikit_learn_only_estimators_run() -> None:
    with pytest.raises(SettingError, match="no estimator of scikit-learn"):
        find_estimator("sklearn.datasets:fetch_openml")
    with pytest.raises(SettingError, match="may not run 'os'"):
        find_estimator("os:system")


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point = importlib.metadata.EntryPoint("x", "statistics:mean", "tradespace.plugins")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    plugin_modules.cache_clear()
    yield
    plugin_modules.cache_clear()


@pytest.mark.usefixtures("plugin")
def test_what_an_installed_plug_in_brings_may_run(folder: Path) -> None:
    assert load(folder, "statistics:mean") is None
    assert find_function("statistics:mean", folder=folder, what="It", error=DataError)([2]) == 2


def test_this_project_itself_has_no_plug_in() -> None:
    code_rule.plugin_modules.cache_clear()

    assert "tradespace" not in plugin_modules()


def test_after_a_failure_the_modules_of_the_folder_are_forgotten(folder: Path) -> None:
    (folder / "rows.py").write_text("import helper_of_rows\n1 / 0\n")
    (folder / "helper_of_rows.py").write_text("N = 1\n")
    with pytest.raises(DataError, match=r"rows.py:2: Importing .*ZeroDivisionError"):
        import_file(folder / "rows.py", DataError)
    (folder / "helper_of_rows.py").write_text("N = 22\n")
    (folder / "rows.py").write_text("import helper_of_rows\nN = helper_of_rows.N\n")

    assert import_file(folder / "rows.py").N == 22


def test_each_folder_has_its_own_neighbors(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "helper.py").write_text(f"N = {number}\n")
        (tmp_path / str(number) / "rows.py").write_text(f"from helper import N  # {number}\n")

    assert [import_file(tmp_path / n / "rows.py").N for n in "12"] == [1, 2]
    assert not list(tmp_path.rglob("__pycache__"))


FEATURES = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
from tradespace.features import EventSource, RowFeatures, column
rows = RowFeatures("r", EventSource("rows", time="t"), {"big": column("a") > 3})
"""


def written(folder: Path, data: str, more: str = "") -> Path:
    (folder / "features.py").write_text(FEATURES)
    (folder / "rows.csv").write_text(
        "a,y,t\n" + "".join(f"{i % 7},{i % 2},2024-01-{i % 28 + 1:02}\n" for i in range(200))
    )
    (folder / "study.yaml").write_text(STUDY.format(data=data) + more)
    return folder / "study.yaml"


def run(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, str, str]:
    code = run_command(list(command))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_check_runs_no_code_of_data_and_says_what_it_did_not_check(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = str(written(folder, "rows.py:make"))
    code, out, _ = run(capsys, "check", study)

    assert code == 0
    assert not (folder / "ran").exists()
    assert "columns, split, candidates and costs are not checked" in " ".join(out.split())
    assert "Not run, so not checked: rows.py:make (data). Add --run-code" in " ".join(out.split())

    code, out, _ = run(capsys, "check", study, "--run-code")

    assert code == 0
    assert (folder / "ran").exists()
    assert "200 rows" in out
    assert "Evaluating this study runs rows.py:make (data)" in out


def test_check_reads_data_without_the_features_that_are_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = str(written(folder, "rows.csv", "features: ['features.py:rows']\n"))
    code, out, _ = run(capsys, "check", study, "--json")
    plan = json.loads(out)

    assert code == 0
    assert not (folder / "ran").exists()
    assert plan["rows"] == 200
    assert plan["code"] == plan["not_run"] == ["features.py:rows (feature view)"]
    assert "big" not in str(plan["inputs"])


def test_evaluate_names_code_before_it_runs(folder: Path) -> None:
    (folder / "rows.py").write_text(
        "import sys\nprint('RAN', file=sys.stderr)\n" + ROWS + "1 / 0\n"
    )
    study = written(folder, "rows.py:make")
    command = [sys.executable, "-m", "tradespace", "evaluate", str(study), "--quiet"]
    # In a process of its own: the workers print to where this one's errors went at first.
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert [one.reference for one in code_of(load_study(study))] == ["rows.py:make"]
    named = done.stderr.index("Running code of the study: rows.py:make (data).")
    assert named < done.stderr.index("RAN")


def test_code_is_known_by_its_file_and_by_the_files_beside_it_that_it_imports(
    tmp_path: Path,
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "mine.py").write_text("import json, helper\nfrom deep import inner\n")
    (tmp_path / "helper.py").write_text("from mine import make\n")
    (tmp_path / "deep" / "__init__.py").write_text("")
    (tmp_path / "deep" / "inner.py").write_text("from . import outer\n")
    (tmp_path / "deep" / "outer.py").write_text("DEPTH = 4\n")
    (tmp_path / "other.py").write_text("")
    location = f"{tmp_path / 'mine.py'}:make"
    hashes = [code_hash(location)]
    for name in ("mine.py", "helper.py", "deep/outer.py", "other.py"):
        with (tmp_path / name).open("a") as file:
            file.write("# edited\n")
        hashes.append(code_hash(location))

    assert len(set(hashes[:4])) == 4
    assert hashes[4] == hashes[3]
    assert code_hash("sklearn.naive_bayes:GaussianNB") == ""


@pytest.mark.parametrize(
    "name", ["sklearn.datasets:clear_data_home", "sklearn.datasets:load_files"]
)
def test_functions_of_scikit_learn_are_no_estimators(name: str) -> None:
    with pytest.raises(StudyError, match="is no estimator of scikit-learn"):
        parse_study(
            "purpose: p\ndata: sklearn:iris\ntarget: target\nconstraints: [accuracy >= 50 %]\n"
            f"candidates: [sklearn: {{estimator: '{name}'}}]\n"
        )
