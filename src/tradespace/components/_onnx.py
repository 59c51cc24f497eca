"""Somebody's ONNX file: the incumbent, measured like the others and not trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import AbstractRawFamily, Facts
from tradespace.core.errors import DataError, SettingError
from tradespace.core.studies import Task
from tradespace.runtime.feeds import find_output, plan_feeds
from tradespace.runtime.onnx import OnnxArtifact, open_session

if TYPE_CHECKING:
    from tradespace.components._base import Labels, Scores, Settings
    from tradespace.data.inputs import Inputs, InputSchema
    from tradespace.graph.network import Network


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """An ONNX file with what it takes and gives written into its metadata."""

    content: bytes
    n_classes: int


@final
class OnnxFile(AbstractRawFamily):
    """A finished component, measured like the others, not trained.

    Its inputs are found by name: "numbers" and "strings", the names of columns, or one float
    input as wide as there are numbers. Its scores are the output "score", "probabilities" or
    the only float output; of two columns the second is the positive class.
    """

    name: ClassVar[str] = "onnx"
    known: ClassVar[Facts] = Facts(
        good_at=("Already there.",), bad_at=("Cannot be trained again here.",)
    )

    def locate(self, settings: Settings, *, folder: str) -> Mapping[str, Any]:
        """Return the settings with the path of the file resolved."""
        return {**settings, "path": str((Path(folder) / settings["path"]).resolve())}

    def content(self, settings: Settings) -> str:
        """Return the hash of the file; empty if there is none, which the fit will say."""
        try:
            return hashlib.sha256(Path(settings["path"]).read_bytes()).hexdigest()
        except OSError:
            return ""

    def network(
        self, settings: Settings, *, n_inputs: int, n_outputs: int, task: Task
    ) -> Network | None:
        """Return the network of the file, for one row; None if it cannot be read as one."""
        from tradespace.components.networks import network_of_file

        del n_inputs, n_outputs, task
        return network_of_file(Path(settings["path"]))

    def fit_raw(
        self,
        inputs: Inputs,
        y: Labels,
        *,
        task: Task,
        n_classes: int,
        settings: Settings,
        seed: int,
    ) -> ForeignFile:
        """Return the file, its inputs matched with the columns; nothing is trained.

        Raises
        ------
        SettingError
            If there is no such file.
        DataError
            If it is no ONNX model, or its inputs or scores do not fit.

        """
        import onnx
        from onnx import helper

        del y, seed
        path = Path(settings["path"])
        if not path.is_file():
            msg = f"There is no ONNX file {str(path)!r}."
            raise SettingError(msg, remedy="Paths are relative to the study file.")
        content = path.read_bytes()
        session = open_session(content)
        props = {
            "tradespace.schema": json.dumps(inputs.schema.to_dict()),
            "tradespace.task": task.value,
            "tradespace.classes": json.dumps([str(i) for i in range(n_classes)]),
            "tradespace.feeds": json.dumps(plan_feeds(session, inputs.schema)),
            "tradespace.output": find_output(session, n_classes=n_classes),
        }
        model = onnx.load_from_string(content)
        kept = {prop.key: prop.value for prop in model.metadata_props}
        helper.set_model_props(model, kept | props)
        file = ForeignFile(model.SerializeToString(), n_classes)
        _check_scores(file, inputs, task)
        return file

    def predict_raw(self, model: ForeignFile, inputs: Inputs, *, task: Task) -> Scores:
        """Return the file's scores."""
        del task
        return OnnxArtifact(model.content).predict(inputs)

    def artifact_raw(self, model: ForeignFile, *, inputs: InputSchema, task: Task) -> bytes:
        """Return the file with what it takes and gives in its metadata."""
        del inputs, task
        return model.content


def _check_scores(file: ForeignFile, inputs: Inputs, task: Task) -> None:
    """Raise DataError unless a few rows give scores of the task's shape."""
    few = inputs.take(slice(0, 8))
    found = OnnxArtifact(file.content).predict(few)
    wanted = (len(few), file.n_classes) if task is Task.MULTICLASS else (len(few),)
    if found.shape != wanted:
        msg = f"The ONNX file gives scores of shape {found.shape}; wanted {wanted}."
        raise DataError(msg, remedy="Give one score a row, or one a class.")
    if task is not Task.REGRESSION and not ((found >= -1e-6) & (found <= 1 + 1e-6)).all():
        low, high = float(np.nanmin(found)), float(np.nanmax(found))
        msg = f"The ONNX file gives scores from {low:g} to {high:g}; wanted probabilities."
        raise DataError(msg, remedy="Add the logistic function or softmax to it.")
