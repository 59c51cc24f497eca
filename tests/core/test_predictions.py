"""Records of predictions in service hold no nonsense and survive being stored."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradespace.core.predictions import Feedback, Prediction

SAID: dict[str, Any] = {
    "id": "p1",
    "time_us": 1,
    "component": "fraud",
    "version": "ab.onnx",
    "inputs": "card 7",
    "output": (0.5,),
    "latency_s": 1e-5,
}


@given(
    scores=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    time_us=st.integers(-(2**62), 2**62),
    latency_s=st.floats(0, 1e3),
    rule=st.text(),
)
def test_a_prediction_comes_back_from_json(
    scores: list[float], time_us: int, latency_s: float, rule: str
) -> None:
    said = Prediction(
        **{**SAID, "output": tuple(scores), "time_us": time_us, "latency_s": latency_s},
        overridden_by=rule,
    )

    assert Prediction.from_dict(json.loads(json.dumps(said.to_dict()))) == said


@pytest.mark.parametrize("outcome", ["malignant", 3.5])
def test_feedback_comes_back_from_json(outcome: Any) -> None:
    heard = Feedback(prediction="p1", time_us=2, outcome=outcome, source="investigator")

    assert Feedback.from_dict(json.loads(json.dumps(heard.to_dict()))) == heard


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("component", ""),
        ("version", ""),
        ("output", ()),
        ("output", (math.nan,)),
        ("latency_s", -1.0),
        ("latency_s", math.nan),
    ],
)
def test_a_prediction_holds_no_nonsense(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        Prediction(**{**SAID, field: value})


def test_feedback_holds_no_nonsense() -> None:
    with pytest.raises(ValueError, match="prediction"):
        Feedback(prediction="", time_us=0, outcome=1.0)
    with pytest.raises(ValueError, match="outcome"):
        Feedback(prediction="p", time_us=0, outcome=math.nan)
