"""What all tests share: the folder of real data, and studies on small data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tradespace.core.decisions import Decision
from hypothesis import settings

# Where a submission is judged, the same examples every time; elsewhere new ones, to find more.
# Times are not judged: what else a machine does is not the code's fault.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what takes minutes unless it is asked for."""
    if os.environ.get("TRADESPACE_THOROUGH"):
        return
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: set TRADESPACE_THOROUGH"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("TRADESPACE_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TRADESPACE_DATA does not name the folder of real data sets")
    return Path(folder)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


CANCER = (
    "purpose: Rank cells for a second look\n"
    "data: sklearn:breast_cancer\n"
    "target: target\n"
    "positive: malignant\n"
    "constraints: [average_precision >= 0.9, model_size <= 500 kB]\n"
    "objectives: [{maximize: roc_auc, from: 0.9, to: 1.0}]\n"
    "seeds: [0]\n"
    "budget: {bootstrap: 100}\n"
    "candidates:\n"
    "  - logistic_regression\n"
    "  - decision_tree: {max_depth: [2, 4]}\n"
    "  - random_forest: {n_estimators: [5, 10]}\n"
)


@pytest.fixture(scope="session")
def evaluated_cancer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Decision]:
    """Return the study once evaluated, and its decision; not to be changed."""
    from tradespace import evaluate

    place = tmp_path_factory.mktemp("cancer") / "study.yaml"
    place.write_text(CANCER)
    return place, evaluate(place)


@pytest.fixture
def finished_cancer(
    evaluated_cancer: tuple[Path, Decision], tmp_path: Path
) -> tuple[Path, Decision]:
    """Return a copy of the study with its finished run, and its decision."""
    place, decision = evaluated_cancer
    shutil.copytree(place.parent, tmp_path / "finished")
    return tmp_path / "finished" / place.name, decision


@pytest.fixture
def cancer_study(tmp_path: Path) -> Path:
    """A study that ends in seconds: 3 families on scikit-learn's breast cancer data."""
    place = tmp_path / "study.yaml"
    place.write_text(CANCER)
    return place
