"""Somebody's service behind a URL, at a price per call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, final

from tradespace.components._base import AbstractRawFamily, Facts
from tradespace.core.errors import SettingError
from tradespace.core.studies import Task
from tradespace.data.inputs import InputSchema
from tradespace.runtime.service import Service, ServiceArtifact

if TYPE_CHECKING:
    from tradespace.components._base import Labels, Scores, Settings
    from tradespace.data.inputs import Inputs


@final
class HttpService(AbstractRawFamily):
    """A URL that answers rows with scores, at a price per call.

    A call is a POST of ``{"rows": [{column: value, ...}, ...]}``, null where a value is
    missing and dates as seconds since 1970. The answer is ``{"scores": [...]}``: a number a
    row, or a list of class probabilities a row. A call that fails is not repeated.
    """

    name: ClassVar[str] = "http"
    known: ClassVar[Facts] = Facts(
        good_at=("Nothing to run.",), bad_at=("Every call costs time and money.",)
    )

    def fit_raw(
        self,
        inputs: Inputs,
        y: Labels,
        *,
        task: Task,
        n_classes: int,
        settings: Settings,
        seed: int,
    ) -> Service:
        """Return the service; nothing is trained and nothing called."""
        del inputs, y, task, seed
        if not str(settings["url"]).startswith(("http://", "https://")):
            msg = f"The URL must start with http:// or https://; got {settings['url']!r}."
            raise SettingError(msg)
        return Service(n_classes=n_classes, **settings)

    def predict_raw(self, model: Service, inputs: Inputs, *, task: Task) -> Scores:
        """Return the service's scores."""
        return ServiceArtifact(model, inputs.schema, task, size_bytes=0).predict(inputs)

    def artifact_raw(self, model: Service, *, inputs: InputSchema, task: Task) -> bytes:
        """Return what one needs to call the service, as JSON."""
        facts = {
            "tradespace": "http",
            "url": model.url,
            "price_per_call_usd": model.price_per_call_usd,
            "timeout_s": model.timeout_s,
            "rows_per_call": model.rows_per_call,
            "n_classes": model.n_classes,
            "task": task.value,
            "schema": inputs.to_dict(),
        }
        return json.dumps(facts, sort_keys=True).encode()
