"""A person's own processor or region: a dozen lines of YAML, units as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tradespace.core.errors import Place, ProcessorError
from tradespace.core.suggest import nearest
from tradespace.hardware.profiles import amounts
from tradespace.hardware.profiles.records import FORMATS, Processor, Region, Source

_LARGEST_BYTES = 100_000
_PROCESSOR_KEYS = (
    "name",
    "vendor",
    "class",
    "year",
    "peak",
    "memory",
    "bandwidth",
    "on_chip",
    "power",
    "price",
    "list_price",
    "launch_overhead",
    "source",
    "notes",
)
_REGION_KEYS = ("name", "carbon", "year", "pue", "source", "notes")


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
    node = _Node.read(Path(path))
    node.known(_PROCESSOR_KEYS)
    peaks = node.mapping("peak")
    rates = {name: node.amount(amounts.parse_rate, "peak", name) for name in peaks}
    if not rates:
        msg = "A processor needs at least one rate under 'peak'."
        raise ProcessorError(msg, place=node.place("peak"), remedy="Write fp32: 1.28 TFLOP/s.")
    year = node.value("year")
    if year is not None and (isinstance(year, bool) or not isinstance(year, int)):
        msg = f"The year must be a whole number; got {year!r}."
        raise ProcessorError(msg, place=node.place("year"), remedy="Write 2024.")
    overhead = node.optional(amounts.parse_time, "launch_overhead")
    sources = {"": Source(node.text("source") or f"the file {Path(path).name}")}
    if overhead is None:
        sources["launch_overhead_s"] = Source("the file gives none, taken as 0")
    try:
        return Processor(
            id=Path(path).stem,
            name=node.text("name") or Path(path).stem,
            vendor=node.text("vendor"),
            device_class=node.text("class"),
            year=year,
            peak_ops_per_s=rates,
            memory_bytes=node.optional(amounts.parse_size, "memory"),
            memory_bandwidth_bytes_per_s=node.optional(amounts.parse_bandwidth, "bandwidth"),
            on_chip_bytes=node.optional(amounts.parse_size, "on_chip"),
            tdp_w=node.optional(amounts.parse_power, "power"),
            price_usd_per_h=node.price("price", per_hour=True),
            list_price_usd=node.price("list_price", per_hour=False),
            launch_overhead_s=overhead or 0.0,
            notes=node.text("notes"),
            sources=sources,
        )
    except ProcessorError as error:
        raise error.at(Place(str(path))) from None


def load_region(path: str | Path) -> Region:
    """Return the region that a YAML file describes: carbon, and pue if it is known.

    Raises
    ------
    ProcessorError
        With file, line and column.

    """
    node = _Node.read(Path(path))
    node.known(_REGION_KEYS)
    if node.value("carbon") is None:
        msg = "A region needs the key 'carbon'."
        raise ProcessorError(msg, place=Place(str(path), 1, 1), remedy="Write carbon: 350 g/kWh.")
    pue = node.value("pue")
    if pue is not None and (isinstance(pue, bool) or not isinstance(pue, int | float)):
        msg = f"The PUE must be a number; got {pue!r}."
        raise ProcessorError(msg, place=node.place("pue"), remedy="Write 1.1, for example.")
    try:
        return Region(
            id=Path(path).stem,
            name=node.text("name") or Path(path).stem,
            carbon_g_per_kwh=node.amount(amounts.parse_carbon, "carbon"),
            year=node.text("year"),
            pue=None if pue is None else float(pue),
            source=node.text("source") or f"the file {Path(path).name}",
            notes=node.text("notes"),
        )
    except ProcessorError as error:
        raise error.at(node.place("pue")) from None


class _Node:
    """A parsed file that knows where its values stand."""

    def __init__(self, file: str, data: Mapping[str, Any]) -> None:
        self.file, self._data = file, data

    @classmethod
    def read(cls, path: Path) -> _Node:
        """Return the mapping of a file."""
        from ruamel.yaml import YAML
        from ruamel.yaml.comments import CommentedMap
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        if not path.is_file():
            msg = f"There is no file {str(path)!r}."
            raise ProcessorError(msg, remedy="Give the path of a YAML file, or a known name.")
        if path.stat().st_size > _LARGEST_BYTES:
            msg = f"{str(path)!r} is too large for a description of a dozen lines."
            raise ProcessorError(msg, remedy="Give another file.")
        try:
            data = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            msg = f"{str(path)!r} is not text."
            raise ProcessorError(msg, remedy="Give a YAML file in UTF-8.") from None
        except MarkedYAMLError as error:
            mark = error.problem_mark
            place = Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
            problem = str(error.problem).split("\n", maxsplit=1)[0]
            msg = f"This is not YAML: {problem}."
            raise ProcessorError(
                msg, place=place, remedy="Check indentation, brackets and keys given twice."
            ) from None
        except YAMLError as error:
            msg = f"This is not YAML: {str(error).splitlines()[0]}."
            raise ProcessorError(
                msg, place=Place(str(path)), remedy="Write plain text of 'key: value'."
            ) from None
        if not isinstance(data, CommentedMap):
            msg = "The file must hold keys with values."
            raise ProcessorError(
                msg, place=Place(str(path), 1, 1), remedy="Start with 'name: My board'."
            )
        return cls(str(path), data)

    def place(self, *keys: str) -> Place:
        """Return where a value stands, or its nearest parent."""
        node: Any = self._data
        found = Place(self.file, 1, 1)
        for key in keys:
            where = (getattr(getattr(node, "lc", None), "data", None) or {}).get(key)
            if where:
                found = Place(self.file, where[2] + 1, where[3] + 1)
            node = node.get(key) if isinstance(node, Mapping) else None
        return found

    def value(self, key: str) -> Any:
        """Return a value as parsed; None if it is left out."""
        return self._data.get(key)

    def text(self, key: str) -> str:
        """Return a value as text; empty if it is left out."""
        value = self._data.get(key)
        if isinstance(value, Mapping | list):
            msg = f"{key!r} must be a text."
            raise ProcessorError(msg, place=self.place(key), remedy="Put it in quotes.")
        return "" if value is None else re.sub(r"\s+", " ", str(value)).strip()

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Return the mapping from formats to rates."""
        value = self._data.get(key)
        if value is None:
            msg = f"The key {key!r} is missing."
            raise ProcessorError(
                msg, place=Place(self.file, 1, 1), remedy="Write peak: {fp32: 1.28 TFLOP/s}."
            )
        if not isinstance(value, Mapping):
            msg = f"{key!r} must give a rate for each number format; got {value!r}."
            raise ProcessorError(
                msg, place=self.place(key), remedy="Write peak: {fp32: 1.28 TFLOP/s}."
            )
        for name in value:
            self._check(str(name), FORMATS, "number format", key, str(name))
        return value

    def known(self, keys: tuple[str, ...]) -> None:
        """Refuse keys that mean nothing."""
        for key in self._data:
            self._check(str(key), keys, "key", str(key))

    def _check(self, name: str, allowed: tuple[str, ...], what: str, *path: str) -> None:
        if name not in allowed:
            guess = nearest(name, allowed)
            hint = f"Did you mean {guess!r}? " if guess else ""
            msg = f"Unknown {what} {name!r}."
            remedy = f"{hint}Allowed: {', '.join(allowed)}."
            raise ProcessorError(msg, place=self._key(*path), remedy=remedy)

    def _key(self, *keys: str) -> Place:
        node: Any = self._data
        for key in keys[:-1]:
            node = node.get(key)
        where = (getattr(getattr(node, "lc", None), "data", None) or {}).get(keys[-1])
        return Place(self.file, where[0] + 1, where[1] + 1) if where else self.place(*keys[:-1])

    def amount(self, parse: Callable[..., float], *keys: str) -> float:
        """Return an amount in base SI."""
        node: Any = self._data
        for key in keys:
            node = node.get(key)
        try:
            value = parse(str(node), what=" ".join(keys))
        except ProcessorError as error:
            raise error.at(self.place(*keys)) from None
        if not 0 <= value < float("inf") or (value == 0 and keys[-1] != "launch_overhead"):
            msg = f"The {' '.join(keys)} must be positive and finite; got {node!s}."
            raise ProcessorError(msg, place=self.place(*keys), remedy="Correct it or leave it out.")
        return value

    def optional(self, parse: Callable[..., float], key: str) -> float | None:
        """Return an amount, or None if it is left out."""
        return None if self._data.get(key) is None else self.amount(parse, key)

    def price(self, key: str, *, per_hour: bool) -> Any:
        """Return a price, or None if it is left out."""
        value = self._data.get(key)
        if value is None:
            return None
        try:
            return amounts.parse_price(str(value), per_hour=per_hour, what=key)
        except ProcessorError as error:
            raise error.at(self.place(key)) from None
