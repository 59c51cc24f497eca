"""Every metric against scikit-learn, with weights; resampling against brute force."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from tradespace.core import registry
from tradespace.core.clock import SimulatedClock
from tradespace.core.readings import Reading
from tradespace.core.studies import EnvironmentSpec, MistakeSpec, QualityUse, Task
from tradespace.qualities._base import Context, Predictions, Resampling, Subject
from tradespace.qualities._bootstrap import resampled_counts
from tradespace.qualities._ranking import average_precision, roc_auc
from tradespace.qualities._timing import MOST_REPEATED, time_calls
from tradespace.qualities.combine import combine_folds, combine_seeds
from tradespace.qualities.measure import measure, quality_of

SEEDS = st.integers(0, 10_000)


def measured(
    predictions: Predictions, uses: Sequence[QualityUse], context: Context
) -> list[Reading]:
    return measure(uses, Subject(predictions=lambda: predictions), context)


def use_of(name: str, **given: Any) -> QualityUse:
    row = registry.quality(name)
    full = {spec.name: spec.default for spec in row.settings} | given
    return QualityUse(name, name, row.unit, row.direction, full)


def context(task: Task = Task.BINARY, n: int = 60, **more: Any) -> Context:
    return Context(task, EnvironmentSpec(), resampling=Resampling(n=n), **more)


def value(
    name: str, predictions: Predictions, task: Task, weights: Any = None, **given: Any
) -> float:
    quality: Any = quality_of(use_of(name, **given))
    statistic = quality.statistic(predictions, use_of(name, **given).settings, context(task))
    units = len(predictions.y_true) if predictions.groups is None else predictions.groups.max() + 1
    counts = np.ones(units) if weights is None else weights
    return float(statistic(counts[:, None])[0])


def binary(seed: int, n: int = 60, levels: int = 7) -> tuple[Any, Any, Any]:
    """Return labels of both classes, scores with many ties, and whole weights."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    weights = rng.integers(0, 4, n).astype(float)
    weights[:2] = 1.0
    return y, rng.integers(0, levels, n) / levels, weights


@given(SEEDS)
def test_ranking_metrics_are_those_of_scikit_learn_with_ties_and_weights(seed: int) -> None:
    y, score, weights = binary(seed)

    assert roc_auc(y, score, weights) == pytest.approx(
        metrics.roc_auc_score(y, score, sample_weight=weights)
    )
    assert average_precision(y, score, weights) == pytest.approx(
        metrics.average_precision_score(y, score, sample_weight=weights)
    )


@given(SEEDS)
def test_binary_metrics_are_those_of_scikit_learn(seed: int) -> None:
    y, score, weights = binary(seed)
    predictions = Predictions(y, score)
    called = (score >= 0.5).astype(int)
    clipped = np.clip(score, np.finfo(np.float32).eps, 1 - np.finfo(np.float32).eps)
    expected = {
        "accuracy": metrics.accuracy_score(y, called, sample_weight=weights),
        "precision": metrics.precision_score(y, called, sample_weight=weights, zero_division=0),
        "recall": metrics.recall_score(y, called, sample_weight=weights, zero_division=0),
        "f1": metrics.f1_score(y, called, sample_weight=weights, zero_division=0),
        "brier_score": metrics.brier_score_loss(y, score, sample_weight=weights),
        "log_loss": metrics.log_loss(y, clipped, sample_weight=weights),
    }
    for name, wanted in expected.items():
        assert value(name, predictions, Task.BINARY, weights) == pytest.approx(wanted), name


