"""The processors and regions that come with the package, found by name."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path

from tradespace.core.errors import ProcessorError
from tradespace.core.suggest import unknown_name
from tradespace.hardware.profiles.records import (
    FORMATS,
    OVERHEAD_SOURCE,
    Price,
    Processor,
    Region,
    Source,
)

_FOLDER = Path(__file__).parent
_OWN_FILE = (".yaml", ".yml")


def processor(name: str | Path) -> Processor:
    """Return a processor by name, or from a person's own file.

    Parameters
    ----------
    name : str or path
        An id of `processors`, or the path of a YAML file of a dozen lines.

    Raises
    ------
    ProcessorError
        If there is none of that name, with the nearest name; if the file is wrong, with the
        line.

    Examples
    --------
    >>> card = processor("v100-pcie")
    >>> card.peak_ops_per_s["fp16"], card.tdp_w
    (112000000000000.0, 250.0)

    """
    if str(name).endswith(_OWN_FILE):
        from tradespace.hardware.profiles.files import load_processor

        return load_processor(name)
    rows = _rows("processors")
    wanted = str(name).strip().lower().replace("_", "-").replace(" ", "-")
    if wanted not in rows:
        message, remedy = unknown_name("processor", str(name), rows)
        raise ProcessorError(
            message, remedy=f"{remedy} See 'tradespace list processors', or give a YAML file."
        )
    return _processor(rows[wanted])


def processors() -> dict[str, Processor]:
    """Return every processor of the package by id.

    Examples
    --------
    >>> "jetson-orin-nano" in processors()
    True

    """
    return {name: _processor(row) for name, row in _rows("processors").items()}


def region(name: str | Path) -> Region:
    """Return the electricity of a region by name, or from a person's own file.

    Parameters
    ----------
    name : str or path
        An id of `regions` (``grid-us`` may be called ``us``), or the path of a YAML file.

    Raises
    ------
    ProcessorError
        If there is none of that name, with the nearest name; if the file is wrong, with the
        line.

    Examples
    --------
    >>> region("fr").carbon_g_per_kwh
    56.039

    """
    if str(name).endswith(_OWN_FILE):
        from tradespace.hardware.profiles.files import load_region

        return load_region(name)
    rows = _rows("regions")
    wanted = str(name).strip().lower().replace("_", "-")
    row = rows.get(wanted) or rows.get(f"grid-{wanted}")
    if row is None:
        names = [n.removeprefix("grid-") for n in rows]
        message, remedy = unknown_name("region", str(name), names)
        raise ProcessorError(
            message, remedy=f"{remedy} See 'tradespace list regions', or give a YAML file."
        )
    return _region(row)


def regions() -> dict[str, Region]:
    """Return every region of the package by id."""
    return {name: _region(row) for name, row in _rows("regions").items()}


@functools.cache
def _rows(table: str) -> dict[str, dict[str, str]]:
    with (_FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def _number(row: Mapping[str, str], name: str) -> float | None:
    return float(row[name]) if row[name] else None


def _price(row: Mapping[str, str], name: str, unit: str) -> Price | None:
    low, high = _number(row, f"{name}_low_{unit}"), _number(row, f"{name}_high_{unit}")
    return Price(low, high) if low is not None and high is not None else None


def _processor(row: Mapping[str, str]) -> Processor:
    peaks = {f: _number(row, f"{f}_ops_per_s") for f in FORMATS if f"{f}_ops_per_s" in row}
    sources = {
        "": Source(row["source"], row["year"]),
        "launch_overhead_s": Source(OVERHEAD_SOURCE),
    }
    if row["price_source"]:
        sources["price_usd_per_h"] = Source(row["price_source"], row["price_date"])
    if row["list_price_low_usd"]:
        sources["list_price_usd"] = Source("list price at the release", row["year"])
    return Processor(
        id=row["id"],
        name=row["name"],
        vendor=row["vendor"],
        device_class=row["class"],
        year=int(row["year"]) if row["year"] else None,
        peak_ops_per_s={f: rate for f, rate in peaks.items() if rate is not None},
        memory_bytes=_number(row, "memory_bytes"),
        memory_type=row["memory_type"],
        memory_bandwidth_bytes_per_s=_number(row, "memory_bandwidth_bytes_per_s"),
        on_chip_bytes=_number(row, "on_chip_bytes"),
        tdp_w=_number(row, "tdp_w"),
        price_usd_per_h=_price(row, "price", "usd_per_h"),
        list_price_usd=_price(row, "list_price", "usd"),
        launch_overhead_s=float(row["launch_overhead_s"]),
        notes=row["notes"],
        sources=sources,
    )


def _region(row: Mapping[str, str]) -> Region:
    return Region(
        id=row["id"],
        name=row["name"],
        carbon_g_per_kwh=float(row["carbon_g_per_kwh"]),
        year=row["year"],
        pue=_number(row, "pue"),
        source=row["source"],
        notes=row["notes"],
    )
