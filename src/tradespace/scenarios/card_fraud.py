"""The card-fraud study, on generated transactions or on the handbook's own."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from string import Template

from tradespace.core.errors import DataError

#: The handbook's week of training, and what a perfect ranking reaches in its test week.
HANDBOOK_START, HANDBOOK_BEST = "2018-07-25", 0.397
#: First day of the generated transactions.
FIRST_DAY = dt.date(2018, 4, 1)
#: Train, gap and test, days.
_STUDY_DAYS = 21


def write(
    folder: str | Path,
    *,
    data: str | None = None,
    seed: int = 0,
    customers: int = 2000,
    terminals: int = 4000,
    days: int = 92,
) -> Path:
    """Write the study, its features and, if none are given, its transactions.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    data : str, optional
        The handbook's transactions in one Parquet file; None generates some.
    seed, customers, terminals, days : int
        Of the generated transactions.

    Returns
    -------
    Path
        Of study.yaml.

    Raises
    ------
    DataError
        If `data` names no file.

    """
    folder = Path(folder)
    if data is not None and not Path(data).is_file():
        msg = f"There is no file {data!r} of transactions."
        raise DataError(msg, remedy="Give the Parquet file, or leave it out to generate some.")
    folder.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent
    shutil.copyfile(here / "_card_fraud_features.py", folder / "features.py")
    if data is None:
        from tradespace.scenarios._transactions import generate_transactions

        frame = generate_transactions(
            seed=seed, customers=customers, terminals=terminals, days=days, first_day=FIRST_DAY
        )
        frame.write_parquet(folder / "transactions.parquet")
        start = (FIRST_DAY + dt.timedelta(days=days - _STUDY_DAYS)).isoformat()
        location, best = "transactions.parquet", 1.0
    else:
        location, start, best = str(Path(data).resolve()), HANDBOOK_START, HANDBOOK_BEST
    text = Template((here / "card_fraud.yaml").read_text(encoding="utf-8")).substitute(
        data=location, start=start, least_precision="0.60" if data else "0.50", best_cards=best
    )
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path
