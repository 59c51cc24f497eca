"""What readings depend on besides their fit: versions of libraries, the machine, prices."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tradespace.core import registry
from tradespace.core.studies import QualityUse, Study
from tradespace.explore.tasks import Prepared

_ALWAYS = ("tradespace", "numpy", "scikit-learn", "onnx", "onnxruntime", "skl2onnx")


def versions(families: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Python and of the libraries that the families use.

    Examples
    --------
    >>> "numpy" in versions(["decision_tree"])
    True

    """
    names = list(_ALWAYS)
    for name in families:
        row = registry.family(name)
        names.extend(row.distributions or ((row.library,) if row.library else ()))
    found = {name: _version(name) for name in dict.fromkeys(names)}
    return {"python": platform.python_version()} | {k: v for k, v in found.items() if v}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def machine() -> dict[str, str | int]:
    """Return what the machine is: readings of time hold only for it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
    }


def facts_of_study(study: Study, prepared: Prepared) -> dict[str, Any]:
    """Return the facts that qualities may name in `depends`, as they are in this run."""
    environment = study.environment
    return {
        "confidence": study.confidence,
        "bootstrap": study.budget.bootstrap,
        "groups": prepared.parts.get("__groups__", ""),
        "mistakes": asdict(study.mistakes) if study.mistakes else None,
        "price_per_hour": environment.price_per_hour_usd,
        "rows_per_batch": environment.rows_per_batch,
        "machine": machine(),
    }


def depends_of(use: QualityUse, facts: dict[str, Any], prepared: Prepared) -> dict[str, Any]:
    """Return all that the readings of a quality depend on besides their fit."""
    row = registry.quality(use.quality)
    return {
        "quality": use.quality,
        "origin": registry.origin(row),
        "settings": dict(use.settings),
        "facts": {name: facts[name] for name in row.depends},
        "columns": {name: prepared.parts.get(name, "") for name in prepared.requires[use.name]},
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
