"""What a component in service said, and what turned out to be right: the records of telemetry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One answer of a component in service.

    Parameters
    ----------
    id : str
        Unique; feedback names it.
    time_us : int
        When it was asked, microseconds since 1970-01-01 UTC.
    component, version : str
        Name of the component, and the content address of the artifact that answered.
    inputs : str
        Reference of what was asked: the key under which the inputs are kept, or their hash. The
        inputs themselves may be private, so they do not stand here.
    output : tuple of float
        The scores of the component: one, or one a class.
    latency_s : float
        Seconds from request to answer.
    overridden_by : str
        What decided in its place (a rule, a fallback, a person); empty if nothing did.

    Examples
    --------
    >>> said = Prediction(id="p1", time_us=0, component="fraud", version="ab12.onnx",
    ...                   inputs="card 7 at 0", output=(0.9,), latency_s=4e-5)
    >>> Prediction.from_dict(said.to_dict()) == said
    True

    """

    id: str
    time_us: int
    component: str
    version: str
    inputs: str
    output: tuple[float, ...]
    latency_s: float
    overridden_by: str = ""

    def __post_init__(self) -> None:
        _named("prediction", id=self.id, component=self.component, version=self.version)
        if not self.output or not all(math.isfinite(score) for score in self.output):
            msg = f"The output of prediction {self.id!r} must be numbers; got {self.output!r}."
            raise ValueError(msg)
        if not self.latency_s >= 0:
            msg = f"latency_s of prediction {self.id!r} must be 0 or more; got {self.latency_s!r}."
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "output": list(self.output)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Prediction:
        """Return the prediction that `to_dict` described."""
        return cls(**{**data, "output": tuple(float(score) for score in data["output"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What is known afterwards of one prediction.

    Parameters
    ----------
    prediction : str
        Its id.
    time_us : int
        When this became known, microseconds since 1970-01-01 UTC.
    outcome : str or float
        The true class or number.
    source : str
        Who says so: "investigator", "chargeback", ...

    """

    prediction: str
    time_us: int
    outcome: str | float
    source: str = ""

    def __post_init__(self) -> None:
        _named("feedback", prediction=self.prediction)
        if isinstance(self.outcome, float) and not math.isfinite(self.outcome):
            msg = (
                f"The outcome of prediction {self.prediction!r} must be known; got {self.outcome}."
            )
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Feedback:
        """Return the feedback that `to_dict` described."""
        return cls(**data)


def _named(what: str, **names: str) -> None:
    for name, value in names.items():
        if not value:
            msg = f"{name} of a {what} must not be empty."
            raise ValueError(msg)
