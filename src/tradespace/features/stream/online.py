"""What a component is given in service: its inputs, in the order of its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tradespace.core.errors import FeatureError
from tradespace.data.inputs import Inputs, InputSchema, StringColumn
from tradespace.features.define.views import RowFeatures
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.moments import held

if TYPE_CHECKING:
    import numpy.typing as npt


class OnlineInputs:
    """Puts together the inputs of a component for requests.

    Each column of the schema comes from a view that an engine serves, from row features of
    the request, or from the request itself, in this order.

    Parameters
    ----------
    schema : InputSchema
        Of the component, with the versions of the features that it was trained on.
    engines : sequence of StreamEngine
    rows : sequence of RowFeatures
        Features of a request's own columns; times are microseconds since 1970 UTC.

    Raises
    ------
    FeatureError
        If a feature is served in another version than the component was trained on, or has no
        source: no view makes it, though the component was trained on a feature.

    Examples
    --------
    >>> from tradespace.data.inputs import InputColumn
    >>> from tradespace.features import EventSource, FeatureView, count
    >>> view = FeatureView("user", EventSource("clicks", time="at", id="id"), "user", [count("1h")])
    >>> engine = StreamEngine([view])
    >>> noon_us = 1_714_564_800_000_000
    >>> engine.push([{"at": noon_us, "id": 1, "user": "a"}])
    >>> schema = InputSchema((InputColumn("age", "number"), InputColumn("user_count_1h", "number")))
    >>> online = OnlineInputs(schema, [engine])
    >>> requests = [{"user": "a", "age": 30}, {"user": "b", "age": 40}]
    >>> online.read(requests, now_us=noon_us + 1).numbers
    array([[30.,  1.],
           [40.,  0.]])

    """

    def __init__(
        self,
        schema: InputSchema,
        engines: Sequence[StreamEngine],
        *,
        rows: Sequence[RowFeatures] = (),
    ) -> None:
        self.schema = schema
        served: dict[str, tuple[str, Any]] = {}
        self._views: list[tuple[StreamEngine, str, str, list[tuple[int, int]]]] = []
        self._own: list[tuple[int, Any, str | None]] = []
        numbers = {column.name: place for place, column in enumerate(schema.numbers)}
        for engine in engines:
            for view in engine.views:
                versions = view.versions
                served.update({name: (versions[name], view) for name in view.names})
                used = [(i, numbers[n]) for i, n in enumerate(view.names) if n in numbers]
                if used:
                    self._views.append((engine, view.name, view.key or view.entity, used))
        for row in rows:
            versions = row.versions
            for expression in row.expressions:
                served[expression.name] = (versions[expression.name], row)
                if expression.name in numbers:
                    place = numbers[expression.name]
                    self._own.append((place, expression, row.source.time_zone))
        for column in schema.columns:
            version = served[column.name][0] if column.name in served else ""
            if column.version and version != column.version:
                found = f"version {version} of it is served" if version else "no view makes it"
                msg = (
                    f"The component wants feature {column.name!r}, version {column.version}; "
                    f"{found}."
                )
                raise FeatureError(
                    msg, remedy="Serve the definition it was trained on, or train it again."
                )
        self._plain = [
            (place, column.name)
            for place, column in enumerate(schema.numbers)
            if column.name not in served
        ]

    def read(
        self,
        requests: Sequence[Mapping[str, Any]],
        *,
        now_us: int,
        mode: Literal["now", "materialized"] = "now",
    ) -> Inputs:
        """Return the inputs of requests, as of now or as they were last stored.

        Parameters
        ----------
        requests : sequence of Mapping
            Entities, and the columns that no view makes.
        now_us : int
            Microseconds since 1970 UTC.
        mode : {"now", "materialized"}
            Whether windows end now, or the last stored vectors are read.

        Raises
        ------
        FeatureError
            If a request lacks an entity or a column, or holds what is no number; with
            "materialized" also if a vector is missing or older than the view allows.

        """
        if mode not in ("now", "materialized"):
            msg = f"A read is 'now' or 'materialized'; got mode {mode!r}."
            raise FeatureError(msg)
        if isinstance(requests, Mapping | str):
            msg = f"Requests came as one {type(requests).__name__}."
            raise FeatureError(msg, remedy="Give a list of mappings, one for each request.")
        matrix = np.full((len(requests), len(self.schema.numbers)), np.nan)
        for engine, view, key, used in self._views:
            entities = [self._given(request, key) for request in requests]
            if mode == "now":
                values = engine.read(view, entities, now_us=now_us)
            else:
                values = engine.read_materialized(view, entities, now_us=now_us)
            for source, target in used:
                matrix[:, target] = values[:, source]
        for place, expression, zone in self._own:
            for number, request in enumerate(requests):
                own = {name: self._given(request, name) for name in expression.columns}
                value = expression.evaluate(held(own, zone), time_zone=zone)
                matrix[number, place] = np.nan if value is None else float(value)
        for place, name in self._plain:
            matrix[:, place] = [self._number(request, name) for request in requests]
        strings = tuple(
            _strings([self._given(request, column.name) for request in requests])
            for column in self.schema.strings
        )
        return Inputs(self.schema, matrix, strings)

    def _given(self, request: Mapping[str, Any], name: str) -> Any:
        if name not in request:
            msg = f"A request lacks {name!r}; it has {sorted(map(str, request))}."
            raise FeatureError(msg, remedy="Give every entity and every column of the component.")
        return request[name]

    def _number(self, request: Mapping[str, Any], name: str) -> float:
        value = self._given(request, name)
        if value is None:
            return float("nan")
        if not isinstance(value, int | float | np.number):
            msg = f"{name!r} of a request is {value!r}, not a number."
            raise FeatureError(msg, remedy="Give the kinds that the component was trained on.")
        return float(value)


def _strings(values: list[Any]) -> StringColumn:
    texts = np.array(["" if value is None else str(value) for value in values], dtype=object)
    levels, codes = np.unique(texts, return_inverse=True)
    empty = levels == ""
    places: npt.NDArray[np.int64] = np.where(empty, -1, np.cumsum(~empty) - 1)
    return StringColumn(places[codes].astype(np.int32), levels[~empty].astype(object))
