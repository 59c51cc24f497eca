"""Views of features are named as file and view, checked before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradespace.core.errors import StudyError
from tradespace.files.references import check_view

FILE = """from tradespace.features import EventSource, FeatureView, RowFeatures, count, hour
log = EventSource("log")
u = FeatureView("user", log, "user", [count("1d")])
clock = RowFeatures("clock", log, {"night": hour("time") <= 6})
"""


@pytest.mark.parametrize("text", ["features.py:u", "features.py:user", "features.py:clock"])
def test_a_view_goes_by_its_variable_or_its_own_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text(FILE)

    check_view(text, folder=str(tmp_path), what="A feature view")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("features.py", r"must read 'features.py:VIEW'.*'features.py:u'; it has u, user, clock"),
        ("features.py:", r"must read 'features.py:VIEW'.*'features.py:u'"),
        ("features.yaml", "must read 'features.py:VIEW'.*'features.yaml:customer'"),
        ("features.user", "got 'features.user'.*like 'features.py:customer'"),
        ("features.py:usr", "view of 'features.py': 'usr'; allowed are: u, user, clock"),
        ("feature.py:user", "no file 'feature.py'. Did you mean 'features.py'"),
    ],
)
def test_what_names_no_view_is_shown_the_form(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text(FILE)

    with pytest.raises(StudyError, match=message) as caught:
        check_view(text, folder=str(tmp_path), what="A feature view")
    assert caught.value.remedy
