"""Networks are cut before training for certain; what was predicted contains what is measured."""

from __future__ import annotations

import contextlib
import itertools
import math
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tradespace import evaluate
from tradespace.cli import run
from tradespace.components._base import Shape
from tradespace.components.component import family_named
from tradespace.components.sizes import shape_of
from tradespace.core.candidates import Candidate
from tradespace.core.decisions import Decision, Standing
from tradespace.core.readings import ReadingKind
from tradespace.core.requirements import Verdict
from tradespace.core.studies import Study, Task
from tradespace.cost.calibration.grid import build_grid
from tradespace.cost.calibration.machine import machine_facts
from tradespace.cost.calibration.record import Calibration
from tradespace.cost.calibration.store import save_calibration
from tradespace.cost.lower_bounds import most_ops_per_s_of_a_core
from tradespace.data.load import load_dataset
from tradespace.explore.enumerate import enumerate_candidates
from tradespace.explore.plan import Planned, plan_candidates
from tradespace.explore.preview import preview
from tradespace.report._words import cuts
from tradespace.report.html.page import report_data
from tradespace.report.markdown import decision_markdown
from tradespace.study.load import parse_study
from tradespace.testing.families import candidate_of

SIZES = [
    *([n] for n in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
    *([n, n] for n in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
]
HEAD = """
purpose: Choose among networks
data: sklearn:breast_cancer
target: target
positive: malignant
split: {method: stratified, train: 60%, validation: 20%, test: 20%}
seeds: [0]
budget: {bootstrap: 50, finalists: 2}
objectives: [{maximize: roc_auc, from: 0.9, to: 1.0}]
"""
TWENTY = f"  - multilayer_perceptron: {{hidden_layer_sizes: {SIZES}, max_iter: 3}}\n"
THIRTY = Shape(341, 30, n_varying=30, n_columns=30, encoder_bytes=4000.0)


@pytest.fixture(autouse=True)
def no_calibration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the machine of the test was calibrated must not matter."""
    monkeypatch.setenv("TRADESPACE_HOME", str(tmp_path / "home"))


def study_of(constraints: str, candidates: str = TWENTY, more: str = "") -> Study:
    text = f"{HEAD}{more}\nconstraints: [{constraints}]\ncandidates:\n{candidates}"
    return parse_study(text)


def planned(constraints: str, **options: Any) -> list[Planned]:
    study = study_of(constraints, **options)
    candidates = enumerate_candidates(study, Task.BINARY)
    return plan_candidates(study, candidates, task=Task.BINARY, shape=THIRTY)


def count(hidden: list[int]) -> int:
    widths = [30, *hidden, 1]
    return sum(a * b + b for a, b in itertools.pairwise(widths))


def hidden(plan: Planned) -> list[int]:
    return list(plan.candidate.settings["hidden_layer_sizes"])


def test_a_bound_on_parameters_cuts_exactly_the_networks_with_more() -> None:
    plans = planned("parameters <= 1000")

    assert [bool(p.excluded) for p in plans] == [count(hidden(p)) > 1000 for p in plans]
    assert "parameters <= 1,000 is certainly missed: 2,049" in plans[5].excluded + plans[6].excluded


def test_a_bound_on_size_cuts_the_networks_whose_weights_alone_take_more() -> None:
    plans = planned("model_size <= 20 kB")

    assert [bool(p.excluded) for p in plans] == [4 * count(hidden(p)) > 20_000 for p in plans]
    assert 0 < sum(bool(p.excluded) for p in plans) < len(plans)


def test_a_bound_on_latency_cuts_what_no_core_can_do() -> None:
    # 1024-1024 has 1.08 million multiply-accumulates: 4.8 us on x86, 0.5 us elsewhere at least.
    plans = planned("latency_p99 <= 0.4 us")

    assert plans[-1].excluded
    assert "latency_p99 <= 400 ns is certainly missed: ≥" in plans[-1].excluded
    assert not plans[0].excluded


@pytest.mark.parametrize(
    "quality",
    [
        "training_time",
        "training_time_wall",
        "training_cost",
        "training_memory",
        "model_size",
        "parameters",
        "macs",
        "inference_memory",
        "latency_p50",
        "cost_per_million_predictions",
    ],
)
def test_every_predicted_quality_can_cut_the_larger_and_spare_the_smaller(quality: str) -> None:
    candidates = "  - multilayer_perceptron: {hidden_layer_sizes: [[2], [3000, 3000]]}\n"
    small, large = planned("", candidates=candidates)
    # A bound that says nothing is not among what is predicted.
    low = small.predicted[quality].low if quality in small.predicted else 0.0
    between = (low + large.predicted[quality].low) / 2
    assert low < between
    unit = large.predicted[quality].unit.removeprefix("1")
    small, large = planned(f"{quality} <= {between!r} {unit}", candidates=candidates)

    assert not small.excluded
    assert f"{quality} <= " in large.excluded


def test_a_rate_that_no_core_reaches_cuts() -> None:
    candidates = "  - multilayer_perceptron: {hidden_layer_sizes: [[2], [3000, 3000]]}\n"
    small, large = planned("throughput >= 1000000", candidates=candidates)

    assert not small.excluded
    assert "throughput >= 1,000,000 1/s is certainly missed: ≤" in large.excluded


@pytest.mark.parametrize(
    ("columns", "hidden_layers", "parameters", "macs"),
    [(784, [300, 100], 266_610, 266_200), (33, [512], 22_538, 22_016)],
)
def test_well_known_networks_are_counted_as_candidates(
    columns: int, hidden_layers: list[int], parameters: int, macs: int
) -> None:
    study = study_of("", f"  - multilayer_perceptron: {{hidden_layer_sizes: {hidden_layers}}}\n")
    candidates = enumerate_candidates(study, Task.MULTICLASS)
    shape = Shape(60_000, columns, 10, n_varying=columns, n_columns=columns, encoder_bytes=1e5)
    (plan,) = plan_candidates(study, candidates, task=Task.MULTICLASS, shape=shape)

    assert (plan.predicted["parameters"].value, plan.predicted["macs"].value) == (parameters, macs)
    assert plan.predicted["model_size"].low == 4 * parameters
    # Twelve passes at least over 60,000 rows, forward and backward.
    backward = 2 * macs - columns * hidden_layers[0]
    least = 2.0 * (macs + backward) * 12 * 60_000 / most_ops_per_s_of_a_core()
    assert plan.predicted["training_time"].low == pytest.approx(least)


def test_a_quality_under_a_name_of_the_study_cuts_as_well() -> None:
    own = planned("weights <= 1000", more="qualities: {weights: parameters}")
    plain = planned("parameters <= 1000")

    assert [bool(p.excluded) for p in own] == [bool(p.excluded) for p in plain]
    assert "weights <= 1,000 is certainly missed" in own[-1].excluded


def test_every_missed_constraint_is_named() -> None:
    plans = planned("model_size <= 20 kB, macs <= 5000")

    assert "model_size" in plans[-1].excluded
    assert "macs" in plans[-1].excluded


def test_a_named_processor_bounds_the_latency_there() -> None:
    here, there = (
        planned("latency_p99 <= 1 s", more=more)[-1].predicted["latency_p99"]
        for more in ("", "environment: {processor: scalar-alu}")
    )

    assert there.low > here.low
    assert "peaks" in there.method


def test_a_name_for_people_is_no_processor_and_bounds_nothing_else() -> None:
    here, there = (
        planned("latency_p99 <= 1 s", more=more)[-1].predicted["latency_p99"]
        for more in ("", "environment: {processor: the box in the cellar}")
    )

    assert there == here


def test_the_roofline_of_a_named_processor_is_the_estimate_above_the_bound() -> None:
    more = "environment: {processor: jetson-nano}"
    reading = planned("latency_p50 <= 1 s", more=more)[-1].predicted["latency_p50"]

    assert reading.low < reading.value < math.inf
    assert str(reading).startswith("about ")
    assert "Jetson Nano" in reading.method


def test_a_calibration_of_this_machine_gives_the_estimate_and_cuts_nothing_more() -> None:
    before = planned("latency_p50 <= 0.4 us")
    save_calibration(abacus())
    after = planned("latency_p50 <= 0.4 us")
    reading = after[0].predicted["latency_p50"]

    # 2 layers at a thousand multiply-accumulates a microsecond, after 10 us of starting.
    assert reading.value == pytest.approx(10e-6 + (30 * 2 + 2) * 1e-9, rel=0.01)
    assert reading.low == before[0].predicted["latency_p50"].low
    assert "calibrated on" in reading.method
    assert [p.excluded != "" for p in after] == [p.excluded != "" for p in before]
    assert math.isnan(before[0].predicted["latency_p50"].value)


def abacus() -> Calibration:
    """Return a made-up calibration of this machine: 1 Gmac/s and nothing for the rest."""
    ticks = ((1.0, 100.0), (1.0, 3000.0), (1.0, 3000.0))
    dense = build_grid(
        "dense",
        ("rows", "outputs", "inputs"),
        ticks,
        {p: math.prod(p) / 1e9 for p in itertools.product(*ticks)},
        amount=math.prod,
        counts_macs=True,
    )
    simple = build_grid(
        "relu",
        ("elements",),
        ((1.0, 1e6),),
        {(1.0,): 1e-12, (1e6,): 1e-6},
        amount=math.prod,
        counts_macs=False,
    )
    return Calibration(
        name="abacus",
        machine=machine_facts(),
        runtime="onnxruntime",
        device="cpu",
        number_format="fp32",
        threads=1,
        versions={"onnxruntime": "0"},
        date="2026-01-01T00:00:00+00:00",
        run_overhead_s=1e-5,
        operator_overhead_s=1e-12,
        bandwidth_bytes_per_s=1e12,
        grids={"dense": dense, "relu": simple},
    )


def test_a_finished_file_that_is_too_large_is_cut_before_it_is_opened(tmp_path: Path) -> None:
    family = family_named("multilayer_perceptron")
    settings = candidate_of("multilayer_perceptron", {"hidden_layer_sizes": [64], "max_iter": 1})
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 30)).astype(np.float32), np.arange(50) % 2
    options = {"task": Task.BINARY, "n_classes": 2, "settings": settings.settings, "seed": 0}
    model = family.fit(X, y, **options)
    graph = family.to_onnx(model, n_inputs=30, task=Task.BINARY)
    (tmp_path / "incumbent.onnx").write_bytes(graph.SerializeToString())
    text = f"{HEAD}\nconstraints: [parameters <= 2000]\ncandidates:\n"
    text += "  - onnx: {path: incumbent.onnx}\n"
    study = parse_study(text, folder=str(tmp_path))
    candidates = enumerate_candidates(study, Task.BINARY)
    (plan,) = plan_candidates(study, candidates, task=Task.BINARY, shape=THIRTY)

    assert plan.excluded.startswith("parameters <= 2,000 is certainly missed: 2,049")


def test_uncertain_columns_cut_only_what_the_fewest_columns_miss() -> None:
    study = study_of("parameters <= 1000")
    candidates = enumerate_candidates(study, Task.BINARY)
    open_ended = Shape(341, 30, n_varying=10)
    plans = plan_candidates(study, candidates, task=Task.BINARY, shape=open_ended)
    reading = plans[0].predicted["parameters"]

    assert (reading.low, reading.high) == (10 * 2 + 2 + 2 + 1, math.inf)
    assert {tuple(hidden(p)) for p in plans if not p.excluded} > {
        tuple(hidden(p)) for p in planned("parameters <= 1000") if not p.excluded
    }


def test_what_is_no_network_has_no_counts_and_check_says_so(tmp_path: Path) -> None:
    study = study_of("macs <= 1000", "  - decision_tree\n  - logistic_regression\n")
    plan = preview(study, tmp_path)

    assert "macs" not in plan["candidates"][0]["predicted"]
    assert plan["candidates"][1]["predicted"]["macs"] == "30"
    assert len(plan["warnings"]) == 1
    assert "undecided for decision_tree" in plan["warnings"][0]


def test_a_longer_training_is_expected_to_take_longer() -> None:
    small, large = (
        enumerate_candidates(
            study_of("", f"  - multilayer_perceptron: {{hidden_layer_sizes: {size}}}\n"),
            Task.BINARY,
        )[0]
        for size in ([8], [1000, 1000])
    )

    def expected_s(candidate: Candidate, n_rows: int) -> float:
        family = family_named(candidate.family)
        return family.fit_cpu_s(candidate.settings, shape=Shape(n_rows, 30), task=Task.BINARY)

    assert expected_s(small, 1000) < expected_s(small, 100_000)
    assert expected_s(small, 1000) < expected_s(large, 1000)


def trained_in(out: Path) -> set[str]:
    """Return the ids of the candidates that have a trial in a run's store."""
    with contextlib.closing(sqlite3.connect(out / "run.sqlite")) as connection:
        return {key for (key,) in connection.execute("select candidate from fits")}


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Decision, Path]:
    """Twenty networks and a tree under three constraints, evaluated once."""
    out = tmp_path_factory.mktemp("neural")
    study = study_of(
        "model_size <= 40 kB, parameters <= 9000, latency_p50 <= 1 s",
        TWENTY + "  - decision_tree\n",
    )
    return study, evaluate(study, out=out), out


@pytest.mark.slow
def test_what_was_cut_was_never_trained(decided: tuple[Study, Decision, Path]) -> None:
    _, decision, out = decided
    with_trials = trained_in(out)
    cut = {
        a.candidate.id: a
        for a in decision.assessments
        if "predicted before training" in a.evidence.cause
    }

    assert len(cut) == sum(4 * count(size) > 40_000 for size in SIZES) == 6
    assert len(with_trials) == len(decision.assessments) - 6
    assert not with_trials & set(cut)
    for assessment in cut.values():
        assert assessment.standing is Standing.EXCLUDED
        reading = assessment.evidence.readings["model_size"]
        assert reading.kind is ReadingKind.PREDICTED


@pytest.mark.slow
def test_reports_show_what_was_predicted_as_predicted(
    decided: tuple[Study, Decision, Path],
) -> None:
    _, decision, _ = decided
    cut = next(a for a in decision.assessments if "certainly missed" in a.evidence.cause)
    page = next(c for c in report_data(decision)["candidates"] if c["id"] == cut.candidate.id)

    first = cuts(decision)[0]

    assert (first.label, len(first.removed)) == ("out before training, as predicted", 6)
    assert page["readings"]["parameters"]["kind"] == "predicted"
    assert "is predicted before training" in page["why"]
    assert "is predicted before training" in decision_markdown(decision)


@pytest.mark.slow
def test_a_tree_stays_undecided_under_a_bound_on_parameters(
    decided: tuple[Study, Decision, Path],
) -> None:
    _, decision, _ = decided
    trials = [a for a in decision.assessments if a.candidate.family == "decision_tree"]
    checks = {c.constraint.quality: c for a in trials for c in a.checks}

    assert checks["parameters"].verdict is Verdict.UNKNOWN
    assert "only networks have it" in checks["parameters"].settle


@pytest.mark.slow
def test_every_measured_reading_lies_in_what_was_predicted(tmp_path: Path) -> None:
    study = study_of(
        "model_size <= 1 GB, parameters <= 1e9, macs <= 1e9, inference_memory <= 1 GB, "
        "training_cost <= 1 USD",
        "  - logistic_regression\n"
        "  - multilayer_perceptron: {hidden_layer_sizes: [[4], [1024, 1024]], max_iter: 2}\n",
    )
    dataset = load_dataset(study)
    (fold,) = (f for f in dataset.folds if f.name == "test")
    shape = shape_of(dataset.inputs.take(fold.train), n_classes=2, whole=dataset.inputs)
    candidates = enumerate_candidates(study, Task.BINARY)
    plans = plan_candidates(study, candidates, task=Task.BINARY, shape=shape)
    decision = evaluate(study, out=tmp_path)
    by_id = {a.candidate.id: a.evidence.readings for a in decision.assessments}
    compared = set()
    for plan in plans:
        for name, predicted in plan.predicted.items():
            measured = by_id[plan.candidate.id].get(name)
            if measured is None or math.isnan(measured.value):
                continue
            compared.add((plan.candidate.family, name))
            assert predicted.low <= measured.value <= predicted.high, (plan.candidate.name, name)

    assert {name for family, name in compared if family == "multilayer_perceptron"} >= {
        "model_size",
        "parameters",
        "macs",
        "inference_memory",
        "training_time",
        "training_cost",
        "latency_p50",
        "throughput",
    }


def test_check_prints_how_many_are_cut_and_by_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    place = tmp_path / "study.yaml"
    place.write_text(f"{HEAD}\nconstraints: [parameters <= 1000]\ncandidates:\n{TWENTY}")
    code = run(["check", str(place)])
    text = capsys.readouterr().out
    out = sum(count(size) > 1000 for size in SIZES)

    assert code == 0
    assert f"{out} of 20 candidates are out before anything is trained" in text
    assert f"parameters <= 1,000 cuts {out}." in text
    assert "out: certainly misses parameters <= 1,000" in text
