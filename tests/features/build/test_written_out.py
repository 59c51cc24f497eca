"""Rows that could not see all of their window cost once what features have in common."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from tradespace.features import EventSource, FeatureView, last_k, mean
from tradespace.features.batch.block_features import Computation
from tradespace.features.batch.compute import compute_rows
from tradespace.features.batch.events import read_events

LOG = EventSource("log", time="at", id="id", created="known")


def test_features_of_one_window_write_out_late_events_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n = 500
    rng = np.random.default_rng(0)
    start = dt.datetime(2024, 3, 1)
    at = [start + dt.timedelta(minutes=i) for i in range(n)]
    frame = pl.DataFrame(
        {
            "id": range(n),
            "at": at,
            "known": [
                t + dt.timedelta(minutes=int(late))
                for t, late in zip(at, rng.integers(0, 9, n), strict=True)
            ],
            "card": rng.integers(0, 5, n),
            "eur": rng.integers(0, 99, n) / 4,
        }
    )
    events = read_events(LOG, frame)
    calls = []
    honest = Computation._visible

    def counted(self: Computation, *given: object) -> object:
        calls.append(1)
        return honest(self, *given)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(Computation, "_visible", counted)
    together = compute_rows(
        FeatureView("v", LOG, "card", [*last_k("eur", 20), mean("eur", None)]), events
    )
    n_together = len(calls)
    alone = compute_rows(FeatureView("v", LOG, "card", [last_k("eur", 20)[7]]), events)

    assert n_together == len(calls) - n_together
    np.testing.assert_array_equal(together["v_last_eur_all_8"], alone["v_last_eur_all_8"])
