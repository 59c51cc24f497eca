"""What every family of components is: the abstract base and the records it exchanges.

A family turns a matrix of encoded inputs into a fitted model, predicts with it and writes it
as an ONNX graph. Fitted preprocessing (raw columns to matrix) is the encoder's work and the
same for all families; :mod:`tradespace.components.component` joins the two.
"""

from __future__ import annotations

import abc
import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from tradespace.components.networks import TrainingRun, n_outputs_of, network_cpu_s
from tradespace.core.errors import SettingError
from tradespace.core.readings import Reading

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

    from tradespace.core.studies import Task
    from tradespace.data.inputs import Inputs, InputSchema
    from tradespace.graph.network import Network

    Matrix = npt.NDArray[np.float32]
    Labels = npt.NDArray[Any]
    Scores = npt.NDArray[np.float64]

#: CPU seconds that every fit takes: starting, exporting, checking the export.
START_S = 0.15

#: Settings of a candidate, by name.
Settings = Mapping[str, Any]

#: What a family's model may be: whatever its library returns. Only the family looks inside.
Model = Any


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a family with these settings before any training.

    Parameters
    ----------
    incremental : bool
        New rows can be added without starting again.
    deterministic : bool
        The seed does not matter, so that one seed is enough.
    interpretable : bool
        A person can read the whole fitted model.
    good_at, bad_at : tuple of str
        What the family is known for, in sentences.

    """

    incremental: bool = False
    deterministic: bool = True
    interpretable: bool = False
    good_at: tuple[str, ...] = ()
    bad_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of the training data before training.

    Parameters
    ----------
    n_rows : int
        Training rows.
    n_inputs : int
        Raw inputs.
    n_classes : int
        Classes; 2 for regression too.
    n_varying : int
        Numbers among the inputs that are certain to vary in the training rows, so that the
        encoder keeps them.
    n_columns : int, optional
        The most columns that the encoder can make; None: not known.
    encoder_bytes : float
        The most bytes that the encoder can take in the artifact.

    """

    n_rows: int
    n_inputs: int
    n_classes: int = 2
    n_varying: int = 0
    n_columns: int | None = None
    encoder_bytes: float = math.inf


def n_scores(task: Task, *, shape: Shape) -> int:
    """Return how many scores a component gives a row: one a class where there are several."""
    return n_outputs_of(task, n_classes=shape.n_classes)


def depth_share(depth: object, n_rows: int) -> float:
    """Return the share of a full tree's levels that a limit on its depth leaves.

    Examples
    --------
    >>> depth_share(5, 1024), depth_share(None, 1024)
    (0.5, 1.0)

    """
    full = math.log2(max(2, n_rows))
    return min(1.0, depth / full) if isinstance(depth, int) else 1.0


