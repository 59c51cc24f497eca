"""Every broken study file in tests/bad_studies names its place, its cause and its remedy.

A file says itself what is expected: ``# expect: line:column | cause | remedy``, one line for
each problem.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tradespace.core.errors import InputError
from tradespace.files.problems import StudyProblemsError
from tradespace.study.load import load_study

FOLDER = Path(__file__).parents[1] / "bad_studies"
_EXPECT = re.compile(r"# expect: (\d+):(\d+) \| (.*?) \| (.*)")


def expectations(file: Path) -> list[tuple[int, int, str, str]]:
    found = [_EXPECT.fullmatch(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [(int(m[1]), int(m[2]), m[3], m[4].strip()) for m in found if m]


FILES = [file for file in sorted(FOLDER.glob("*.yaml")) if expectations(file)]


def problems_of(file: Path) -> list[InputError]:
    with pytest.raises(InputError) as caught:
        load_study(file)
    error = caught.value
    return list(error.problems) if isinstance(error, StudyProblemsError) else [error]


def test_there_are_many_broken_files() -> None:
    assert len(FILES) >= 25


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_broken_study_names_place_cause_and_remedy(file: Path) -> None:
    wanted = expectations(file)
    found = problems_of(file)

    for line, column, cause, remedy in wanted:
        here = [p for p in found if cause in p.message]
        assert here, f"{cause!r} in none of:\n" + "\n".join(map(str, found))
        place = here[0].place
        assert place is not None
        assert (place.file, place.line, place.column) == (str(file), line, column)
        assert remedy in here[0].remedy


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_broken_study_has_no_problem_that_only_follows_from_another(file: Path) -> None:
    assert len(problems_of(file)) == len(expectations(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_problem_is_one_line(file: Path) -> None:
    found = problems_of(file)

    assert all("\n" not in str(problem) for problem in found)
    assert all(str(problem).startswith(f"{file}:") for problem in found)
