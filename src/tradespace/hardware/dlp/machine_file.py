"""The file of a machine: a dozen lines of YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator

from tradespace.core.errors import Place, ProcessorError
from tradespace.files.checker import Checker, Section
from tradespace.files.fields import Line, one_of, quantity, refuse
from tradespace.files.problems import FileKind, ProcessorProblemsError
from tradespace.hardware.dlp.instructions import FORMATS, OPERATIONS
from tradespace.hardware.dlp.machine import Energy, Machine

_MACHINE = FileKind(
    "machine file",
    "Start with 'name:', 'clock:', 'bandwidth:' and 'memories:' at the left margin.",
    "Give the path of a YAML file, or leave --machine out.",
    ProcessorProblemsError,
)
_EXAMPLES = {"clock": "1 GHz", "bandwidth": "64 GB/s", "NRAM": "128 KiB", "WRAM": "256 KiB"}
_KINDS = tuple(f"{name}_{bits}" for name in OPERATIONS for bits in FORMATS.values())


def _amount(unit: str, *, zero: bool = False) -> PlainValidator:
    return PlainValidator(quantity(unit, zero=zero, bare=False))


def _array(value: Any) -> tuple[int, int]:
    sizes = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", str(value))
    if not sizes:
        refuse(f"'array' must be rows x columns; got {value!r}.", remedy="Write 16x16.")
    return int(sizes[1]), int(sizes[2])


Rates = dict[Annotated[str, one_of(FORMATS, "number format")], float]
EnergyOfByte = Annotated[float, _amount("J/B", zero=True)]


class MemoriesSection(Section):
    """Capacities on the chip."""

    nram: Annotated[float | None, _amount("B")] = Field(None, alias="NRAM")
    wram: Annotated[float | None, _amount("B")] = Field(None, alias="WRAM")


class EnergySection(Section):
    """Energy; what is not given costs nothing and is reported as such."""

    dram: EnergyOfByte = 0.0
    nram: EnergyOfByte = 0.0
    wram: EnergyOfByte = 0.0
    instruction: Annotated[float, _amount("J", zero=True)] = 0.0
    operand_reuse: float = 16.0
    operations: dict[
        Annotated[str, one_of(_KINDS, "operation")], Annotated[float, _amount("J/op", zero=True)]
    ] = Field({}, examples=["{MAC_32: 4.6 pJ/op}"])


class MachineFile(Section):
    """The file of a machine."""

    name: Line = ""
    clock: Annotated[float | None, _amount("Hz")] = None
    bandwidth: Annotated[float | None, _amount("B/s")] = None
    memories: MemoriesSection = Field(default_factory=lambda: MemoriesSection.model_validate({}))
    mac_per_cycle: Rates = Field({}, examples=["{fp32: 256}"])
    vector_per_cycle: Rates = Field({}, examples=["{fp32: 256}"])
    array: Annotated[tuple[int, int] | None, PlainValidator(_array)] = None
    whole_cycles: bool = False
    overhead_cycles: float = 0.0
    energy: EnergySection = Field(default_factory=lambda: EnergySection.model_validate({}))


def load_machine(path: str | Path | None = None) -> Machine:
    """Read a machine from YAML; without a path, the machine of the exercises.

    Raises
    ------
    ProcessorError
        With file, line and column, if the description is wrong.

    """
    source = Path(path) if path is not None else Path(__file__).parent / "machines/exercise.yaml"
    checker = Checker.open(source, _MACHINE)
    read = checker.read(MachineFile, checker.tree.value, ())
    memories, energy = read.memories, read.energy
    needed = {
        ("clock",): read.clock,
        ("bandwidth",): read.bandwidth,
        ("memories", "NRAM"): memories.nram,
        ("memories", "WRAM"): memories.wram,
    }
    missing = [where for where, value in needed.items() if value is None]
    if not checker.problems:
        for where in missing:
            msg = f"The machine has no {where[-1]!r}."
            checker.note(msg, where, remedy=f"Add it, like '{where[-1]}: {_EXAMPLES[where[-1]]}'.")
    checker.problems.raise_if_any()
    try:
        return Machine(
            name=read.name or source.stem,
            clock_hz=read.clock or 0.0,
            bandwidth_bytes_per_s=read.bandwidth or 0.0,
            nram_bytes=int(memories.nram or 0),
            wram_bytes=int(memories.wram or 0),
            mac_per_cycle={FORMATS[name]: rate for name, rate in read.mac_per_cycle.items()},
            vector_per_cycle={FORMATS[name]: rate for name, rate in read.vector_per_cycle.items()},
            array=read.array,
            whole_cycles=read.whole_cycles,
            overhead_cycles=read.overhead_cycles,
            energy=Energy(
                dram_j_per_byte=energy.dram,
                nram_j_per_byte=energy.nram,
                wram_j_per_byte=energy.wram,
                instruction_j=energy.instruction,
                operand_reuse=energy.operand_reuse,
                operations_j=energy.operations,
            ),
        )
    except ProcessorError as error:
        raise error.at(Place(str(source))) from None
