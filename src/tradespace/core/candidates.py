"""Candidates: components not yet trained, and the specs that span a space of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.errors import Place
from tradespace.core.hashing import content_hash
from tradespace.core.plain import plain_fields


@dataclass(frozen=True, slots=True)
class Candidate:
    """Family, settings, preprocessing and number format; the id is the hash of these.

    `settings` and `preprocessing` are complete: defaults are resolved, because a changed
    default is a changed component.

    Examples
    --------
    >>> c = Candidate("decision_tree", {"max_depth": 2}, label="tree of depth 2")
    >>> c.id == Candidate("decision_tree", {"max_depth": 2}).id
    True

    """

    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    format: str = "fp32"
    label: str = ""
    place: Place | None = None

    @property
    def id(self) -> str:
        """Hash of the content, without label and place."""
        return content_hash(
            {
                "family": self.family,
                "settings": self.settings,
                "preprocessing": self.preprocessing,
                "format": self.format,
            },
            length=12,
        )

    @property
    def name(self) -> str:
        """The label, or family and short id."""
        return self.label or f"{self.family} {self.id[:6]}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"id": self.id, **plain_fields(self, but=("place",)), "label": self.name}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """Return the candidate that `to_dict` described."""
        return cls(**{name: value for name, value in data.items() if name != "id"})


@dataclass(frozen=True, slots=True)
class SearchRange:
    """A range of one setting, to be sampled quasi-randomly with a seed.

    Written ``{log: [0.01, 100], n: 6}``, ``{uniform: [0, 1], n: 4}`` or
    ``{int: [1, 20], n: 5}``.
    """

    scale: str
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """One entry of ``candidates:``; lists are grids, ranges are sampled.

    `settings` maps a name to a plain value, a tuple (a grid) or a :class:`SearchRange`.
    """

    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    place: Place | None = None
