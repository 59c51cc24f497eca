"""The size of the exported component."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context, Subject

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse


@final
class ModelSize(AbstractQuality):
    """Bytes of the artifact, preprocessing included.

    Notes
    -----
    None for one training: the value is exact. Over several seeds, from the smallest to the
    largest.

    """

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the exact size."""
        del context
        size = float(subject.artifact.size_bytes)
        method = f"bytes of the artifact that {subject.artifact.runtime} serves"
        return Reading(use.name, size, size, size, use.unit, method=method)
