"""Sources of events: where they are, and which columns are their time, id and arrival."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.errors import FeatureError
from tradespace.features.define.contracts import Contract, contract_of
from tradespace.features.define.expression_text import parse_expression
from tradespace.features.define.expressions import Expression
from tradespace.features.define.rules import (
    check_column,
    check_decimals,
    check_name,
    shown,
    text_of_path,
)


@dataclass(frozen=True, slots=True)
class EventSource:
    """Events with a time, in Parquet or CSV files or handed over as a data frame.

    Parameters
    ----------
    name : str
        What it is called in messages and in the catalogue.
    path : str, optional
        File or glob; relative paths count from the file that defines the source. None: the
        rows of the study.
    time : str
        Column of the event time.
    id : str, optional
        Column that identifies an event: an event that arrives twice counts once, and it
        orders simultaneous events. Without it simultaneous events of one entity are refused.
    created : str, optional
        Column of the time of arrival; without it an event is known at its own time.
    decimals : Mapping of str to int, optional
        Columns that are whole numbers of a smallest unit (cents: 2): their sums are exact.
    time_zone : str, optional
        Zone in which times without a zone were written, and in which hours and weekdays are
        read; None: UTC.
    contract : Contract, optional
        What the columns must look like.
    where : Expression, optional
        A condition that events meet, or its text, like ``~column("user").is_null()`` or
        ``"user is not None"``. The others exist for no view, and no rule of the contract is
        asked of them.

    """

    name: str
    path: str | None = None
    time: str = "time"
    id: str | None = None
    created: str | None = None
    decimals: Mapping[str, int] = field(default_factory=dict)
    time_zone: str | None = None
    contract: Contract | None = None
    owner: str = ""
    description: str = ""
    where: Expression | None = None

    def __post_init__(self) -> None:
        check_name(self.name, what="a source")
        for what in ("time", "id", "created"):
            if what == "time" or getattr(self, what) is not None:
                owner = f"{what} of source {self.name!r}"
                check_column(getattr(self, what), what=owner[0].upper() + owner[1:])
        object.__setattr__(self, "path", text_of_path(self.path, owner=self.name))
        object.__setattr__(self, "contract", contract_of(self.contract, owner=self.name))
        check_decimals(self.decimals, owner=self.name)
        where: Any = self.where
        where = parse_expression(where) if isinstance(where, str) else where
        object.__setattr__(self, "where", where)
        if where is not None and not isinstance(where, Expression):
            msg = f"where of source {self.name!r} is a condition; got {shown(where)}."
            raise FeatureError(msg, remedy="Write it like where='user is not None'.")
        if self.time_zone is not None:
            import zoneinfo

            try:
                zoneinfo.ZoneInfo(self.time_zone)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
                msg = f"Unknown time zone {self.time_zone!r} of source {self.name!r}."
                raise FeatureError(msg, remedy="Write it like 'Europe/Brussels'.") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventSource) and source_content(self) == source_content(other)

    def __hash__(self) -> int:
        return hash((self.name, self.path))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that reading it needs, whatever the features, sorted."""
        found = {self.time, *(name for name in (self.id, self.created) if name)}
        found.update(() if self.where is None else self.where.columns)
        if self.contract is not None:
            found.update(self.contract.columns, self.contract.unique)
        return tuple(sorted(found))

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the values of features, as plain data."""
        where = {} if self.where is None else {"where": self.where.text}
        return {
            **where,
            "name": self.name,
            "time": self.time,
            "id": self.id,
            "created": self.created,
            "decimals": dict(self.decimals),
            "time_zone": self.time_zone,
        }


def source_content(source: EventSource) -> dict[str, Any]:
    """Return all that tells sources of one name apart."""
    content = {"path": source.path, **source.to_dict(), "contract": source.contract}
    return {**content, "where": None if source.where is None else source.where.text}
