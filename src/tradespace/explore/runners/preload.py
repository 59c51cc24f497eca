"""Imported once by the server from which trial workers are forked.

Importing the libraries of a study costs seconds; every worker gets them for nothing. The
families are named in the environment variable ``TRADESPACE_PRELOAD``. Nothing here may
compute: a pool of threads that has worked would be missing in the workers that wait for it.
Threads that libraries start when they are imported sleep, and no worker waits for them.
"""

from __future__ import annotations

import contextlib
import importlib
import os

VARIABLE = "TRADESPACE_PRELOAD"


def _preload(names: list[str]) -> None:
    import multiprocessing.dummy  # noqa: F401 - else the first fit that has threads loads it

    import numpy.ma  # noqa: F401 - else the first call that asks for it loads it
    import onnxruntime  # noqa: F401 - imported for its effect

    import tradespace.explore.worker
    import tradespace.qualities.measure  # noqa: F401 - imported for its effect
    from tradespace.components.component import family_named

    for name in names:
        # A family that cannot be loaded is reported by the trial that needs it.
        with contextlib.suppress(Exception):
            for library in family_named(name).libraries:
                importlib.import_module(library)


if os.environ.get(VARIABLE):
    import gc
    import sys

    # A worker that starts while the exploration ends finds nobody; that is no news for anybody.
    sys.excepthook = lambda *_: None

    _preload(os.environ[VARIABLE].split(","))
    # What the libraries hold stays for good: no worker needs to look through it for garbage.
    gc.collect()
    gc.freeze()
