"""Data of this floor: known training runs, energies of operations, what carbon compares to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradespace.core.errors import InputError
from tradespace.core.suggest import nearest, unknown
from tradespace.hardware.profiles.tables import record_of, span, table_rows

_FOLDER = Path(__file__).parent / "data"
_ALIASES = {
    "bert": "bert-base",
    "gpt-3-175b": "gpt-3",
    "gpt3": "gpt-3",
    "gpt2": "gpt-2",
    "t5": "t5-11b",
    "bloom": "bloom-176b",
    "opt": "opt-175b",
    "switch": "switch-transformer",
    "evolved-transformer": "evolved-transformer-search",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """A published training run; what its source does not state is None.

    `power_w` is of a chip, `machine_power_w` of all machines together; `usd_per_hour` runs
    from the lowest to the highest price of a chip's hour; `published` holds results as printed, by
    quantity: ``flop``, ``energy``, ``carbon``, ``rent``.
    """

    id: str
    name: str
    parameters: float | None = None
    tokens: float | None = None
    flop_per_parameter_token: float | None = None
    flop: float | None = None
    processor: str | None = None
    chips: float | None = None
    hours: float | None = None
    power_w: float | None = None
    machine_power_w: float | None = None
    power_meaning: str = ""
    pue: float | None = None
    carbon_g_per_kwh: float | None = None
    usd_per_hour: tuple[float, float] | None = None
    published: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class OperationEnergy:
    """Energy of one operation or access, in joules, from low to high."""

    id: str
    item: str
    technology_nm: str
    bits: int | None
    low_j: float
    high_j: float
    per: str
    scope: str
    source: str
    notes: str = ""

    @property
    def low_j_per_byte(self) -> float:
        """Energy for each byte, for a memory."""
        return self.low_j * 8 / (self.bits or 8)

    @property
    def high_j_per_byte(self) -> float:
        """The high end for each byte, for a memory."""
        return self.high_j * 8 / (self.bits or 8)


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Something whose emission people can picture."""

    id: str
    name: str
    carbon_g: float
    source: str


def _rows(table: str) -> dict[str, dict[str, str]]:
    return table_rows(_FOLDER / f"{table}.csv")


def _run(row: Mapping[str, str]) -> TrainingRun:
    columns = ("flop", "energy", "carbon", "rent")
    printed = {name: row[f"published_{name}"] for name in columns}
    return record_of(
        TrainingRun,
        row,
        usd_per_hour=span(row, "usd_per_h"),
        published={name: text for name, text in printed.items() if text},
    )


def training_runs() -> dict[str, TrainingRun]:
    """Return every published run by id.

    Examples
    --------
    >>> training_runs()["transformer-big"].machine_power_w
    1515.43

    """
    return {name: _run(row) for name, row in _rows("training_runs").items()}


def training_run(name: str) -> TrainingRun | None:
    """Return a published run, or None if none has the name.

    Examples
    --------
    >>> training_run("GPT-3").flop, training_run("my-net") is None
    (3.14e+23, True)

    """
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    row = _rows("training_runs").get(_ALIASES.get(wanted, wanted))
    return None if row is None else _run(row)


def nearest_run(name: str) -> str | None:
    """Return the name of the run most like a name."""
    return nearest(name, _rows("training_runs"))


def operation_energies() -> dict[str, OperationEnergy]:
    """Return every energy of an operation by id.

    Examples
    --------
    >>> operation_energies()["h45-dram"].low_j_per_byte
    1.625e-10

    """
    return {
        name: record_of(
            OperationEnergy,
            row,
            low_j=float(row["energy_low_j"]),
            high_j=float(row["energy_high_j"]),
        )
        for name, row in _rows("energy_per_operation").items()
    }


def operation_energy(name: str) -> OperationEnergy:
    """Return the energy of an operation by id.

    Raises
    ------
    InputError
        If there is none of that id.

    """
    table = operation_energies()
    if name not in table:
        raise unknown(InputError, "energy of an operation", name, table)
    return table[name]


def equivalents() -> dict[str, Equivalent]:
    """Return what carbon can be compared to.

    Examples
    --------
    The architecture search of 2019, as estimated then, in lifetimes of a car:

    >>> round(626155 * 453.59237 / equivalents()["car"].carbon_g, 2)
    4.97

    """
    return {name: record_of(Equivalent, row) for name, row in _rows("equivalents").items()}
