"""Two whole studies in folders of their own, with the files that they name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

STUDIES = Path(__file__).parent / "studies"


@pytest.fixture
def cancer(tmp_path: Path) -> Path:
    """The cancer-like study."""
    return Path(shutil.copy(STUDIES / "cancer.yaml", tmp_path / "cancer.yaml"))


@pytest.fixture
def fraud_folder(tmp_path: Path) -> Path:
    """A folder with the files that fraud studies name."""
    (tmp_path / "my_models.py").write_text("def make_pipeline():\n    return None\n")
    (tmp_path / "features.py").write_text("customer = 1\nif True:\n    terminal = 2\n")
    (tmp_path / "current.onnx").write_bytes(b"onnx")
    return tmp_path


@pytest.fixture
def fraud(fraud_folder: Path) -> Path:
    """The fraud-like study."""
    return Path(shutil.copy(STUDIES / "fraud.yaml", fraud_folder / "fraud.yaml"))
