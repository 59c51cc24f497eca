"""Files that once ended in a fault of ours are read, or refused with place and cause."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tradespace.core.errors import FeatureError, InputError, ProcessorError
from tradespace.features.define.load import load_views
from tradespace.hardware.dlp import machine_file
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.profiles import processor, region

WRONG = Path(__file__).parent / "wrong"
MACHINES = Path(machine_file.__file__).parent / "machines"
ODD: list[Any] = [[], {}, {"a": [1]}, 1, -1, True, "x", None, 1.5, [1, "a"], "1d", ""]


def refusal(load: Callable[[Path], Any], file: str, kind: type[InputError]) -> str:
    with pytest.raises(kind) as caught:
        load(WRONG / file)

    return str(caught.value).removeprefix(str(WRONG))


def test_a_region_given_as_a_processor_is_refused_at_its_keys() -> None:
    text = refusal(processor, "proc_date.yaml", ProcessorError)

    assert text.startswith("/proc_date.yaml:2:1: Unknown key 'carbon'")


def test_a_name_that_looks_like_a_date_is_a_text() -> None:
    assert region(WRONG / "proc_date.yaml").name == "2018-13-45"


def test_a_key_that_is_a_mapping_is_refused_at_its_place() -> None:
    text = refusal(load_machine, "machine_seqkey.yaml", ProcessorError)

    assert text.startswith("/machine_seqkey.yaml:12:3: A key must be a word")


def test_a_source_that_is_a_mapping_is_refused_at_its_place() -> None:
    text = refusal(load_views, "feat_dict.yaml", FeatureError)

    assert text.startswith("/feat_dict.yaml:14:13: The source of view 'clock' must be a name")


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = list(value.items()) if isinstance(value, dict) else []
    items += list(enumerate(value)) if isinstance(value, list) else []
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (load_views, (WRONG / "feat_dict.yaml").read_text(encoding="utf-8")),
        (load_machine, (MACHINES / "exercise.yaml").read_text(encoding="utf-8")),
        (
            processor,
            "name: b\nyear: 2024\npeak: {fp32: 1 TFLOP/s}\nprice: 1 to 2 USD/h\npower: 1 W",
        ),
        (region, "name: r\ncarbon: 350 g/kWh\npue: 1.1\nyear: 2025"),
    ],
)
def test_whatever_stands_in_a_file_it_is_read_or_refused(
    load: Callable[[Path], Any], text: str, tmp_path: Path
) -> None:
    data = YAML(typ="safe", pure=True).load(text)
    file = tmp_path / "f.yaml"
    for path in paths(data):
        for odd in ODD:
            changed = copy.deepcopy(data)
            holder = changed
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = odd
            file.write_text(json.dumps(changed, default=str), encoding="utf-8")
            with contextlib.suppress(InputError):
                load(file)
