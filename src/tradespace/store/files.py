"""Files that are whole or absent, and what to do where the system refuses to write one."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from tradespace.core.errors import StoreError

_FULL = "free some space and run the same command again; nothing that was finished is lost"
#: Why the system refused -> what to do.
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run the same command again",
    errno.EMFILE: "raise the limit on open files (ulimit -n) and run the same command again",
}


def cannot_write(place: str | Path, error: OSError) -> StoreError:
    """Return an error that says why a place cannot be written and what to do.

    Examples
    --------
    >>> print(cannot_write("numbers.npy", OSError(28, "No space left on device")))
    Could not write numbers.npy: No space left on device; free some space and run the same command
    again; nothing that was finished is lost.

    """
    remedy = _REMEDIES.get(
        error.errno or 0, "check that its folder is there and that you have permission to write"
    )
    return StoreError(f"Could not write {place}: {error.strerror or error}; {remedy}.")


class HashedFile:
    """A file that is written from start to end, its size and SHA-256 known when it is.

    It is no file of the operating system to numpy, which then writes through `write` and so
    hears the cause when a write fails.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        """Write some bytes."""
        written = self._file.write(data)
        self._digest.update(data)
        self.size_bytes += written
        return written

    @property
    def sha256(self) -> str:
        """Hash of all that was written."""
        return self._digest.hexdigest()


def write_atomically(place: Path, content: bytes | Callable[[HashedFile], object]) -> HashedFile:
    """Write a file that is whole or absent, also if the process is killed meanwhile.

    Parameters
    ----------
    place : Path
        Its folder is made if there is none.
    content : bytes or callable
        What it holds, or what writes that.

    Raises
    ------
    OSError
        If it cannot be written; nothing unfinished is left.

    """
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            hashed = HashedFile(file)
            if isinstance(content, bytes):
                hashed.write(content)
            else:
                content(hashed)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
    return hashed


def sha256_of(place: Path) -> str:
    """Return the hash of a file's content; empty if it cannot be read."""
    try:
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
