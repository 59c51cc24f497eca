"""The run store keeps what was finished, and says what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradespace.core.errors import StoreError
from tradespace.core.readings import Reading
from tradespace.core.trials import Trial, TrialStatus
from tradespace.store.artifacts import ArtifactStore
from tradespace.store.run_store import RunStore


def trial(candidate: str = "abc", seed: int = 0) -> Trial:
    reading = Reading("roc_auc", 0.9, 0.8, float("inf"), "1", draws=(0.85, 0.9))
    return Trial(candidate, "test", seed, TrialStatus.DONE, readings=(reading,), work={"fits": 1})


def test_a_trial_comes_back_as_it_was(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.sqlite")
    store.put("scope", trial(), trial(seed=1))
    store.close()
    again = RunStore(tmp_path / "run.sqlite")

    assert again.trials("scope") == [trial(), trial(seed=1)]
    assert again.trials("another scope") == []


def test_looks_count_different_studies_once(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.sqlite")
    counts = [store.look(test_hash="t", study_hash=h) for h in ("a", "a", "b")]

    assert counts == [1, 1, 2]
    assert store.look(test_hash="another", study_hash="a") == 1


def test_a_damaged_store_is_named_with_a_remedy(tmp_path: Path) -> None:
    place = tmp_path / "run.sqlite"
    place.write_bytes(b"this is not a database" * 100)

    with pytest.raises(StoreError, match=r"run\.sqlite.*move the folder away"):
        RunStore(place)


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.sqlite")
    store.set_meta("format", "99")
    store.close()

    with pytest.raises(StoreError, match="format 99"):
        RunStore(tmp_path / "run.sqlite")


def test_a_damaged_artifact_is_not_served(tmp_path: Path) -> None:
    artifacts = ArtifactStore(tmp_path)
    address = artifacts.put(b"content", suffix=".onnx")
    artifacts.path(address).write_bytes(b"changed")

    with pytest.raises(StoreError, match="damaged"):
        artifacts.get(address)


def test_writing_the_same_content_twice_keeps_one_file(tmp_path: Path) -> None:
    artifacts = ArtifactStore(tmp_path)

    assert artifacts.put(b"x") == artifacts.put(b"x")
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1
