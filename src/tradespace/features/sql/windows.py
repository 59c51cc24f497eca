"""Views as SQL window functions, for engines that compute them over many machines.

Each event gets one whole number as its place: its time in microseconds, then its rank among
all ids. Windows are ranges of places, so that simultaneous events are told apart as elsewhere.
Events that arrive late need :func:`tradespace.features.sql.query.to_sql`, which joins.
"""

from __future__ import annotations

from tradespace.core.errors import FeatureError
from tradespace.features.define.features import Feature, leaves
from tradespace.features.define.views import FeatureView

_PLACE, _RANK, _COUNT, _NEWEST = '"__place"', '"__rank"', '"__n"', '"__newest"'


def to_window_sql(view: FeatureView, *, table: str) -> str:
    """Return a query that gives the id of each event and its features, in DuckDB's SQL.

    Parameters
    ----------
    view : FeatureView
        Its source names an id, and no time of arrival.
    table : str
        Table of the events, each once; times are timestamps in UTC.

    Raises
    ------
    FeatureError
        If the source names no id, or events arrive late.

    Notes
    -----
    A decayed mean is taken with weights relative to the newest event of all, which vanish
    after a thousand half-lives.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, count
    >>> source = EventSource("log", time="at", id="id")
    >>> view = FeatureView("card", source, "card", [count("1s", delay="2s")])
    >>> print(to_window_sql(view, table="log").splitlines()[-1])
    WINDOW w0 AS (PARTITION BY "card" ORDER BY "__place" RANGE BETWEEN 2999999 * "__n" + "__rank"
    PRECEDING AND 2000000 * "__n" + "__rank" - ("__n" - 1) PRECEDING)

    """
    source = view.source
    if source.id is None:
        msg = f"SQL for view {view.name!r} needs the id of its events."
        raise FeatureError(msg, remedy="Name it: EventSource(..., id='...').")
    if source.created is not None:
        msg = f"Events of source {source.name!r} arrive late, which window functions cannot see."
        raise FeatureError(msg, remedy="Use to_sql, which joins, or leave out created=.")
    frames: dict[str, str] = {}
    for feature in leaves(view.features):
        frames.setdefault(_frame(feature), f"w{len(frames)}")
    time, identity = f'"{source.time}"', f'"{source.id}"'
    selected = ",\n".join(
        f'  {_sql(feature, time, frames)} AS "{name}"'
        for name, feature in zip(view.names, view.features, strict=True)
    )
    windows = ",\n  ".join(
        f'{name} AS (PARTITION BY "{view.entity}" ORDER BY {_PLACE} {frame})'
        for frame, name in frames.items()
    )
    kept = "" if source.where is None else f" WHERE {source.where.to_sql()}"
    return f"""WITH ranked AS (
  SELECT *, (row_number() OVER (ORDER BY {identity}) - 1)::HUGEINT AS {_RANK},
    (count(*) OVER ())::HUGEINT AS {_COUNT}, max(epoch_us({time})) OVER () AS {_NEWEST}
  FROM {table}{kept}
), placed AS (SELECT *, epoch_us({time})::HUGEINT * {_COUNT} + {_RANK} AS {_PLACE} FROM ranked)
SELECT {identity},
{selected}
FROM placed
WINDOW {windows}"""  # noqa: S608 - names are quoted; nothing comes from outside


def _frame(feature: Feature) -> str:
    delay, window = feature.delay_us, feature.window_us
    low = "UNBOUNDED PRECEDING"
    if window is not None:
        low = f"{delay + window - 1} * {_COUNT} + {_RANK} PRECEDING"
    high = "CURRENT ROW"
    if delay:
        high = f"{delay} * {_COUNT} + {_RANK} - ({_COUNT} - 1) PRECEDING"
    elif feature.kind == "since_last":
        high = "1 PRECEDING"
    return f"RANGE BETWEEN {low} AND {high}"


def _sql(feature: Feature, time: str, frames: dict[str, str]) -> str:
    empty = "NULL" if feature.empty is None else repr(float(feature.empty))
    if feature.parts is not None:
        above, below = (_sql(part, time, frames) for part in feature.parts)
        return f"coalesce(({above}) / nullif({below}, 0), {empty})"
    column = None if feature.column is None else f'"{feature.column}"'
    rules = [] if column is None else [f"{column} IS NOT NULL"]
    if feature.where is not None:
        rules.append(feature.where.to_sql())
    over = f"FILTER (WHERE {' AND '.join(rules) or 'TRUE'}) OVER {frames[_frame(feature)]}"
    match feature.kind:
        case "count":
            zero = "0.0" if feature.empty is None else empty
            return f"coalesce(nullif(count(*) {over}, 0)::DOUBLE, {zero})"
        case "distinct":
            return f"coalesce(nullif(count(DISTINCT {column}) {over}, 0)::DOUBLE, {empty})"
        case "sum" | "min" | "max":
            return f"coalesce(({feature.kind}({column}) {over})::DOUBLE, {empty})"
        case "mean":
            return f"coalesce(avg({column}::DOUBLE) {over}, {empty})"
        case "std":
            return f"coalesce(stddev_samp({column}::DOUBLE) {over}, {empty})"
        case "last":
            return f"coalesce((list({column}) {over})[-{feature.k}]::DOUBLE, {empty})"
        case "since_last":
            newest = f"(max(epoch_us({time})) {over})"
            return f"coalesce((epoch_us({time}) - {newest}) / 1e6, {empty})"
    half_life = float(feature.half_life_us or 1)
    weight = f"pow(2.0, (epoch_us({time}) - {_NEWEST}) / {half_life!r})"
    return f"coalesce((sum({column} * {weight}) {over}) / (sum({weight}) {over}), {empty})"
