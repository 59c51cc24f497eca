"""The state of a component as a file: JSON and skops in a zip, never a pickle.

The zip holds ``component.json`` (candidate, schema, encoder, task, classes) and the model as
its family's parts: ``model.skops`` for estimators of scikit-learn's kind, ``model.json`` or
``model.txt`` for boosters. Types in the skops part are trusted only if they come from the
libraries named in :data:`TRUSTED`, or if the caller names them.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components._estimators import Fitted
from tradespace.components.component import Component
from tradespace.components.encoding.encoder import Encoder
from tradespace.core.candidates import Candidate
from tradespace.core.errors import DataError, ExportError, InputError
from tradespace.core.studies import Task
from tradespace.data.inputs import InputSchema
from tradespace.files.code_rule import code_hash, find_estimator
from tradespace.runtime.rows import repeated

if TYPE_CHECKING:
    from tradespace.data.inputs import Inputs
    from tradespace.runtime.artifact import Scores

#: Libraries whose types may stand in a state.
TRUSTED = ("sklearn.", "numpy.", "scipy.", "xgboost.", "lightgbm.", "builtins.", "collections.")


def save_component(component: Component) -> bytes:
    """Return the state of a component.

    Raises
    ------
    ExportError
        If the model holds what cannot be saved without a pickle.

    """
    model = component.model
    parts: dict[str, bytes] = {}
    if isinstance(model, Fitted):
        parts["model.skops"] = _dump(model.estimator)
        extra = {key: np.asarray(value).tolist() for key, value in model.extra.items()}
        parts["model.json"] = json.dumps(extra).encode()
    elif isinstance(model, np.ndarray):
        parts["model.json"] = json.dumps({"array": model.tolist()}).encode()
    else:
        msg = f"The family {component.candidate.family!r} keeps no state beside its ONNX graph."
        raise ExportError(msg)
    encoder = component.encoder
    facts = {
        "candidate": component.candidate.to_dict(),
        "schema": component.schema.to_dict(),
        "encoder": None if encoder is None else encoder.to_dict(),
        "task": component.task.value,
        "classes": list(component.classes),
        "n_classes": component.n_classes,
        "seed": component.seed,
        "folder": component.folder,
    }
    parts["component.json"] = json.dumps(facts, default=str).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(parts):
            # A fixed date, so that the same component gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), parts[name])
    return buffer.getvalue()


def load_component(content: bytes, *, trusted: tuple[str, ...] = ()) -> Component:
    """Return the component that `save_component` wrote.

    Parameters
    ----------
    content : bytes
        The zip.
    trusted : tuple of str
        Further types that may be made, by full name.

    Raises
    ------
    DataError
        If it is no such file, or holds types that are not trusted.

    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        facts = json.loads(parts["component.json"])
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        msg = f"The file is not the state of a component: {error}."
        raise DataError(msg, remedy="Export or save the component again.") from error
    extra = json.loads(parts["model.json"])
    model: Any
    if "model.skops" in parts:
        if "location" in extra:
            trusted = (*trusted, *_own_types(extra))
        estimator = _load(parts["model.skops"], trusted)
        model = Fitted(estimator, facts["n_classes"], {k: np.asarray(v) for k, v in extra.items()})
    else:
        model = np.array(extra["array"])
    encoder = facts["encoder"]
    return Component(
        candidate=Candidate.from_dict(facts["candidate"]),
        schema=InputSchema.from_dict(facts["schema"]),
        encoder=None if encoder is None else Encoder.from_dict(encoder),
        model=model,
        task=Task(facts["task"]),
        classes=tuple(facts["classes"]),
        n_classes=facts["n_classes"],
        seed=facts["seed"],
        folder=facts["folder"],
    )


def _own_types(extra: dict[str, Any]) -> tuple[str, ...]:
    """Load the file that an own estimator came from, and trust the types it defines.

    Raises
    ------
    DataError
        If the file has changed since: other code would run than was measured.

    """
    location = extra["location"]
    if extra["code_hash"] and code_hash(location) != extra["code_hash"]:
        msg = f"The code of {location!r} has changed since the component was trained."
        raise DataError(msg, remedy="Train it again.")
    module = sys.modules[find_estimator(location).__module__]
    own = [value for value in vars(module).values() if isinstance(value, type)]
    return tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in own)


def _dump(estimator: Any) -> bytes:
    import skops.io

    try:
        content: bytes = skops.io.dumps(estimator)
    except Exception as error:  # skops raises many kinds for what it cannot write
        msg = f"{type(estimator).__name__} cannot be saved without a pickle: {error}"
        raise ExportError(msg) from error
    return content


def _load(content: bytes, trusted: tuple[str, ...]) -> Any:
    import skops.io

    unknown = skops.io.get_untrusted_types(data=content)
    known = [name for name in unknown if name.startswith(TRUSTED) or name in trusted]
    refused = sorted(set(unknown) - set(known))
    if refused:
        msg = f"The state holds types that are not trusted: {', '.join(refused)}."
        raise DataError(msg, remedy="Name them in trusted=, if you know where the file is from.")
    return skops.io.loads(content, trusted=known)


class PythonArtifact:
    """A component that only its Python library can run."""

    runtime = "python"
    price_per_call_usd = 0.0

    def __init__(self, component: Any, *, size_bytes: int, sample: Inputs | None = None) -> None:
        self._component = component
        self._sample = sample
        self.size_bytes = size_bytes

    @property
    def n_rows(self) -> int:
        """Rows in the sample."""
        return 0 if self._sample is None else len(self._sample)

    def prepare(self, start: int, stop: int) -> Inputs:
        """Return raw rows start..stop of the sample, over and over where it ends."""
        if self._sample is None:
            msg = "The artifact was opened without sample rows; give sample= to open_artifact."
            raise InputError(msg)
        return repeated(self._sample, start, stop)

    def __call__(self, prepared: Inputs) -> Any:
        """Answer prepared rows."""
        return self._component.predict(prepared)

    def predict(self, inputs: Inputs) -> Scores:
        """Return the scores of all rows."""
        scores: Scores = self._component.predict(inputs)
        return scores


def open_state(content: bytes, *, sample: Inputs | None = None) -> PythonArtifact:
    """Return the component of a state at work in Python."""
    return PythonArtifact(load_component(content), size_bytes=len(content), sample=sample)
