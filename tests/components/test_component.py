"""Components in use: runtime, updates, own estimators, finished files, services."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from tradespace.components.component import Component, train_component
from tradespace.components.export.component import agreement, export_component
from tradespace.components.export.tree_ensembles import floor32
from tradespace.components.states import load_component, save_component
from tradespace.core.candidates import Candidate
from tradespace.core.errors import DataError, ExportError, SettingError, TrialError
from tradespace.core.studies import Task
from tradespace.data.inputs import InputColumn, Inputs, InputSchema
from tradespace.runtime.artifact import open_artifact
from tradespace.testing.families import candidate_of, trained
from tradespace.testing.tables import labels_for, mixed_inputs

BINARY = {"task": Task.BINARY, "n_classes": 2, "classes": ("no", "yes"), "seed": 0}


def plain_inputs(n: int, *, seed: int = 0) -> Inputs:
    rng = np.random.default_rng(seed)
    schema = InputSchema(tuple(InputColumn(name, "number") for name in "abc"))
    return Inputs(schema, rng.normal(size=(n, 3)).astype(np.float32).astype(float), ())


def unscaled(family: str, **settings: object) -> Candidate:
    made = candidate_of(family, settings)
    return Candidate(family, made.settings, {**made.preprocessing, "scale": "none"})


@pytest.mark.parametrize(
    ("family", "oracle"),
    [
        ("logistic_regression", LogisticRegression()),
        ("random_forest", RandomForestClassifier(random_state=0)),
        ("k_nearest_neighbors", KNeighborsClassifier()),
    ],
)
def test_defaults_are_those_of_scikit_learn(family: str, oracle: object) -> None:
    inputs, later = plain_inputs(300), plain_inputs(200, seed=1)
    y = (inputs.numbers[:, 0] + inputs.numbers[:, 1] ** 2 > 0.7).astype(np.int64)
    component = train_component(unscaled(family), inputs, y, **BINARY)
    wanted = oracle.fit(inputs.numbers, y).predict_proba(later.numbers)[:, 1]

    np.testing.assert_allclose(component.predict(later), wanted, atol=1e-6)


def test_floor32_decides_like_the_double_threshold_for_every_float32() -> None:
    rng = np.random.default_rng(0)
    thresholds = rng.normal(size=2000) * 10.0 ** rng.integers(-30, 30, 2000)
    near = thresholds.astype(np.float32)
    rounded = floor32(thresholds)

    for x in (near, np.nextafter(near, np.float32(-9e37)), np.nextafter(near, np.float32(9e37))):
        assert ((x.astype(np.float64) <= thresholds) == (x <= rounded)).all()


def test_an_onnx_artifact_is_served_without_scikit_learn(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(
        export_component(
            trained("random_forest", task=Task.BINARY, settings={"n_estimators": 3})
        ).content
    )
    code = (
        "import sys\n"
        "from tradespace.runtime.artifact import open_artifact\n"
        "from tradespace.testing.tables import mixed_inputs\n"
        f"artifact = open_artifact({str(path)!r})\n"
        "assert artifact.predict(mixed_inputs(20, seed=5)).shape == (20,)\n"
        "heavy = {'sklearn', 'pandas', 'skl2onnx', 'onnx', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_an_artifact_says_what_it_is() -> None:
    component = trained("decision_tree", task=Task.MULTICLASS, settings={"max_depth": 2})
    props = {
        p.key: p.value
        for p in onnx.load_from_string(export_component(component).content).metadata_props
    }

    assert json.loads(props["tradespace.schema"]) == component.schema.to_dict()
    assert json.loads(props["tradespace.classes"]) == ["a", "b", "c"]
    assert json.loads(props["tradespace.settings"])["max_depth"] == 2
    assert "sklearn" in json.loads(props["tradespace.versions"])


def test_export_is_refused_when_rows_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    component = trained("decision_tree", task=Task.BINARY, settings={"max_depth": 3})
    monkeypatch.setattr(
        "tradespace.components.export.tree_ensembles.floor32",
        lambda t: np.asarray(t, dtype=np.float32) + np.float32(0.5),
    )

    with pytest.raises(ExportError, match="does not agree with the estimator"):
        export_component(component, check_on=mixed_inputs(300, seed=3))


def test_agreement_counts_the_rows_that_differ() -> None:
    one = trained("decision_tree", task=Task.BINARY, settings={"max_depth": 1})
    other = trained("decision_tree", task=Task.BINARY, settings={"max_depth": 6})
    rows = mixed_inputs(200, seed=3)
    found = agreement(one, export_component(other).content, rows)
    wanted = (
        np.abs(one.predict(rows) - open_artifact(export_component(other).content).predict(rows))
        > 1e-5
    )

    assert found.share_differing == pytest.approx(wanted.mean())
    assert not found.faithful


@pytest.mark.parametrize("family", ["gaussian_naive_bayes", "bernoulli_naive_bayes"])
def test_an_update_after_saving_counts_all_rows(family: str) -> None:
    inputs = mixed_inputs(400, seed=1)
    y = labels_for(inputs, Task.BINARY, seed=2)
    first = train_component(candidate_of(family), inputs.take(slice(0, 200)), y[:200], **BINARY)
    before = first.predict(inputs)
    updated = load_component(save_component(first)).update(inputs.take(slice(200, 400)), y[200:])

    assert updated.model.estimator.class_count_.tolist() == np.bincount(y).tolist()
    np.testing.assert_array_equal(first.predict(inputs), before)
    assert export_component(updated, check_on=inputs).facts["agreement"]["share_differing"] == 0.0


def test_a_saved_component_scores_as_before() -> None:
    component = trained("random_forest", task=Task.BINARY, settings={"n_estimators": 3})
    rows = mixed_inputs(50, seed=3, unseen=True)

    np.testing.assert_array_equal(
        load_component(save_component(component)).predict(rows), component.predict(rows)
    )


def test_a_state_with_types_that_nobody_trusts_is_refused() -> None:
    component = trained("decision_tree", task=Task.BINARY, settings={"max_depth": 2})
    component.model.estimator.stowaway = Path("x")

    with pytest.raises(DataError, match="not trusted: pathlib"):
        load_component(save_component(component))


def test_a_tree_is_printed_with_the_names_of_its_inputs() -> None:
    text = trained("decision_tree", task=Task.BINARY, settings={"max_depth": 2}).describe()

    assert "|--- a <=" in text


def test_a_tree_is_drawn_with_a_box_for_every_node_shown() -> None:
    component = trained("decision_tree", task=Task.BINARY, settings={"max_depth": 3})
    svg = component.picture()

    assert svg.count("<rect") == component.model.estimator.tree_.node_count
    assert ET.fromstring(svg).tag.endswith("svg")


OWN = """
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

