"""What a piece of work takes: CPU, wall time and peak memory of this process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


@dataclass(slots=True)
class Usage:
    """CPU seconds of all threads, wall seconds, and bytes beyond what was resident before."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_memory_bytes: float | None = None


def _status_bytes(field: str) -> int | None:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None


def _reset_peak() -> bool:
    """Make the kernel forget the peak so far; False where it does not offer that."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


@contextlib.contextmanager
def measure_usage() -> Iterator[Usage]:
    """Measure the block; the record is complete when it ends.

    Peak memory is None where the kernel cannot reset the peak (anything but Linux).

    Examples
    --------
    >>> with measure_usage() as usage:
    ...     _ = sum(range(1000))
    >>> usage.wall_s > 0
    True

    """
    usage = Usage()
    resettable = _reset_peak()
    before = _status_bytes("VmRSS:")
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield usage
    finally:
        usage.cpu_s = time.process_time() - cpu
        usage.wall_s = time.perf_counter() - wall
        peak = _status_bytes("VmHWM:")
        if resettable and before is not None and peak is not None:
            usage.peak_memory_bytes = float(max(0, peak - before))
