"""The code that a study runs, named before it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tradespace.core import registry
from tradespace.core.studies import Study

_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Code:
    """A function or a view that a study names, and what it is for."""

    use: str
    reference: str

    def __str__(self) -> str:
        return f"{self.reference} ({self.use})"


def code_of(study: Study) -> tuple[Code, ...]:
    r"""Return the code that evaluating a study runs, in the order of the file.

    Examples
    --------
    >>> from tradespace.study.load import parse_study
    >>> study = parse_study("purpose: p\ndata: sklearn:iris\ntarget: target\ncandidates: "
    ...     "[sklearn: {estimator: 'sklearn.naive_bayes:GaussianNB'}]")
    >>> [str(code) for code in code_of(study)]
    ['sklearn.naive_bayes:GaussianNB (estimator)']

    """
    uses = [Code("data", study.data.location)] if study.data.kind == "callable" else []
    uses += [Code("feature view", name) for name in _views_in_python(study)]
    for spec in study.candidates:
        for setting in registry.family(spec.family).settings:
            if setting.names == "code" and (given := spec.settings.get(setting.name)):
                grid = given if isinstance(given, tuple) else (given,)
                uses += [Code(setting.name, str(one)) for one in grid]
    return tuple(dict.fromkeys(uses))


def named(code: Iterable[Code]) -> str:
    """Return code as a phrase: "rows.py:make (data), my.py:tree (estimator)"."""
    return ", ".join(map(str, code))


def data_need_code(study: Study) -> bool:
    """Return whether the inputs of a study cannot be known unless its code runs."""
    views = _views_in_python(study)
    return study.data.kind == "callable" or bool(views and study.columns.features)


def without_views_in_python(study: Study) -> Study:
    """Return a study whose feature views that are Python are left out."""
    left_out = _views_in_python(study)
    return replace(study, features=tuple(n for n in study.features if n not in left_out))


def _views_in_python(study: Study) -> list[str]:
    return [name for name in study.features if not name.rpartition(":")[0].endswith(_YAML)]
