"""Workers: values, failures, limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tradespace.explore.runners._base import Ended
from tradespace.explore.runners.local import TrialPool


def signal_itself(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(10)


def run_all(pool: TrialPool) -> dict[str, Ended]:
    return {ended.key: ended for ended in pool.ended()}


@pytest.mark.slow
def test_each_ending_is_told_apart_and_harms_no_other() -> None:
    with TrialPool(workers=2) as pool:
        pool.submit("value", max, 3, 5, timeout_s=30)
        pool.submit("failed", int, "no number", timeout_s=30)
        pool.submit("late", time.sleep, 60, timeout_s=0.5)
        pool.submit("dead", os._exit, 3, timeout_s=30)
        pool.submit("crashed", os.abort, timeout_s=30)
        pool.submit("shot", signal_itself, signal.SIGKILL, timeout_s=30)
        pool.submit("ended", signal_itself, signal.SIGTERM, timeout_s=30)
        found = run_all(pool)

    assert found["value"].value == 5
    assert found["failed"].ending == "failed"
    assert "no number" in found["failed"].cause
    assert found["late"].ending == "timed out"
    assert found["dead"].ending == "failed"
    assert "exit code 3" in found["dead"].cause
    assert found["crashed"].ending == "failed"
    assert found["shot"].ending == "killed"
    assert "SIGKILL" in found["shot"].cause
    assert found["ended"].ending == "killed"


def test_a_pool_that_was_never_used_starts_nothing() -> None:
    with TrialPool(workers=2) as pool:
        assert run_all(pool) == {}


HOLD = "import time; held = b'x' * (400 << 20); time.sleep(30)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "what"), [(exec, HOLD), (subprocess.check_call, [sys.executable, "-c", HOLD])]
)
def test_memory_counts_whether_a_worker_or_its_child_takes_it(
    work: Callable[..., object], what: object
) -> None:
    with TrialPool(workers=2, memory_bytes=200e6) as pool:
        pool.submit("eater", work, what, timeout_s=30)
        pool.submit("other", max, 3, 5, timeout_s=30)
        found = run_all(pool)

    assert found["eater"].ending == "out of memory"
    assert "more than the limit of 0.20 GB" in found["eater"].cause
    assert found["other"].value == 5
