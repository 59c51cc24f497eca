"""A streaming process that is killed at any moment loses no event and counts none twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tradespace.features import EventSource, FeatureView, count, mean, sum_
from tradespace.features.stream.engine import StreamEngine
from tradespace.features.stream.state import SqliteState

KILLS = 100
START = 1_700_000_000_000_000
SOURCE = EventSource("log", time="at", id="id", decimals={"amount": 2})
VIEW = FeatureView(
    "card", SOURCE, "card", [count("1h"), sum_("amount", "1h"), mean("amount", "2min")]
)

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import test_killed as t
t.feed(t.StreamEngine([t.VIEW], state=t.SqliteState(sys.argv[2])), until=None)
"""


def event(i: int) -> dict[str, object]:
    return {
        "id": i,
        "at": START + 1_000_000 * i,
        "card": i * 7919 % 40,
        "amount": (i * 31 % 997) / 100,
    }


def feed(engine: StreamEngine, *, until: int | None) -> StreamEngine:
    """Take in events up to a number of them; None: until killed, saying when that has begun."""
    first = engine.offset
    while until is None or engine.offset < until:
        end = engine.offset + 20
        engine.push([event(i) for i in range(engine.offset, min(end, until or end))])
        if until is None and engine.offset == first + 20:
            print("ready", flush=True)
    return engine


@pytest.mark.slow
def test_a_hundred_kills_change_no_value(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    rng = random.Random(0)
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), path]
    offsets = [0]
    for _ in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0.0, 0.03))
            process.kill()
            assert process.wait() == -signal.SIGKILL
        state = SqliteState(path)
        offsets.append(state.open_view(VIEW.hash, 2))
        state.close()
    n = offsets[-1] + 1_000
    left = feed(StreamEngine([VIEW], state=SqliteState(path)), until=n)
    whole = feed(StreamEngine([VIEW]), until=n)
    cards = list(range(40))
    now = START + 1_000_000 * n

    # Each process went on where the last one had been killed, and none forgot what it had done.
    assert all(after >= before + 20 for before, after in pairwise(offsets))
    np.testing.assert_array_equal(
        left.read("card", cards, now_us=now), whole.read("card", cards, now_us=now)
    )
