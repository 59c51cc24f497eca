"""Blocks of resamples against one resample at a time, in formulas of weighted rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradespace.core import registry
from tradespace.core.readings import Reading
from tradespace.core.studies import EnvironmentSpec, MistakeSpec, QualityUse, Task
from tradespace.qualities import _bootstrap
from tradespace.qualities._base import Context, Predictions, Resampling, Subject
from tradespace.qualities._bootstrap import block_length, resampled_counts
from tradespace.qualities._predictive import n_units, unit_of_rows
from tradespace.qualities.measure import measure, quality_of

SEEDS = st.integers(0, 10_000)
MISTAKES = MistakeSpec(1.0, 5.0)
RESAMPLES = 20

#: From labels, scores and row weights to the value; nan where it is not defined.
Oracle = Callable[[Any, Any, Any], float]


def measured(
    predictions: Predictions, uses: Sequence[QualityUse], context: Context
) -> list[Reading]:
    return measure(uses, Subject(predictions=lambda: predictions), context)


def use_of(name: str, **given_: Any) -> QualityUse:
    row = registry.quality(name)
    full = {spec.name: spec.default for spec in row.settings} | given_
    return QualityUse(name, name, row.unit, row.direction, full)


def ranked(y: Any, score: Any, weights: Any) -> tuple[Any, Any]:
    """Return true and false positives at every distinct score, by one pass down the rows."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    true = np.cumsum((weights * (y > 0))[order])[ends]
    return true, np.cumsum(weights[order])[ends] - true


def roc_auc(y: Any, score: Any, weights: Any) -> float:
    true, false = ranked(y, score, weights)
    if not true[-1] or not false[-1]:
        return np.nan
    heights = true - np.diff(true, prepend=0.0) / 2
    return np.diff(false, prepend=0.0) @ heights / (true[-1] * false[-1])


def average_precision(y: Any, score: Any, weights: Any) -> float:
    true, false = ranked(y, score, weights)
    if not true[-1]:
        return np.nan
    precision = np.divide(true, true + false, out=np.zeros_like(true), where=true + false > 0)
    return np.diff(true, prepend=0.0) @ precision / true[-1]


def log_loss(y: Any, score: Any, weights: Any) -> float:
    smallest = np.finfo(np.float32).eps
    given_ = np.clip(np.where(y > 0, score, 1 - score), smallest, 1 - smallest)
    return weights @ -np.log(given_) / weights.sum()


def expected_cost(y: Any, score: Any, weights: Any) -> float:
    called = score >= MISTAKES.false_positive_usd / (1.0 + MISTAKES.false_negative_usd)
    costs = np.where(called & (y == 0), 1.0, 0.0) + np.where(~called & (y == 1), 5.0, 0.0)
    return weights @ costs / weights.sum()


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def precision(y: Any, score: Any, weights: Any) -> float:
    return ratio(weights @ ((score >= 0.5) & (y == 1)), weights @ (score >= 0.5))


def recall(y: Any, score: Any, weights: Any) -> float:
    return ratio(weights @ ((score >= 0.5) & (y == 1)), weights @ (y == 1))


def f1(y: Any, score: Any, weights: Any) -> float:
    hits = weights @ ((score >= 0.5) & (y == 1))
    return ratio(2 * hits, weights @ (score >= 0.5) + weights @ (y == 1))


def r2(y: Any, score: Any, weights: Any) -> float:
    mean = weights @ y / weights.sum()
    spread = weights @ (y - mean) ** 2
    return 1 - weights @ (score - y) ** 2 / spread if spread > 1e-20 else np.nan


BINARY: dict[str, Oracle] = {
    "accuracy": lambda y, score, weights: weights @ ((score >= 0.5) == y) / weights.sum(),
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier_score": lambda y, score, weights: weights @ (score - y) ** 2 / weights.sum(),
    "expected_cost": expected_cost,
}
NUMBERS: dict[str, Oracle] = {
    "rmse": lambda y, score, w: np.sqrt(w @ (score - y) ** 2 / w.sum()),
    "mae": lambda y, score, w: w @ np.abs(score - y) / w.sum(),
    "r2": r2,
}


