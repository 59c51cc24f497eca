"""What every quality is: how a reading is taken, by the stage at which it can be taken."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tradespace.core.clock import Clock
    from tradespace.core.readings import Reading
    from tradespace.core.studies import EnvironmentSpec, MistakeSpec, QualityUse, Task

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Labels and scores of the rows of one part of the data.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Class codes (int64; binary: 1 is positive) or targets (float64).
    y_score : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Probability of the positive class, class probabilities, or predicted numbers.
    groups : ndarray of shape (n_samples,), optional
        Codes 0..n_groups-1 of the unit that repeats (customer, patient); None: rows.
    columns : Mapping
        Other columns that a quality asked for (entity, time as float64 seconds since 1970),
        by name; a time column is under its own name and also under "__time__".
    n_classes : int
        Number of classes; 0 for regression.
    """

    y_true: npt.NDArray[Any]
    y_score: Floats
    groups: npt.NDArray[np.int64] | None = None
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    n_classes: int = 2


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals of predictive qualities are found: a seeded bootstrap.

    Notes
    -----
    The percentile interval of a seeded bootstrap, two-sided, over rows, or over groups where
    the study names an entity; all candidates are scored on the same resamples. Where all
    resamples agree it is widened by what so few units cannot exclude (Clopper-Pearson); where
    fewer than half of them have a value, the reading is unknown.

    """

    n: int = 500
    confidence: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class FitRecord:
    """What was recorded while fitting.

    `shared_with` names the bigger fit that served this candidate, so that times are bounds.
    """

    cpu_s: float
    wall_s: float
    peak_memory_bytes: float | None
    n_rows: int
    shared_with: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a measurement may use besides its subject."""

    task: Task
    environment: EnvironmentSpec
    mistakes: MistakeSpec | None = None
    resampling: Resampling = Resampling()
    clock: Clock | None = None
    readings: Mapping[str, Reading] = field(default_factory=dict)


class AbstractQuality(abc.ABC):
    """One quality. `subject` is Predictions, FitRecord, Artifact or Network, by the row's stage.

    For the stage "price" the subject is the Artifact and the readings it needs are in
    ``context.readings``; for the stage "network" it may be None. Settings are complete
    (defaults resolved).
    """

    @abc.abstractmethod
    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return a reading named ``use.name`` in ``use.unit`` with its interval."""

    def requires(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the columns that must be in ``Predictions.columns``."""
        del settings
        return ()