class AbstractFamily(abc.ABC):
    """One family of components.

    A family holds no state: `settings` are complete (defaults resolved) and come in with every
    call. Matrices are float32 of shape (n_samples, n_inputs) without nan; labels are int64
    class codes 0..n_classes-1 (binary: 1 is the positive class) or float64 targets. Scores are
    float64: the probability of the positive class, shape (n_samples,); class probabilities,
    shape (n_samples, n_classes); or the predicted number, shape (n_samples,).
    """

    name: ClassVar[str]
    #: What is known of the family before any training.
    known: ClassVar[Facts] = Facts()
    #: Whether rows come in raw, never through the encoder (a finished file, a service).
    raw_only: ClassVar[bool] = False
    #: Whether a component that cannot be exported faithfully may be served by its own library.
    served_in_python: ClassVar[bool] = False
    #: Modules that fitting and predicting import, which takes longer than many fits.
    libraries: ClassVar[tuple[str, ...]] = ()
    #: CPU seconds for one value (a row of one input) in one pass over the data, measured on one
    #: core of a 2-core cloud machine: expect the right order of magnitude, not more.
    value_s: ClassVar[float] = 0.0

    def load(self, settings: Settings) -> None:
        """Import what a fit needs, before its clock starts; located settings."""
        del settings
        for name in self.libraries:
            importlib.import_module(name)

    def facts(self, settings: Settings) -> Facts:
        """Return what is known before any training; by default `known`, whatever the settings."""
        del settings
        return self.known

    def predict_readings(
        self, settings: Settings, *, task: Task, shape: Shape
    ) -> tuple[Reading, ...]:
        """Return predicted readings (bounds on model_size, ...) known before any training.

        A candidate whose predicted interval certainly misses a constraint is never fitted, so
        a bound must be certain, not likely. By default nothing is predicted.
        """
        del settings, task, shape
        return ()

    def network(
        self, settings: Settings, *, n_inputs: int, n_outputs: int, task: Task
    ) -> Network | None:
        """Return the network that these settings train, for one row; None: it is no network.

        From it follow, before any training, parameters, multiply-accumulates, memory and
        bounds on time. It must only grow with `n_inputs`.

        Parameters
        ----------
        settings : Mapping
            Complete.
        n_inputs : int
            Columns that the encoder makes.
        n_outputs : int
            Scores of a row: 1, or one a class where there are several.
        task : Task
            What is predicted.

        """
        del settings, n_inputs, n_outputs, task
        return None

    def training_run(self, settings: Settings, *, n_rows: int) -> TrainingRun | None:
        """Return how the network is trained; None: it is not, or not by gradient steps."""
        del settings, n_rows
        return None

    def passes(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return how often a fit goes over the data, as its algorithm says; by default once."""
        del settings, shape, task
        return 1.0

    def fit_cpu_s(self, settings: Settings, *, shape: Shape, task: Task) -> float:
        """Return about how many CPU seconds a fit takes, its export and checks included.

        Examples
        --------
        >>> from tradespace.components._forest import RandomForest
        >>> from tradespace.core.studies import Task
        >>> shape, settings = Shape(67_240, 15), {"n_estimators": 100, "max_depth": None}
        >>> 1 < RandomForest().fit_cpu_s(settings, shape=shape, task=Task.BINARY) < 100
        True

        """
        values = max(2, shape.n_rows) * max(1, shape.n_inputs)
        if self.value_s:
            return START_S + values * self.value_s * self.passes(settings, shape=shape, task=task)
        run = self.training_run(settings, n_rows=max(2, shape.n_rows))
        n_outputs = n_scores(task, shape=shape)
        network = run and self.network(
            settings, n_inputs=max(1, shape.n_inputs), n_outputs=n_outputs, task=task
        )
        return START_S + (network_cpu_s(network, run) if network and run else 0.0)

    @abc.abstractmethod
    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Model:
        """Return a fitted model; uses one thread and leaves X and y as they are."""

    @abc.abstractmethod
    def predict(self, model: Model, X: Matrix, *, task: Task) -> Scores:
        """Return scores of the fitted model, computed by its own library."""

    @abc.abstractmethod
    def to_onnx(self, model: Model, *, n_inputs: int, task: Task) -> onnx.ModelProto:
        """Return a graph from input "X" (float32, [N, n_inputs]) to output "score".

        "score" is float32 or float64 of shape [N] (binary, regression) or [N, n_classes].

        Raises
        ------
        ExportError
            If the model cannot be written as a graph.

        """

    def locate(self, settings: Settings, *, folder: str) -> Mapping[str, Any]:
        """Return the settings with paths that are relative to the study's folder resolved."""
        del folder
        return settings

    def fit_raw(
        self,
        inputs: Inputs,
        y: Labels,
        *,
        task: Task,
        n_classes: int,
        settings: Settings,
        seed: int,
    ) -> Model:
        """Return a model of raw columns, for candidates with ``preprocessing: none``.

        Raises
        ------
        SettingError
            If the family needs encoded inputs.

        """
        del inputs, y, task, n_classes, settings, seed
        msg = f"The family {self.name!r} needs encoded inputs; got preprocessing: none."
        raise SettingError(msg, remedy="Leave out preprocessing, or use the family sklearn.")

    def predict_raw(self, model: Model, inputs: Inputs, *, task: Task) -> Scores:
        """Return scores of raw rows, for a model of `fit_raw`."""
        raise NotImplementedError

    def artifact_raw(self, model: Model, *, inputs: InputSchema, task: Task) -> bytes | None:
        """Return the finished artifact of a model of `fit_raw`; None: only Python runs it."""
        del model, inputs, task
        return None

    def content(self, settings: Settings) -> str:
        """Return the hash of what a fit reads beside the data (a file); located settings."""
        del settings
        return ""

    def sharing_key(self, settings: Settings) -> tuple[Any, ...] | None:
        """Return what two candidates must agree in for one fit to serve both, or None.

        The candidate of largest `size_of` in a group is fitted; the others are derived from
        it. Only for families where that is exact: the first trees of a forest.
        """
        del settings
        return None

    def size_of(self, settings: Settings) -> int:
        """Return the order of candidates that share a fit: trees, rounds, neighbors."""
        del settings
        return 0

    def derive(self, model: Model, settings: Settings) -> Model:
        """Return the model of smaller settings out of a bigger one, exactly."""
        del settings
        return model

    def update(self, model: Model, X: Matrix, y: npt.NDArray[Any], *, task: Task) -> Model:
        """Return the model after more rows, where `facts` says incremental."""
        del model, X, y, task
        msg = f"The family {self.name!r} cannot be updated; train it again."
        raise NotImplementedError(msg)

    def describe(self, model: Model, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the fitted model as text for people (a printed tree), or an empty string."""
        del model, input_names, task
        return ""

    def picture(self, model: Model, *, input_names: tuple[str, ...], task: Task) -> str:
        """Return the fitted model as SVG, or an empty string."""
        del model, input_names, task
        return ""


class AbstractRawFamily(AbstractFamily):
    """A family that takes raw columns, never encoded ones: a finished file, a service.

    An implementation gives `known`, `fit_raw`, `predict_raw` and `artifact_raw`.
    """

    raw_only: ClassVar[bool] = True

    @abc.abstractmethod
    def fit_raw(
        self,
        inputs: Inputs,
        y: Labels,
        *,
        task: Task,
        n_classes: int,
        settings: Settings,
        seed: int,
    ) -> Model:
        """Return a model of raw columns; what is finished is only matched with them."""

    @abc.abstractmethod
    def predict_raw(self, model: Model, inputs: Inputs, *, task: Task) -> Scores:
        """Return scores of raw rows."""

    @abc.abstractmethod
    def artifact_raw(self, model: Model, *, inputs: InputSchema, task: Task) -> bytes:
        """Return the finished artifact."""

    def fit(self, X: Matrix, y: npt.NDArray[Any], **options: Any) -> Model:
        """Raise TypeError: the family takes raw columns."""
        del X, y, options
        self._refuse("fit")

    def predict(self, model: Model, X: Matrix, *, task: Task) -> Scores:
        """Raise TypeError: the family takes raw columns."""
        del model, X, task
        self._refuse("predict")

    def to_onnx(self, model: Model, *, n_inputs: int, task: Task) -> onnx.ModelProto:
        """Raise TypeError: the artifact is finished."""
        del model, n_inputs, task
        self._refuse("artifact")

    def _refuse(self, what: str) -> NoReturn:
        msg = f"The family {self.name!r} takes raw columns; call {what}_raw."
        raise TypeError(msg)
