"""What a worker does: fit, export and measure, or measure more on what was fitted before.

Everything that comes in and goes out is plain or a record of core, so that it crosses the
border between processes. Rows come from the prepared dataset, whose pages all workers share.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.errors import TradespaceError, UnreachableError
from tradespace.core.trials import Trial, TrialStatus
from tradespace.explore.meter import Usage, measure_usage
from tradespace.explore.tasks import FitTask, ReadTask, Setup
from tradespace.store.artifacts import ArtifactStore

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tradespace.components.component import Component
    from tradespace.data.dataset import Dataset, Fold
    from tradespace.graph.network import Network
    from tradespace.qualities._base import Context, FitRecord, Predictions
    from tradespace.runtime.artifact import Artifact

#: Rows of the scored part that a component at work is timed on.
SAMPLE_ROWS = 1000


@cache
def _dataset(folder: str) -> Dataset:
    from tradespace.data.storage import open_dataset

    dataset: Dataset = open_dataset(Path(folder))
    return dataset


def context_of(setup: Setup) -> Context:
    """Return what measurements of a run may use."""
    from tradespace.qualities._base import Context, Resampling

    return Context(
        task=setup.task,
        environment=setup.environment,
        mistakes=setup.mistakes,
        resampling=Resampling(n=setup.bootstrap, confidence=setup.confidence, seed=0),
    )


def fit_record(trial: Trial) -> FitRecord:
    """Return what was recorded while a trial was fitted."""
    from tradespace.qualities._base import FitRecord

    return FitRecord(**trial.facts["training"])


def fit_and_measure(setup: Setup, task: FitTask) -> list[dict[str, Any]]:
    """Train the biggest candidate, derive the others, and measure them all on the fold."""
    from tradespace.components.component import family_named

    dataset = _dataset(setup.dataset)
    biggest = task.candidates[0]
    family = family_named(biggest.family)
    family.load(family.locate(biggest.settings, folder=setup.folder))
    _release_free_memory()
    with measure_usage() as usage:
        component = _train(setup, biggest, dataset, dataset.fold(task.fold).train, task.seed)
    trials = []
    for candidate in task.candidates:
        start = time.process_time()
        shared = "" if candidate is biggest else biggest.name
        try:
            one = component if candidate is biggest else component.derive(candidate)
            trial = _measured(setup, task, candidate, one, usage, shared)
        except UnreachableError:
            raise
        except TradespaceError as error:
            trial = Trial(candidate.id, task.fold, task.seed, TrialStatus.FAILED, cause=str(error))
        own_fit = 0.0 if shared else usage.cpu_s
        work = {
            **trial.work,
            "fit_cpu_s": own_fit,
            "fits": 0 if shared else 1,
            "rows": len(dataset.fold(task.fold).train),
            "cpu_s": own_fit + time.process_time() - start,
        }
        trials.append(replace(trial, work=work).to_dict())
    return trials


def _train(
    setup: Setup, candidate: Candidate, dataset: Dataset, rows: npt.NDArray[np.int64], seed: int
) -> Component:
    from tradespace.components.component import train_component

    return train_component(
        candidate,
        dataset.inputs.take(rows),
        dataset.y[rows],
        task=dataset.task,
        n_classes=len(dataset.classes),
        classes=dataset.classes,
        seed=seed,
        folder=setup.folder,
    )


def _measured(
    setup: Setup,
    task: FitTask,
    candidate: Candidate,
    component: Component,
    usage: Usage,
    shared: str,
) -> Trial:
    from tradespace.components.export.component import export_component
    from tradespace.qualities._base import FitRecord, Subject
    from tradespace.qualities.curves import curves
    from tradespace.qualities.measure import measure
    from tradespace.runtime.artifact import open_artifact

    dataset = _dataset(setup.dataset)
    fold = dataset.fold(task.fold)
    export_start = time.process_time()
    exported = export_component(component, check_on=_check_rows(dataset, fold))
    address = ArtifactStore(Path(setup.artifacts)).put(exported.content, suffix=exported.suffix)
    predict_start = time.process_time()
    scorer = open_artifact(exported.content)
    predictions = _predictions(dataset, fold, scorer)
    measure_start = time.process_time()
    subject = Subject(
        predictions=lambda: predictions,
        artifact=lambda: scorer,
        network=lambda: component.network,
    )
    readings = measure(task.uses, subject, context_of(setup))
    facts = {**exported.facts, "curves": curves(predictions), "shared_with": shared}
    if registry.family(candidate.family).trained:
        record = FitRecord(
            usage.cpu_s, usage.wall_s, usage.peak_memory_bytes, len(fold.train), shared
        )
        facts["training"] = asdict(record)
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
            "measure_cpu_s": time.process_time() - measure_start,
        },
        facts=facts,
    )


def measure_more(setup: Setup, task: ReadTask) -> list[dict[str, Any]]:
    """Measure qualities on a stored component: nothing is fitted unless one asks for refits."""
    from tradespace.qualities._base import Subject
    from tradespace.qualities.measure import measure
    from tradespace.runtime.artifact import open_artifact

    start = time.process_time()
    dataset = _dataset(setup.dataset)
    fold = dataset.fold(task.fold)
    rows = fold.score[: max(SAMPLE_ROWS, 2 * setup.environment.rows_per_batch)]
    content = ArtifactStore(Path(setup.artifacts)).get(task.artifact)
    scorer = open_artifact(content, sample=dataset.inputs.take(rows))
    refits = _Refits(setup, task)
    subject = Subject(
        predictions=lambda: _predictions(dataset, fold, scorer),
        artifact=lambda: scorer,
        network=lambda: _network(setup, task, dataset),
        refits=lambda: refits,
    )
    readings = measure(task.uses, subject, context_of(setup))
    cpu_s = time.process_time() - start
    trial = Trial(
        task.candidate.id,
        task.fold,
        task.seed,
        TrialStatus.DONE,
        artifact=task.artifact,
        readings=tuple(readings),
        work={"cpu_s": cpu_s, "measure_cpu_s": cpu_s, "fits": refits.done},
    )
    return [trial.to_dict()]


class _Refits:
    """Trains a candidate again and scores the same rows; counts what it trained."""

    def __init__(self, setup: Setup, task: ReadTask) -> None:
        self._setup, self._task = setup, task
        self.done = 0

    @property
    def n_rows(self) -> int:
        """Rows that the candidate was trained on."""
        return len(_dataset(self._setup.dataset).fold(self._task.fold).train)

    def __call__(
        self, *, seed: int | None = None, positions: npt.NDArray[np.int64] | None = None
    ) -> Predictions:
        """Return the predictions of a component trained with a seed, on some training rows."""
        task, dataset = self._task, _dataset(self._setup.dataset)
        fold = dataset.fold(task.fold)
        rows = fold.train if positions is None else fold.train[positions]
        used = task.seed if seed is None else seed
        component = _train(self._setup, task.candidate, dataset, rows, used)
        self.done += 1
        return _predictions(dataset, fold, component)


def _network(setup: Setup, task: ReadTask, dataset: Dataset) -> Network | None:
    from tradespace.components.component import network_of

    return network_of(
        task.candidate,
        n_columns=task.n_columns or len(dataset.inputs.schema.columns),
        task=dataset.task,
        n_classes=len(dataset.classes),
        folder=setup.folder,
    )


def _predictions(dataset: Dataset, fold: Fold, scorer: Artifact | Component) -> Predictions:
    from tradespace.qualities._base import Predictions

    groups = None
    if dataset.groups is not None:
        import numpy as np

        # Codes without gaps, so that resampling draws only the groups that are scored.
        groups = np.unique(dataset.groups[fold.score], return_inverse=True)[1].astype(np.int64)
    return Predictions(
        y_true=dataset.y[fold.score],
        y_score=scorer.predict(dataset.inputs.take(fold.score)),
        groups=groups,
        columns={name: values[fold.score] for name, values in dataset.columns.items()},
        n_classes=len(dataset.classes),
    )


def _check_rows(dataset: Dataset, fold: Fold) -> Any:
    """Return rows on which the export is held against the estimator: trained on and scored."""
    import numpy as np

    half = 10_000
    rng = np.random.default_rng(0)
    parts: Sequence[Any] = [
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
