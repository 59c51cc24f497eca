"""Write the tables of reference/hardware.md: ``python docs/generate_hardware.py``.

A test compares the page with what this writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tables import filled

from tradespace.cli._list import listing

PAGE = Path(__file__).with_name("reference") / "hardware.md"


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(columns)
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


class _Sources:
    """Sources, numbered as they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def cite(self, texts: Iterable[str]) -> str:
        """Return the numbers of some sources."""
        found = {self.numbers.setdefault(t, len(self.numbers) + 1) for t in texts if t}
        return ", ".join(f"[{number}]" for number in sorted(found))

    def listed(self) -> str:
        """Return the list of all sources."""
        return "\n".join(f"{number}. {text}" for text, number in self.numbers.items())


def _peaks(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name} {rate / 1e12:g}" for name, rate in detail["peak_ops_per_s"].items())


def _money(price: list[float] | None) -> str:
    if price is None:
        return "unknown"
    return f"{price[0]:g}" if price[0] == price[1] else f"{price[0]:g} to {price[1]:g}"


def processors() -> str:
    """Return the table of processors with the list of its sources."""
    sources = _Sources()
    rows = [
        (
            f"`{row['name']}`",
            row["what"],
            row["class"],
            row["detail"]["year"] or "",
            _peaks(row["detail"]),
            row["bandwidth"],
            row["memory"],
            row["power"],
            _money(row["detail"]["price_usd_per_h"]),
            sources.cite(row["detail"]["sources"].values()),
        )
        for row in listing("processors")
    ]
    columns = ("name", "processor", "class", "year", "peak, TOP/s", "bandwidth", "memory")
    return f"{_table((*columns, 'power', 'USD/h', 'source'), rows)}\n\n{sources.listed()}"


def regions() -> str:
    """Return the table of regions with the list of its sources."""
    sources = _Sources()
    rows = [
        (
            f"`{row['name']}`",
            row["what"],
            row["g CO2e/kWh"],
            row["PUE"] or "-",
            row["year"],
            sources.cite([row["detail"]["source"]]),
        )
        for row in listing("regions")
    ]
    columns = ("name", "region", "g CO2e/kWh", "PUE", "year", "source")
    return f"{_table(columns, rows)}\n\n{sources.listed()}"


def runs() -> str:
    """Return the table of published training runs."""
    rows = [
        (f"`{row['name']}`", row["what"], row["published"], row["source"])
        for row in listing("runs")
    ]
    return _table(("name", "run", "published", "source"), rows)


#: Name of a table in the page -> what writes it.
TABLES = {"processors": processors, "regions": regions, "runs": runs}


def page(text: str) -> str:
    """Return the page with its tables brought up to date."""
    return filled(text, TABLES)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
