"""Artifacts at work: open one and answer rows, on one thread.

An ONNX artifact needs numpy and ONNX Runtime and nothing else; scikit-learn is imported only
for an artifact that says ``runtime: python``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tradespace.core.errors import DataError, InputError
from tradespace.core.studies import Task
from tradespace.data.inputs import InputSchema

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.data.inputs import Inputs

    Scores = npt.NDArray[np.float64]

#: Rows that go through the runtime at a time when many are predicted.
CHUNK_ROWS = 8_192
_ZIP = b"PK"


class Artifact(Protocol):
    """An opened artifact: what operational qualities see, and `predict` for many rows."""

    @property
    def size_bytes(self) -> int:
        """Size of the artifact, preprocessing included."""

    @property
    def runtime(self) -> str:
        """What serves it: "onnxruntime 1.x", "python", "http"."""

    @property
    def price_per_call_usd(self) -> float:
        """Price of a call to somebody else's service; 0 for one's own artifact."""

    @property
    def n_rows(self) -> int:
        """Rows in the sample."""

    def prepare(self, start: int, stop: int) -> Any:
        """Return raw rows start..stop of the sample, as the runtime takes them."""

    def __call__(self, prepared: Any) -> Any:
        """Answer prepared rows: what is timed."""

    def predict(self, inputs: Inputs) -> Scores:
        """Return the scores of all rows."""


def open_artifact(artifact: bytes | str | Path, *, sample: Inputs | None = None) -> Artifact:
    """Return an artifact ready to answer rows.

    Parameters
    ----------
    artifact : bytes, str or Path
        Content or path of what :meth:`Component.export` wrote.
    sample : Inputs, optional
        Raw rows on which it will be timed.

    Raises
    ------
    DataError
        If it is no artifact of a component.

    """
    content = Path(artifact).read_bytes() if isinstance(artifact, str | Path) else artifact
    if content[:2] == _ZIP:
        from tradespace.components.states import load_component

        component = load_component(content)
        return PythonArtifact(component, size_bytes=len(content), sample=sample)
    if content[:1] == b"{":
        from tradespace.components._http import open_service

        return open_service(content, sample=sample)
    return OnnxArtifact(content, sample=sample)


def open_session(content: bytes) -> Any:
    """Return an ONNX Runtime session on one thread.

    Raises
    ------
    DataError
        If the runtime cannot load the model.

    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors have no common base but Exception
        msg = f"ONNX Runtime {onnxruntime.__version__} cannot load the model: {error}"
        raise DataError(msg, remedy="Export the model again, for this version.") from error


def repeated(sample: Inputs, start: int, stop: int) -> Inputs:
    """Return rows start..stop of a sample that begins again wherever it ends.

    Examples
    --------
    >>> from tradespace.data.inputs import InputColumn, Inputs
    >>> schema = InputSchema((InputColumn("age", "number"),))
    >>> repeated(Inputs(schema, np.array([[20.0], [30.0]]), ()), 1, 4).numbers.ravel()
    array([30., 20., 30.])

    """
    if stop <= len(sample):
        return sample.take(slice(start, stop))
    return sample.take(np.arange(start, stop) % len(sample))


def packed(inputs: Inputs) -> dict[str, npt.NDArray[Any]]:
    """Return rows as our artifacts take them: "numbers" and "strings".

    Examples
    --------
    >>> from tradespace.data.inputs import InputColumn, Inputs
    >>> schema = InputSchema((InputColumn("age", "number"),))
    >>> packed(Inputs(schema, np.array([[20.0]]), ()))
    {'numbers': array([[20.]])}

    """
    feeds: dict[str, npt.NDArray[Any]] = {}
    if inputs.schema.numbers:
        feeds["numbers"] = np.ascontiguousarray(inputs.numbers)
    if inputs.strings:
        strings = np.empty((len(inputs), len(inputs.strings)), dtype=object)
        for index in range(len(inputs.strings)):
            strings[:, index] = strings_of(inputs, index)
        feeds["strings"] = strings
    return feeds


def strings_of(inputs: Inputs, index: int) -> npt.NDArray[np.object_]:
    """Return one column of strings, "" for missing, without touching unused levels."""
    column = inputs.strings[index]
    if not len(column.levels):
        return np.full(len(inputs), "", dtype=object)
    values = column.levels[np.maximum(column.codes, 0)].astype(object)
    values[column.codes < 0] = ""
    return values


class OnnxArtifact:
    """A component as an ONNX file, run by ONNX Runtime on one thread."""

    price_per_call_usd = 0.0

    def __init__(self, content: bytes, *, sample: Inputs | None = None) -> None:
        import onnxruntime

        self._session = open_session(content)
        self._sample = sample
        self.size_bytes = len(content)
        self.runtime = f"onnxruntime {onnxruntime.__version__}"
        meta: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        if "tradespace.schema" not in meta:
            msg = "The ONNX file is not an artifact of tradespace: it names no input columns."
            raise DataError(msg, remedy="Measure it as a candidate: onnx: {path: ...}.")
        self.meta = dict(meta)
        self.schema = InputSchema.from_dict(json.loads(meta["tradespace.schema"]))
        self.task = Task(meta["tradespace.task"])
        self._feeds: dict[str, Any] = json.loads(meta.get("tradespace.feeds", "{}"))
        self._output = meta.get("tradespace.output", "score")
        self._run = self._session.run
        self._names = [self._output]

    @property
    def n_rows(self) -> int:
        """Rows in the sample."""
        return 0 if self._sample is None else len(self._sample)

    def prepare(self, start: int, stop: int) -> dict[str, npt.NDArray[Any]]:
        """Return raw rows start..stop of the sample as feeds, over and over where it ends."""
        if self._sample is None:
            msg = "The artifact was opened without sample rows; give sample= to open_artifact."
            raise InputError(msg)
        return self._feed(repeated(self._sample, start, stop))

    def __call__(self, prepared: Mapping[str, npt.NDArray[Any]]) -> Any:
        """Answer prepared rows."""
        return self._run(self._names, prepared)[0]

    def predict(self, inputs: Inputs) -> Scores:
        """Return the scores of all rows, some thousand at a time.

        Raises
        ------
        DataError
            If the columns are not those of the component.

        """
        from tradespace.components.schemas import check_schema

        check_schema(self.schema, inputs.schema)
        parts = [
            self._scores(self(self._feed(inputs.take(slice(start, start + CHUNK_ROWS)))))
            for start in range(0, len(inputs), CHUNK_ROWS)
        ]
        if not parts:
            n_classes = len(json.loads(self.meta["tradespace.classes"]))
            return np.empty((0, n_classes) if self.task is Task.MULTICLASS else (0,))
        return np.concatenate(parts)

    def _scores(self, answer: Any) -> Scores:
        found = np.asarray(answer, dtype=np.float64)
        if self.task is Task.MULTICLASS:
            return found
        return found[:, -1] if found.ndim == 2 else found

    def _feed(self, inputs: Inputs) -> dict[str, npt.NDArray[Any]]:
        if not self._feeds:
            return packed(inputs)
        from tradespace.components.feeds import feed_columns

        return feed_columns(inputs, self._feeds)


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
