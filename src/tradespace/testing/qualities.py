"""The laws that every quality keeps; call each with the name of a registered quality."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tradespace.core import registry
from tradespace.core.clock import SimulatedClock
from tradespace.core.readings import Reading
from tradespace.core.studies import EnvironmentSpec, MistakeSpec, QualityUse, Task
from tradespace.qualities._base import Context, FitRecord, Predictions, Resampling, Subject
from tradespace.qualities.measure import measure, quality_of
from tradespace.testing.checks import holds

_ENVIRONMENT = EnvironmentSpec(price_per_hour_usd=0.5, rows_per_batch=50)


@dataclass(eq=False)
class FakeArtifact:
    """A component under a simulated clock: each row takes 20 microseconds."""

    clock: SimulatedClock = field(default_factory=SimulatedClock)
    size_bytes: int = 1234
    runtime: str = "simulated"
    price_per_call_usd: float = 0.0
    n_rows: int = 40

    def prepare(self, start: int, stop: int) -> int:
        """Return how many rows were asked for."""
        return stop - start

    def __call__(self, prepared: int) -> None:
        """Answer them."""
        self.clock.advance(20e-6 * prepared, cpu_s=20e-6 * prepared)


@dataclass(frozen=True)
class FakeRefits:
    """Trainings whose scores are those of chance, seeded."""

    task: Task
    n_rows: int = 80

    def __call__(self, *, seed: int | None = None, positions: Any = None) -> Predictions:
        """Return the scores of a training."""
        drawn = 0 if positions is None else int(np.asarray(positions).sum())
        return fake_predictions(self.task, seed=1 + (seed or 0) + drawn)


def fake_predictions(task: Task, *, seed: int = 0) -> Predictions:
    """Return labels and scores of 120 rows of 30 entities, with the columns that qualities ask for.

    The labels are the same for every seed; the scores are not.
    """
    labels, rng = np.random.default_rng(0), np.random.default_rng(seed)
    n = 120
    groups = np.repeat(np.arange(30), 4)
    day = np.repeat(np.arange(4.0), 30) * 86400
    shared: dict[str, Any] = {"groups": groups, "columns": {"__time__": day}}
    if task is Task.REGRESSION:
        y = labels.normal(size=n)
        return Predictions(y, y + rng.normal(size=n), n_classes=0, **shared)
    if task is Task.BINARY:
        return Predictions(labels.integers(0, 2, n), rng.random(n), n_classes=2, **shared)
    several = labels.integers(0, 3, n)
    return Predictions(several, rng.dirichlet([1, 1, 1], n), n_classes=3, **shared)


def fake_network() -> Any:
    """Return a small network."""
    from tradespace.graph.zoo.mlp import mlp

    return mlp(name="10-5-1", widths=(10, 5, 1), activation="relu", output="sigmoid")


def fake_subject(use: QualityUse, context: Context) -> Subject:
    """Return a subject that has all that a quality may need, the same every time."""
    artifact = FakeArtifact()
    timed = replace(context, clock=artifact.clock)

    def readings() -> Mapping[str, Reading]:
        return {
            name: quality_of(use_of(name)).measure(subject, use=use_of(name), context=timed)
            for name in quality_of(use).reads(use.settings)
        }

    subject = Subject(
        predictions=lambda: fake_predictions(context.task),
        artifact=lambda: artifact,
        fit=lambda: FitRecord(2.0, 2.5, 1e6, 500),
        network=fake_network,
        readings=readings,
        refits=lambda: FakeRefits(context.task),
    )
    return subject


def use_of(name: str, **settings: Any) -> QualityUse:
    """Return a quality with its default settings."""
    row = registry.quality(name)
    whole = {spec.name: spec.default for spec in row.settings} | settings
    return QualityUse(name, name, row.unit, row.direction, whole)


def _context(name: str) -> Context:
    return Context(
        registry.quality(name).tasks[0],
        _ENVIRONMENT,
        mistakes=MistakeSpec(1.0, 5.0),
        resampling=Resampling(n=40),
    )


def _read(use: QualityUse, context: Context, subject: Subject | None = None) -> Reading:
    subject = subject or fake_subject(use, context)
    artifact = subject.artifact
    (reading,) = measure([use], subject, replace(context, clock=artifact.clock))  # type: ignore[attr-defined]  # ours
    return reading


def has_unit_interval_and_range(name: str) -> None:
    """Check that a reading has the row's unit and an interval within the row's range."""
    row, reading = registry.quality(name), _read(use_of(name), _context(name))

    inside = row.low <= reading.low <= reading.value <= reading.high <= row.high
    holds(reading.unit == row.unit, f"{name}: unit {reading.unit!r}, wanted {row.unit!r}")
    holds(math.isfinite(reading.value), f"{name}: {reading.method}")
    holds(inside, f"{name}: {reading} is not within {row.low:g} to {row.high:g}")
    holds(bool(reading.method), f"{name}: the reading does not say how it was taken")


def bears_the_name_of_its_use(name: str) -> None:
    """Check that a name of the study's own changes nothing but the name."""
    own = replace(use_of(name), name="own name")
    reading = _read(own, _context(name))

    usual = _read(use_of(name), _context(name))
    holds(reading.quality == "own name", f"{name}: the reading is named {reading.quality!r}")
    holds(replace(reading, quality=name) == usual, f"{name}: its own name changed the reading")


