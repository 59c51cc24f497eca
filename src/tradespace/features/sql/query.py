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
    own_id = identity_of(view)
    time, identity = f'"{source.time}"', f'"{own_id}"'
    created = time if source.created is None else f'coalesce("{source.created}", {time})'
    selected = ",\n".join(
        f'  {_sql(feature, source.time, own_id)} AS "{name}"'
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
    if feature.parts is not None:
        return ratio_sql(feature, *(_sql(part, time, identity) for part in feature.parts))
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
    since = f"(epoch_us({now}) - epoch_us(max({at}) {kept}))"
    last = f"(array_agg({column} {latest}) {kept})[{feature.k}]"
    return aggregate_sql(
        feature, column, kept, since=since, last=last, age=f"epoch_us({now})", at=at
    )


def aggregate_sql(
    feature: Feature, column: str | None, kept: str, *, since: str, last: str, age: str, at: str
) -> str:
    """Return the SQL of a feature over the events that `kept` chooses.

    Parameters
    ----------
    feature : Feature
        Not a ratio.
    column : str or None
        Its column in SQL.
    kept : str
        What follows an aggregate function: the filter, and the window if there is one.
    since, last : str
        Microseconds since the last event; the value of the k-th last event.
    age, at : str
        From what moment weights of a decayed mean count, in microseconds; time of an event.

    """
    empty = empty_sql(feature)
    match feature.kind:
        case "count":
            zero = "0.0" if feature.empty is None else empty
            return f"coalesce(nullif(count(*) {kept}, 0)::DOUBLE, {zero})"
        case "distinct":
            return f"coalesce(nullif(count(DISTINCT {column}) {kept}, 0)::DOUBLE, {empty})"
        case "sum" | "min" | "max":
            return f"coalesce(({feature.kind}({column}) {kept})::DOUBLE, {empty})"
        case "mean":
            return f"coalesce(avg({column}::DOUBLE) {kept}, {empty})"
        case "std":
            return f"coalesce(stddev_samp({column}::DOUBLE) {kept}, {empty})"
        case "last":
            return f"coalesce({last}::DOUBLE, {empty})"
        case "since_last":
            return f"coalesce({since} / 1e6, {empty})"
    half_life = float(feature.half_life_us or 1)
    weight = f"pow(2.0, (epoch_us({at}) - {age}) / {half_life!r})"
    return f"coalesce((sum({column} * {weight}) {kept}) / (sum({weight}) {kept}), {empty})"


def empty_sql(feature: Feature) -> str:
    """Return what stands for nothing."""
    return "NULL" if feature.empty is None else repr(float(feature.empty))


def ratio_sql(feature: Feature, above: str, below: str) -> str:
    """Return one part of a ratio divided by the other."""
    return f"coalesce(({above}) / nullif({below}, 0), {empty_sql(feature)})"


def identity_of(view: FeatureView) -> str:
    """Return the column that identifies an event of the source.

    Raises
    ------
    FeatureError
        If the source names none.

    """
    if view.source.id is None:
        msg = f"SQL for view {view.name!r} needs the id of its events."
        raise FeatureError(msg, remedy="Name it: EventSource(..., id='...').")
    return view.source.id
