"""A component: fitted preprocessing and a fitted model, trained, used and exported as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tradespace.components.encoding.encoder import Encoder, fit_encoder
from tradespace.components.networks import n_outputs_of
from tradespace.core import registry
from tradespace.core.studies import Task
from tradespace.runtime.schemas import check_schema

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import AbstractFamily
    from tradespace.core.candidates import Candidate
    from tradespace.data.inputs import Inputs, InputSchema
    from tradespace.graph.network import Network

    Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A trained component; made by :func:`train_component`.

    `encoder` is None where the model takes raw columns.
    """

    candidate: Candidate
    schema: InputSchema
    encoder: Encoder | None
    model: Any
    task: Task
    classes: tuple[str, ...]
    n_classes: int
    seed: int = 0
    folder: str = "."

    @property
    def family(self) -> AbstractFamily:
        """Its family."""
        return family_named(self.candidate.family)

    @property
    def network(self) -> Network | None:
        """The network that was trained or brought, for one row; None if it is none."""
        return network_of(
            self.candidate,
            n_columns=self.encoder.width if self.encoder else len(self.schema.columns),
            task=self.task,
            n_classes=self.n_classes,
            folder=self.folder,
        )

    def predict(self, inputs: Inputs) -> Scores:
        """Return scores by the family's own library.

        Probability of the positive class, shape (n_rows,); class probabilities, shape
        (n_rows, n_classes); or predicted numbers, shape (n_rows,).
        """
        if self.encoder is None:
            check_schema(self.schema, inputs.schema)
            return self.family.predict_raw(self.model, inputs, task=self.task)
        return self.family.predict(self.model, self.encoder.transform(inputs), task=self.task)

    def derive(self, candidate: Candidate) -> Component:
        """Return the component of a smaller candidate that shares this fit, exactly."""
        from dataclasses import replace

        model = self.family.derive(self.model, candidate.settings)
        return replace(self, candidate=candidate, model=model)

    def update(self, inputs: Inputs, y: npt.NDArray[Any]) -> Component:
        """Return the component after more rows; its preprocessing stays as it is."""
        from dataclasses import replace

        if self.encoder is None:
            msg = f"A component of the family {self.candidate.family!r} cannot be updated."
            raise NotImplementedError(msg)
        X = self.encoder.transform(inputs)
        return replace(self, model=self.family.update(self.model, X, y, task=self.task))

    def describe(self) -> str:
        """Return the fitted model as text for people, or an empty string."""
        names = self.encoder.names if self.encoder is not None else ()
        return self.family.describe(self.model, input_names=names, task=self.task)

    def picture(self) -> str:
        """Return the fitted model as SVG, or an empty string."""
        names = self.encoder.names if self.encoder is not None else ()
        return self.family.picture(self.model, input_names=names, task=self.task)


def train_component(
    candidate: Candidate,
    inputs: Inputs,
    y: npt.NDArray[Any],
    *,
    task: Task,
    n_classes: int,
    classes: tuple[str, ...],
    seed: int,
    folder: str = ".",
) -> Component:
    """Fit preprocessing and model on the given rows, on one thread.

    Parameters
    ----------
    candidate : Candidate
        Settings and preprocessing are complete (defaults resolved).
    inputs : Inputs
        Training rows.
    y : ndarray of shape (n_rows,)
        Class codes (int64) or targets (float64).
    task : Task
        What is predicted.
    n_classes : int
        Classes of the study; ignored for regression.
    classes : tuple of str
        The label of each code; empty for regression.
    seed : int
        Of the fit.
    folder : str
        Where relative paths of the settings start.

    """
    family = family_named(candidate.family)
    settings = family.locate(candidate.settings, folder=folder)
    raw = family.raw_only or bool(candidate.preprocessing.get("raw"))
    options: dict[str, Any] = {
        "task": task,
        "n_classes": 2 if task is Task.BINARY else n_classes,
        "settings": settings,
        "seed": seed,
    }
    encoder = None if raw else fit_encoder(inputs, candidate.preprocessing)
    if encoder is None:
        model = family.fit_raw(inputs, y, **options)
    else:
        model = family.fit(encoder.transform(inputs), y, **options)
    return Component(
        candidate=candidate,
        schema=inputs.schema,
        encoder=encoder,
        model=model,
        task=task,
        classes=tuple(classes),
        n_classes=options["n_classes"],
        seed=seed,
        folder=folder,
    )


def network_of(
    candidate: Candidate, *, n_columns: int, task: Task, n_classes: int, folder: str = "."
) -> Network | None:
    """Return the network of a component for one row; None if it is none.

    `n_columns` is how many the encoder makes, or how many raw columns there are without one.
    """
    family = family_named(candidate.family)
    return family.network(
        family.locate(candidate.settings, folder=folder),
        n_inputs=n_columns,
        n_outputs=n_outputs_of(task, n_classes=n_classes),
        task=task,
    )


def family_named(name: str) -> AbstractFamily:
    """Return the registered family of that name."""
    kind = cast("type[AbstractFamily]", registry.load(registry.family(name)))
    return kind()
