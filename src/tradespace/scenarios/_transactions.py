"""A seeded generator of card transactions, after the published description of the handbook.

Customers and terminals lie on a map; a customer pays at the terminals within a radius, some
times a day, amounts around a mean of his own. Three patterns of fraud: large amounts,
compromised terminals, compromised cards.

References
----------
Y.-A. Le Borgne, W. Siblini, B. Lebichot and G. Bontempi, "Reproducible Machine Learning for
Credit Card Fraud Detection - Practical Handbook", Universite Libre de Bruxelles, 2022.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import numpy.typing as npt

_MAP = 100.0
_RADIUS = 5.0
_DAY_S = 86_400
_LARGE_AMOUNT = 220.0
_TERMINALS_A_DAY, _TERMINAL_DAYS = 2, 28
_CUSTOMERS_A_DAY, _CUSTOMER_DAYS, _CUSTOMER_FACTOR = 3, 14, 5.0


def generate_transactions(
    *, seed: int, customers: int, terminals: int, days: int, first_day: dt.date
) -> pl.DataFrame:
    """Return transactions in order of time.

    Parameters
    ----------
    seed : int
        The same seed gives the same transactions.
    customers, terminals, days : int
        How many.
    first_day : date
        Of the first transactions.

    Returns
    -------
    DataFrame
        TRANSACTION_ID, TX_DATETIME, CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT, TX_FRAUD and
        TX_FRAUD_SCENARIO (0 none, 1 large amount, 2 terminal, 3 card).

    Examples
    --------
    >>> frame = generate_transactions(
    ...     seed=0, customers=50, terminals=100, days=3, first_day=dt.date(2018, 4, 1)
    ... )
    >>> frame.columns[:3], frame["TX_AMOUNT"].min() >= 0
    (['TRANSACTION_ID', 'TX_DATETIME', 'CUSTOMER_ID'], True)

    """
    rng = np.random.default_rng(seed)
    near, first = _nearby(rng, customers, terminals)
    mean_amount = rng.uniform(5, 100, customers)
    mean_count = np.where(np.diff(first) > 0, rng.uniform(0, 4, customers), 0.0)
    counts = rng.poisson(mean_count, (days, customers))
    customer = np.tile(np.arange(customers), days).repeat(counts.ravel())
    day = np.arange(days).repeat(counts.sum(axis=1))
    second = _times_of_day(rng, len(day))
    mean = mean_amount[customer]
    amount = rng.normal(mean, mean / 2)
    amount = np.where(amount < 0, rng.uniform(0, 2 * mean), amount)
    share = rng.random(len(day))
    choices = np.diff(first)[customer]
    terminal = near[first[customer] + (share * choices).astype(np.int64)]
    order = np.lexsort((customer, second, day))
    customer, day, second, terminal = (
        np.asarray(values[order], np.int64) for values in (customer, day, second, terminal)
    )
    amount = amount[order]
    amount, pattern = _frauds(rng, day, customer, terminal, np.round(amount, 2), terminals)
    start = np.datetime64(first_day, "s")
    return pl.DataFrame(
        {
            "TRANSACTION_ID": np.arange(len(day), dtype=np.int32),
            "TX_DATETIME": (start + (day * _DAY_S + second)).astype("datetime64[ms]"),
            "CUSTOMER_ID": customer.astype(np.int32),
            "TERMINAL_ID": terminal.astype(np.int32),
            "TX_AMOUNT": amount,
            "TX_FRAUD": (pattern > 0).astype(np.int8),
            "TX_FRAUD_SCENARIO": pattern,
        }
    )


def _nearby(
    rng: np.random.Generator, customers: int, terminals: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return terminals within reach, customer after customer, and where each one's begin."""
    home = rng.uniform(0, _MAP, (customers, 2))
    place = rng.uniform(0, _MAP, (terminals, 2))
    near, counts = [], []
    for block in np.array_split(home, max(1, customers // 500)):
        distance = ((block[:, None, :] - place[None, :, :]) ** 2).sum(axis=2)
        who, where = np.nonzero(distance < _RADIUS**2)
        near.append(where)
        counts.append(np.bincount(who, minlength=len(block)))
    first = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return np.concatenate(near), first


def _times_of_day(rng: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
    """Return seconds of the day around noon; what falls outside the day is drawn again."""
    second = np.full(n, -1.0)
    while len(outside := np.flatnonzero((second < 0) | (second >= _DAY_S))):
        second[outside] = rng.normal(_DAY_S / 2, 20_000, len(outside))
    return second.astype(np.int64)


def _frauds(
    rng: np.random.Generator,
    day: npt.NDArray[np.int64],
    customer: npt.NDArray[np.int64],
    terminal: npt.NDArray[np.int64],
    amount: npt.NDArray[np.float64],
    terminals: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Return the amounts, some of them multiplied, and the pattern of each transaction."""
    days, customers = int(day.max()) + 1, int(customer.max()) + 1
    pattern = np.where(amount > _LARGE_AMOUNT, 1, 0).astype(np.int8)
    for today in range(days):
        later = day >= today
        bad = rng.choice(terminals, size=min(_TERMINALS_A_DAY, terminals), replace=False)
        hit = later & (day < today + _TERMINAL_DAYS) & np.isin(terminal, bad)
        pattern[hit] = 2
        cards = rng.choice(customers, size=min(_CUSTOMERS_A_DAY, customers), replace=False)
        used = np.flatnonzero(later & (day < today + _CUSTOMER_DAYS) & np.isin(customer, cards))
        chosen = rng.choice(used, size=len(used) // 3, replace=False)
        amount[chosen] = np.round(amount[chosen] * _CUSTOMER_FACTOR, 2)
        pattern[chosen] = 3
    return amount, pattern
