"""What an artifact at work is, and how one is opened; nothing that trains is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tradespace.core.rendering import load_object

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tradespace.data.inputs import Inputs

    Scores = npt.NDArray[np.float64]

#: First bytes of an artifact -> "module:function" that opens it; all others are ONNX.
OPENERS = {
    b"PK": "tradespace.components.states:open_state",
    b"{": "tradespace.runtime.service:open_service",
    b"": "tradespace.runtime.onnx:OnnxArtifact",
}


class Artifact(Protocol):
    """An exported component at work: what is measured is what is served."""

    @property
    def size_bytes(self) -> int:
        """Size of the artifact, preprocessing included."""

    @property
    def runtime(self) -> str:
        """What serves it: "onnxruntime 1.x", "python", "http"."""

    @property
    def price_per_call_usd(self) -> float:
        """Price of a call to somebody else's service; 0 for one's own artifact."""

    @property
    def n_rows(self) -> int:
        """Rows in the sample."""

    def prepare(self, start: int, stop: int) -> Any:
        """Return raw rows start..stop of the sample, as the runtime takes them.

        A sample with fewer rows begins again wherever it ends.
        """

    def __call__(self, prepared: Any) -> Any:
        """Answer prepared rows: what is timed."""

    def predict(self, inputs: Inputs) -> Scores:
        """Return the scores of all rows."""


def open_artifact(artifact: bytes | str | Path, *, sample: Inputs | None = None) -> Artifact:
    """Return an artifact ready to answer rows.

    Parameters
    ----------
    artifact : bytes, str or Path
        Content or path of what :meth:`Component.export` wrote.
    sample : Inputs, optional
        Raw rows on which it will be timed.

    Raises
    ------
    DataError
        If it is no artifact of a component.

    """
    content = Path(artifact).read_bytes() if isinstance(artifact, str | Path) else artifact
    opener = next(path for start, path in OPENERS.items() if content.startswith(start))
    opened: Artifact = load_object(opener)(content, sample=sample)
    return opened
