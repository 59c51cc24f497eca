"""A mixed table, from init to an ONNX artifact that takes the raw columns."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tradespace import evaluate, load_study
from tradespace.cli import run
from tradespace.explore.evaluate import default_folder
from tradespace.store.artifacts import ArtifactStore

N = 600


def mixed_table(seed: int = 0) -> pl.DataFrame:
    """Strings, dates, a fifth of the cells null, an id, a leak, a rare late level."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3, 1, N)
    color = rng.choice(["red", "green", "blue"], N)
    member = rng.random(N) < 0.4
    day = [dt.datetime(2026, 1, 1) + dt.timedelta(hours=int(h)) for h in rng.integers(0, 5000, N)]
    score = 0.8 * np.log(amount) + 1.2 * (color == "red") + rng.normal(0, 1, N)
    label = np.where(score > np.quantile(score, 0.7), "yes", "no")
    color = np.where(np.arange(N) % 97 == 5, "violet", color)

    def holes(values: list[object]) -> list[object]:
        return [None if rng.random() < 0.2 else value for value in values]

    return pl.DataFrame(
        {
            "row_id": np.arange(10_000, 10_000 + N),
            "amount": pl.Series(holes(amount.round(2).tolist()), dtype=pl.Float64),
            "color": pl.Series(holes(color.tolist()), dtype=pl.String),
            "member": pl.Series(holes(member.tolist()), dtype=pl.Boolean),
            "signed_up": pl.Series(holes(list(day)), dtype=pl.Datetime("us")),
            "reviewed": [{"yes": "blocked", "no": "fine"}[v] for v in label],
            "churned": label,
        }
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    place = tmp_path / "customers.csv"
    mixed_table().write_csv(place)
    return place


def test_init_names_the_leak_and_the_id(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = table.with_name("study.yaml")
    code = run(["init", str(table), "--target", "churned", "--out", str(study)])
    text = study.read_text()

    assert code == 0
    columns = load_study(study).columns
    assert "reviewed" in columns.never
    assert columns.id == "row_id" or "row_id" in columns.never
    assert "leak" in text.lower()
    assert "reviewed" in capsys.readouterr().out


@pytest.mark.slow
def test_the_study_that_init_writes_runs_and_its_artifact_takes_raw_columns(table: Path) -> None:
    study_file = table.with_name("study.yaml")
    assert run(["init", str(table), "--target", "churned", "--out", str(study_file)]) == 0
    text = study_file.read_text()
    text += (
        (
            "\ncandidates: [logistic_regression, decision_tree: {max_depth: 4}, "
            "random_forest: {n_estimators: 20}, hist_gradient_boosting: {max_iter: 20}]\n"
        )
        if "\ncandidates:" not in text
        else ""
    )
    study_file.write_text(text)
    study = load_study(study_file)
    decision = evaluate(study)
    best = decision.best
    assert best is not None
    agreement = best.evidence.facts["agreement"]

    assert agreement["share_differing"] <= 1e-4
    import onnxruntime

    path = ArtifactStore(default_folder(study) / "artifacts").path(best.evidence.facts["artifact"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = {i.name: i.shape[1] for i in session.get_inputs()}
    feeds = {
        "numbers": np.full((2, inputs.get("numbers", 0)), np.nan),
        "strings": np.full((2, inputs.get("strings", 0)), "a level never seen", dtype=object),
    }
    score = session.run(["score"], {name: feeds[name] for name in inputs})[0]

    assert score.shape == (2,)
    assert np.isfinite(score).all()
