"""Seeded card transactions with three patterns of fraud, from a published description.

Customers and terminals live on a map of 100 by 100. A customer buys at terminals within a
radius, a Poisson number of times a day, for normally distributed amounts, mostly around noon.
Frauds: every amount above 220; every day two terminals are compromised for 28 days; every day
three customers are compromised for 14 days, in which a third of their transactions are five
times as large.

References
----------
Y.-A. Le Borgne, W. Siblini, B. Lebichot and G. Bontempi, Reproducible Machine Learning for
Credit Card Fraud Detection - Practical Handbook, Universite Libre de Bruxelles, 2022,
chapter 3 (the description; this code is our own).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]

MAP_SIZE = 100.0
RADIUS = 5.0
LARGE_AMOUNT = 220.0
TERMINALS_A_DAY, TERMINAL_DAYS = 2, 28
CUSTOMERS_A_DAY, CUSTOMER_DAYS, CUSTOMER_FACTOR = 3, 14, 5.0
_DAY_S = 86_400


def generate(
    *, customers: int, terminals: int, days: int, seed: int = 0, start: date = date(2026, 1, 1)
) -> pl.DataFrame:
    """Return transactions ordered by time.

    Parameters
    ----------
    customers, terminals, days : int
        How many; a customer makes about two transactions a day.
    seed : int
        The same seed gives the same rows.
    start : date
        First day.

    Returns
    -------
    DataFrame
        TRANSACTION_ID, TX_DATETIME, CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT, TX_FRAUD and
        TX_FRAUD_SCENARIO (which pattern; it tells the label).

    Examples
    --------
    >>> generate(customers=20, terminals=50, days=3).columns[:3]
    ['TRANSACTION_ID', 'TX_DATETIME', 'CUSTOMER_ID']

    """
    import polars as pl

    rng = np.random.default_rng(seed)
    customer_at = rng.uniform(0, MAP_SIZE, (customers, 2))
    terminal_at = rng.uniform(0, MAP_SIZE, (terminals, 2))
    mean_amount = rng.uniform(5, 100, customers)
    rate = rng.uniform(0, 4, customers)
    near = [
        np.flatnonzero(((terminal_at - place) ** 2).sum(axis=1) < RADIUS**2)
        for place in customer_at
    ]
    # A customer with no terminal near stays at home.
    rate = np.where([len(found) > 0 for found in near], rate, 0.0)
    counts = rng.poisson(rate[None, :], (days, customers))
    day = np.repeat(np.arange(days), counts.sum(axis=1))
    customer = np.concatenate([np.repeat(np.arange(customers), row) for row in counts])
    n = len(day)
    second = np.rint(rng.normal(_DAY_S / 2, 20_000, n)).astype(np.int64)
    kept = (second > 0) & (second < _DAY_S)
    day, customer, second = day[kept], customer[kept], second[kept]
    n = len(day)
    mean = mean_amount[customer]
    amount = rng.normal(mean, mean / 2)
    redrawn = rng.uniform(0, 2 * mean)
    amount = np.round(np.where(amount < 0, redrawn, amount), 2)
    sizes = np.array([len(found) for found in near])
    offset = np.concatenate(([0], np.cumsum(sizes)))
    flat = np.concatenate(near)
    pick = np.floor(rng.random(n) * sizes[customer]).astype(np.int64)
    terminal = flat[offset[customer] + pick]
    order = np.lexsort((customer, second, day))
    day, second, customer = day[order], second[order], customer[order]
    amount, terminal = amount[order], terminal[order]
    amount, scenario = _frauds(
        rng, day, customer, terminal, amount, sizes=(customers, terminals, days)
    )
    began = np.datetime64(datetime.combine(start, datetime.min.time()), "s")
    return pl.DataFrame(
        {
            "TRANSACTION_ID": np.arange(n, dtype=np.int64),
            "TX_DATETIME": (began + day * _DAY_S + second).astype("datetime64[ms]"),
            "CUSTOMER_ID": customer.astype(np.int32),
            "TERMINAL_ID": terminal.astype(np.int32),
            "TX_AMOUNT": amount,
            "TX_FRAUD": (scenario > 0).astype(np.int8),
            "TX_FRAUD_SCENARIO": scenario.astype(np.int8),
        }
    )


def _frauds(
    rng: np.random.Generator,
    day: Rows,
    customer: Rows,
    terminal: Rows,
    amount: Floats,
    *,
    sizes: tuple[int, int, int],
) -> tuple[Floats, Rows]:
    customers, terminals, days = sizes
    amount = amount.copy()
    scenario = np.where(amount > LARGE_AMOUNT, 1, 0).astype(np.int64)
    for today in range(days):
        bad = rng.choice(terminals, min(TERMINALS_A_DAY, terminals), replace=False)
        hit = (day >= today) & (day < today + TERMINAL_DAYS) & np.isin(terminal, bad)
        scenario[hit] = 2
    for today in range(days):
        bad = rng.choice(customers, min(CUSTOMERS_A_DAY, customers), replace=False)
        rows = np.flatnonzero(
            (day >= today) & (day < today + CUSTOMER_DAYS) & np.isin(customer, bad)
        )
        chosen = rng.choice(rows, len(rows) // 3, replace=False)
        amount[chosen] = np.round(amount[chosen] * CUSTOMER_FACTOR, 2)
        scenario[chosen] = 3
    return amount, scenario