@given(SEEDS)
def test_multiclass_metrics_are_macro_means(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.r_[0, 1, 2, rng.integers(0, 3, 50)]
    score = rng.dirichlet([1, 1, 1], len(y))
    predictions = Predictions(y, score, n_classes=3)
    called = score.argmax(axis=1)

    assert value("accuracy", predictions, Task.MULTICLASS) == pytest.approx(
        metrics.accuracy_score(y, called)
    )
    assert value("f1", predictions, Task.MULTICLASS) == pytest.approx(
        metrics.f1_score(y, called, average="macro", zero_division=0)
    )
    assert value("roc_auc", predictions, Task.MULTICLASS) == pytest.approx(
        metrics.roc_auc_score(y, score, multi_class="ovr", average="macro")
    )


@given(SEEDS)
def test_regression_metrics_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, found = rng.normal(0, 3, 40), rng.normal(0, 3, 40)
    weights = rng.integers(0, 3, 40) + 0.5
    predictions = Predictions(y, found, n_classes=0)
    expected = {
        "rmse": metrics.root_mean_squared_error(y, found, sample_weight=weights),
        "mae": metrics.mean_absolute_error(y, found, sample_weight=weights),
        "r2": metrics.r2_score(y, found, sample_weight=weights),
    }
    for name, wanted in expected.items():
        assert value(name, predictions, Task.REGRESSION, weights) == pytest.approx(wanted), name


def brute_top_k(y: Any, score: Any, entity: Any, day: Any, k: int, *, drop: bool) -> float:
    """The definition, in plain Python."""
    gone: set[int] = set()
    shares = []
    for today in sorted(set(day)):
        best: dict[int, tuple[float, int]] = {}
        for label, s, e, d in zip(y, score, entity, day, strict=True):
            if d == today and e not in gone:
                old = best.get(e, (-1.0, 0))
                best[e] = (max(old[0], s), max(old[1], label))
        ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:k]
        found = [e for e, (_, label) in ranked if label]
        if drop:
            gone.update(found)
        shares.append(len(found) / k)
    return float(np.mean(shares))


@settings(deadline=None)
@given(SEEDS, st.booleans(), st.integers(1, 5), st.booleans())
def test_top_k_precision_is_its_definition_also_on_resampled_rows(
    seed: int, drop: bool, k: int, by_entity: bool
) -> None:
    rng = np.random.default_rng(seed)
    n = 40
    y, score = rng.integers(0, 2, n), rng.integers(0, 9, n) / 9
    entity, day = rng.integers(0, 8, n), rng.integers(0, 3, n)
    groups = np.unique(entity, return_inverse=True)[1] if by_entity else None
    columns = {"card": entity, "__time__": day * 86400.0 + 5}
    predictions = Predictions(y, score, groups=groups, columns=columns)
    given_ = {"k": k, "entity": "card", "per": "day", "drop_detected": drop}

    assert value("top_k_precision", predictions, Task.BINARY, **given_) == pytest.approx(
        brute_top_k(y, score, entity, day, k, drop=drop)
    )
    if not by_entity:
        weights = rng.integers(0, 2, n).astype(float)
        weights[np.unique(day, return_index=True)[1]] = 1.0
        kept = weights > 0
        assert value("top_k_precision", predictions, Task.BINARY, weights, **given_) == (
            pytest.approx(brute_top_k(y[kept], score[kept], entity[kept], day[kept], k, drop=drop))
        )


def test_resamples_are_drawn_unit_by_unit_and_the_same_whatever_the_block() -> None:
    few_rows = list(resampled_counts(6, 6, Resampling(n=50, seed=3)))
    many_rows = list(resampled_counts(6, 10**5, Resampling(n=50, seed=3)))
    rng = np.random.default_rng(3)
    one_by_one = [np.bincount(rng.integers(0, 6, 6), minlength=6) for _ in range(50)]
    expected = np.stack(one_by_one, axis=1)

    assert len(few_rows) == 1
    assert [block.shape[1] for block in many_rows] == [10] * 5
    assert np.array_equal(np.hstack(few_rows), expected)
    assert np.array_equal(np.hstack(many_rows), expected)


def test_the_interval_is_that_of_a_bootstrap_by_brute_force() -> None:
    y, score, _ = binary(1, n=200, levels=50)
    reading = measured(Predictions(y, score), [use_of("average_precision")], context(n=400))[0]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(400):
        rows = np.repeat(np.arange(200), np.bincount(rng.integers(0, 200, 200), minlength=200))
        draws.append(metrics.average_precision_score(y[rows], score[rows]))

    assert reading.draws == pytest.approx(draws, rel=1e-6)
    assert (reading.low, reading.high) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])))


def test_perfect_scores_on_few_rows_are_not_certain() -> None:
    y = np.r_[np.ones(5), np.zeros(2000)].astype(np.int64)
    readings = measured(
        Predictions(y, y.astype(float)), [use_of("recall"), use_of("accuracy")], context()
    )
    recall, accuracy = readings

    assert recall.low == pytest.approx(0.025 ** (1 / 5))
    assert accuracy.low == pytest.approx(0.025 ** (1 / 2005))


