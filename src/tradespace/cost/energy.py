"""Energy of inference: from power and time, or from the energies of single operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tradespace.core.errors import InputError
from tradespace.core.suggest import unknown
from tradespace.cost.price.tables import operation_energies
from tradespace.graph.formats import BITS
from tradespace.graph.work import Work

#: technology -> format -> rows of the table whose sum is a multiply-accumulate, and the row
#: of another operation.
_TECHNOLOGIES: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "45nm": {
        "fp32": (("h45-mac-fp32",), "h45-fp32-add"),
        "fp16": (("h45-mac-fp16",), "h45-fp16-add"),
        "int8": (("h45-mac-int8",), "h45-int8-add"),
    },
    "7nm": {
        "fp32": (("j7-fp32-multiply", "j7-fp32-add"), "j7-fp32-add"),
        "fp16": (("j7-fp16-multiply", "j7-fp16-add"), "j7-fp16-add"),
        "bf16": (("j7-bf16-multiply", "j7-fp32-add"), "j7-bf16-add"),
        "int8": (("j7-int8-multiply", "j7-int32-add"), "j7-int8-add"),
    },
}
#: memory -> row of the table, by technology.
_MEMORIES: dict[str, dict[str, str]] = {
    "45nm": {"dram": "h45-dram", "sram": "h45-sram-cache-1-mb"},
    "7nm": {"dram": "j7-ddr", "hbm2": "j7-hbm2", "gddr6": "j7-gddr6", "sram": "j7-sram-1-mb"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsEnergy:
    """Energy of some work from the energies of its operations.

    Parameters
    ----------
    low_j, high_j : float
        The sum, with the low and the high energies of the memory.
    arithmetic_j, memory_low_j : float
        Its parts.
    method : str
        What it rests on and what it leaves out.

    """

    low_j: float
    high_j: float
    arithmetic_j: float
    memory_low_j: float
    method: str


def energy_from_power(*, power_w: float, time_s: float) -> float:
    """Return the energy at an average power, in joules.

    Examples
    --------
    >>> energy_from_power(power_w=15.0, time_s=0.02)
    0.3

    """
    return power_w * time_s


def energy_from_operations(
    works: Sequence[Work],
    *,
    technology: str = "45nm",
    memory: str = "dram",
    number_format: str | None = None,
) -> OperationsEnergy:
    """Return the energy of arithmetic and memory traffic.

    A lower bound for a real chip: control, on-chip memories and leakage are left out, and
    every operand crosses the memory's pins once for each operator.

    Parameters
    ----------
    works : sequence of Work
        Operators.
    technology : str
        ``"45nm"`` (Horowitz 2014) or ``"7nm"`` (Jouppi et al. 2021).
    memory : str
        ``"dram"``, ``"sram"``, at 7 nm also ``"hbm2"`` and ``"gddr6"``.
    number_format : str, optional
        The works' own unless given.

    Raises
    ------
    InputError
        If the table has no such technology, memory or format.

    Examples
    --------
    A multiply-accumulate of 4.6 pJ against 12 bytes of DRAM at 162.5 pJ each:

    >>> mac = Work(name="x", operator="dense", kind="product", macs=1, read_bytes=8,
    ...            write_bytes=4)
    >>> found = energy_from_operations([mac])
    >>> round(found.arithmetic_j * 1e12, 1), round(found.memory_low_j * 1e12)
    (4.6, 1950)

    """
    if technology not in _TECHNOLOGIES:
        raise unknown(InputError, "technology", technology, _TECHNOLOGIES)
    memories = _MEMORIES[technology]
    if memory not in memories:
        raise unknown(InputError, f"memory at {technology}", memory, memories)
    table = operation_energies()
    store = table[memories[memory]]
    arithmetic = moved = 0.0
    for work in works:
        fmt = number_format or work.format
        mac_j, operation_j = _costs(technology, fmt)
        arithmetic += work.macs * mac_j + work.operations * operation_j
        moved += (work.read_bytes + work.write_bytes) * (BITS[fmt] / BITS[work.format])
    low, high = moved * store.low_j_per_byte, moved * store.high_j_per_byte
    return OperationsEnergy(
        low_j=arithmetic + low,
        high_j=arithmetic + high,
        arithmetic_j=arithmetic,
        memory_low_j=low,
        method=f"energies of operations at {technology} and of {store.item} ({store.source}); "
        "control, on-chip memories and leakage left out, so a real chip takes more",
    )


def _costs(technology: str, fmt: str) -> tuple[float, float]:
    formats = _TECHNOLOGIES[technology]
    if fmt not in formats:
        raise unknown(InputError, f"format in the table of {technology}", fmt, formats)
    table = operation_energies()
    parts, other = formats[fmt]
    return sum(table[part].low_j for part in parts), table[other].low_j
