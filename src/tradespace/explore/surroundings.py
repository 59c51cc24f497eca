"""Versions and machine, for the record: a changed library is a changed component."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tradespace.core import registry

_ALWAYS = ("tradespace", "numpy", "scikit-learn", "onnx", "onnxruntime", "skl2onnx")
_DISTRIBUTIONS = {
    "xgboost": ("xgboost-cpu", "xgboost", "onnxmltools"),
    "lightgbm": ("lightgbm", "onnxmltools"),
    "interpret": ("interpret-core",),
}


def versions(families: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Python and of the libraries that the families use.

    Examples
    --------
    >>> "numpy" in versions(["decision_tree"])
    True

    """
    names = list(_ALWAYS)
    for name in families:
        library = registry.family(name).library
        names.extend(_DISTRIBUTIONS.get(library, (library,) if library else ()))
    found = {"python": platform.python_version()}
    for name in dict.fromkeys(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """Return what the machine is: readings of time hold only for it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
