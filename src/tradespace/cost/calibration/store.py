"""Calibrations in the user's data folder, found again by name."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import platformdirs

from tradespace.core.errors import InputError
from tradespace.core.suggest import unknown
from tradespace.cost.calibration.record import Calibration

#: Environment variable that names another folder.
HOME = "TRADESPACE_HOME"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LARGEST_BYTES = 10_000_000
THIS_MACHINE = "this-machine"


def data_folder() -> Path:
    """Return the folder of what tradespace keeps for a user on this machine.

    `TRADESPACE_HOME` where it is set; else what the system foresees for data of users.
    """
    return Path(os.environ.get(HOME) or platformdirs.user_data_dir("tradespace", appauthor=False))


def _folder() -> Path:
    return data_folder() / "calibrations"


def save_calibration(calibration: Calibration) -> Path:
    """Store a calibration under its name and return its file; an older one is replaced.

    Raises
    ------
    InputError
        If the name cannot be one of a file, or the folder cannot be written.

    """
    if not _NAME.fullmatch(calibration.name) or calibration.name == THIS_MACHINE:
        msg = f"A calibration cannot be called {calibration.name!r}."
        raise InputError(msg, remedy="Use letters, digits, dots and dashes.")
    place = _folder() / f"{calibration.name}.json"
    fresh = place.with_suffix(".new")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(calibration.to_dict(), indent=1), encoding="utf-8")
        fresh.replace(place)
    except OSError as error:
        msg = f"The calibration cannot be stored in {place.parent}: {error.strerror}."
        raise InputError(msg, remedy=f"Name another folder in {HOME}.") from None
    return place


def calibrations() -> dict[str, Path]:
    """Return the files of the stored calibrations by name, the latest first."""
    if not _folder().is_dir():
        return {}
    files = sorted(_folder().glob("*.json"), key=lambda f: (-f.stat().st_mtime, f.name))
    return {file.stem: file for file in files}


def load_calibration(name: str = THIS_MACHINE) -> Calibration:
    """Return a stored calibration.

    Parameters
    ----------
    name : str
        Of a stored calibration; ``"this-machine"`` for the latest one of this machine.

    Raises
    ------
    InputError
        If there is none of the name, it cannot be read, or none of this machine is stored.

    """
    found = calibrations()
    if name == THIS_MACHINE:
        return _latest(found)
    if name not in found:
        if not found:
            msg = f"There is no calibration {name!r}: none is stored in {_folder()}."
            raise InputError(msg, remedy="Run: tradespace calibrate")
        raise unknown(InputError, "calibration", name, found)
    return _read(found[name])


def _latest(found: dict[str, Path]) -> Calibration:
    from tradespace.cost.calibration.machine import machine_facts

    here = machine_facts()
    others = []
    for place in found.values():
        made = _read(place)
        if all(made.machine.get(k) == here[k] for k in ("cpu", "cores")):
            return made
        others.append(made.name)
    if others:
        msg = f"No calibration is of this machine; stored are those of others: {', '.join(others)}."
    else:
        msg = "This machine is not calibrated."
    raise InputError(msg, remedy="Run: tradespace calibrate (about a minute).")


def _read(place: Path) -> Calibration:
    try:
        if place.stat().st_size > _LARGEST_BYTES:
            msg = f"{place} is too large for a calibration."
            raise InputError(msg, remedy="Calibrate again: tradespace calibrate.")
        data = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"The calibration {place} cannot be read ({type(error).__name__})."
        raise InputError(msg, remedy="Calibrate again: tradespace calibrate.") from None
    if not isinstance(data, dict):
        msg = f"The calibration {place} is no JSON object."
        raise InputError(msg, remedy="Calibrate again: tradespace calibrate.")
    return Calibration.from_dict(data)
