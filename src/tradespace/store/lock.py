"""One run at a time in a folder: a lock that the system releases when its holder dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tradespace.core.errors import InputError


class FolderInUseError(InputError):
    """Another process works in the folder."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder for this process.

    Raises
    ------
    FolderInUseError
        If another process holds it; the message names the process.
    InputError
        If the folder cannot be made or written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+")
    except OSError as error:
        msg = f"Results cannot be written to {folder}: {error.strerror or error}."
        remedy = "Give --out a folder that can be made and written, or fix its permissions."
        raise InputError(msg, remedy=remedy) from error
    with lock as file:
        if not try_lock(file.fileno()):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            msg = f"Another run works in {folder} (process {holder})."
            raise FolderInUseError(msg, remedy="Wait for it to end, or give --out another folder.")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this process; return False if another holds it.

    The lock goes when the file is closed or the process ends, however it ends.
    """
    try:
        import fcntl
    except ImportError:  # Windows: no advisory locks; SQLite's own locking still protects.
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