def one_at_a_time(oracle: Oracle, y: Any, score: Any, units: Any) -> list[float]:
    """Return the value of every resample, each drawn and weighed by itself."""
    rng = np.random.default_rng(7)
    n = int(units.max()) + 1
    drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)]
    return [oracle(y, score, counts[units].astype(float)) for counts in drawn]


def in_blocks(name: str, predictions: Predictions, task: Task, **given_: Any) -> Any:
    """Return the value of every resample as the quality finds them."""
    quality: Any = quality_of(use_of(name, **given_))
    context = Context(task, EnvironmentSpec(), mistakes=MISTAKES)
    statistic = quality.statistic(predictions, use_of(name, **given_).settings, context)
    resampling = Resampling(n=RESAMPLES, seed=7)
    blocks = resampled_counts(n_units(predictions), len(predictions.y_true), resampling)
    return np.concatenate([statistic(counts) for counts in blocks])


def grouped(rng: np.random.Generator, n: int, *, grouping: bool) -> Any:
    codes = rng.integers(0, max(1, n // 4), n)
    return np.unique(codes, return_inverse=True)[1] if grouping else None


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test go through several blocks, the last one shorter."""
    monkeypatch.setattr(_bootstrap, "BLOCK_BYTES", 8 * 40 * 6)


@pytest.mark.parametrize("name", BINARY)
@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(5, 60), st.integers(1, 12), st.integers(1, 40), st.booleans())
def test_a_block_of_resamples_is_what_one_at_a_time_gives(
    name: str, seed: int, n: int, levels: int, positives: int, grouping: bool
) -> None:
    rng = np.random.default_rng(seed)
    y = np.zeros(n, dtype=np.int64)
    y[rng.permutation(n)[:positives]] = 1
    predictions = Predictions(
        y, rng.integers(0, levels + 1, n) / levels, groups=grouped(rng, n, grouping=grouping)
    )
    units = unit_of_rows(predictions)
    expected = one_at_a_time(BINARY[name], y, predictions.y_score, units)

    assert in_blocks(name, predictions, Task.BINARY) == pytest.approx(
        expected, rel=1e-12, abs=1e-14, nan_ok=True
    )


@pytest.mark.parametrize("name", NUMBERS)
@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(5, 60), st.floats(-1e6, 1e6), st.booleans())
def test_a_block_of_resamples_of_numbers_is_what_one_at_a_time_gives(
    name: str, seed: int, n: int, center: float, grouping: bool
) -> None:
    rng = np.random.default_rng(seed)
    y = center + rng.normal(size=n)
    predictions = Predictions(
        y, y + rng.normal(size=n), groups=grouped(rng, n, grouping=grouping), n_classes=0
    )
    units = unit_of_rows(predictions)
    expected = one_at_a_time(NUMBERS[name], y, predictions.y_score, units)

    # Around a center of a million, the mean itself is known to ten digits of the spread.
    assert in_blocks(name, predictions, Task.REGRESSION) == pytest.approx(
        expected, rel=1e-8, nan_ok=True
    )


@settings(deadline=None)
@given(SEEDS, st.booleans())
def test_several_classes_are_macro_means_in_every_resample(seed: int, grouping: bool) -> None:
    rng = np.random.default_rng(seed)
    y = np.r_[0, 1, 2, rng.integers(0, 3, 30)]
    score = rng.dirichlet([1, 1, 1], len(y)).round(1)
    predictions = Predictions(y, score, groups=grouped(rng, len(y), grouping=grouping), n_classes=3)
    units = unit_of_rows(predictions)

    def macro(y: Any, score: Any, weights: Any) -> float:
        return float(np.mean([roc_auc(y == k, score[:, k], weights) for k in range(3)]))

    assert in_blocks("roc_auc", predictions, Task.MULTICLASS) == pytest.approx(
        one_at_a_time(macro, y, score, units), rel=1e-12, nan_ok=True
    )


def top_k_of_copies(
    y: Any, score: Any, entity: Any, day: Any, copies: Any, *, k: int, drop: bool
) -> float:
    """The definition, in plain Python: an entity stands in the pool as often as its copies."""
    gone: set[int] = set()
    shares = []
    for today in range(int(day.max()) + 1):
        best: dict[int, tuple[float, bool, int]] = {}
        for row in np.flatnonzero((day == today) & (copies > 0)):
            e = int(entity[row])
            if e not in gone:
                old = best.get(e, (-1.0, False, 0))
                best[e] = (max(old[0], score[row]), old[1] or y[row] > 0, int(copies[row]))
        queue = [
            (e, label)
            for e, (_, label, times) in sorted(best.items(), key=lambda it: (-it[1][0], it[0]))
            for _ in range(times)
        ]
        found = [e for e, label in queue[:k] if label]
        gone.update(found if drop else ())
        shares.append(len(found) / k)
    return float(np.mean(shares))


@pytest.mark.parametrize("drawn", ["rows", "the entity", "households", "something else"])
@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(1, 5), st.booleans(), st.integers(5, 60), st.integers(1, 30))
def test_top_k_precision_of_a_block_is_its_definition_whatever_is_drawn(
    drawn: str, seed: int, k: int, drop: bool, n: int, n_entities: int
) -> None:
    rng = np.random.default_rng(seed)
    y, score = rng.integers(0, 2, n), rng.integers(0, 9, n) / 9
    entity, day = rng.integers(0, n_entities, n), rng.integers(0, 3, n)
    day = np.unique(day, return_inverse=True)[1]
    of = {"rows": None, "the entity": entity, "households": entity // 2}
    groups = of[drawn] if drawn in of else rng.integers(0, 6, n)
    if groups is not None:
        groups = np.unique(groups, return_inverse=True)[1]
    columns = {"card": entity, "__time__": day * 86400.0 + 5}
    predictions = Predictions(y, score, groups=groups, columns=columns)
    units = unit_of_rows(predictions)
    pairs = set(zip(entity.tolist(), units.tolist(), strict=True))
    alike = len(pairs) == len(np.unique(entity)) == len(np.unique(units))

    def oracle(y: Any, score: Any, weights: Any) -> float:
        copies = weights if alike else np.minimum(weights, 1.0)
        return top_k_of_copies(y, score, entity, day, copies, k=k, drop=drop)

    found = in_blocks(
        "top_k_precision",
        predictions,
        Task.BINARY,
        k=k,
        entity="card",
        per="day",
        drop_detected=drop,
    )
    assert found == pytest.approx(one_at_a_time(oracle, y, score, units))


def test_readings_are_the_same_whatever_the_length_of_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 300), rng.random(300)
    predictions = Predictions(y, score, groups=np.repeat(np.arange(100), 3))
    context = Context(Task.BINARY, EnvironmentSpec(), resampling=Resampling(n=101))
    uses = [use_of(name) for name in (*BINARY, "top_k_precision")]
    one_by_one = measured(predictions, uses, context)
    monkeypatch.setattr(_bootstrap, "BLOCK_BYTES", 2**30)
    at_once = measured(predictions, uses, context)

    assert block_length(300, 101) == 101
    for one, other in zip(one_by_one, at_once, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx(
            (other.value, other.low, other.high), rel=1e-12
        )
        assert one.draws == pytest.approx(other.draws, rel=1e-12)


def test_blocks_stay_within_their_bytes_and_hold_at_least_one_resample() -> None:
    assert block_length(40, 500) == 6
    assert block_length(10**9, 500) == 1
    assert block_length(1, 500) == 240
