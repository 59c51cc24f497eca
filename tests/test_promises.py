"""What the project promises of itself: light imports, adding a plug-in, no pickles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "tradespace"


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that are loaded after some code."""
    text = f"{code}\nimport sys; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"numpy", "polars", "sklearn", "scipy", "onnx", "onnxruntime", "torch", "plotly", "pint"}


@pytest.mark.parametrize(
    "code",
    [
        "import tradespace",
        "from tradespace.cli import run; run(['--help'])",
        "from tradespace.cli import run; run(['list', 'qualities'])",
        "from tradespace.cli import run; run(['schema'])",
        "from tradespace.core import registry; registry.families()",
    ],
)
def test_light_commands_load_nothing_heavy(code: str) -> None:
    assert not modules_after(code) & HEAVY


def test_loading_a_study_loads_no_numbers_library() -> None:
    code = (
        "from tradespace.study.load import parse_study; "
        "parse_study('purpose: p\\ndata: sklearn:iris\\ntarget: target\\n"
        "constraints: [accuracy >= 90 %]')"
    )

    assert not modules_after(code) & HEAVY


def test_no_pickle_is_ever_loaded() -> None:
    pattern = re.compile(r"\b(pickle|joblib|dill|cloudpickle)\b\s*\.\s*loads?\(")
    found = [
        f"{path.name}:{number}"
        for path in SOURCE.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]

    assert not found


def test_every_public_name_resolves() -> None:
    import tradespace

    for name in tradespace.__all__:
        assert getattr(tradespace, name) is not None
