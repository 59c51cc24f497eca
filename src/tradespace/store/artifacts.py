"""Content-addressed files: the address is the SHA-256 of the content.

A file is written beside its place and renamed into it, so that it is whole or absent, and two
writers of the same content do not disturb each other.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tradespace.core.errors import StoreError
from tradespace.store.files import cannot_write, sha256_of, write_atomically


class ArtifactStore:
    """Artifacts under one folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     artifacts = ArtifactStore(Path(folder))
    ...     address = artifacts.put(b"content", suffix=".onnx")
    ...     print(artifacts.path(address).read_bytes(), address[-5:])
    b'content' .onnx

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes, *, suffix: str = "") -> str:
        """Store content and return its address, with the suffix."""
        address = hashlib.sha256(content).hexdigest() + suffix
        place = self.path(address)
        if self.whole(address):
            return address
        try:
            write_atomically(place, content)
        except OSError as error:
            raise cannot_write(place, error) from error
        return address

    def path(self, address: str) -> Path:
        """Return where an address lives."""
        return self.folder / address[:2] / address

    def whole(self, address: str) -> bool:
        """Return whether an artifact is stored and its content is that of its address."""
        return sha256_of(self.path(address)) == address.partition(".")[0]

    def get(self, address: str) -> bytes:
        """Return the content, checked against its address."""
        try:
            content = self.path(address).read_bytes()
        except OSError as error:
            msg = f"Artifact {address[:12]} is not in {self.folder}: {error.strerror or error}."
            raise StoreError(msg) from error
        if hashlib.sha256(content).hexdigest() != address.partition(".")[0]:
            msg = f"Artifact {self.path(address)} is damaged: delete it and run again."
            raise StoreError(msg)
        return content
