"""The run store keeps what was finished, and says what is wrong with a file."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
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


def test_a_fit_and_its_readings_come_back_as_they_were(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.sqlite")
    store.put([("one", trial()), ("two", trial(seed=1))], [("one", "auc", trial().readings[0])])
    store.close()
    again = RunStore(tmp_path / "run.sqlite")

    assert again.fit("one") == replace(trial(), readings=())
    assert again.fit("two") == replace(trial(seed=1), readings=())
    assert again.fit("three") is None
    assert again.readings("one") == {"auc": trial().readings[0]}
    assert again.readings("two") == {}


@pytest.mark.parametrize("damage", ["{", "{}", '{"candidate": 3}', "[]"])
def test_a_damaged_record_is_named_and_dropped_and_the_others_stay(
    damage: str, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "run.sqlite")
    reading = trial().readings[0]
    store.put([("one", trial()), ("two", trial())], [("two", "a", reading), ("two", "b", reading)])
    with sqlite3.connect(store.path) as connection:
        connection.execute("update fits set record = ? where key = 'one'", (damage,))
        connection.execute("update readings set record = ? where key = 'a'", (damage,))

    assert store.fit("one") is None
    assert store.fit("two") is not None
    assert store.readings("two") == {"b": reading}
    assert store.count() == 1
    assert len(store.dropped) == 2
    assert "fit one" in store.dropped[0]
    assert "roc_auc of fit two" in store.dropped[1]


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

    assert not artifacts.whole(address)
    with pytest.raises(StoreError, match="damaged"):
        artifacts.get(address)
    artifacts.put(b"content", suffix=".onnx")
    assert artifacts.get(address) == b"content"


def test_writing_the_same_content_twice_keeps_one_file(tmp_path: Path) -> None:
    artifacts = ArtifactStore(tmp_path)

    assert artifacts.put(b"x") == artifacts.put(b"x")
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1
