"""A commented study from a first look at a table: what ``tradespace init`` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePath

from tradespace.core.profiles import ColumnProfile, ColumnRole, TableProfile
from tradespace.core.quantities import format_number
from tradespace.core.studies import Task
from tradespace.study.defaults import usual_goal

_DROPPED = {
    ColumnRole.LEAK: "likely leak",
    ColumnRole.ID: "id",
    ColumnRole.CONSTANT: "constant",
    ColumnRole.DUPLICATE: "duplicate",
    ColumnRole.UNUSABLE: "not usable",
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*(?<! )")
#: Characters that YAML takes only as escapes, or that no editor shows.
_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS = ("true", "false", "null", "nan", "inf", "yes", "no", "on", "off", "y", "n")


def draft_study(profile: TableProfile) -> str:
    """Return the text of a study for a table: it parses, it runs, and it says why.

    Parameters
    ----------
    profile : TableProfile
        What a first look found.

    Returns
    -------
    str
        YAML with comments.

    Examples
    --------
    >>> target = ColumnProfile("malignant", "boolean", ColumnRole.TARGET)
    >>> profile = TableProfile(path="cells.csv", rows=569, columns=(target,), task=Task.BINARY,
    ...                        class_counts={"false": 357, "true": 212}, positive=True)
    >>> text = draft_study(profile)
    >>> [line for line in text.splitlines() if line.startswith(("data", "target", "positive"))]
    ['data: cells.csv', 'target: malignant',
    'positive: true            # 37.3 % of the rows: false 357, true 212']

    """
    sections = (_head, _question, _columns, _exclude, _split, _requirements, _rest)
    texts = ["\n".join(section(profile)) for section in sections]
    return "\n\n".join(text for text in texts if text) + "\n"


def scalar(value: object) -> str:
    """Return a plain value as YAML that reads back as the same value.

    Examples
    --------
    >>> scalar("is_fraud"), scalar("yes"), scalar(True), scalar("a: b"), scalar(1.5)
    ('is_fraud', '"yes"', 'true', '"a: b"', '1.5')

    """
    if value is None or isinstance(value, bool | int | float):
        text = json.dumps(value)
        return {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}.get(text, text)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)


def _comment(text: str) -> str:
    """Return text on one line, without what would end a comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _noted(line: str, note: str) -> str:
    return f"{line:<25} # {_comment(note)}" if note else line


def _head(profile: TableProfile) -> Iterator[str]:
    name = PurePath(profile.path).name
    yield _comment(f"# A study of {name}: {profile.rows:,} rows, {len(profile.columns)} columns.")
    yield "# Every choice was made from the data and says why; change what you know better."
    if profile.sampled_rows is not None:
        yield f"# The findings rest on a sample of {profile.sampled_rows:,} rows."
    for note in profile.notes:
        yield f"# Note: {_comment(note)}"
    yield "version: 1"


def _question(profile: TableProfile) -> Iterator[str]:
    target = profile.target
    name = PurePath(profile.path).name
    purpose = scalar(f"Predict {target.name} from a row of {name}")
    yield "# Say in a sentence what the component is for and who uses it."
    yield f"purpose: {purpose}"
    yield f"data: {scalar(profile.path)}"
    yield f"target: {scalar(target.name)}"
    yield _noted(f"task: {profile.task.value}", _task_note(profile))
    if profile.task is Task.BINARY and profile.positive is not None:
        yield _noted(f"positive: {scalar(profile.positive)}", _positive_note(profile))


def _task_note(profile: TableProfile) -> str:
    if profile.task is Task.REGRESSION:
        return f"the target is a number with {profile.target.distinct:,} values"
    counts = profile.class_counts
    if profile.task is Task.BINARY:
        return "the target has two values"
    shown = ", ".join(f"{label} {n:,}" for label, n in list(counts.items())[:6])
    return f"the target has {len(counts)} values: {shown}" + (", ..." if len(counts) > 6 else "")


def _positive_share(profile: TableProfile) -> float | None:
    counts = profile.class_counts
    for label in (str(profile.positive), str(profile.positive).lower()):
        if label in counts:
            return counts[label] / max(1, sum(counts.values()))
    return None


def _positive_note(profile: TableProfile) -> str:
    share = _positive_share(profile)
    shown = ", ".join(f"{label} {n:,}" for label, n in profile.class_counts.items())
    start = "" if share is None else f"{format_number(100 * share)} % of the rows: "
    return start + shown


