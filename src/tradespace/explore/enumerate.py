"""From candidate specs to candidates: lists are grids, ranges are sampled with a seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tradespace.core import registry
from tradespace.core.candidates import Candidate, CandidateSpec, SearchRange
from tradespace.core.errors import InputError, StudyError
from tradespace.core.settings import resolve_settings
from tradespace.core.studies import Study, Task


def _point(range_: SearchRange, unit: float) -> float | int:
    if range_.scale == "log":
        value = math.exp(math.log(range_.low) + unit * math.log(range_.high / range_.low))
    elif range_.scale == "int":
        return min(int(range_.high), int(range_.low) + int(unit * (range_.high - range_.low + 1)))
    else:
        value = range_.low + unit * (range_.high - range_.low)
    # Four digits keep labels readable; the candidate is what its label says.
    return float(f"{value:.4g}")


def sample_ranges(ranges: Mapping[str, SearchRange], *, seed: int) -> list[dict[str, Any]]:
    """Return quasi-random points over the ranges, as many as the largest `n`.

    A single range is covered evenly from end to end (both ends included); several are sampled
    together by a Halton sequence (Numerische Mathematik 2, 1960), shifted by the seed.

    Examples
    --------
    >>> sample_ranges({"C": SearchRange("log", 0.01, 100, 3)}, seed=0)
    [{'C': 0.01}, {'C': 1.0}, {'C': 100.0}]

    """
    if not ranges:
        return [{}]
    n = max(range_.n for range_ in ranges.values())
    if len(ranges) == 1:
        ((name, range_),) = ranges.items()
        if range_.scale == "int":
            step = (range_.high - range_.low) / max(1, n - 1)
            return [{name: round(range_.low + i * step)} for i in range(n)]
        return [{name: _point(range_, i / max(1, n - 1))} for i in range(n)]
    from scipy.stats.qmc import Halton

    sequence = Halton(len(ranges), scramble=False)
    sequence.fast_forward(21 + 97 * seed)  # past the correlated start of the larger bases
    return [
        {
            name: _point(range_, unit)
            for (name, range_), unit in zip(ranges.items(), row, strict=True)
        }
        for row in sequence.random(n).tolist()
    ]


def _grid(spec: CandidateSpec, *, seed: int) -> Iterator[dict[str, Any]]:
    lists = {n: v for n, v in spec.settings.items() if isinstance(v, tuple)}
    ranges = {n: v for n, v in spec.settings.items() if isinstance(v, SearchRange)}
    fixed = {n: v for n, v in spec.settings.items() if n not in lists and n not in ranges}
    for values in itertools.product(*lists.values()):
        for point in sample_ranges(ranges, seed=seed):
            yield {**fixed, **dict(zip(lists, values, strict=True)), **point}


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple) and all(type(item) is int for item in value):
        return "-".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _label(spec: CandidateSpec, settings: Mapping[str, Any], varied: Sequence[str]) -> str:
    title = spec.label or spec.family
    shown = [f"{name}={_shown(settings[name])}" for name in varied]
    return f"{title} ({', '.join(shown)})" if shown else title


def expand_spec(
    spec: CandidateSpec, *, seed: int = 0, preprocessing: Mapping[str, Any] | None = None
) -> list[Candidate]:
    """Return the candidates of one spec, settings complete and checked.

    Parameters
    ----------
    spec : CandidateSpec
        One entry of the study's candidates.
    seed : int
        Of the sampling of ranges.
    preprocessing : Mapping, optional
        Complete preprocessing settings; the spec's own if None.

    Raises
    ------
    SettingError
        If a setting is unknown or impossible, with the spec's place.

    Examples
    --------
    >>> for c in expand_spec(CandidateSpec("decision_tree", {"max_depth": (2, None)})):
    ...     print(c.label)
    decision_tree (max_depth=2)
    decision_tree (max_depth=none)

    """
    row = registry.family(spec.family)
    varied = [n for n, v in spec.settings.items() if isinstance(v, tuple | SearchRange)]
    candidates = []
    for given in _grid(spec, seed=seed):
        try:
            settings = resolve_settings(row.settings, given, owner=spec.family)
        except InputError as error:
            raise error.at(spec.place) from error
        candidates.append(
            Candidate(
                spec.family,
                settings,
                dict(spec.preprocessing if preprocessing is None else preprocessing),
                label=_label(spec, settings, varied),
                place=spec.place,
            )
        )
    return candidates


def default_specs(task: Task | None) -> tuple[CandidateSpec, ...]:
    """Return every family that fits the task, if it is known, and is installed."""
    from importlib.util import find_spec

    specs = []
    for row in registry.families().values():
        if not row.default or (task is not None and task not in row.tasks):
            continue
        if row.library and find_spec(row.library) is None:
            continue
        for settings in row.grid:
            shown = ", ".join(f"{name}={_shown(value)}" for name, value in settings.items())
            label = f"{row.name} ({shown})" if shown else row.name
            specs.append(CandidateSpec(row.name, dict(settings), label=label))
    return tuple(specs)


def enumerate_candidates(study: Study, task: Task) -> list[Candidate]:
    """Return the study's candidates, each once, in the order of the file.

    Raises
    ------
    StudyError
        If a family or a quality does not fit the task.

    """
    from tradespace.components.encoding.encoder import resolve_preprocessing
    from tradespace.study.doubts import refuse_other_tasks

    refuse_other_tasks(study, task)
    seed = study.seeds[0]
    candidates: dict[str, Candidate] = {}
    labels: dict[str, str] = {}
    for spec in study.candidates or default_specs(task):
        row = registry.family(spec.family)
        if task not in row.tasks:
            fits = [name for name, other in registry.families().items() if task in other.tasks]
            msg = f"Family {spec.family!r} does not fit the task {task.value!r}."
            remedy = f"Choose one of: {', '.join(fits)}."
            raise StudyError(msg, place=spec.place, remedy=remedy)
        preprocessing = resolve_preprocessing(spec.preprocessing, family=spec.family)
        for candidate in expand_spec(spec, seed=seed, preprocessing=preprocessing):
            if candidate.id in candidates:
                continue
            if labels.setdefault(candidate.label, candidate.id) != candidate.id:
                candidate = _relabeled(candidate, f"{candidate.label} #{len(candidates) + 1}")
            candidates[candidate.id] = candidate
    return list(candidates.values())


def _relabeled(candidate: Candidate, label: str) -> Candidate:
    from dataclasses import replace

    return replace(candidate, label=label)
