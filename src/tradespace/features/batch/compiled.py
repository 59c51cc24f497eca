"""Loops of the batch engine as machine code, where the package could be compiled.

`loops.c` is compiled when tradespace is installed; without a C compiler the package installs
all the same, :data:`LIBRARY` is None, and NumPy gives the same bits in about twice the time.
"""

from __future__ import annotations

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

#: What `loops.c` calls itself: a file left over from an older version is not used.
_VERSION = 2


def _load() -> ctypes.CDLL | None:
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_loops{suffix}")
        if path.exists():
            library = opened(path)
            if library is not None:
                return library
    return None


def opened(path: Path) -> ctypes.CDLL | None:
    """Return the library of a file, or None if it is of another machine or version."""
    try:
        library = ctypes.CDLL(str(path))
        library.loops_version.restype = ctypes.c_int64
        if library.loops_version() != _VERSION:
            return None
    except (OSError, AttributeError):
        return None
    pointer, whole, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    number = [pointer, pointer, pointer, whole, whole, pointer, pointer]
    running = [pointer, pointer, whole, pointer]
    for name, arguments in {
        "number_32": number, "number_64": number, "running_32": running, "running_64": running,
        "deal": [pointer, whole, whole, pointer, pointer],
        "count_until": [pointer, whole, pointer, whole, whole, pointer],
        "put_counts": [pointer, pointer, pointer, whole, real, pointer],
        "put_sums": [pointer, pointer, pointer, pointer, whole, whole, real, pointer],
        "put_means": [pointer, pointer, pointer, pointer, whole, whole, real, pointer],
    }.items():  # fmt: skip
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, None
    library.latest.argtypes = [pointer, pointer, whole, pointer, pointer, whole, pointer, pointer]
    library.latest.restype = whole
    return library


#: The functions of `loops.c`; None: they could not be compiled.
LIBRARY = _load()


def deal(library: ctypes.CDLL, codes: npt.NDArray[Any], n_codes: int) -> tuple[Ints, Ints]:
    """Return rows by code, in the order they have, and where each code starts."""
    codes = np.ascontiguousarray(codes, np.int32)
    starts, order = np.zeros(n_codes + 1, np.int64), np.empty(len(codes), np.int64)
    library.deal(_at(codes), len(codes), n_codes, _at(starts), _at(order))
    return order, starts


def count_until(library: ctypes.CDLL, keys: Ints, asked: Ints, back: int) -> Ints:
    """Return how many keys are at most each number asked, less `back`; both are sorted."""
    found = np.empty(len(asked), np.int64)
    library.count_until(_at(keys), len(keys), _at(asked), len(asked), back, _at(found))
    return found


def latest(
    library: ctypes.CDLL,
    *,
    times: Ints,
    codes: npt.NDArray[Any],
    asked: Ints,
    asked_codes: npt.NDArray[Any],
    n_codes: int,
) -> tuple[Ints, int]:
    """Return the last row of each question's code until then, and the first row out of order.

    Questions are in the order of time; -1 stands for no row.
    """
    codes = np.ascontiguousarray(codes, np.int32)
    asked_codes = np.ascontiguousarray(asked_codes, np.int32)
    last, found = np.full(n_codes, -1, np.int64), np.empty(len(asked), np.int64)
    back = library.latest(
        _at(times), _at(codes), len(codes), _at(asked), _at(asked_codes), len(asked),
        _at(last), _at(found),
    )  # fmt: skip
    return found, int(back)


def number(
    library: ctypes.CDLL, time: npt.NDArray[Any], order: Ints, starts: Ints, span: int
) -> tuple[Ints, Ints]:
    """Return the times of events of a run of codes, and code times span plus time.

    Parameters
    ----------
    library : CDLL
    time : ndarray of int32 or int64
    order : ndarray of shape (n_events,)
        The row of each event.
    starts : ndarray of shape (n_codes + 1,)
        Where each code starts; the first at the first event.
    span : int

    """
    times, key = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    function = library.number_32 if time.dtype == np.int32 else library.number_64
    n_codes = len(starts) - 1
    function(_at(time), _at(order), _at(starts), n_codes, span, _at(times), _at(key))
    return times, key


def running(library: ctypes.CDLL, numbers: npt.NDArray[Any], order: Ints) -> Ints:
    """Return the sums of all numbers, int32 or int64, before each place of an order, and of all."""
    numbers = np.ascontiguousarray(numbers)
    totals = np.empty(len(order) + 1, np.int64)
    function = library.running_32 if numbers.dtype == np.int32 else library.running_64
    function(_at(numbers), _at(order), len(order), _at(totals))
    return totals


def put_counts(
    library: ctypes.CDLL, low: Ints, high: Ints, *, empty: float, places: Ints, out: Floats
) -> None:
    """Put the length of each range at its place of `out`, or `empty` for none."""
    library.put_counts(_at(low), _at(high), _at(places), len(low), empty, _at(out))


def put_totals(
    library: ctypes.CDLL,
    totals: Ints,
    low: Ints,
    high: Ints,
    *,
    divisor: int,
    mean: bool,
    empty: float,
    places: Ints,
    out: Floats,
) -> None:
    """Put the sum or mean of each range, over a divisor, at its place of `out`.

    `totals` are the sums of all whole numbers before each place, and of all.
    """
    put = library.put_means if mean else library.put_sums
    put(_at(totals), _at(low), _at(high), _at(places), len(low), divisor, empty, _at(out))


def _at(array: npt.NDArray[Any]) -> int:
    """Return the address of an array without gaps."""
    if not array.flags.c_contiguous:
        msg = "an array with gaps was given to machine code"
        raise AssertionError(msg)
    return int(array.ctypes.data)
