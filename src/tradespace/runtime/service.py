"""Somebody's service behind a URL, as an artifact at work."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import DataError, InputError, TrialError, UnreachableError
from tradespace.core.studies import Task
from tradespace.data.inputs import InputSchema

if TYPE_CHECKING:
    from tradespace.data.inputs import Inputs
    from tradespace.runtime.artifact import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where the service is and what a call costs."""

    url: str
    price_per_call_usd: float
    timeout_s: float
    rows_per_call: int
    n_classes: int


class ServiceArtifact:
    """A service at work."""

    runtime = "http"

    def __init__(
        self,
        service: Service,
        schema: InputSchema,
        task: Task,
        *,
        size_bytes: int,
        sample: Inputs | None = None,
    ) -> None:
        self._service, self._task, self._sample = service, task, sample
        self.schema = schema
        self.size_bytes = size_bytes
        self.price_per_call_usd = service.price_per_call_usd

    @property
    def n_rows(self) -> int:
        """Rows in the sample."""
        return 0 if self._sample is None else len(self._sample)

    def prepare(self, start: int, stop: int) -> bytes:
        """Return raw rows start..stop of the sample, over and over, as the body of a request."""
        from tradespace.runtime.rows import repeated

        if self._sample is None:
            msg = "The service was opened without sample rows; give sample= to open_artifact."
            raise InputError(msg)
        return request_body(repeated(self._sample, start, stop))

    def __call__(self, prepared: bytes) -> Any:
        """Answer prepared rows with one call."""
        return _call(self._service, prepared)

    def predict(self, inputs: Inputs) -> Scores:
        """Return the scores of all rows, in calls of `rows_per_call`."""
        from tradespace.runtime.schemas import check_schema

        check_schema(self.schema, inputs.schema)
        step = self._service.rows_per_call
        wide = self._task is Task.MULTICLASS
        parts = [np.empty((0, self._service.n_classes) if wide else (0,))]
        for start in range(0, len(inputs), step):
            rows = inputs.take(slice(start, start + step))
            found = np.asarray(_call(self._service, request_body(rows)), dtype=np.float64)
            wanted = (len(rows), self._service.n_classes) if wide else (len(rows),)
            if found.shape != wanted or not np.isfinite(found).all():
                msg = (
                    f"{self._service.url} answered {len(rows)} rows with scores of shape "
                    f"{found.shape}; wanted numbers of shape {wanted}."
                )
                raise TrialError(msg)
            parts.append(found)
        return np.concatenate(parts)


def request_body(inputs: Inputs) -> bytes:
    """Return rows as the JSON body of a request."""
    from tradespace.runtime.rows import strings_of

    columns: dict[str, list[Any]] = {}
    for index, column in enumerate(inputs.schema.numbers):
        values = inputs.numbers[:, index]
        columns[column.name] = [float(v) if np.isfinite(v) else None for v in values]
    for index, column in enumerate(inputs.schema.strings):
        columns[column.name] = [str(v) or None for v in strings_of(inputs, index)]
    names = list(columns)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return json.dumps({"rows": rows}).encode()


def open_service(content: bytes, *, sample: Inputs | None = None) -> ServiceArtifact:
    """Return the service that an artifact describes.

    Raises
    ------
    DataError
        If the artifact does not describe a service.

    """
    try:
        facts = json.loads(content)
        schema, task = InputSchema.from_dict(facts.pop("schema")), Task(facts.pop("task"))
        facts.pop("tradespace")
        service = Service(**facts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"The file does not describe an HTTP service: {error}."
        raise DataError(msg) from error
    return ServiceArtifact(service, schema, task, size_bytes=len(content), sample=sample)


def _call(service: Service, body: bytes) -> Any:
    request = urllib.request.Request(  # noqa: S310 - fit_raw accepts http and https only
        service.url, data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=service.timeout_s) as response:  # noqa: S310 - as above
            answer = json.load(response)
    except OSError as error:
        msg = f"Calling {service.url} failed: {error}"
        raise UnreachableError(msg) from error
    except ValueError as error:
        msg = f"{service.url} does not answer with JSON: {error}"
        raise TrialError(msg) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("scores"), list):
        msg = f"{service.url} must answer {{'scores': [...]}}; got {str(answer)[:200]!r}."
        raise TrialError(msg)
    return answer["scores"]
