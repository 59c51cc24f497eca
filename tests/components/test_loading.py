"""What a fit imports is loaded before its clock starts."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tradespace.core import registry

HEAVY = ("sklearn", "scipy", "xgboost", "lightgbm", "interpret", "pandas", "joblib")
TRAINED = [
    row
    for row in registry.families().values()
    if row.trained and not any(spec.required for spec in row.settings)
]
CODE = """
import sys
from tradespace.components.component import family_named
from tradespace.testing.families import candidate_of, trained
from tradespace.core.studies import Task
family, given = family_named({name!r}), {given!r}
family.load(candidate_of({name!r}, given).settings)
before = set(sys.modules)
trained({name!r}, task=Task({task!r}), settings=given)
print(*sorted(m for m in set(sys.modules) - before if m.split(".")[0] in {heavy!r}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("row", TRAINED, ids=lambda row: row.name)
def test_a_fit_imports_no_library_that_its_family_did_not_load(row: registry.FamilyRow) -> None:
    if row.library and importlib.util.find_spec(row.library) is None:
        pytest.skip(f"{row.library} is not installed")
    given = {"max_rounds": 20} if row.name == "explainable_boosting" else {}
    code = CODE.format(name=row.name, task=row.tasks[0].value, given=given, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.split() == []
