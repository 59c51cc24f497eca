"""What a trial worker does: train and measure, or measure a component at work.

Everything that comes in and goes out is plain or a record of core, so that it crosses the
border between processes. Rows come from the prepared dataset, whose pages all workers share.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.errors import DataError, InputError, TradespaceError
from tradespace.core.readings import Reading
from tradespace.core.studies import EnvironmentSpec, MistakeSpec, QualityUse, Study, Task
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.meter import Usage, measure
from tradespace.store.artifacts import ArtifactStore

if TYPE_CHECKING:
    import polars as pl

    from tradespace.components.component import Component
    from tradespace.data.dataset import Dataset, Fold
    from tradespace.qualities._base import Context, Predictions

#: Rows of the scored part that a component at work is timed on.
SAMPLE_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Setup:
    """What all tasks of a run share."""

    dataset: str
    artifacts: str
    task: Task
    uses: tuple[QualityUse, ...]
    environment: EnvironmentSpec
    mistakes: MistakeSpec | None
    confidence: float
    bootstrap: int
    folder: str


@dataclass(frozen=True, slots=True)
class FitTask:
    """One fit on one fold, and the candidates that it serves, the biggest first."""

    candidates: tuple[Candidate, ...]
    fold: str
    seed: int

    @property
    def key(self) -> str:
        """Unique within a run."""
        return f"{self.candidates[0].id}/{self.fold}/{self.seed}"


@dataclass(frozen=True, slots=True)
class OperationTask:
    """One exported component to be timed at work.

    `again` names the readings that are to be taken anew; all if empty.
    """

    candidate: Candidate
    artifact: str
    fold: str
    seed: int
    again: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Unique within a run."""
        return f"{self.candidate.id}/operation/{self.seed}"


def prepare_data(study: Study, folder: str) -> dict[str, Any]:
    """Load the study's data, save them for the workers, return what a plan needs to know.

    An error about what the user wrote comes back under "error", so that it keeps its place.
    """
    from tradespace.components.sizes import shape_of
    from tradespace.data.load import load_dataset
    from tradespace.data.storage import save_dataset
    from tradespace.qualities.measure import required_columns

    try:
        extra = required_columns(tuple(study.qualities.values()))
        lineage = _lineage(study)
        dataset = load_dataset(
            study,
            extra_columns=extra,
            add_features=_add_features if study.features else None,
            versions={k: v for view in lineage.values() for k, v in view["features"].items()},
        )
    except InputError as error:
        # Errors with constructors of their own do not cross processes; this one does.
        return {"error": DataError(error.message, place=error.place, remedy=error.remedy)}
    save_dataset(dataset, Path(folder))
    first = dataset.folds[0]
    shape = shape_of(
        dataset.inputs.take(first.train),
        n_classes=max(2, len(dataset.classes)),
        whole=dataset.inputs,
    )
    return {
        "shape": shape,
        "task": dataset.task,
        "n_rows": dataset.n_rows,
        "inputs": dataset.inputs.schema.to_dict(),
        "classes": dataset.classes,
        "folds": {
            fold.name: {"train": len(fold.train), "score": len(fold.score)}
            for fold in dataset.folds
        },
        "groups": None if dataset.groups is None else int(dataset.groups.max()) + 1,
        "hash": dataset.hash,
        "split": dict(dataset.split),
        "notes": list(dataset.notes),
        "features": lineage,
    }


def _lineage(study: Study) -> dict[str, Any]:
    if not study.features:
        return {}
    from tradespace.features.batch.study_columns import feature_lineage

    return feature_lineage(study)


