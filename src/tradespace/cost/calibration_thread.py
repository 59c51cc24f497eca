"""Work in a thread of its own, whose rounding of tiny numbers is nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_own_thread(work: Callable[[], T]) -> T:
    """Return what some work returns, done in a thread that ends with it.

    Runtimes are told to take numbers that are nearly zero for zero, as processors stumble over
    them. They tell the processor, for the thread that asks: everything that the caller computes
    afterwards would be rounded so too.

    Examples
    --------
    >>> in_own_thread(lambda: 6 * 7)
    42

    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="calibration", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)  # short, so that an interruption is noticed
    if errors:
        raise errors[0]
    return results[0]
