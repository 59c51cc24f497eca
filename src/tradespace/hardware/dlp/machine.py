"""The machine: memories, rates, bandwidth and energy, read from a dozen lines of YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tradespace.core.errors import Place, ProcessorError
from tradespace.hardware.dlp.instructions import FORMATS, OPERATIONS
from tradespace.hardware.dlp.units import parse_amount

_KEYS = (
    "name",
    "clock",
    "bandwidth",
    "memories",
    "mac_per_cycle",
    "vector_per_cycle",
    "array",
    "whole_cycles",
    "overhead_cycles",
    "energy",
)


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of accesses and operations, in joules.

    ``operand_reuse`` operations are served by one read of an on-chip word.
    """

    dram_j_per_byte: float = 0.0
    nram_j_per_byte: float = 0.0
    wram_j_per_byte: float = 0.0
    instruction_j: float = 0.0
    operand_reuse: float = 16.0
    operations_j: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machine:
    """A deep-learning processor with memories that the program manages.

    Parameters
    ----------
    name : str
        What to call it.
    clock_hz : float
        Cycles a second.
    bandwidth_bytes_per_s : float
        Off chip, shared by loads and stores.
    nram_bytes, wram_bytes : int
        Memory of neurons (inputs and outputs) and of weights.
    mac_per_cycle, vector_per_cycle : mapping of int to float
        Operations a cycle by number of bits.
    array : tuple of int, optional
        Rows (outputs) and columns (reduction) of a fixed matrix unit: a computation of N
        outputs over K terms then takes ceil(N/rows) ceil(K/columns) steps a position.
    whole_cycles : bool
        Round each computation up to whole cycles.
    overhead_cycles : float
        Cycles that each move and each compute takes in its lane besides its work.
    energy : Energy
        Energy by access and operation.

    Examples
    --------
    >>> machine = load_machine()
    >>> machine.nram_bytes, machine.rate_per_s("MAC", 32)
    (131072, 256000000000.0)

    """

    name: str
    clock_hz: float
    bandwidth_bytes_per_s: float
    nram_bytes: int
    wram_bytes: int
    mac_per_cycle: Mapping[int, float]
    vector_per_cycle: Mapping[int, float]
    array: tuple[int, int] | None = None
    whole_cycles: bool = False
    overhead_cycles: float = 0.0
    energy: Energy = field(default_factory=Energy)

    def __post_init__(self) -> None:
        facts = {
            "clock": self.clock_hz,
            "bandwidth": self.bandwidth_bytes_per_s,
            "NRAM": self.nram_bytes,
            "WRAM": self.wram_bytes,
        }
        facts |= {f"mac_per_cycle at {bits} bits": v for bits, v in self.mac_per_cycle.items()}
        facts |= {
            f"vector_per_cycle at {bits} bits": v for bits, v in self.vector_per_cycle.items()
        }
        for what, value in facts.items():
            if not 0 < value < float("inf"):
                msg = (
                    f"The {what} of machine {self.name!r} must be positive and finite; got {value}."
                )
                raise ProcessorError(msg, remedy="Correct the machine's description.")
        if not 0 <= self.overhead_cycles < float("inf"):
            msg = f"overhead_cycles of machine {self.name!r} is {self.overhead_cycles}."
            raise ProcessorError(msg, remedy="Write 0 or a positive number.")
        if not 0 < self.energy.operand_reuse < float("inf"):
            msg = f"operand_reuse of machine {self.name!r} is {self.energy.operand_reuse}."
            raise ProcessorError(msg, remedy="Write how many operations one read serves, from 1.")
        object.__setattr__(self, "mac_per_cycle", MappingProxyType(dict(self.mac_per_cycle)))
        object.__setattr__(self, "vector_per_cycle", MappingProxyType(dict(self.vector_per_cycle)))

    def capacity_bytes(self, memory: str) -> float:
        """Return the bytes of a memory; DRAM has no end."""
        return {"NRAM": self.nram_bytes, "WRAM": self.wram_bytes}.get(memory, float("inf"))

    def per_cycle(self, operation: str, bits: int) -> float:
        """Return operations a cycle.

        Raises
        ------
        ProcessorError
            If the machine has no such format.

        """
        rates = self.mac_per_cycle if operation == "MAC" else self.vector_per_cycle
        if bits not in rates:
            known = ", ".join(f"{operation}_{known}" for known in sorted(rates, reverse=True))
            msg = f"Machine {self.name!r} has no rate for {operation}_{bits}"
            msg += f"; it has {known}." if known else "."
            where = "mac_per_cycle" if operation == "MAC" else "vector_per_cycle"
            remedy = f"Add fp{bits} under {where} of the machine, or use a format that it has."
            raise ProcessorError(msg, remedy=remedy)
        return rates[bits]

    def rate_per_s(self, operation: str, bits: int) -> float:
        """Return operations a second."""
        return self.per_cycle(operation, bits) * self.clock_hz