class Mine(LogisticRegression):
    pass

def forest(n=5):
    return ExtraTreesClassifier(n_estimators=n)

def mine():
    return Mine()

def raw():
    return make_pipeline(
        make_column_transformer((SimpleImputer(), ["a", "b"])), LogisticRegression()
    )

def wrong():
    return object()
"""


def own(
    tmp_path: Path, function: str, *, preprocessing: object = None, **arguments: object
) -> Component:
    (tmp_path / "mine.py").write_text(OWN)
    from tradespace.core.registry.preprocessing import resolve_preprocessing

    candidate = Candidate(
        "sklearn",
        {"estimator": f"mine.py:{function}", "arguments": arguments},
        resolve_preprocessing(preprocessing, family="sklearn"),
    )
    inputs = plain_inputs(200)
    y = (inputs.numbers[:, 0] > 0).astype(np.int64)
    return train_component(candidate, inputs, y, folder=str(tmp_path), **BINARY)


def test_an_own_estimator_is_exported_by_its_converter(tmp_path: Path) -> None:
    component = own(tmp_path, "forest", n=7)
    exported = export_component(component, check_on=plain_inputs(100, seed=1))

    assert exported.suffix == ".onnx"
    assert exported.facts["agreement"]["share_differing"] == 0.0
    assert len(component.model.estimator.estimators_) == 7


@pytest.mark.parametrize("function", ["mine", "raw"])
def test_what_cannot_be_exported_runs_in_python_and_says_so(tmp_path: Path, function: str) -> None:
    component = own(tmp_path, function, preprocessing="none" if function == "raw" else None)
    rows = plain_inputs(50, seed=1)
    exported = export_component(component, check_on=rows)
    artifact = open_artifact(exported.content, sample=rows)

    assert exported.facts["runtime"] == artifact.runtime == "python"
    np.testing.assert_array_equal(artifact.predict(rows), component.predict(rows))
    np.testing.assert_array_equal(artifact(artifact.prepare(0, 3)), component.predict(rows)[:3])


def test_a_state_of_own_code_is_refused_after_the_code_has_changed(tmp_path: Path) -> None:
    content = save_component(own(tmp_path, "mine"))
    (tmp_path / "mine.py").write_text(OWN + "\n# changed\n")

    with pytest.raises(DataError, match="has changed"):
        open_artifact(content)


def test_own_estimators_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no fit and no predict_proba"):
        own(tmp_path, "wrong")
    with pytest.raises(SettingError, match="'forrest'"):
        own(tmp_path, "forrest")


def linear_file(path: Path, *, names: list[str] | None, width: int = 3) -> None:
    """Write sigmoid(a + 2 b), from columns by name or from one matrix."""
    kind = TensorProto.FLOAT
    nodes, inputs = [], []
    if names is None:
        inputs = [helper.make_tensor_value_info("input", kind, [None, width])]
        source = "input"
    else:
        inputs = [helper.make_tensor_value_info(n, kind, [None, 1]) for n in names]
        nodes.append(helper.make_node("Concat", names, ["joined"], axis=1))
        source = "joined"
    size = width if names is None else len(names)
    weights = helper.make_tensor("w", kind, [size, 1], [1.0, 2.0, 0.0, 0.0][:size])
    nodes += [
        helper.make_node("MatMul", [source, "w"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["probabilities"]),
    ]
    output = helper.make_tensor_value_info("probabilities", kind, [None, 1])
    graph = helper.make_graph(nodes, "g", inputs, [output], initializer=[weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())


def measured_file(tmp_path: Path) -> Component:
    inputs = plain_inputs(20)
    y = np.zeros(20, dtype=np.int64)
    candidate = candidate_of("onnx", {"path": "old.onnx"})
    return train_component(candidate, inputs, y, folder=str(tmp_path), **BINARY)


@pytest.mark.parametrize("names", [None, ["a", "b"]])
def test_a_finished_onnx_file_is_measured_as_it_is(tmp_path: Path, names: list[str] | None) -> None:
    linear_file(tmp_path / "old.onnx", names=names)
    component = measured_file(tmp_path)
    rows = plain_inputs(30, seed=4)
    artifact = open_artifact(export_component(component, check_on=rows).content, sample=rows)
    raw = rows.numbers[:, 0] + 2.0 * rows.numbers[:, 1]

    np.testing.assert_allclose(artifact.predict(rows), 1 / (1 + np.exp(-raw)), atol=1e-6)
    assert artifact(artifact.prepare(0, 2)).shape == (2, 1)


def test_an_onnx_file_with_other_inputs_says_what_was_found_and_wanted(tmp_path: Path) -> None:
    linear_file(tmp_path / "old.onnx", names=["a", "age"])

    with pytest.raises(DataError, match=r"wants the inputs \['a', 'age'\].*\['a', 'b', 'c'\]"):
        measured_file(tmp_path)


def test_what_is_no_onnx_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no ONNX file"):
        measured_file(tmp_path)
    (tmp_path / "old.onnx").write_bytes(b"not a model")

    with pytest.raises(DataError, match="cannot load"):
        measured_file(tmp_path)


class Answering(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["rows"]
        scores = [0.0 if row["a"] is None else min(1.0, abs(row["a"])) for row in rows]
        if self.path == "/short":
            scores = scores[:-1]
        body = json.dumps({"scores": scores}).encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def service() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_is_asked_in_calls_and_has_its_price(service: str) -> None:
    settings = {"url": f"{service}/score", "price_per_call_usd": 0.01, "rows_per_call": 7}
    rows = plain_inputs(20)
    component = train_component(candidate_of("http", settings), rows, np.zeros(20), **BINARY)
    artifact = open_artifact(export_component(component, check_on=rows).content, sample=rows)
    wanted = np.minimum(1.0, np.abs(rows.numbers[:, 0]))

    np.testing.assert_allclose(artifact.predict(rows), wanted)
    np.testing.assert_allclose(artifact(artifact.prepare(3, 5)), wanted[3:5])
    assert (artifact.runtime, artifact.price_per_call_usd) == ("http", 0.01)


@pytest.mark.parametrize(("path", "message"), [("/broken", "500"), ("/short", "shape")])
def test_a_service_that_fails_is_a_failed_trial(service: str, path: str, message: str) -> None:
    rows = plain_inputs(20)
    candidate = candidate_of("http", {"url": service + path})
    component = train_component(candidate, rows, np.zeros(20), **BINARY)

    with pytest.raises(TrialError, match=message):
        component.predict(rows)


def test_an_own_estimator_on_categories_and_texts_is_exported(tmp_path: Path) -> None:
    from tradespace.core.registry.preprocessing import resolve_preprocessing

    (tmp_path / "mine.py").write_text(
        "from sklearn.linear_model import LogisticRegression as Own\ndef make(): return Own()\n"
    )
    candidate = Candidate(
        "sklearn",
        {"estimator": "mine.py:make", "arguments": {}},
        resolve_preprocessing(None, family="sklearn"),
    )
    rows = mixed_inputs(200, seed=3)
    component = train_component(
        candidate, rows, labels_for(rows, Task.BINARY, seed=4), folder=str(tmp_path), **BINARY
    )
    exported = export_component(component, check_on=mixed_inputs(100, seed=5))

    assert exported.suffix == ".onnx"
    assert exported.facts["agreement"]["share_differing"] == 0.0
