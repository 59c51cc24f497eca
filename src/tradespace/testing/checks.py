"""What laws use to say that one is broken."""

from __future__ import annotations


def holds(fact: bool, otherwise: str) -> None:  # noqa: FBT001 - a fact is what it takes
    """Raise AssertionError with the text unless the fact is true."""
    if not fact:
        raise AssertionError(otherwise)