def load_machine(path: str | Path | None = None) -> Machine:
    """Read a machine from YAML; without a path, the machine of the exercises.

    Raises
    ------
    ProcessorError
        With file, line and column, if the description is wrong.

    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    source = Path(path) if path is not None else Path(__file__).parent / "machines/exercise.yaml"
    if not source.is_file():
        msg = f"There is no machine file {str(source)!r}."
        raise ProcessorError(msg, remedy="Give the path of a YAML file, or leave --machine out.")
    try:
        data = YAML(typ="rt").load(source.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ReaderError):
        msg = f"{str(source)!r} is not text."
        raise ProcessorError(msg, remedy="Give a YAML file in UTF-8.") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(str(source), mark.line + 1, mark.column + 1) if mark else Place(str(source))
        msg = f"This is not YAML: {error.problem}."
        raise ProcessorError(
            msg, place=place, remedy="Check the indentation and brackets."
        ) from None
    if not isinstance(data, CommentedMap):
        msg = "A machine is a mapping of names to values."
        raise ProcessorError(
            msg, place=Place(str(source), 1, 1), remedy=f"Keys: {', '.join(_KEYS)}."
        )
    return _Reader(str(source)).machine(data)


class _Reader:
    """Turns the parsed file into a machine, keeping places for errors."""

    def __init__(self, file: str) -> None:
        self.file = file

    def place(self, node: object, key: str) -> Place:
        """Return where a value stands."""
        position = getattr(getattr(node, "lc", None), "data", None) or {}
        found = position.get(key)
        if found:
            return Place(self.file, found[2] + 1, found[3] + 1)
        around = getattr(node, "lc", None)  # a key that is missing: where it should be
        return Place(
            self.file, (around.line if around else 0) + 1, (around.col if around else 0) + 1
        )

    def amount(self, node: Mapping[str, object], key: str, unit: str) -> float:
        """Return a value with its unit in base SI."""
        if key not in node:
            msg = f"The machine has no {key!r}."
            raise ProcessorError(msg, place=self.place(node, key), remedy=f"Add {key} in {unit}.")
        try:
            return parse_amount(str(node[key]), unit=unit, what=key)
        except ProcessorError as error:
            raise error.at(self.place(node, key)) from None

    def number(self, node: Mapping[str, object], key: str, default: float) -> float:
        """Return a plain number."""
        value = node.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            msg = f"{key} must be a number; got {value!r}."
            raise ProcessorError(msg, place=self.place(node, key), remedy="Write a number.")
        return float(value)

    def mapping(self, node: Mapping[str, object], key: str) -> Mapping[str, object]:
        """Return a mapping under a key."""
        value = node.get(key, {})
        if not isinstance(value, Mapping):
            msg = f"{key} must be a mapping; got {value!r}."
            raise ProcessorError(
                msg, place=self.place(node, key), remedy="Write {name: value, ...}."
            )
        return value

    def known(self, node: Mapping[str, object], names: tuple[str, ...], what: str) -> None:
        """Refuse keys that do not exist."""
        import difflib

        for key in node:
            if key not in names:
                near = difflib.get_close_matches(str(key), names, 1)
                hint = f"Did you mean {near[0]!r}? " if near else ""
                msg = f"Unknown key {key!r} in {what}."
                remedy = f"{hint}Allowed: {', '.join(names)}."
                raise ProcessorError(msg, place=self.place(node, str(key)), remedy=remedy)

    def rates(self, node: Mapping[str, object], key: str) -> dict[int, float]:
        """Return operations a cycle by bits."""
        table = self.mapping(node, key)
        self.known(table, tuple(FORMATS), key)
        return {FORMATS[name]: self.number(table, name, 0.0) for name in table}

    def machine(self, data: Mapping[str, object]) -> Machine:
        """Return the machine."""
        self.known(data, _KEYS, "the machine")
        memories = self.mapping(data, "memories")
        self.known(memories, ("NRAM", "WRAM"), "memories")
        array: tuple[int, int] | None = None
        if data.get("array") is not None:
            found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", str(data["array"]))
            if not found:
                msg = f"array must be rows x columns; got {data['array']!r}."
                raise ProcessorError(msg, place=self.place(data, "array"), remedy="Write 16x16.")
            array = (int(found[1]), int(found[2]))
        whole = data.get("whole_cycles", False)
        if not isinstance(whole, bool):
            msg = f"whole_cycles must be true or false; got {whole!r}."
            raise ProcessorError(msg, place=self.place(data, "whole_cycles"), remedy="Write true.")
        try:
            return Machine(
                name=str(data.get("name", Path(self.file).stem)),
                clock_hz=self.amount(data, "clock", "Hz"),
                bandwidth_bytes_per_s=self.amount(data, "bandwidth", "B/s"),
                nram_bytes=int(self.amount(memories, "NRAM", "B")),
                wram_bytes=int(self.amount(memories, "WRAM", "B")),
                mac_per_cycle=self.rates(data, "mac_per_cycle"),
                vector_per_cycle=self.rates(data, "vector_per_cycle"),
                array=array,
                whole_cycles=whole,
                overhead_cycles=self.number(data, "overhead_cycles", 0.0),
                energy=self.energy(self.mapping(data, "energy")),
            )
        except ProcessorError as error:
            raise error.at(Place(self.file)) from None

    def energy(self, node: Mapping[str, object]) -> Energy:
        """Return the energy table; what is not given costs nothing and is reported as such."""
        names = ("dram", "nram", "wram", "instruction", "operand_reuse", "operations")
        self.known(node, names, "energy")
        operations = self.mapping(node, "operations")
        kinds = tuple(f"{name}_{bits}" for name in OPERATIONS for bits in FORMATS.values())
        self.known(operations, kinds, "energy of operations")
        return Energy(
            dram_j_per_byte=self.amount(node, "dram", "J/B") if "dram" in node else 0.0,
            nram_j_per_byte=self.amount(node, "nram", "J/B") if "nram" in node else 0.0,
            wram_j_per_byte=self.amount(node, "wram", "J/B") if "wram" in node else 0.0,
            instruction_j=self.amount(node, "instruction", "J") if "instruction" in node else 0.0,
            operand_reuse=self.number(node, "operand_reuse", 16.0),
            operations_j={name: self.amount(operations, name, "J/op") for name in operations},
        )
