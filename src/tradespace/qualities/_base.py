"""The base of all qualities, and what a measurement may look at."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tradespace.core.errors import MeasureError
from tradespace.core.registry import NEEDS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tradespace.core.clock import Clock
    from tradespace.core.readings import Reading
    from tradespace.core.studies import EnvironmentSpec, MistakeSpec, QualityUse, Task
    from tradespace.graph.network import Network
    from tradespace.qualities.foreseen import ForeseenNetwork
    from tradespace.runtime.artifact import Artifact

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


class Refit(Protocol):
    """Trains a candidate again and predicts the same rows as before."""

    @property
    def n_rows(self) -> int:
        """Rows that it was trained on."""

    def __call__(
        self, *, seed: int | None = None, positions: npt.NDArray[np.int64] | None = None
    ) -> Predictions:
        """Return predictions after a training with a seed, on some of the training rows."""


class Subject:
    """A fitted component on one part of the data: what qualities look at.

    A part is made when a quality first asks for it, and kept for the others. A quality gets
    what its row says it needs; asking for anything else is an error.

    Parameters
    ----------
    makers : callables without arguments
        What makes each part, by the name of the need.

    Examples
    --------
    >>> Subject(fit=lambda: FitRecord(1.0, 1.2, None, 100)).fit.cpu_s
    1.0

    """

    def __init__(self, **makers: Callable[[], Any]) -> None:
        self._makers = makers
        self._made: dict[Any, Any] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what `make` gives, made once for all qualities that share the key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _part(self, name: str) -> Any:
        if name not in self._makers:
            msg = f"{NEEDS[name].capitalize()}: not there; the quality's row must need {name!r}."
            raise MeasureError(msg)
        return self.once(name, self._makers[name])

    def only(self, needs: Iterable[str]) -> Subject:
        """Return the same subject with the parts that `needs` names and no others."""
        names = set(needs)
        narrow = Subject(**{name: make for name, make in self._makers.items() if name in names})
        narrow._made = self._made
        return narrow

    @property
    def predictions(self) -> Predictions:
        """Labels and scores."""
        part: Predictions = self._part("predictions")
        return part

    @property
    def artifact(self) -> Artifact:
        """The exported component, with sample rows."""
        part: Artifact = self._part("artifact")
        return part

    @property
    def fit(self) -> FitRecord:
        """What was recorded while fitting."""
        part: FitRecord = self._part("fit")
        return part

    @property
    def network(self) -> Network | None:
        """The component's network; None if it is none."""
        part: Network | None = self._part("network")
        return part

    @property
    def readings(self) -> Mapping[str, Reading]:
        """Readings of other qualities, by registered name."""
        part: Mapping[str, Reading] = self._part("readings")
        return part

    @property
    def refits(self) -> Refit:
        """Trains the component again and returns its predictions of the same rows."""
        part: Refit = self._part("refits")
        return part


class AbstractQuality(abc.ABC):
    """One quality. Settings are complete (defaults resolved)."""

    @abc.abstractmethod
    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return a reading named ``use.name`` in ``use.unit`` with its interval."""

    def requires(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the columns that must be in ``Predictions.columns``."""
        del settings
        return ()

    def reads(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the qualities whose readings must be in ``Subject.readings``."""
        del settings
        return ()

    def foresee(self, network: ForeseenNetwork) -> Reading | None:
        """Return what is certain of a component before training, from its network.

        The interval must hold for certain; the value may be an estimate, or nan. The reading
        bears the registered name. By default nothing is known.
        """
        del network
        return None
