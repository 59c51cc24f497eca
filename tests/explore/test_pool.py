"""Workers: values, failures, limits."""

from __future__ import annotations

import os
import time

import pytest

from tradespace.explore.pool import Ended, TrialPool


def run_all(pool: TrialPool) -> dict[str, Ended]:
    return {ended.key: ended for ended in pool.ended()}


@pytest.mark.slow
def test_each_ending_is_told_apart_and_harms_no_other() -> None:
    with TrialPool(workers=2) as pool:
        pool.submit("value", max, 3, 5, timeout_s=30)
        pool.submit("failed", int, "no number", timeout_s=30)
        pool.submit("late", time.sleep, 60, timeout_s=0.5)
        pool.submit("dead", os._exit, 3, timeout_s=30)
        found = run_all(pool)

    assert found["value"].value == 5
    assert found["failed"].ending == "failed"
    assert "no number" in found["failed"].cause
    assert found["late"].ending == "timed out"
    assert found["dead"].ending == "killed"
    assert "exit code 3" in found["dead"].cause


def test_a_pool_that_was_never_used_starts_nothing() -> None:
    with TrialPool(workers=2) as pool:
        assert pool.free == 2
        assert run_all(pool) == {}