def gives_the_same_reading_again(name: str) -> None:
    """Check that the same subject gives the same reading, also after it was stored."""
    first, second = (_read(use_of(name), _context(name)) for _ in range(2))

    holds(first == second, f"{name}: {first}, then {second}")
    holds(Reading.from_dict(first.to_dict()) == first, f"{name}: it cannot be stored")


def leaves_its_subject_as_it_was(name: str) -> None:
    """Check that labels, scores and the record of the fit are only read."""
    use, context = use_of(name), _context(name)
    subject = fake_subject(use, context)
    predictions = subject.predictions
    before = copy.deepcopy((predictions.y_true, predictions.y_score, subject.fit))
    _read(use, context, subject)

    holds(bool((predictions.y_true == before[0]).all()), f"{name} changed the labels")
    holds(bool((predictions.y_score == before[1]).all()), f"{name} changed the scores")
    holds(subject.fit == before[2], f"{name} changed the record of the fit")


def looks_only_at_what_it_needs(name: str) -> None:
    """Check that a quality is measured from the parts that its row needs, and needs each."""
    use, context, row = use_of(name), _context(name), registry.quality(name)
    timed = replace(context, clock=SimulatedClock())
    reading = _read(use, context)
    for part in set(row.needs) - {"timing"}:
        lacking = fake_subject(use, timed).only(set(row.needs) - {part})
        (without,) = measure([use], lacking, timed)

        holds(math.isnan(without.value), f"{name} does not need {part!r}")
    holds(not math.isnan(reading.value), f"{name}: {reading.method}")


#: A context with one fact changed, by the fact; the others cannot be changed in a context.
_CHANGES: Mapping[str, Callable[[Context], Context]] = {
    "confidence": lambda c: replace(c, resampling=replace(c.resampling, confidence=0.5)),
    "bootstrap": lambda c: replace(c, resampling=replace(c.resampling, n=60)),
    "mistakes": lambda c: replace(c, mistakes=MistakeSpec(7.0, 2.0)),
    "price_per_hour": lambda c: replace(
        c, environment=replace(c.environment, price_per_hour_usd=3.0)
    ),
    "rows_per_batch": lambda c: replace(c, environment=replace(c.environment, rows_per_batch=20)),
}


def depends_only_on_what_it_says(name: str) -> None:
    """Check that a reading stays while the facts that its row names stay what they are."""
    context, row = _context(name), registry.quality(name)
    reading = _read(use_of(name), context)
    for fact, changed in _CHANGES.items():
        if fact not in row.depends:
            same = _read(use_of(name), changed(context)) == reading
            holds(same, f"{name} depends on {fact!r}")


#: Every quality keeps these.
QUALITY_LAWS: tuple[Callable[[str], None], ...] = (
    has_unit_interval_and_range,
    bears_the_name_of_its_use,
    gives_the_same_reading_again,
    leaves_its_subject_as_it_was,
    looks_only_at_what_it_needs,
    depends_only_on_what_it_says,
)
