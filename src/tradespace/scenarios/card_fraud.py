"""The scenario ``card-fraud``: the handbook's protocol on generated or on its real files."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tradespace.core.errors import InputError
from tradespace.store.artifacts import write_atomically

_HERE = Path(__file__).parent
_START = date(2026, 1, 1)
#: First day of training in the handbook's protocol.
_HANDBOOK_START = date(2018, 7, 25)
_PERIOD_DAYS = 21


def write(
    folder: Path,
    *,
    data: str | None = None,
    seed: int = 0,
    customers: int = 2000,
    terminals: int = 4000,
    days: int = 92,
) -> Path:
    """Write study.yaml, features.py and, unless `data` is given, generated transactions.

    Parameters
    ----------
    folder : Path
        Made if absent.
    data : str, optional
        The handbook's transactions as one Parquet file; then its own dates are used.
    seed, customers, terminals, days : int
        Of the generator.

    Returns
    -------
    Path
        Of the study.

    Raises
    ------
    InputError
        If there are too few days, or no file of that name.

    """
    if data is not None:
        file = Path(data).resolve()
        if not file.exists():
            msg = f"There is no file {data!r}."
            raise InputError(msg, remedy="Give the handbook's transactions as Parquet.")
        location, start = str(file), _HANDBOOK_START
    else:
        if days < _PERIOD_DAYS + 15:
            msg = f"The protocol needs at least {_PERIOD_DAYS + 15} days; got {days}."
            raise InputError(msg, remedy="Leave out 'days' for 92.")
        from tradespace.scenarios.card_fraud_data import generate

        folder.mkdir(parents=True, exist_ok=True)
        frame = generate(
            customers=customers, terminals=terminals, days=days, seed=seed, start=_START
        )
        frame.write_parquet(folder / "transactions.parquet")
        location = "transactions.parquet"
        start = _START + timedelta(days=days - _PERIOD_DAYS)
    text = (_HERE / "card_fraud.yaml").read_text(encoding="utf-8")
    text = text.replace("@DATA@", location).replace("@START@", start.isoformat())
    place = folder / "study.yaml"
    write_atomically(folder / "features.py", (_HERE / "card_fraud_features.py").read_bytes())
    write_atomically(place, text.encode())
    return place
