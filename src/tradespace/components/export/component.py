"""A trained component as the artifact that would be served, held against the estimator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components.states import save_component
from tradespace.core import registry
from tradespace.core.errors import ExportError
from tradespace.core.studies import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components.component import Component
    from tradespace.data.inputs import Inputs

    Scores = npt.NDArray[np.float64]


#: A row differs when its scores are further apart than this; for regression see `agreement`.
TOLERANCE = 1e-5


#: The largest share of rows that may differ.
MOST_DIFFERING = 1e-4


#: Rows on which an export is compared; more are sampled, seeded.
MOST_COMPARED = 20_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well an artifact agrees with the estimator it was exported from."""

    n_rows: int
    share_differing: float
    largest_difference: float

    @property
    def faithful(self) -> bool:
        """Whether few enough rows differ."""
        return self.share_differing <= MOST_DIFFERING


@dataclass(frozen=True, slots=True)
class Exported:
    """An artifact: its bytes, the suffix of its file, and what belongs to the record."""

    content: bytes
    suffix: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def export_component(component: Component, *, check_on: Inputs | None = None) -> Exported:
    """Return the artifact that would be served.

    An ONNX graph from raw columns to scores where the family has one. One's own estimator
    that has none, or whose graph does not agree, is saved with skops and runs in Python.

    Parameters
    ----------
    component : Component
        Trained.
    check_on : Inputs, optional
        Rows, trained on and not, on which the artifact is held against the estimator.

    Raises
    ------
    ExportError
        If more than 1e-4 of these rows differ by more than 1e-5.

    """
    from tradespace.runtime.artifact import open_artifact

    trained = registry.family(component.candidate.family).trained
    why = ""
    try:
        content, suffix = _artifact(component)
        if suffix == ".onnx" and check_on is not None and trained:
            found = _faithful(component, content, check_on)
            return Exported(content, suffix, _facts(component, "onnxruntime", found, why))
    except ExportError as error:
        if not component.family.served_in_python:
            raise
        why = str(error)
        content, suffix = save_component(component), ".zip"
    runtime = open_artifact(content).runtime
    return Exported(content, suffix, _facts(component, runtime, None, why))


def _artifact(component: Component) -> tuple[bytes, str]:
    family, model = component.family, component.model
    if component.encoder is None:
        content = family.artifact_raw(model, inputs=component.schema, task=component.task)
        if content is None:
            return save_component(component), ".zip"
        return content, ".json" if content[:1] == b"{" else ".onnx"
    return to_onnx(component).SerializeToString(), ".onnx"


def _facts(component: Component, runtime: str, found: Agreement | None, why: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"runtime": runtime, "versions": library_versions(component)}
    if found is not None:
        facts["agreement"] = {
            "rows": found.n_rows,
            "share_differing": found.share_differing,
            "largest_difference": found.largest_difference,
        }
    if why:
        facts["not_exported"] = why
    if component.encoder is not None:
        facts["n_columns"] = component.encoder.width
    return facts


def to_onnx(component: Component) -> Any:
    """Return encoder and model as one ONNX model with what belongs to it in its metadata."""
    from onnx import helper

    from tradespace.components.export.builder import DOUBLE, STRING, GraphBuilder, append_model

    encoder = component.encoder
    if encoder is None:
        msg = f"Raw components of the family {component.candidate.family!r} have no graph."
        raise ExportError(msg)
    graph = GraphBuilder("e")
    matrix = encoder.emit(graph)
    part = component.family.to_onnx(component.model, n_inputs=encoder.width, task=component.task)
    score = append_model(graph, part, inputs={part.graph.input[0].name: matrix})
    inputs: list[tuple[str, int, list[Any]]] = []
    if component.schema.numbers:
        inputs.append(("numbers", DOUBLE, ["N", len(component.schema.numbers)]))
    if component.schema.strings:
        inputs.append(("strings", STRING, ["N", len(component.schema.strings)]))
    kind = part.graph.output[0].type.tensor_type.elem_type
    wide = component.task is Task.MULTICLASS
    shape: list[Any] = ["N", component.n_classes] if wide else ["N"]
    model = graph.model(inputs=inputs, outputs=[(score, "score", kind, shape)])
    helper.set_model_props(model, metadata(component))
    return model


def metadata(component: Component) -> dict[str, str]:
    """Return what an artifact says of itself, as JSON texts."""
    candidate = component.candidate
    facts = {
        "tradespace.version": _version("tradespace"),
        "tradespace.task": component.task.value,
        "tradespace.family": candidate.family,
    }
    plain = {
        "schema": component.schema.to_dict(),
        "classes": list(component.classes),
        "settings": dict(candidate.settings),
        "preprocessing": dict(candidate.preprocessing),
        "seed": component.seed,
        "versions": library_versions(component),
    }
    facts |= {f"tradespace.{key}": json.dumps(value, default=str) for key, value in plain.items()}
    return facts


def agreement(component: Component, artifact: bytes, inputs: Inputs, *, seed: int = 0) -> Agreement:
    """Return how an artifact's scores compare with the component's own.

    A row differs when any of its scores is further apart than 1e-5. For regression the measure
    is the target's: 1e-5 of the larger of the number and the deviation of all the predictions,
    because a sum of float32 terms is no more exact than its largest term. At most 20,000 rows
    are compared, sampled with `seed`.
    """
    from tradespace.runtime.artifact import open_artifact

    if len(inputs) > MOST_COMPARED:
        rows = np.random.default_rng(seed).choice(len(inputs), MOST_COMPARED, replace=False)
        inputs = inputs.take(np.sort(rows))
    if not len(inputs):
        return Agreement(0, 0.0, 0.0)
    wanted = component.predict(inputs)
    got = open_artifact(artifact).predict(inputs)
    if got.shape != wanted.shape:
        return Agreement(len(inputs), 1.0, float("inf"))
    gap = np.abs(got - wanted).reshape(len(inputs), -1)
    gap = np.where(np.isnan(gap), np.inf, gap)
    allowed = np.full_like(gap, TOLERANCE)
    if component.task is Task.REGRESSION:
        allowed[:, 0] *= np.maximum(np.abs(wanted), wanted.std())
    differing = (gap > allowed).any(axis=1)
    return Agreement(len(inputs), float(differing.mean()), float(gap.max()))


def _faithful(component: Component, content: bytes, check_on: Inputs) -> Agreement:
    """Return the agreement, or raise ExportError if too many rows differ."""
    found = agreement(component, content, check_on)
    if not found.faithful:
        msg = (
            f"The ONNX export of {component.candidate.name!r} does not agree with the estimator: "
            f"{found.share_differing:.2%} of {found.n_rows} rows differ by more than "
            f"{TOLERANCE:g} (largest difference {found.largest_difference:g}); "
            f"allowed are {MOST_DIFFERING:.2%}."
        )
        raise ExportError(msg)
    return found


def library_versions(component: Component) -> dict[str, str]:
    """Return the versions of the libraries that made the component."""
    row = registry.family(component.candidate.family)
    names: dict[str, tuple[str, ...]] = {"numpy": ("numpy",), "sklearn": ("scikit-learn",)}
    if row.library:
        names[row.library] = row.distributions or (row.library,)
    versions = {library: [_version(name) for name in found] for library, found in names.items()}
    return {library: next(filter(None, found), "unknown") for library, found in versions.items()}


@cache
def _version(package: str) -> str:
    # Kept: finding a version parses the package's whole description, for every export again.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""