def _columns(profile: TableProfile) -> Iterator[str]:
    times, entities = profile.of_role(ColumnRole.TIME), profile.of_role(ColumnRole.ENTITY)
    dropped = profile.of_role(*_DROPPED)
    yield "columns:" if times or entities or dropped else "# columns:"
    for column in times:
        span = f", {profile.first} to {profile.last}" if profile.first and profile.last else ""
        yield _noted(f"  time: {scalar(column.name)}", f"{_reason(column)}{span}; splits by time")
    for column in entities:
        yield _noted(
            f"  entity: {scalar(column.name)}",
            f"{_reason(column)}; intervals count these, not rows",
        )
    if dropped:
        yield "  never:                  # no component sees these"
    for column in dropped:
        note = f"{_DROPPED[column.role]}: {_reason(column)}"
        yield _noted(f"    - {scalar(column.name)}", note)
    inputs = profile.of_role(ColumnRole.FEATURE, ColumnRole.TEXT)
    kinds: dict[str, list[ColumnProfile]] = {}
    for column in inputs:
        kinds.setdefault(column.kind, []).append(column)
    yield "  # All others are inputs:"
    for kind, columns in kinds.items():
        shown = ", ".join(_with_gaps(column) for column in columns[:8])
        more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
        yield f"  #   {kind}: {_comment(shown)}{more}"
    yield "  # types: {zip: category}   to read a column as number, boolean, category, text or date"
    yield "  # protected: [gender]      never an input; fairness is measured by it"


def _with_gaps(column: ColumnProfile) -> str:
    gaps = f" ({format_number(100 * column.missing, significant=2)} % missing)"
    return column.name + (gaps if column.missing > 0 else "")


def _reason(column: ColumnProfile) -> str:
    if column.reason:
        return column.reason
    return f"{column.distinct:,} different values"


def _exclude(profile: TableProfile) -> Iterator[str]:
    if not profile.missing_target:
        return
    name = profile.target.name
    quoted = name.replace('"', '""')
    condition = scalar(f'"{quoted}" IS NULL')
    yield "exclude:                  # filters that say which rows are left out"
    yield "  - name: unlabeled rows"
    why = "have no label, so they can be neither learned nor scored."
    yield f"    why: {profile.missing_target:,} rows {why}"
    yield f"    where: {condition}"


def _split(profile: TableProfile) -> Iterator[str]:
    entities = profile.of_role(ColumnRole.ENTITY)
    if profile.of_role(ColumnRole.TIME):
        method, why = "dated", "learn from earlier rows, score later ones, as in service"
    elif entities:
        method = "grouped"
        why = f"no {entities[0].name} stands in two parts, so that none is learned by heart"
    elif profile.task is Task.REGRESSION:
        method, why = "stratified", "rows are drawn at random: no time or entity was found"
    else:
        method, why = "stratified", "each part has the same share of classes"
    yield f"# {method}: {_comment(why)}."
    if method == "dated":
        yield "# Durations are sharper, with a gap as long as it takes until a label is known:"
        yield "#   {train: 30 days, gap: 7 days, validation: 7 days, test: 7 days}"
    yield f"split: {{method: {method}, train: 60 %, validation: 20 %, test: 20 %}}"


def _requirements(profile: TableProfile) -> Iterator[str]:
    quality, start, why = _goal(profile)
    yield "# What the component must keep. Take the '#' from what you need and set the bound."
    yield "constraints:"
    yield "  - latency_p99 <= 10 ms  # one row, through the exported artifact, on one thread"
    bound = _between(start)
    yield f"  # - {quality} >= {bound}"
    yield "  # - model_size <= 5 MB"
    yield "  # - training_time <= 10 min"
    yield ""
    yield "# What is wished for, among those that keep the constraints;"
    yield f"# {why}."
    yield "objectives:"
    ends = f"from: {format_plain(start)}, to: 1"
    yield f"  - {{maximize: {quality}, {ends}, weight: 3}}"
    yield "  - {minimize: cost_per_million_predictions, from: 1 USD, to: 0.01 USD}"
    if profile.task is Task.BINARY:
        yield ""
        yield "# If you know what mistakes cost, say so; then expected_cost can be an objective:"
        yield "# mistakes: {false_positive: 1 USD, false_negative: 50 USD}"


def _goal(profile: TableProfile) -> tuple[str, float, str]:
    """Return the quality to push, what a constant gets, and why."""
    total = max(1, sum(profile.class_counts.values()))
    goal = usual_goal(
        profile.task,
        positive_share=_positive_share(profile),
        largest_share=max(profile.class_counts.values(), default=0) / total,
    )
    return goal.quality, goal.start or 0.0, goal.why


def _between(start: float) -> str:
    return f"{start + (1 - start) / 2:.2f}"


def format_plain(value: float) -> str:
    """Return a share with three digits that count, as YAML reads it.

    Examples
    --------
    >>> format_plain(0.00656), format_plain(0.0), format_plain(0.5)
    ('0.00656', '0', '0.5')

    """
    return f"{float(f'{value:.3g}'):.10f}".rstrip("0").rstrip(".")


def _rest(profile: TableProfile) -> Iterator[str]:
    yield "# Without 'candidates', every family that fits the task takes part. To choose:"
    yield "# candidates:"
    if profile.task is Task.REGRESSION:
        yield "#   - linear_regression: {alpha: {log: [0.001, 10], n: 5}}"
    else:
        yield "#   - logistic_regression: {C: {log: [0.01, 100], n: 6}}"
    yield "#   - decision_tree: {max_depth: [2, 4, 8, null]}"
    yield "#   - random_forest: {n_estimators: [25, 50, 100]}"
    yield "# seeds: 3"
    yield "# confidence: 95 %"
    yield "# budget: {cpu: 10 min}"
    yield "# environment: {price_per_hour: 0.10 USD, rows_per_batch: 1000}"
