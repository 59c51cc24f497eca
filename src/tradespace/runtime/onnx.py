"""Components as ONNX files, run by ONNX Runtime on one thread; no other library is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import DataError, InputError
from tradespace.core.studies import Task
from tradespace.data.inputs import InputSchema
from tradespace.runtime.rows import packed, repeated

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.data.inputs import Inputs

    Scores = npt.NDArray[np.float64]

#: Rows that go through the runtime at a time when many are predicted.
CHUNK_ROWS = 8_192


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
        from tradespace.runtime.schemas import check_schema

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
        from tradespace.runtime.feeds import feed_columns

        return feed_columns(inputs, self._feeds)
