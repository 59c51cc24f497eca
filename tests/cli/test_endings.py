"""How commands end: signals, readers that go, disks that are full, terminals of few signs."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "tradespace"]
KEPT = "error: Interrupted; what was finished is kept: run the same command to go on.\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["reading", "fitting"])
def test_a_signal_ends_a_run_in_one_line_and_leaves_nothing_behind(
    number: signal.Signals, when: str, cancer_study: Path
) -> None:
    # Short, as sockets need it to be.
    temporary = Path(tempfile.mkdtemp(prefix="ends"))
    out = cancer_study.with_suffix(".tradespace")
    process = subprocess.Popen(
        [*COMMAND, "evaluate", "--quiet", str(cancer_study)],
        env={**os.environ, "TMPDIR": str(temporary)},
        # Whoever runs the tests in the background ignores Ctrl-C; the command must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    sign = out / ("running" if when == "reading" else "artifacts")
    while not sign.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate()

    assert errors == KEPT
    assert process.returncode == 130
    assert not (out / "running").exists()
    left = [path.name for path in temporary.iterdir()]
    shutil.rmtree(temporary)
    assert [name for name in left if name.startswith(("tradespace", "pymp"))] == []


def test_a_reader_that_goes_is_no_failure(cancer_study: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "check", str(cancer_study)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert process.wait() == 0
    assert errors == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_output_that_cannot_be_written_is_said_so() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "list", "scenarios"], stdout=full, stderr=subprocess.PIPE, text=True
        )

    assert done.returncode == 2
    assert done.stderr == "error: The output cannot be written: No space left on device.\n"


def test_a_terminal_of_few_signs_shows_others_in_their_place(cancer_study: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "check", str(cancer_study)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
    )

    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [20, 200])
def test_a_limit_on_the_size_of_files_is_named(kilobytes: int, cancer_study: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))

    done = subprocess.run(
        [*COMMAND, "evaluate", "--quiet", str(cancer_study)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert "ulimit -f" in done.stderr
    assert "Traceback" not in done.stderr
