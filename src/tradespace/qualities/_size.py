"""The size of the exported component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from tradespace.core.readings import Reading
from tradespace.qualities._base import AbstractQuality, Context

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

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the exact size."""
        del context
        size = float(subject.size_bytes)
        method = f"bytes of the artifact that {subject.runtime} serves"
        return Reading(use.name, size, size, size, use.unit, method=method)
