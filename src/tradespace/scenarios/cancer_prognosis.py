"""The scenario ``cancer-prognosis``: scikit-learn's breast cancer data, misses cost most."""

from __future__ import annotations

from pathlib import Path

from tradespace.store.artifacts import write_atomically

_STUDY = Path(__file__).with_name("cancer_prognosis.yaml")


def write(folder: Path) -> Path:
    """Write the study into a folder and return its path."""
    place = folder / "study.yaml"
    write_atomically(place, _STUDY.read_bytes())
    return place
