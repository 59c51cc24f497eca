"""Views as DuckDB SQL: the definition once more, for a distributed engine and for tests."""

from __future__ import annotations

from tradespace.core.errors import FeatureError
from tradespace.features.define.features import Feature
from tradespace.features.define.views import FeatureView


def to_sql(view: FeatureView, *, table: str) -> str:
    """Return a query that gives the id of each event and its features.

    Parameters
    ----------
    view : FeatureView
        Its source names an id.
    table : str
        Table of the events, each once; times are timestamps in UTC.

    Raises
    ------
    FeatureError
        If the source names no id.

    """
    source = view.source
    if source.id is None:
        msg = f"SQL for view {view.name!r} needs the id of its events."
        raise FeatureError(msg, remedy="Name it: EventSource(..., id='...').")
    time, identity = f'"{source.time}"', f'"{source.id}"'
    created = time if source.created is None else f'coalesce("{source.created}", {time})'
    selected = ",\n".join(
        f'  {_sql(feature, source.time, source.id)} AS "{name}"'
        for name, feature in zip(view.names, view.features, strict=True)
    )
    own = f"e.{identity} = r.{identity}"
    kept = "" if source.where is None else f" WHERE {source.where.to_sql()}"
    return f"""WITH events AS (SELECT *, {created} AS "__created" FROM {table}{kept})
SELECT r.{identity},
{selected}
FROM events r JOIN events e ON e."{view.entity}" = r."{view.entity}" AND e.{time} <= r.{time}
  AND ({own} OR e."__created" <= r.{time})
GROUP BY r.{identity}, r.{time}"""  # noqa: S608 - names are quoted; nothing comes from outside


def _sql(feature: Feature, time: str, identity: str) -> str:
    empty = "NULL" if feature.empty is None else repr(float(feature.empty))
    if feature.parts is not None:
        above, below = (_sql(part, time, identity) for part in feature.parts)
        return f"coalesce(({above}) / nullif({below}, 0), {empty})"
    at, now, me = f'e."{time}"', f'r."{time}"', f'r."{identity}"'
    delay, window = feature.delay_us, feature.window_us
    rules = [f"{at} <= {now} - to_microseconds({delay})"]
    if window is not None:
        rules.append(f"{at} > {now} - to_microseconds({window + delay})")
    if delay == 0:
        sign = "<" if feature.kind == "since_last" else "<="
        rules.append(f'({at} < {now} OR e."{identity}" {sign} {me})')
    if feature.where is not None:
        rules.append(feature.where.to_sql(prefix="e."))
    column = None if feature.column is None else f'e."{feature.column}"'
    if column is not None:
        rules.append(f"{column} IS NOT NULL")
    kept = f"FILTER (WHERE {' AND '.join(rules)})"
    latest = f'ORDER BY {at} DESC, e."{identity}" DESC'
    count = f"count(*) {kept}"
    match feature.kind:
        case "count":
            zero = "0.0" if feature.empty is None else empty
            return f"coalesce(nullif({count}, 0)::DOUBLE, {zero})"
        case "distinct":
            return f"coalesce(nullif(count(DISTINCT {column}) {kept}, 0)::DOUBLE, {empty})"
        case "sum" | "min" | "max":
            return f"coalesce({feature.kind}({column}) {kept}::DOUBLE, {empty})"
        case "mean":
            return f"coalesce(avg({column}::DOUBLE) {kept}, {empty})"
        case "std":
            return f"coalesce(stddev_samp({column}::DOUBLE) {kept}, {empty})"
        case "last":
            return f"coalesce((array_agg({column} {latest}) {kept})[{feature.k}]::DOUBLE, {empty})"
        case "since_last":
            return f"coalesce((epoch_us({now}) - epoch_us(max({at}) {kept})) / 1e6, {empty})"
    half_life = float(feature.half_life_us or 1)
    weight = f"pow(2.0, (epoch_us({at}) - epoch_us({now})) / {half_life!r})"
    return f"coalesce(sum({column} * {weight}) {kept} / sum({weight}) {kept}, {empty})"
