"""Views as SQL window functions, for engines that compute them over many machines.

Each event gets one whole number as its place: its time in microseconds, then its rank among
all ids. Windows are ranges of places, so that simultaneous events are told apart as elsewhere.
Events that arrive late need :func:`tradespace.features.sql.query.to_sql`, which joins.
"""

from __future__ import annotations

from tradespace.core.errors import FeatureError
from tradespace.features.define.features import Feature, leaves
from tradespace.features.define.views import FeatureView
from tradespace.features.sql.query import aggregate_sql, identity_of, ratio_sql

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
    identity = f'"{identity_of(view)}"'
    if source.created is not None:
        msg = f"Events of source {source.name!r} arrive late, which window functions cannot see."
        raise FeatureError(msg, remedy="Use to_sql, which joins, or leave out created=.")
    frames: dict[str, str] = {}
    for feature in leaves(view.features):
        frames.setdefault(_frame(feature), f"w{len(frames)}")
    time = f'"{source.time}"'
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
    if feature.parts is not None:
        return ratio_sql(feature, *(_sql(part, time, frames) for part in feature.parts))
    column = None if feature.column is None else f'"{feature.column}"'
    rules = [] if column is None else [f"{column} IS NOT NULL"]
    if feature.where is not None:
        rules.append(feature.where.to_sql())
    over = f"FILTER (WHERE {' AND '.join(rules) or 'TRUE'}) OVER {frames[_frame(feature)]}"
    since = f"(epoch_us({time}) - (max(epoch_us({time})) {over}))"
    last = f"(list({column}) {over})[-{feature.k}]"
    return aggregate_sql(feature, column, over, since=since, last=last, age=_NEWEST, at=time)