def _add_features(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    from tradespace.features.batch.study_columns import add_features

    return add_features(frame, study)


@cache
def _dataset(folder: str) -> Dataset:
    from tradespace.data.storage import open_dataset

    dataset: Dataset = open_dataset(Path(folder))
    return dataset


def fit_and_measure(setup: Setup, task: FitTask) -> list[dict[str, Any]]:
    """Train the biggest candidate, derive the others, and measure them all on the fold."""
    from tradespace.components.component import family_named, train_component

    dataset = _dataset(setup.dataset)
    fold = dataset.fold(task.fold)
    biggest = task.candidates[0]
    inputs = dataset.inputs.take(fold.train)
    target = dataset.y[fold.train]
    family = family_named(biggest.family)
    family.load(family.locate(biggest.settings, folder=setup.folder))
    _release_free_memory()
    with measure() as usage:
        component = train_component(
            biggest,
            inputs,
            target,
            task=dataset.task,
            n_classes=len(dataset.classes),
            classes=dataset.classes,
            seed=task.seed,
            folder=setup.folder,
        )
    trials = []
    for candidate in task.candidates:
        start = time.process_time()
        shared = "" if candidate is biggest else biggest.name
        try:
            one = component if candidate is biggest else component.derive(candidate)
            trial = _measured(setup, task, candidate, one, dataset, fold, usage, shared)
        except TradespaceError as error:
            trial = Trial(candidate.id, task.fold, task.seed, TrialStatus.FAILED, cause=str(error))
        own_fit = 0.0 if shared else usage.cpu_s
        work = {
            **trial.work,
            "fit_cpu_s": own_fit,
            "fits": 0 if shared else 1,
            "rows": len(fold.train),
            "cpu_s": own_fit + time.process_time() - start,
        }
        trials.append(replace(trial, work=work).to_dict())
    return trials


def _measured(
    setup: Setup,
    task: FitTask,
    candidate: Candidate,
    component: Component,
    dataset: Dataset,
    fold: Fold,
    usage: Usage,
    shared: str,
) -> Trial:
    from tradespace.qualities._base import FitRecord
    from tradespace.qualities.curves import curves
    from tradespace.qualities.measure import (
        measure_artifact,
        measure_network,
        measure_predictions,
        measure_training,
    )
    from tradespace.runtime.artifact import open_artifact

    export_start = time.process_time()
    exported = component.export(check_on=_check_rows(dataset, fold))
    address = ArtifactStore(Path(setup.artifacts)).put(exported.content, suffix=exported.suffix)
    predict_start = time.process_time()
    scorer = open_artifact(exported.content)
    score_inputs = dataset.inputs.take(fold.score)
    predictions = _predictions(dataset, fold, scorer.predict(score_inputs))
    measure_start = time.process_time()
    context = _context(setup, dataset, fold)
    record = FitRecord(usage.cpu_s, usage.wall_s, usage.peak_memory_bytes, len(fold.train), shared)
    uses = [use for use in setup.uses if not registry.quality(use.quality).timed]
    trained = registry.family(candidate.family).trained
    readings = [
        *measure_predictions(predictions, uses, context),
        *(measure_training(record, uses, context) if trained else ()),
        *measure_artifact(scorer, uses, context),
        *(measure_network(component.network, uses, context) if _counts(uses) else ()),
    ]
    end = time.process_time()
    return Trial(
        candidate.id,
        task.fold,
        task.seed,
        TrialStatus.DONE,
        artifact=address,
        readings=tuple(readings),
        work={
            "export_cpu_s": predict_start - export_start,
            "predict_cpu_s": measure_start - predict_start,
            "measure_cpu_s": end - measure_start,
        },
        facts={
            **exported.facts,
            "curves": curves(predictions),
            "shared_with": shared,
            "training": asdict(record),
        },
    )


def _counts(uses: Sequence[QualityUse]) -> bool:
    """Return whether something is counted on a network."""
    return any(registry.quality(use.quality).stage == "network" for use in uses)


def time_component(setup: Setup, task: OperationTask) -> list[dict[str, Any]]:
    """Measure what needs a quiet machine: latency, throughput, and the prices that follow."""
    from tradespace.qualities.measure import measure_artifact
    from tradespace.runtime.artifact import open_artifact

    start = time.process_time()
    dataset = _dataset(setup.dataset)
    fold = dataset.fold(task.fold)
    store = ArtifactStore(Path(setup.artifacts))
    rows = fold.score[: max(SAMPLE_ROWS, 2 * setup.environment.rows_per_batch)]
    scorer = open_artifact(store.get(task.artifact), sample=dataset.inputs.take(rows))
    uses = [
        use
        for use in setup.uses
        if registry.quality(use.quality).timed and (not task.again or use.name in task.again)
    ]
    readings = measure_artifact(scorer, uses, _context(setup, dataset, fold))
    cpu_s = time.process_time() - start
    trial = Trial(
        task.candidate.id,
        "operation",
        task.seed,
        TrialStatus.DONE,
        artifact=task.artifact,
        readings=tuple(readings),
        work={"cpu_s": cpu_s, "measure_cpu_s": cpu_s, "fits": 0},
    )
    return [trial.to_dict()]


def _context(setup: Setup, dataset: Dataset, fold: Fold) -> Context:
    from tradespace.qualities._base import Context, Resampling

    del dataset, fold
    known: Mapping[str, Reading] = {}
    return Context(
        task=setup.task,
        environment=setup.environment,
        mistakes=setup.mistakes,
        resampling=Resampling(n=setup.bootstrap, confidence=setup.confidence, seed=0),
        readings=known,
    )


def _predictions(dataset: Dataset, fold: Fold, scores: Any) -> Predictions:
    from tradespace.qualities._base import Predictions

    groups = None
    if dataset.groups is not None:
        import numpy as np

        # Codes without gaps, so that resampling draws only the groups that are scored.
        groups = np.unique(dataset.groups[fold.score], return_inverse=True)[1].astype(np.int64)
    return Predictions(
        y_true=dataset.y[fold.score],
        y_score=scores,
        groups=groups,
        columns={name: values[fold.score] for name, values in dataset.columns.items()},
        n_classes=len(dataset.classes),
    )


def _check_rows(dataset: Dataset, fold: Fold) -> Any:
    """Return rows on which the export is held against the estimator: trained on and scored."""
    import numpy as np

    half = 10_000
    rng = np.random.default_rng(0)
    parts = [
        rows if len(rows) <= half else np.sort(rng.choice(rows, half, replace=False))
        for rows in (fold.train, fold.score)
    ]
    return dataset.inputs.take(np.concatenate(parts))


def _release_free_memory() -> None:
    """Give freed memory back to the system, so that the next peak is the fit's own."""
    import ctypes
    import sys

    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