def test_a_quality_that_fails_is_unknown_with_its_cause_and_the_others_stay() -> None:
    y, score, _ = binary(0)
    broken = use_of("top_k_precision", entity="no such column", per="all")
    readings = measured(Predictions(y, score), [use_of("roc_auc"), broken], context())
    by_name = {reading.quality: reading for reading in readings}

    assert np.isfinite(by_name["roc_auc"].value)
    assert np.isnan(by_name["top_k_precision"].value)
    assert "no such column" in by_name["top_k_precision"].method


PREDICTIVE = [
    (row.name, task)
    for row in registry.qualities().values()
    if row.needs == ("predictions",)
    for task in row.tasks
]


@pytest.mark.parametrize(("name", "task"), PREDICTIVE)
def test_every_predictive_quality_has_unit_and_interval_and_ignores_the_order_of_rows(
    name: str, task: Task
) -> None:
    rng = np.random.default_rng(5)
    n = 120
    if task is Task.REGRESSION:
        y: Any = rng.normal(size=n)
        score: Any = y + rng.normal(size=n)
    elif task is Task.BINARY:
        y, score = rng.integers(0, 2, n), rng.random(n)
    else:
        y, score = rng.integers(0, 3, n), rng.dirichlet([1, 1, 1], n)
    n_classes = {Task.REGRESSION: 0, Task.BINARY: 2, Task.MULTICLASS: 3}[task]
    groups = rng.permutation(np.repeat(np.arange(30), 4))
    before = (y.copy(), score.copy())
    use, around = use_of(name), context(task, mistakes=MistakeSpec(1.0, 5.0))
    reading = measured(Predictions(y, score, groups, n_classes=n_classes), [use], around)[0]
    order = rng.permutation(n)
    mixed = Predictions(y[order], score[order], groups[order], n_classes=n_classes)
    again = measured(mixed, [use], around)[0]
    row = registry.quality(name)

    assert reading.unit == row.unit
    assert row.low <= reading.low <= reading.value <= reading.high <= row.high
    assert (y == before[0]).all()
    assert (score == before[1]).all()
    assert again.value == pytest.approx(reading.value)
    if name != "top_k_precision":
        assert again.draws == pytest.approx(reading.draws, rel=1e-5)


def clock_that(cpu_share: list[float]) -> tuple[SimulatedClock, Any]:
    """Return a clock and a call that takes 1 ms of wall time and a share of it as CPU time."""
    clock = SimulatedClock()
    state = SimpleNamespace(calls=0)

    def call(_: int) -> None:
        block = max(0, state.calls - 50) // 100
        state.calls += 1
        clock.advance(1e-3, cpu_s=1e-3 * cpu_share[min(block, len(cpu_share) - 1)])

    return clock, call


def test_a_quiet_machine_keeps_every_block() -> None:
    clock, call = clock_that([1.0])
    timing = time_calls(call, n_calls=500, clock=clock)

    assert not timing.disturbed
    assert timing.discarded == 0
    assert timing.mean_s == pytest.approx(1e-3)


def test_disturbed_blocks_are_thrown_away_and_repeated() -> None:
    clock, call = clock_that([0.3, 0.3, 1.0])
    timing = time_calls(call, n_calls=500, clock=clock)

    assert not timing.disturbed
    assert timing.discarded == 2
    assert len(timing.walls_s) == 500


def test_a_machine_that_never_gets_quiet_gives_an_unknown() -> None:
    clock, call = clock_that([0.3])
    timing = time_calls(call, n_calls=500, clock=clock)

    assert timing.disturbed
    assert timing.discarded == MOST_REPEATED


def test_seeds_widen_and_folds_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    one = Reading("q", 0.5, 0.4, 0.6, "1", draws=tuple(rng.normal(0.5, 0.05, 400)))
    other = Reading("q", 0.7, 0.6, 0.8, "1", draws=tuple(rng.normal(0.7, 0.05, 400)))
    seeds, folds = combine_seeds([one, other]), combine_folds([one, other])

    assert seeds.value == folds.value == pytest.approx(0.6)
    assert seeds.high - seeds.low > 0.3
    assert folds.high - folds.low < 0.2
