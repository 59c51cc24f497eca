"""The processors and regions that come with the package, found by name."""

from __future__ import annotations

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
from tradespace.hardware.profiles.tables import number, record_of, span, table_rows

_PROCESSORS = Path(__file__).parent / "processors.csv"
_REGIONS = Path(__file__).parent / "regions.csv"
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
    rows = table_rows(_PROCESSORS)
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
    return {name: _processor(row) for name, row in table_rows(_PROCESSORS).items()}


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
    rows = table_rows(_REGIONS)
    wanted = str(name).strip().lower().replace("_", "-")
    row = rows.get(wanted) or rows.get(f"grid-{wanted}")
    if row is None:
        names = [n.removeprefix("grid-") for n in rows]
        message, remedy = unknown_name("region", str(name), names)
        raise ProcessorError(
            message, remedy=f"{remedy} See 'tradespace list regions', or give a YAML file."
        )
    return record_of(Region, row)


def regions() -> dict[str, Region]:
    """Return every region of the package by id."""
    return {name: record_of(Region, row) for name, row in table_rows(_REGIONS).items()}


def _processor(row: Mapping[str, str]) -> Processor:
    peaks = {f: number(row, f"{f}_ops_per_s") for f in FORMATS if f"{f}_ops_per_s" in row}
    sources = {
        "": Source(row["source"], row["year"]),
        "launch_overhead_s": Source(OVERHEAD_SOURCE),
    }
    if row["price_source"]:
        sources["price_usd_per_h"] = Source(row["price_source"], row["price_date"])
    if row["list_price_low_usd"]:
        sources["list_price_usd"] = Source("list price at the release", row["year"])
    rent, list_price = span(row, "price", "_usd_per_h"), span(row, "list_price", "_usd")
    return record_of(
        Processor,
        row,
        device_class=row["class"],
        peak_ops_per_s={f: rate for f, rate in peaks.items() if rate is not None},
        price_usd_per_h=None if rent is None else Price(*rent),
        list_price_usd=None if list_price is None else Price(*list_price),
        sources=sources,
    )
