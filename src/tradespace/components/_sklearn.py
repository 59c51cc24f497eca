"""One's own estimator: whatever a function returns that fits and predicts as scikit-learn's do."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from tradespace.components._base import Facts
from tradespace.components._estimators import CHUNK_ROWS, AbstractEstimatorFamily, Fitted, scores
from tradespace.core.errors import ExportError, SettingError, TrialError
from tradespace.core.studies import Task
from tradespace.files.code_rule import code_hash, find_estimator, located

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components._base import Labels, Matrix, Scores, Settings
    from tradespace.data.inputs import Inputs

#: Operator sets that the converter writes.
_TARGET = {"": 21, "ai.onnx.ml": 3}


@final
class OwnEstimator(AbstractEstimatorFamily):
    """One's own estimator or pipeline, trained and measured like the others.

    With ``preprocessing: none`` it gets a polars data frame of the raw columns (numbers and
    booleans as float64 with nan, dates and strings with null where missing) and runs in
    Python; otherwise it gets the encoded matrix and is exported by skl2onnx where that agrees.
    """

    name: ClassVar[str] = "sklearn"
    served_in_python: ClassVar[bool] = True

    def load(self, settings: Settings) -> None:
        """Import the person's code and what it imports; a fault in it is told by the fit."""
        with contextlib.suppress(SettingError):
            find_estimator(settings["estimator"])

    known: ClassVar[Facts] = Facts(deterministic=False)

    def locate(self, settings: Settings, *, folder: str) -> Mapping[str, Any]:
        """Return the settings with the path of the file resolved."""
        return {**settings, "estimator": located(str(settings["estimator"]), folder)}

    def content(self, settings: Settings) -> str:
        """Return the hash of the person's file: edited code is another component."""
        return code_hash(str(settings["estimator"]))

    def fit(
        self, X: Matrix, y: Labels, *, task: Task, n_classes: int, settings: Settings, seed: int
    ) -> Fitted:
        """Return the fitted estimator; `random_state` is set wherever it is None."""
        return _fitted(X, y, task=task, n_classes=n_classes, settings=settings, seed=seed)

    def fit_raw(
        self,
        inputs: Inputs,
        y: Labels,
        *,
        task: Task,
        n_classes: int,
        settings: Settings,
        seed: int,
    ) -> Fitted:
        """Return the estimator fitted on a data frame of raw columns."""
        table = raw_frame(inputs)
        return _fitted(table, y, task=task, n_classes=n_classes, settings=settings, seed=seed)

    def predict_raw(self, model: Fitted, inputs: Inputs, *, task: Task) -> Scores:
        """Return scores by the estimator, of raw rows."""
        parts = [
            scores(model, raw_frame(inputs.take(slice(start, start + CHUNK_ROWS))), task=task)
            for start in range(0, max(1, len(inputs)), CHUNK_ROWS)
        ]
        return np.concatenate(parts)

    def to_onnx(self, model: Fitted, *, n_inputs: int, task: Task) -> Any:
        """Return the graph that skl2onnx writes, cut down to the score."""
        import onnx
        from onnx import helper
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType

        estimator = model.estimator
        options = {} if task is Task.REGRESSION else {id(estimator): {"zipmap": False}}
        if task is not Task.REGRESSION and len(estimator.classes_) != model.n_classes:
            msg = "The training rows lack a class, so the exported scores would lack a column."
            raise ExportError(msg)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                converted = to_onnx(
                    estimator,
                    initial_types=[("X", FloatTensorType([None, n_inputs]))],
                    options=options,
                    target_opset=_TARGET,
                )
        except Exception as error:  # converters raise many kinds of errors
            msg = f"skl2onnx cannot convert {type(estimator).__name__}: {error}"
            raise ExportError(msg) from error
        output = converted.graph.output[0 if task is Task.REGRESSION else 1]
        kind = output.type.tensor_type.elem_type
        if task is Task.MULTICLASS:
            last = helper.make_node("Identity", [output.name], ["score"])
            shape: list[Any] = ["N", model.n_classes]
        elif task is Task.BINARY:
            one = onnx.numpy_helper.from_array(np.array(1), "score_column")
            converted.graph.initializer.append(one)
            last = helper.make_node("Gather", [output.name, "score_column"], ["score"], axis=1)
            shape = ["N"]
        else:
            flat = onnx.numpy_helper.from_array(np.array([-1]), "score_shape")
            converted.graph.initializer.append(flat)
            last = helper.make_node("Reshape", [output.name, "score_shape"], ["score"])
            shape = ["N"]
        converted.graph.node.append(last)
        del converted.graph.output[:]
        converted.graph.output.append(helper.make_tensor_value_info("score", kind, shape))
        return converted


def raw_frame(inputs: Inputs) -> Any:
    """Return raw rows as a polars data frame."""
    import polars as pl

    from tradespace.runtime.rows import strings_of

    columns: dict[str, Any] = {}
    numbers = strings = 0
    for column in inputs.schema.columns:
        if column.kind == "date":
            seconds = pl.Series(inputs.numbers[:, numbers]).fill_nan(None)
            columns[column.name] = (seconds * 1e6).cast(pl.Int64).cast(pl.Datetime("us"))
        elif column.numeric:
            columns[column.name] = inputs.numbers[:, numbers]
        else:
            values = strings_of(inputs, strings)
            values[values == ""] = None
            columns[column.name] = pl.Series(values.tolist(), dtype=pl.String)
        numbers += column.numeric
        strings += not column.numeric
    return pl.DataFrame(columns)


def _fitted(
    X: Any,
    y: npt.NDArray[Any],
    *,
    task: Task,
    n_classes: int,
    settings: Settings,
    seed: int,
) -> Fitted:
    location = settings["estimator"]
    make = find_estimator(location)
    try:
        estimator = make(**settings["arguments"])
    except TypeError as error:
        msg = f"{location!r} cannot be called with the given arguments: {error}."
        raise SettingError(msg) from error
    wanted = ("fit", "predict") if task is Task.REGRESSION else ("fit", "predict_proba")
    lacking = [name for name in wanted if not hasattr(estimator, name)]
    if lacking:
        msg = (
            f"{location!r} returned a {type(estimator).__name__}, which has no "
            f"{' and no '.join(lacking)}; wanted an estimator of scikit-learn's kind."
        )
        raise SettingError(msg, remedy="For classes it must give probabilities.")
    if hasattr(estimator, "get_params"):
        given = estimator.get_params(deep=True)
        seeds = {k: seed for k, v in given.items() if k.endswith("random_state") and v is None}
        estimator.set_params(**seeds)
    try:
        fitted = estimator.fit(X, y)
    except Exception as error:
        msg = f"Fitting {location!r} failed: {type(error).__name__}: {error}"
        raise TrialError(msg) from error
    extra = {"location": location, "code_hash": code_hash(location)}
    return Fitted(fitted if fitted is not None else estimator, n_classes, extra)
