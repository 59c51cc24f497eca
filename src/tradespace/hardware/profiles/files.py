"""A person's own processor or region: a dozen lines of YAML, units as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo

from tradespace.core.errors import InputError, ProcessorError
from tradespace.files.checker import Checker, Section
from tradespace.files.fields import Line, one_of, quantity, refuse
from tradespace.files.problems import FileKind, ProcessorProblemsError
from tradespace.files.units import parse_quantity
from tradespace.hardware.profiles.prices import parse_price
from tradespace.hardware.profiles.records import FORMATS, Price, Processor, Region, Source

_PROCESSOR = FileKind(
    "processor file",
    "Start with 'name:' and 'peak: {fp32: 1.28 TFLOP/s}' at the left margin.",
    "Give the path of a YAML file, or a name of 'tradespace list processors'.",
    ProcessorProblemsError,
)
_REGION = FileKind(
    "region file",
    "Start with 'name:' and 'carbon: 350 g/kWh' at the left margin.",
    "Give the path of a YAML file, or a name of 'tradespace list regions'.",
    ProcessorProblemsError,
)


def _amount(unit: str) -> PlainValidator:
    return PlainValidator(quantity(unit, bare=False))


def _price(value: Any, info: ValidationInfo) -> Price:
    per_hour = info.field_name == "price"
    try:
        return parse_price(str(value), per_hour=per_hour, what=f"'{info.field_name}'")
    except InputError as error:
        refuse(error.message, remedy=error.remedy)


def _start(value: Any) -> float:
    try:
        time_s = parse_quantity(value, unit="s", what="'launch_overhead'")
    except InputError as error:
        refuse(error.message, remedy="Write for example '5 us'.")
    if time_s < 0:
        refuse(f"'launch_overhead' must be at least 0; got {value!r}.", remedy="Write '5 us'.")
    return time_s


Size = Annotated[float | None, _amount("B")]
Prices = Annotated[Price | None, PlainValidator(_price)]
Format = Annotated[str, one_of(FORMATS, "number format")]


class ProcessorFile(Section):
    """A processor; what is left out is not known."""

    name: Line = ""
    vendor: Line = ""
    device_class: Line = Field("", alias="class")
    year: int | None = Field(None, examples=[2024])
    peak: dict[Format, Annotated[float, _amount("op/s")]] | None = Field(
        None, examples=["{fp32: 1.28 TFLOP/s}"]
    )
    memory: Size = None
    bandwidth: Annotated[float | None, _amount("B/s")] = None
    on_chip: Size = None
    power: Annotated[float | None, _amount("W")] = None
    price: Prices = None
    list_price: Prices = None
    launch_overhead: Annotated[float | None, PlainValidator(_start)] = None
    source: Line = ""
    notes: Line = ""


class RegionFile(Section):
    """The electricity of a region."""

    name: Line = ""
    carbon: Annotated[float | None, _amount("g/kWh")] = None
    year: Line = ""
    pue: float | None = Field(None, examples=[1.1])
    source: Line = ""
    notes: Line = ""


def load_processor(path: str | Path) -> Processor:
    """Return the processor that a YAML file describes.

    Parameters
    ----------
    path : str or path
        Keys: name, vendor, class, year, peak (format: rate), memory, bandwidth, on_chip, power,
        price, list_price, launch_overhead, source, notes. `peak` must be given; what is left
        out is not known.

    Raises
    ------
    ProcessorError
        With file, line and column.

    """
    checker = Checker.open(Path(path), _PROCESSOR)
    read = checker.read(ProcessorFile, checker.tree.value, ())
    if not read.peak and not checker.problems:
        msg = "A processor needs at least one rate under 'peak'."
        checker.note(msg, ("peak",), remedy="Write peak: {fp32: 1.28 TFLOP/s}.")
    checker.problems.raise_if_any()
    sources = {"": Source(read.source or f"the file {Path(path).name}")}
    if read.launch_overhead is None:
        sources["launch_overhead_s"] = Source("the file gives none, taken as 0")
    try:
        return Processor(
            id=Path(path).stem,
            name=read.name or Path(path).stem,
            vendor=read.vendor,
            device_class=read.device_class,
            year=read.year,
            peak_ops_per_s=read.peak or {},
            memory_bytes=read.memory,
            memory_bandwidth_bytes_per_s=read.bandwidth,
            on_chip_bytes=read.on_chip,
            tdp_w=read.power,
            price_usd_per_h=read.price,
            list_price_usd=read.list_price,
            launch_overhead_s=read.launch_overhead or 0.0,
            notes=read.notes,
            sources=sources,
        )
    except ProcessorError as error:
        raise error.at(checker.tree.at(())) from None


def load_region(path: str | Path) -> Region:
    """Return the region that a YAML file describes: carbon, and pue if it is known.

    Raises
    ------
    ProcessorError
        With file, line and column.

    """
    checker = Checker.open(Path(path), _REGION)
    read = checker.read(RegionFile, checker.tree.value, ())
    if read.carbon is None and not checker.problems:
        msg = "A region needs the key 'carbon'."
        checker.note(msg, ("carbon",), remedy="Write carbon: 350 g/kWh.")
    checker.problems.raise_if_any()
    try:
        return Region(
            id=Path(path).stem,
            name=read.name or Path(path).stem,
            carbon_g_per_kwh=read.carbon or 0.0,
            year=read.year,
            pue=read.pue,
            source=read.source or f"the file {Path(path).name}",
            notes=read.notes,
        )
    except ProcessorError as error:
        raise error.at(checker.tree.at(("pue",))) from None
