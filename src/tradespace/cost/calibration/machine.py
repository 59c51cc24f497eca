"""What tells one machine from another."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def machine_facts(device_name: str = "") -> dict[str, Any]:
    """Return processor, cores, memory and system of this machine.

    Examples
    --------
    >>> sorted(machine_facts())
    ['cores', 'cpu', 'memory_bytes', 'system']

    """
    import psutil

    facts: dict[str, Any] = {
        "cpu": cpu_name(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": int(psutil.virtual_memory().total),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if device_name:
        facts["device_name"] = device_name
    return facts


def cpu_name() -> str:
    """Return the name of the processor, as the system knows it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Hardware", "Model") and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"
